/** Retention: how far a partition's log start offset may rise by what is to be kept of its topic. */
import type { Offset } from './log.ts'
import { lastStableOffsetOf, type Partition } from './partition.ts'
import { type Stores, storedBatches } from './read.ts'
import type { StoredBatch } from './recent.ts'
import type { Retention } from './retention-settings.ts'
import type { SegmentTable } from './segment-table.ts'

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
