/** `assay tail TOPIC`: events as JSON, decoded by the server; follows the topic unless told otherwise. */
import { eventsClient, type ReadPosition, type StoredJsonEvent } from '@assay/client'
import { AssayError } from '@assay/errors'
import { Command } from 'commander'
import pc from 'picocolors'
import { configOf, formatOf, withSettings } from '../options.ts'
import { printEntry } from '../print.ts'
import { registryAccess } from '../registry-access.ts'
import { wholeNumber } from '../topic-access.ts'
import { stopSignal } from './serve.ts'

interface TailOptions {
  readonly from: string
  readonly partition?: string
  readonly reader?: string
  readonly follow: boolean
  readonly count?: number
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export function tailCommand(): Command {
  const command = new Command('tail')
    .description('print events as JSON, decoded with the schemas that wrote them')
    .argument('<topic>')
    .option('--from <where>', 'earliest, latest, an ISO time, a time ago such as -1h, or a cursor such as 0:12', 'latest')
    .option('--partition <number>', 'one partition')
    .option('--reader <schema>', 'resolve values to this schema: an ID, or subject@version')
    .option('--no-follow', 'stop at the end of the topic')
    .option('-n, --count <number>', 'stop after so many events', wholeNumber('--count'))
  return withSettings(command).action(async (topic: string, options: TailOptions) => {
    const config = configOf(command)
    const client = eventsClient(registryAccess(config))
    const position = positionOf(options)
    let left = options.count ?? Number.POSITIVE_INFINITY
    const print = (event: StoredJsonEvent): boolean => {
      printEntry({ topic, ...event }, textOf(event), formatOf(command))
      return --left > 0
    }
    if (options.follow) {
      const stopping = new AbortController()
      void stopSignal().then(() => stopping.abort())
      for await (const { cursor: _, ...event } of client.follow(topic, { ...position, signal: stopping.signal }))
        if (!print(event)) return
      return
    }
    for (let { events, next } = await client.read(topic, position); events.length > 0; ) {
      for (const event of events) if (!print(event)) return
      ;({ events, next } = await client.read(topic, { ...position, from: { cursor: next } }))
    }
  })
}

function positionOf({ from, partition, reader }: TailOptions): ReadPosition {
  return {
    from: startOf(from),
    ...(partition !== undefined && { partition: partitionNumber(partition) }),
    ...(reader !== undefined && { reader })
  }
}

function partitionNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new AssayError('INVALID_ARGUMENT', { reason: `--partition ${text}: expected a whole number from 0 up` })
}

function startOf(text: string): NonNullable<ReadPosition['from']> {
  if (text === 'earliest' || text === 'latest') return text
  if (/^\d+:\d+(,\d+:\d+)*$/.test(text)) return { cursor: text }
  const ago = /^-(\d+)([smhd])$/.exec(text)
  if (ago) return new Date(Date.now() - Number(ago[1]) * UNITS_MS[ago[2]!]!)
  const time = new Date(text)
  if (!Number.isNaN(time.getTime())) return time
  throw new AssayError('INVALID_ARGUMENT', {
    reason: `--from ${text}: expected earliest, latest, an ISO time, a time ago such as -1h, or a cursor such as 0:12`
  })
}

function textOf({ partition, offset, key, value, undecoded }: StoredJsonEvent): string {
  const shown = undecoded ? pc.red(`not decoded: ${undecoded.reason}`) : JSON.stringify(value)
  return `${pc.dim(`${partition}@${offset}`)} ${key === null ? '' : `${pc.cyan(JSON.stringify(key))} `}${shown}`
}
