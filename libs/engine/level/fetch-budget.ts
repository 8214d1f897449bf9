/** How many bytes of records all Fetch answers together may hold from the moment they are read until they are written to their sockets. */
import type { Session } from '../engine.ts'

/** The bytes of one answer. */
export interface Hold {
  /** Takes up to `bytes`; fewer, or none, when the budget has no more. */
  take(bytes: number): number
  /** Says what a read really came to: it may be more than was taken, since a first batch is always whole. */
  settle(taken: number, used: number): void
  readonly bytes: number
  /** The answer is on its way to its client. */
  answered(): void
  /** Gives everything back. A second call does nothing. */
  release(): void
}

export interface FetchBudget {
  hold(session: Session): Hold
  /** Calls back after each release, until the returned function is called. */
  onRelease(listener: () => void): () => void
  readonly bytesUnderWay: number
}

export function fetchBudget(bytesMax: number): FetchBudget {
  let underWay = 0
  const listeners = new Set<() => void>()
  /** Per connection, what its last answer holds. */
  const delivered = new WeakMap<Session, Hold>()

  function newHold(session: Session): Hold {
    let held = 0
    let released = false
    const give = (bytes: number): void => {
      held -= bytes
      underWay -= bytes
      if (bytes > 0) for (const listener of [...listeners]) listener()
    }
    const hold: Hold = {
      take(bytes) {
        if (released) return 0
        const taken = Math.max(0, Math.min(bytes, bytesMax - underWay))
        held += taken
        underWay += taken
        return taken
      },
      settle(taken, used) {
        if (!released) give(taken - used)
      },
      get bytes() {
        return held
      },
      answered() {
        if (!released) delivered.set(session, hold)
      },
      release() {
        if (released) return
        released = true
        session.closed.removeEventListener('abort', hold.release)
        give(held)
      }
    }
    session.closed.addEventListener('abort', hold.release, { once: true })
    return hold
  }
  return {
    hold(session) {
      // A client asks again when it has the last answer: whatever that held has left.
      delivered.get(session)?.release()
      return newHold(session)
    },
    onRelease(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    get bytesUnderWay() {
      return underWay
    }
  }
}
