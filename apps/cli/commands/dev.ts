/** `assay dev`: a server for trying things out, with the example journey run against it; `--once` ends after the journey. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { registryClient } from '@assay/client'
import type { Config, Loaded } from '@assay/config'
import { Command } from 'commander'
import pc from 'picocolors'
import { pino } from 'pino'
import { exitCodes } from '../exit.ts'
import { loadedOf, serverSettings, withSettings } from '../options.ts'
import { line, table } from '../print.ts'
import { readSchemaFiles } from '../schemas/schema-folder.ts'
import { startServer } from '../server.ts'
import { keepCompiled, stopSignal } from './serve.ts'

/** From a checkout; a published package comes without the examples. */
const EXAMPLES = join(import.meta.dirname, '../../../examples/journey.ts')
const EXAMPLE_SCHEMAS = join(import.meta.dirname, '../../../schemas')

type Journey = (options: {
  readonly http: string
  readonly kafka: string
  readonly print: (line: string) => void
}) => Promise<{ readonly produced: number; readonly refused: number; readonly consumed: number }>

export function devCommand(): Command {
  const command = new Command('dev')
    .description('run a server for trying things out, with example schemas and events')
    .option('--once', 'stop after the example events', false)
  return withSettings(command, ...serverSettings).action(async ({ once }: { once: boolean }) => {
    const loaded = loadedOf(command)
    const config = quietUnlessAsked(loaded)
    const logger = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }))
    // `--once` must not fail because another server has the usual ports.
    const server = await startServer(once ? onFreePorts(loaded, config) : config, logger)
    try {
      const worked = existsSync(EXAMPLES) ? await runJourney(server) : true
      printDoors(server, config)
      if (!worked) process.exitCode = exitCodes.failure
      if (once) return
      keepCompiled()
      line(`\n${pc.dim('Ctrl-C stops the server.')}`)
      await stopSignal()
    } finally {
      await server.close()
    }
    line('Stopped.')
  })
}

async function runJourney({ http, kafka }: { http: string; kafka: string }): Promise<boolean> {
  line(pc.bold('Schemas'))
  const registry = registryClient({ url: http })
  for (const { subject, text, file } of readSchemaFiles([EXAMPLE_SCHEMAS])) {
    const schemaId = await registry.register(subject, { schema: text })
    line(`registered ${subject} as schema ID ${schemaId} ${pc.dim(file.slice(file.lastIndexOf('schemas')))}`)
  }
  line(pc.bold('\nEvents'))
  const { journey } = (await import(EXAMPLES)) as { journey: Journey }
  const { produced, refused, consumed } = await journey({ http, kafka, print: line })
  const worked = produced > 0 && refused === 1 && consumed === produced
  if (!worked) line(pc.red('The journey did not go as it should: one event refused, all others read back.'))
  return worked
}

function printDoors({ http, kafka }: { http: string; kafka: string }, { data }: Config): void {
  line(pc.bold('\nWhere everything listens'))
  const doors = [
    { what: 'Schema registry (Confluent REST API)', where: http },
    { what: 'Events as JSON', where: `${http}/v1/topics/{topic}/events` },
    { what: 'Kafka protocol', where: kafka },
    { what: 'OpenAPI, metrics, health', where: `${http}/openapi.json /metrics /health` },
    { what: 'Data directory', where: data }
  ]
  line(table(doors, ['what', 'where']))
}

/** The journey is what people look at: the log speaks only when it is asked to, or when something is wrong. */
function quietUnlessAsked({ config, origins }: Loaded): Config {
  return origins.logLevel === 'default' ? { ...config, logLevel: 'error' } : config
}

function onFreePorts({ origins }: Loaded, config: Config): Config {
  const free = (name: 'http' | 'kafka'): string => (origins[name] === 'default' ? '127.0.0.1:0' : config[name])
  return { ...config, http: free('http'), kafka: free('kafka') }
}
