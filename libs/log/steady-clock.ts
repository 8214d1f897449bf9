/**
 * A clock by which records may be deleted. The system's can be set wrong while the server runs, by hours or years, and what is deleted by a
 * wrong time does not come back. Between two looks no more time can have passed than the machine has counted: what the clock is ahead by
 * beyond that is believed only after an hour. Before that, putting it right undoes it. Time that goes back deletes nothing and is followed.
 */
import type { Clock, Logger } from '@assay/std'

/** More than any correction while a machine runs well, and little beside what records are kept for. */
const JUMP_MS = 600_000
const BELIEVED_AFTER_MS = 3_600_000

/** `elapsedMs` counts on whatever is done to the clock, from any beginning. A machine that sleeps may not count meanwhile. */
export function steadyClock(clock: Clock, logger: Logger, elapsedMs: () => number = () => performance.now()): Clock {
  let last = { wall: clock.now(), elapsed: elapsedMs() }
  /** How far the clock went ahead of what was counted, and when that was seen. */
  let ahead: { ms: number; readonly since: number } | undefined

  function now(): number {
    const wall = clock.now()
    const elapsed = elapsedMs()
    const jumpMs = wall - last.wall - (elapsed - last.elapsed)
    last = { wall, elapsed }
    if (jumpMs > JUMP_MS) {
      ahead = { ms: (ahead?.ms ?? 0) + jumpMs, since: elapsed }
      logger.warn({ jumpMs }, 'the clock of the system has jumped forward; nothing is deleted by the new time for an hour')
    } else if (jumpMs < -JUMP_MS) {
      logger.warn({ jumpMs }, 'the clock of the system has jumped back')
      const ms = (ahead?.ms ?? 0) + jumpMs
      ahead = ahead !== undefined && ms > JUMP_MS ? { ...ahead, ms } : undefined
    }
    if (ahead !== undefined && elapsed - ahead.since >= BELIEVED_AFTER_MS) ahead = undefined
    return wall - (ahead?.ms ?? 0)
  }

  return { now, after: (ms, run) => clock.after(ms, run) }
}
