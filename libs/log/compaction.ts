/**
 * Log compaction of one partition: the last record of each key stays, earlier ones go, and a tombstone goes some time after all that it
 * deletes. Offsets stay as they are. Every offset stays covered by a batch, were it an empty one, so that the row of batches tells by
 * itself that nothing is missing. Rules are those of Kafka's cleaner (KIP-58, KIP-354, KIP-534).
 */
import type { Store } from '@assay/store'
import { cleanerOf } from './cleaner.ts'
import { type CompactionParts, compactionBatches } from './compaction-batches.ts'
import { latestKeys } from './latest-keys.ts'
import type { Offset } from './log.ts'
import { rowsBetween } from './offset-index.ts'
import { lastStableOffsetOf, type Partition } from './partition.ts'
import type { Retention } from './retention-settings.ts'

/** What a pass has done; it counts once the index points to all that was moved. */
export interface Compacted {
  /** Up to here each key has one record at most. */
  readonly cleanedTo: Offset
  /** When the first of the tombstones that stayed may go; -1 when none stayed. */
  readonly tombstonesAtMs: number
  /** Bytes, as they are now, of the batches that no pass had seen before. */
  readonly cleanedBytes: number
  readonly movedCount: number
}

const PAGE_ROWS = 2048

/** When, and by what rules. */
export interface Due {
  readonly retention: Retention
  readonly nowMs: number
  /** There is nothing in the index in front of it. */
  readonly startOffset: Offset
}

/** The offsets that a pass may read for keys: `from` up to, and without, `below`. */
export interface Cleanable {
  readonly from: Offset
  readonly below: Offset
}

/**
 * What the next pass has to look at, or undefined when none is worth its while: when too little has been written since the last one,
 * nothing has waited for too long, and no tombstone may go. All batches are in the index.
 */
export async function cleanableOf(
  index: Store,
  partition: Partition,
  { retention, nowMs, startOffset }: Due
): Promise<Cleanable | undefined> {
  const { cleanup, minCompactionLagMs, maxCompactionLagMs, minCleanableDirtyRatio } = retention
  if (cleanup === 'delete' || partition.sizeBytes === 0) return undefined
  const from = Math.max(partition.cleanedTo, startOffset)
  const dirty = await dirtyPart(index, partition, {
    from,
    youngestMs: minCompactionLagMs > 0 ? nowMs - minCompactionLagMs : undefined
  })
  const cleanable = { from, below: dirty.end }
  if (partition.tombstonesAtMs >= 0 && partition.tombstonesAtMs <= nowMs) return cleanable
  if (dirty.bytes === 0) return undefined
  const cleanBytes = partition.sizeBytes - partition.dirtyBytes
  const isEnough = dirty.bytes >= (cleanBytes + dirty.bytes) * minCleanableDirtyRatio
  const isLate = dirty.oldestMs >= 0 && nowMs - dirty.oldestMs > maxCompactionLagMs
  return isEnough || isLate ? cleanable : undefined
}

/** What no pass has seen, up to the first batch with a record that is too young. */
async function dirtyPart(
  index: Store,
  partition: Partition,
  { from, youngestMs }: { readonly from: Offset; readonly youngestMs: number | undefined }
): Promise<{ readonly end: Offset; readonly bytes: number; readonly oldestMs: number }> {
  const below = lastStableOffsetOf(partition)
  let end = from
  let bytes = 0
  let oldestMs = -1
  while (end < below) {
    const rows = await rowsBetween(index, partition, { from: end, below, limit: youngestMs === undefined ? 1 : PAGE_ROWS })
    for (const { batch } of rows) {
      // A damaged one is told of by whoever reads what it points to.
      if (batch === undefined) return { end: below, bytes, oldestMs }
      if (oldestMs < 0) oldestMs = batch.maxTimestampMs
      // Nothing waits for its age: what is there is known without looking.
      if (youngestMs === undefined) return { end: below, bytes: partition.dirtyBytes, oldestMs }
      if (batch.maxTimestampMs > youngestMs) return { end, bytes, oldestMs }
      bytes += batch.sizeBytes
      end = batch.lastOffset + 1
    }
    if (rows.length === 0) break
  }
  return { end, bytes, oldestMs }
}

/** One pass: as far as the map of keys reaches. Undefined when there is nothing that it may touch. */
export async function compact(
  parts: CompactionParts,
  partition: Partition,
  { cleanable, retention, nowMs, startOffset }: Due & { readonly cleanable: Cleanable }
): Promise<Compacted | undefined> {
  const latest = await latestKeys(parts, partition, cleanable)
  const hasTombstones = partition.tombstonesAtMs >= 0 && partition.tombstonesAtMs <= nowMs
  if (latest.end <= cleanable.from && !hasTombstones) return undefined
  const cleaner = cleanerOf(parts, partition, { latest, nowMs, deleteRetentionMs: retention.deleteRetentionMs })
  for await (const batch of compactionBatches(parts, partition, { from: startOffset, below: latest.end })) {
    await cleaner.take(batch)
  }
  await cleaner.finish()
  const { tombstonesAtMs, cleanedBytes, movedCount } = cleaner
  return { cleanedTo: latest.end, tombstonesAtMs, cleanedBytes, movedCount }
}
