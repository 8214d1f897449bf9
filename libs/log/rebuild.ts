/**
 * The last step of making an index anew from the journal. Rows came in the order in which they were written, which is not that of their
 * offsets where batches were copied forward or thinned out, and what lay in dropped segments is missing. What counts is the unbroken row
 * of batches that ends with each partition's last offset: the log start offset was known to the index alone.
 */
import { indexRow, rowsBetween } from './offset-index.ts'
import { corruptPartition, NO_TIMESTAMP, type Partition } from './partition.ts'
import type { StoredBatch } from './recent.ts'
import { type LogState, writeCheckpoint } from './state.ts'

const PAGE_ROWS = 2048

/** Brings index rows, partitions and segments into agreement. The index rows of all that was replayed are written. */
export async function settleIndex(state: LogState): Promise<void> {
  for (const segment of state.segments.all) {
    segment.liveRows = 0
    segment.liveBytes = 0
  }
  for (const partition of state.partitions.values()) {
    partition.recent.dropBelow(partition.highWatermark)
    partition.startOffset = await dropBroken(state, partition)
    await countAgain(state, partition)
    state.changed.add(partition)
  }
}

/** Deletes the rows that a larger batch covers, and those in front of a gap. Gives the first offset behind that. */
async function dropBroken(state: LogState, partition: Partition): Promise<number> {
  let next = partition.highWatermark
  for (let below = next; ; ) {
    const rows = await rowsBetween(state.parts.index, partition, { from: 0, below, limit: PAGE_ROWS, reverse: true })
    for (const { key, batch } of rows) {
      if (batch === undefined)
        throw corruptPartition(partition, below, 'a row of the offset index is damaged that was just written')
      below = batch.lastOffset
      if (batch.lastOffset + 1 === next) next = batch.baseOffset
      else state.trimmed.push(key)
    }
    if (state.trimmed.length >= PAGE_ROWS) await writeCheckpoint(state)
    if (rows.length < PAGE_ROWS) break
  }
  if (state.trimmed.length > 0) await writeCheckpoint(state)
  return next
}

async function countAgain(state: LogState, partition: Partition): Promise<void> {
  const { index } = state.parts
  Object.assign(partition, {
    batchCount: 0,
    sizeBytes: 0,
    dirtyBytes: 0,
    cleanedTo: 0,
    maxTimestampMs: NO_TIMESTAMP,
    maxTimestampOffset: -1
  })
  for (let from = partition.startOffset; ; ) {
    const rows = await rowsBetween(index, partition, { from, below: partition.highWatermark, limit: PAGE_ROWS })
    const mended: StoredBatch[] = []
    for (const { batch } of rows) {
      count(state, partition, batch!)
      if (batch!.runningMaxTimestampMs !== partition.maxTimestampMs) {
        mended.push({ ...batch!, runningMaxTimestampMs: partition.maxTimestampMs })
      }
      from = batch!.lastOffset + 1
    }
    if (mended.length > 0) {
      await index.batch(
        mended.map(batch => indexRow({ ...batch, prefix: partition.prefix })),
        { sync: false }
      )
    }
    if (rows.length < PAGE_ROWS) return
  }
}

function count(
  { segments }: LogState,
  partition: Partition,
  { sequence, sizeBytes, maxTimestampMs, lastOffset }: StoredBatch
): void {
  const segment = segments.of(sequence)
  segment.liveRows++
  segment.liveBytes += sizeBytes
  partition.batchCount++
  partition.sizeBytes += sizeBytes
  partition.dirtyBytes += sizeBytes
  if (maxTimestampMs > partition.maxTimestampMs) {
    partition.maxTimestampMs = maxTimestampMs
    partition.maxTimestampOffset = lastOffset
  }
}
