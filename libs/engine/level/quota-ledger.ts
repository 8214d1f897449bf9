/** Accounts of what may be used each second: what nobody uses is saved up to a bound, what is used beyond it is a debt. */
import type { Clock } from '@assay/std'

export interface LedgerTerms {
  readonly perSecond: number
  /** What may be used at once after silence. */
  readonly burst: number
  /** What is owed beyond it is forgiven; none when absent. */
  readonly debtMax?: number
}

export interface QuotaLedger {
  /** Takes the amount, whatever there is, and gives what is left: below 0 a debt. An amount of 0 only looks. */
  spend(account: string, amount: number, terms: LedgerTerms): number
}

/** Most accounts; the one used longest ago is closed, and begins anew when it is needed. */
const ACCOUNTS_MAX = 10_000

export function quotaLedger(clock: Clock): QuotaLedger {
  const accounts = new Map<string, { balance: number; atMs: number }>()
  return {
    spend(name, amount, { perSecond, burst, debtMax = Number.POSITIVE_INFINITY }) {
      const now = clock.now()
      const account = accounts.get(name) ?? { balance: burst, atMs: now }
      accounts.delete(name)
      accounts.set(name, account)
      if (accounts.size > ACCOUNTS_MAX) accounts.delete(accounts.keys().next().value as string)
      const earned = (Math.max(0, now - account.atMs) / 1000) * perSecond
      account.balance = Math.max(-debtMax, Math.min(burst, account.balance + earned) - amount)
      account.atMs = now
      return account.balance
    }
  }
}

/** How long it takes until a balance is no debt any more. */
export const msUntilPaid = (balance: number, { perSecond }: LedgerTerms): number =>
  balance >= 0 ? 0 : Math.ceil((-balance / perSecond) * 1000)
