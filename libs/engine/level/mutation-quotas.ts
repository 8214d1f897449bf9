/**
 * Bounds how many partitions a user's client may create and delete in a second (KIP-599). A request that begins while there is something left is
 * carried out and may lead into debt; as long as that lasts, clients that know the error are refused, and others are made to wait.
 */
import { AssayError } from '@assay/errors'
import type { Clock } from '@assay/std'
import type { Request, Session } from '../engine.ts'
import type { ClientQuotas } from './client-quotas.ts'
import { type LedgerTerms, msUntilPaid, quotaLedger } from './quota-ledger.ts'

export interface MutationQuota {
  /** To be told of partitions just before they are created or deleted. Fails with QUOTA_EXCEEDED; nothing was taken then. */
  readonly spend: (partitions: number) => void
  /** How long the client is to wait before it asks again; 0 when it need not. */
  readonly waitMs: number
}

export interface MutationQuotas {
  /** From version `strictSince` on the client knows the error; always permissive without it. */
  of(request: Request, session: Session, options?: { readonly strictSince: number }): MutationQuota
}

/** What may come at once after silence, in seconds of the quota: Kafka's `controller.quota.window.num` of one second each. */
const BURST_S = 11

export function mutationQuotas(quotas: ClientQuotas, clock: Clock): MutationQuotas {
  const ledger = quotaLedger(clock)
  return {
    of({ version, clientId }, { principal }, { strictSince } = { strictSince: Number.POSITIVE_INFINITY }) {
      const limit = quotas.limit('controller_mutation_rate', { principal, clientId })
      if (limit === undefined) return { spend: () => {}, waitMs: 0 }
      const { bound, sharedBy } = limit
      const terms: LedgerTerms = { perSecond: bound, burst: bound * BURST_S }
      let waitMs = 0
      return {
        spend(partitions) {
          if (version >= strictSince) {
            waitMs = Math.max(waitMs, msUntilPaid(ledger.spend(sharedBy, 0, terms), terms))
            if (waitMs > 0) throw new AssayError('QUOTA_EXCEEDED', { bound, waitMs })
            ledger.spend(sharedBy, partitions, terms)
          } else {
            waitMs = msUntilPaid(ledger.spend(sharedBy, partitions, terms), terms)
          }
        },
        get waitMs() {
          return waitMs
        }
      }
    }
  }
}
