/**
 * Log-ins that were found right a short while ago. Checking a password costs 80 ms on purpose, and a client sends it with every
 * request: without this the server would do nothing else. What is kept is a keyed hash, so that it tells nothing about the secret.
 */
import { createHmac } from 'node:crypto'
import type { Clock } from '@assay/std'

export interface Remembered {
  /** The principal that these credentials were found to be. */
  recall(secret: string): string | undefined
  /** Until `untilMs`, and not longer than the cache's own time. */
  remember(secret: string, principal: string, untilMs?: number): void
  /** What was found right may be wrong now. */
  forget(): void
}

export interface RememberedOptions {
  readonly clock: Clock
  readonly random: (size: number) => Buffer
  readonly entriesMax: number
  readonly keepMs: number
}

/** The least recently used goes first. */
export function openRemembered({ clock, random, entriesMax, keepMs }: RememberedOptions): Remembered {
  const key = random(32)
  const entries = new Map<string, { readonly principal: string; readonly untilMs: number }>()
  const nameOf = (secret: string): string => createHmac('sha256', key).update(secret).digest('base64')
  return {
    recall(secret) {
      if (entries.size === 0) return undefined
      const name = nameOf(secret)
      const entry = entries.get(name)
      if (entry === undefined) return undefined
      entries.delete(name)
      if (entry.untilMs <= clock.now()) return undefined
      entries.set(name, entry)
      return entry.principal
    },
    remember(secret, principal, untilMs = Number.POSITIVE_INFINITY) {
      const name = nameOf(secret)
      entries.delete(name)
      entries.set(name, { principal, untilMs: Math.min(untilMs, clock.now() + keepMs) })
      if (entries.size > entriesMax) entries.delete(entries.keys().next().value as string)
    },
    forget: () => entries.clear()
  }
}
