/**
 * Says when a file has changed. It asks from time to time instead of being told: a file that is replaced by renaming, or that sits on a
 * network or a mounted Kubernetes secret, escapes the system's own notices.
 */
import { type BigIntStats, promises as fs } from 'node:fs'
import type { Clock, Timer } from '@assay/std'

export interface FileWatch {
  /** Waits for the call under way. */
  close(): Promise<void>
}

export interface FileWatchOptions {
  readonly paths: readonly string[]
  readonly clock: Clock
  readonly everyMs: number
  /** Called after a change was seen, never twice at one time. Must not fail. */
  readonly onChange: () => Promise<void>
}

/** Calls back for every change after the promise has resolved, and for one that falls into its making. */
export async function watchFiles({ paths, clock, everyMs, onChange }: FileWatchOptions): Promise<FileWatch> {
  let seen = await stateOf(paths)
  let running: Promise<void> = Promise.resolve()
  let timer: Timer
  let isClosed = false
  const look = async (): Promise<void> => {
    const state = await stateOf(paths)
    if (state !== seen) {
      seen = state
      await onChange()
    }
    if (!isClosed) wait()
  }
  const wait = (): void => {
    timer = clock.after(everyMs, () => {
      running = look()
    })
  }
  wait()
  return {
    close() {
      isClosed = true
      timer.cancel()
      return running
    }
  }
}

async function stateOf(paths: readonly string[]): Promise<string> {
  const stats = await Promise.all(paths.map(path => fs.stat(path, { bigint: true }).catch(() => undefined)))
  return stats.map(textOf).join(' ')
}

const textOf = (stat: BigIntStats | undefined): string =>
  stat === undefined ? 'gone' : `${stat.ino}/${stat.size}/${stat.mtimeNs}/${stat.ctimeNs}`
