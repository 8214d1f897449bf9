/** A clock in hand: time stands until it is moved. */
import type { Clock } from '@assay/std'

export interface HandClock extends Clock {
  /** Moves time on, and runs what falls due on the way in its order. */
  advance(ms: number): void
}

export function handClock(startMs = 1_800_000_000_000): HandClock {
  let nowMs = startMs
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>()
  return {
    now: () => nowMs,
    after(ms, run) {
      const timer = { atMs: nowMs + ms, run }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    advance(ms) {
      nowMs += ms
      const due = [...timers].filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs)
      for (const timer of due) {
        timers.delete(timer)
        timer.run()
      }
    }
  }
}
