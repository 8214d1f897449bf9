/** What is kept of a topic, and how far a partition's log start offset may rise by that. */
import type { Offset } from './log.ts'
import { lastStableOffsetOf, type Partition } from './partition.ts'
import { type Stores, storedBatches } from './read.ts'
import type { StoredBatch } from './recent.ts'
import type { SegmentTable } from './segment-table.ts'

/** How a topic's records leave it; the names are Kafka's, with -1 for "without bound". */
export interface Retention {
  /** `delete` drops the oldest batches, `compact` keeps the last record of each key. */
  readonly cleanup: 'delete' | 'compact' | 'compact,delete'
  /** A batch goes once its latest record is older than this. */
  readonly retentionMs: number
  /** Bytes of batches of one partition. */
  readonly retentionBytes: number
  /** With compaction: how long a tombstone stays after the pass that first met it. */
  readonly deleteRetentionMs: number
  /** With compaction: batches with younger records are left alone. */
  readonly minCompactionLagMs: number
  /** With compaction: a pass is due when a batch that none has seen is older than this, however little there is. */
  readonly maxCompactionLagMs: number
  /** With compaction: a pass is worth its while when so large a part of the partition's bytes was written since the last one. */
  readonly minCleanableDirtyRatio: number
}

export const keepForever: Retention = {
  cleanup: 'delete',
  retentionMs: -1,
  retentionBytes: -1,
  deleteRetentionMs: 86_400_000,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.POSITIVE_INFINITY,
  minCleanableDirtyRatio: 0.5
}

/** The first offset that is to be kept. Walks only over batches that go, and one more. */
export async function firstKept(
  stores: Stores,
  partition: Partition,
  { retention, nowMs, segments }: { readonly retention: Retention; readonly nowMs: number; readonly segments: SegmentTable }
): Promise<Offset> {
  const { retentionMs, retentionBytes, cleanup } = retention
  let start = partition.startOffset
  if (cleanup === 'compact' || (retentionMs < 0 && retentionBytes < 0)) return start
  const end = lastStableOffsetOf(partition)
  let excessBytes = retentionBytes < 0 ? 0 : partition.sizeBytes - retentionBytes
  for await (const batch of storedBatches(stores, partition, start)) {
    if (batch.lastOffset >= end) break
    const isExpired = retentionMs >= 0 && timeOf(batch, segments, nowMs) < nowMs - retentionMs
    if (!isExpired && excessBytes < batch.sizeBytes) break
    excessBytes -= batch.sizeBytes
    start = batch.lastOffset + 1
  }
  return start
}

/** A batch without a time has been there at the latest when the segment behind its own was begun. */
function timeOf({ maxTimestampMs, sequence }: StoredBatch, { all, of }: SegmentTable, nowMs: number): number {
  if (maxTimestampMs >= 0) return maxTimestampMs
  return all[all.indexOf(of(sequence)) + 1]?.createdMs ?? nowMs
}
