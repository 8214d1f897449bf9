/**
 * Obeys the quotas of bytes and of the thread's time: an account for whoever shares a limit. What was used beyond it is a debt, and the client waits
 * until it is paid off: he is told how long, and his connection is not read from for so long (KIP-13, KIP-124, KIP-219).
 */
import { type ClientQuotas, type LedgerTerms, msUntilPaid, type QuotaKey, quotaKeys, quotaLedger } from '@assay/engine'
import type { Clock } from '@assay/std'
import { type ThreadTime, threadTime, type Work } from './thread-time.ts'

export interface Charged {
  readonly principal: string
  readonly clientId: string | null
}

export interface QuotaDesk {
  /** True when nobody has a quota: nothing needs to be counted. */
  readonly isIdle: boolean
  /** Books what was used: bytes, or milliseconds of the thread. Answers how long to wait, 0 where there is no limit or none is crossed. */
  charge(key: ChargedKey, who: Charged, amount: number): number
  /** Books what was used too late for the answer: it is owed by the next one. */
  owe(key: ChargedKey, who: Charged, amount: number): void
  /** Begins to measure a request; undefined where nobody has a quota of time. */
  begin(): Work | undefined
  /** Runs a piece of a request, in its name when it is measured. */
  run<T>(work: Work | undefined, piece: () => T): T
  /** Counts that the engine made somebody wait. */
  noteMutation(): void
  /** How often somebody had to wait since the start, by what he did. */
  readonly throttles: Readonly<Record<QuotaKey, number>>
  /** Nothing is measured any more. */
  close(): void
}

/** What the door charges for; partitions created and deleted are the engine's to bound. */
export type ChargedKey = Exclude<QuotaKey, 'controller_mutation_rate'>

/** Clients give a request up after 30 seconds: no connection is left unread for longer. What is not paid off by then is owed the next time. */
export const WAIT_MS_MAX = 15_000

interface Kind {
  /** What a bound of 1 lets through in a second. */
  readonly unit: number
  readonly waitMsMax: number
  /** What is owed beyond so many seconds is forgiven. */
  readonly debtS: number
}

const bytes: Kind = { unit: 1, waitMsMax: WAIT_MS_MAX, debtS: Number.POSITIVE_INFINITY }
const kinds: Readonly<Record<ChargedKey, Kind>> = {
  producer_byte_rate: bytes,
  consumer_byte_rate: bytes,
  // Kafka's bounds: a wait is a second at most, or heartbeats would come too late, and what is older than ten seconds is forgotten.
  request_percentage: { unit: 10, waitMsMax: 1000, debtS: 10 }
}

/** `nowMs` is the clock of the thread's time. */
export function openQuotaDesk(quotas: ClientQuotas, clock: Clock, nowMs: () => number = () => performance.now()): QuotaDesk {
  const ledger = quotaLedger(clock)
  const throttles = Object.fromEntries(quotaKeys.map(key => [key, 0])) as Record<QuotaKey, number>
  let time: ThreadTime | undefined

  function book(key: ChargedKey, who: Charged, amount: number): number {
    const limit = quotas.limit(key, who)
    if (limit === undefined) return 0
    const { unit, waitMsMax, debtS } = kinds[key]
    const perSecond = limit.bound * unit
    // A second's worth is what may come at once after silence.
    const terms: LedgerTerms = { perSecond, burst: perSecond, debtMax: perSecond * debtS }
    return Math.min(waitMsMax, msUntilPaid(ledger.spend(`${key}/${limit.sharedBy}`, amount, terms), terms))
  }

  return {
    get isIdle() {
      return quotas.isEmpty
    },
    throttles,
    charge(key, who, amount) {
      const waitMs = book(key, who, amount)
      if (waitMs > 0) throttles[key]++
      return waitMs
    },
    owe: book,
    begin() {
      if (quotas.isSet('request_percentage')) {
        time ??= threadTime(nowMs)
        return { ms: 0 }
      }
      time?.stop()
      time = undefined
      return undefined
    },
    run: (work, piece) => (work === undefined || time === undefined ? piece() : time.run(work, piece)),
    noteMutation() {
      throttles.controller_mutation_rate++
    },
    close() {
      time?.stop()
      time = undefined
    }
  }
}
