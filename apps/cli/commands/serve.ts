/** `assay serve`: the server, until SIGTERM or Ctrl-C. */
import { flushCompileCache } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import { pino } from 'pino'
import { configOf, serverSettings, withSettings } from '../options.ts'
import { line } from '../print.ts'
import { startServer } from '../server.ts'
import { version } from '../version.ts'

const SMALL_HEAP_BYTES = 64 << 20

export function serveCommand(): Command {
  const command = new Command('serve').description('run registry and broker; prints one JSON line when both doors answer')
  return withSettings(command, ...serverSettings).action(async () => {
    const config = configOf(command)
    // Synchronous: what was logged before a crash is on its way out of the process.
    const logger = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }))
    const { replayProgress } = await import('../replay-progress.ts')
    const replay = replayProgress(logger)
    const server = await startServer(config, logger, { onReplay: replay.report }).finally(replay.end)
    settle()
    line(JSON.stringify({ ready: true, http: server.http, kafka: server.kafka, pid: process.pid, version }))
    const signal = await stopSignal()
    logger.info({ signal }, 'stopping')
    await server.close()
  })
}

/**
 * Ends a start, before anybody waits for answers. What was compiled is written down for the next start: a server that is killed would never
 * come to it. And the room that V8 has made while modules were loaded, some 15 MB, is given back, which takes it about 40 ms: left to itself,
 * it keeps the room as long as it is idle. Only this kind of collection empties its pool of pages, too.
 *
 * From then on a small heap may double before all of it is collected. V8 would begin at a few MB more, counting the buffers that compressed
 * batches are inflated to, and collect twenty times a second: a third of the processor time that a batch takes.
 */
export function settle(): void {
  flushCompileCache()
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  if (process.memoryUsage().heapUsed < SMALL_HEAP_BYTES) setFlagsFromString('--heap-growing-percent=100')
}

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
