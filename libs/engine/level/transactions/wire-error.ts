/** How the coordinator's errors are told to clients of older versions, which do not know all of them. */
import type { TransactionError } from './transaction.ts'

/** PRODUCER_FENCED came later than the APIs that it is an answer of; before, it was INVALID_PRODUCER_EPOCH (KIP-360). */
export const knownTo = (version: number, fencedSince: number, error: TransactionError): TransactionError =>
  error === 'PRODUCER_FENCED' && version < fencedSince ? 'INVALID_PRODUCER_EPOCH' : error
