/**
 * Obeys the quotas of bytes: an account for whoever shares a limit. What was sent or read beyond it is a debt, and the client waits until it
 * is paid off: he is told how long, and his connection is not read from for so long (KIP-13, KIP-219).
 */
import type { ClientQuotas, QuotaKey } from '@assay/engine'
import type { Clock } from '@assay/std'

export interface QuotaDesk {
  /** True when nobody has a quota: nothing needs to be counted. */
  readonly isIdle: boolean
  /** Books bytes that came or go. Answers how long to wait, 0 where there is no limit or none is crossed. */
  charge(key: QuotaKey, who: { readonly principal: string; readonly clientId: string | null }, bytes: number): number
  /** How often somebody had to wait since the start, by what he did. */
  readonly throttles: Readonly<Record<QuotaKey, number>>
}

interface Account {
  /** Bytes that may go through at once; below 0 a debt. */
  balance: number
  atMs: number
}

/** A limit of a second is what may come at once after silence. */
const BURST_S = 1
/** Clients give a request up after 30 seconds. What is not paid off by then is owed the next time. */
const WAIT_MS_MAX = 15_000
/** Most accounts; the one used longest ago is closed, and begins anew when it is needed. */
const ACCOUNTS_MAX = 10_000

export function openQuotaDesk(quotas: ClientQuotas, clock: Clock): QuotaDesk {
  const accounts = new Map<string, Account>()
  const throttles: Record<QuotaKey, number> = { producer_byte_rate: 0, consumer_byte_rate: 0 }
  return {
    get isIdle() {
      return quotas.isEmpty
    },
    throttles,
    charge(key, { principal, clientId }, bytes) {
      const limit = quotas.limit(key, principal.slice(principal.indexOf(':') + 1), clientId ?? '')
      if (limit === undefined) return 0
      const name = `${key}/${limit.sharedBy}`
      const now = clock.now()
      const most = limit.bytesPerSecond * BURST_S
      const account = accounts.get(name) ?? { balance: most, atMs: now }
      accounts.delete(name)
      accounts.set(name, account)
      if (accounts.size > ACCOUNTS_MAX) accounts.delete(accounts.keys().next().value as string)
      const earned = (Math.max(0, now - account.atMs) / 1000) * limit.bytesPerSecond
      account.balance = Math.min(most, account.balance + earned) - bytes
      account.atMs = now
      if (account.balance >= 0) return 0
      throttles[key]++
      return Math.min(WAIT_MS_MAX, Math.ceil((-account.balance / limit.bytesPerSecond) * 1000))
    }
  }
}
