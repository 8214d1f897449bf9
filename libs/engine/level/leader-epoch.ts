/**
 * The epoch of the one leader that every partition has: it leads since the partition was made, and its log never goes back behind what
 * readers have seen, so the epoch never changes (docs/decisions/011-one-leader-epoch.md). Clients that know of no epoch send -1.
 */
import type { PartitionLog } from '@assay/log'
import { errorCode } from '@assay/protocol'

/** One copy of each partition, led by this node since ever. Batches are stamped with it. */
export const LEADER_EPOCH = 0
const NO_EPOCH = -1
const NO_OFFSET = -1n

export interface EpochEnd {
  readonly epoch: number
  readonly endOffset: bigint
}

export const NO_EPOCH_END: EpochEnd = { epoch: NO_EPOCH, endOffset: NO_OFFSET }

/** What a client gets that takes another epoch for the present one; 0 when it takes none, or the right one. */
export function epochError(currentLeaderEpoch: number): number {
  if (currentLeaderEpoch === NO_EPOCH || currentLeaderEpoch === LEADER_EPOCH) return 0
  return errorCode(currentLeaderEpoch > LEADER_EPOCH ? 'UNKNOWN_LEADER_EPOCH' : 'FENCED_LEADER_EPOCH')
}

/** Where an epoch ends: the first offset that a reader of it cannot have. `NO_EPOCH_END` of an epoch that never was. */
export const endOfEpoch = (log: PartitionLog, epoch: number): EpochEnd =>
  epoch === LEADER_EPOCH ? { epoch, endOffset: BigInt(log.highWatermark) } : NO_EPOCH_END

/**
 * Compares what a reader has read with what is there (KIP-595): it read up to `fetchOffset`, last in epoch `lastFetchedEpoch`. Where
 * the two part, for it to go back to; `unknown` when the epoch never was; undefined when they agree, or the reader does not say.
 */
export function divergence(
  log: PartitionLog,
  { fetchOffset, lastFetchedEpoch }: { readonly fetchOffset: bigint; readonly lastFetchedEpoch: number }
): EpochEnd | 'unknown' | undefined {
  if (lastFetchedEpoch === NO_EPOCH) return undefined
  const end = endOfEpoch(log, lastFetchedEpoch)
  if (end === NO_EPOCH_END) return 'unknown'
  return fetchOffset > end.endOffset ? end : undefined
}
