/** `assay dev`: a server for trying things out, with the example journey run against it; `--once` ends after the journey. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { join } from 'node:path'
import type { Config, Loaded } from '@assay/config'
import { Command } from 'commander'
import pc from 'picocolors'
import { pino } from 'pino'
import { exitCodes } from '../exit.ts'
import { loadedOf, serverSettings, withSettings } from '../options.ts'
import { line, table } from '../print.ts'
import { startServer } from '../server.ts'
import { keepCompiled, stopSignal } from './serve.ts'

/** From a checkout; a published package comes without the examples. */
const EXAMPLES = join(import.meta.dirname, '../../../examples/journey.ts')
/** The extension is that of this very file: the sources run as they are, and so does what is built from them. */
const JOURNEY = join(import.meta.dirname, `../journey${import.meta.filename.slice(-3)}`)

export function devCommand(): Command {
  const command = new Command('dev')
    .description('run a server for trying things out, with example schemas and events')
    .option('--once', 'stop after the example events', false)
  return withSettings(command, ...serverSettings).action(async ({ once: isOnce }: { once: boolean }) => {
    const loaded = loadedOf(command)
    const config = quietUnlessAsked(loaded)
    const logger = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }))
    // `--once` must not fail because another server has the usual ports.
    const server = await startServer(isOnce ? onFreePorts(loaded, config) : config, logger)
    try {
      const worked = existsSync(EXAMPLES) ? await runJourney(server) : true
      printDoors(server, config)
      if (!worked) process.exitCode = exitCodes.failure
      if (isOnce) return
      keepCompiled()
      line(`\n${pc.dim('Ctrl-C stops the server.')}`)
      await stopSignal()
    } finally {
      await server.close()
    }
    line('Stopped.')
  })
}

/** True when it went as it should; it has printed what happened. */
async function runJourney({ http, kafka }: { http: string; kafka: string }): Promise<boolean> {
  const env = { ...process.env, NODE_COMPILE_CACHE: getCompileCacheDir() }
  const child = fork(JOURNEY, [http, kafka], { env, stdio: 'inherit' })
  const [code] = (await once(child, 'close')) as [number | null]
  return code === exitCodes.ok
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
