/**
 * Measures for how long the thread of the process works for one request. A request is worked on in pieces, between which it waits for the disk or for
 * others, and others are worked on: from the pieces that begin in its name, and from the promises that go on in its name, its time is summed up.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { promiseHooks } from 'node:v8'

/** The time of one request so far. */
export interface Work {
  ms: number
}

export interface ThreadTime {
  /** Runs it in the name of the work: it counts, and so does all that goes on from it. */
  run<T>(work: Work, piece: () => T): T
  /** Nothing is measured any more. To be called when nobody asks: it costs each promise of the process something. */
  stop(): void
}

/** `nowMs` runs on evenly, as performance.now does. */
export function threadTime(nowMs: () => number): ThreadTime {
  const inNameOf = new AsyncLocalStorage<Work>()
  let current: Work | undefined
  let sinceMs = 0

  function turnTo(next: Work | undefined): void {
    if (current === undefined && next === undefined) return
    const atMs = nowMs()
    if (current !== undefined) current.ms += atMs - sinceMs
    current = next
    sinceMs = atMs
  }

  // A promise goes on only when nothing else is running, hence before and after are never nested.
  const unhook = promiseHooks.createHook({
    before: () => turnTo(inNameOf.getStore()),
    after: () => turnTo(undefined)
  }) as () => void

  return {
    run(work, piece) {
      const before = current
      turnTo(work)
      try {
        return inNameOf.run(work, piece)
      } finally {
        turnTo(before)
      }
    },
    stop() {
      unhook()
      turnTo(undefined)
    }
  }
}
