/** `assay produce TOPIC`: JSON lines from stdin or files, encoded by the server under a schema, checked and appended. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { eventsClient, type JsonEvent, type SchemaChoice } from '@assay/client'
import { AssayError } from '@assay/errors'
import { Command } from 'commander'
import { configOf, formatOf, withSettings } from '../options.ts'
import { printEntry } from '../print.ts'
import { registryAccess } from '../registry-access.ts'
import { wholeNumber } from '../topic-access.ts'

interface ProduceOptions {
  readonly subject?: string
  readonly schemaVersion?: string
  readonly schemaId?: number
  readonly key?: string
  readonly envelope: boolean
  readonly batch: number
}

export function produceCommand(): Command {
  const command = new Command('produce')
    .description('produce JSON events, one a line, from stdin or files')
    .argument('<topic>')
    .argument('[files...]', 'files of JSON lines (default: stdin)')
    .option('--subject <name>', 'subject of the value schema (default: <topic>-value)')
    .option('--schema-version <version>', 'version of that subject, or latest')
    .option('--schema-id <id>', 'value schema by its ID', wholeNumber('--schema-id'))
    .option('--key <text>', 'the key of every event')
    .option('--envelope', 'lines are {"key":…,"value":…,"headers":{…},"partition":…} instead of bare values', false)
    .option('--batch <count>', 'events in one request', wholeNumber('--batch'), 500)
  return withSettings(command).action(async (topic: string, files: string[], options: ProduceOptions) => {
    const config = configOf(command)
    const client = eventsClient(registryAccess(config))
    const choice = choiceOf(topic, options)
    const schemas = choice === undefined ? {} : { value: choice }
    const send = async (events: readonly JsonEvent[]): Promise<void> => {
      const stored = await client.produce(topic, events, schemas)
      for (const { partition, offset } of stored.events) {
        const entry = { topic, partition, offset, schemaId: stored.schemaId }
        printEntry(entry, `${topic} ${partition}@${offset}`, formatOf(command))
      }
    }
    let waiting: JsonEvent[] = []
    for await (const { line, place } of linesOf(files)) {
      if (line.trim() === '') continue
      waiting.push(eventOf(line, place, options))
      if (waiting.length < options.batch) continue
      await send(waiting)
      waiting = []
    }
    if (waiting.length > 0) await send(waiting)
  })
}

function choiceOf(topic: string, { subject, schemaVersion, schemaId }: ProduceOptions): SchemaChoice | undefined {
  if (schemaId !== undefined) {
    if (subject === undefined && schemaVersion === undefined) return { schemaId }
    throw new AssayError('INVALID_ARGUMENT', {
      reason: 'Name the schema by --schema-id, or by --subject and --schema-version, not by both'
    })
  }
  if (subject === undefined && schemaVersion === undefined) return undefined
  const version =
    schemaVersion === undefined || schemaVersion === 'latest' ? 'latest' : wholeNumber('--schema-version')(schemaVersion)
  return { subject: subject ?? `${topic}-value`, version }
}

async function* linesOf(files: readonly string[]): AsyncGenerator<{ line: string; place: string }> {
  for (const file of files.length > 0 ? files : ['-']) {
    const input = file === '-' ? process.stdin : createReadStream(file)
    let number = 0
    try {
      for await (const line of createInterface({ input })) {
        number++
        yield { line, place: `${file === '-' ? 'stdin' : file}:${number}` }
      }
    } catch (error) {
      throw new AssayError('INVALID_ARGUMENT', { reason: `${file}: ${(error as Error).message}` }, { cause: error })
    }
  }
}

function eventOf(line: string, place: string, { key, envelope }: ProduceOptions): JsonEvent {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    throw new AssayError('INVALID_ARGUMENT', { reason: `${place}: not JSON: ${(error as Error).message}` }, { cause: error })
  }
  const named = key === undefined ? {} : { key }
  if (!envelope) return { value, ...named }
  if (typeof value !== 'object' || value === null || !('value' in value)) {
    throw new AssayError('INVALID_ARGUMENT', { reason: `${place}: with --envelope a line is an object with a "value"` })
  }
  return { ...named, ...(value as JsonEvent) }
}
