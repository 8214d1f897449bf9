/** `assay serve`: the server, until SIGTERM or Ctrl-C. */
import { flushCompileCache } from 'node:module'
import { Command } from 'commander'
import { pino } from 'pino'
import { configOf, serverSettings, withSettings } from '../options.ts'
import { line } from '../print.ts'
import { startServer } from '../server.ts'
import { version } from '../version.ts'

export function serveCommand(): Command {
  const command = new Command('serve').description('run registry and broker; prints one JSON line when both doors answer')
  return withSettings(command, ...serverSettings).action(async () => {
    const config = configOf(command)
    // Synchronous: what was logged before a crash is on its way out of the process.
    const logger = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }))
    const server = await startServer(config, logger)
    line(JSON.stringify({ ready: true, http: server.http, kafka: server.kafka, pid: process.pid, version }))
    keepCompiled()
    const signal = await stopSignal()
    logger.info({ signal }, 'stopping')
    await server.close()
  })
}

/** Writes down what the start has compiled, for the next one; a server that is killed would never come to it. Nothing is done twice. */
export const keepCompiled = (): void => flushCompileCache()

/** The first SIGTERM, SIGINT or SIGHUP. A second one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
    let asked = false
    for (const name of signals) {
      process.on(name, () => {
        if (asked) process.exit(1)
        asked = true
        resolve(name)
      })
    }
  })
}
