/** Lets costly work be done by a few at one time; who comes when too many wait is sent away. */

export interface Turns {
  /** Undefined, without a call, when too many wait. */
  take<T>(work: () => Promise<T>): Promise<T | undefined>
}

export function openTurns(atOnceMax: number, waitingMax: number): Turns {
  const waiting: (() => void)[] = []
  let running = 0
  return {
    async take(work) {
      if (running >= atOnceMax) {
        if (waiting.length >= waitingMax) return undefined
        // Whoever ends hands his turn over, so that nobody overtakes.
        await new Promise<void>(resolve => waiting.push(resolve))
      } else running++
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next) next()
        else running--
      }
    }
  }
}
