/** Bounds failed log-ins for each address, so that passwords cannot be tried out. Who succeeds uses up nothing. */
import { isIPv6 } from 'node:net'
import type { Clock } from '@assay/std'

export interface Attempts {
  /** Counts an attempt as failed until it succeeds, so that many at one time do not slip through. Answers ms to wait when there were too many. */
  begin(address: string): number | undefined
  succeeded(address: string): void
  /** The same answer without counting anything. */
  waitMs(address: string): number | undefined
}

const WINDOW_MS = 60_000
/** Most addresses that are counted at one time; the one that began first is forgotten. */
const ADDRESSES_MAX = 10_000

export function openAttempts(clock: Clock, failuresMax: number): Attempts {
  const windows = new Map<string, { failures: number; readonly endMs: number }>()
  return {
    begin(address) {
      const name = networkOf(address)
      const now = clock.now()
      let window = windows.get(name)
      if (window === undefined || window.endMs <= now) {
        windows.delete(name)
        window = { failures: 0, endMs: now + WINDOW_MS }
        windows.set(name, window)
        if (windows.size > ADDRESSES_MAX) windows.delete(windows.keys().next().value as string)
      }
      if (window.failures >= failuresMax) return window.endMs - now
      window.failures++
      return undefined
    },
    waitMs(address) {
      const window = windows.get(networkOf(address))
      const now = clock.now()
      return window !== undefined && window.endMs > now && window.failures >= failuresMax ? window.endMs - now : undefined
    },
    succeeded(address) {
      const window = windows.get(networkOf(address))
      if (window && window.failures > 0) window.failures--
    }
  }
}

/** One host has a whole /64 of IPv6 addresses to itself: they are counted as one. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (!isIPv6(plain)) return plain
  const [head = '', tail] = (plain.split('%', 1)[0] as string).split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back]
  return `${groups
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
