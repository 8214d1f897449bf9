/** Time as an argument, so that a whole broker can run under a test's own clock. */

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Milliseconds since 1970-01-01T00:00Z. */
  now(): number
  /** Calls `run` once, `ms` milliseconds from now, unless cancelled before. Does not keep the process alive. */
  after(ms: number, run: () => void): Timer
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timeout = setTimeout(run, ms)
    timeout.unref()
    return { cancel: () => clearTimeout(timeout) }
  }
}
