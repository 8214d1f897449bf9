/**
 * The last step of making an index anew from the journal. Rows came in the order in which they were written, which is not that of their
 * offsets where batches were copied forward or thinned out, and what lay in dropped segments is missing. What counts is the unbroken row
 * of batches that ends with each partition's last offset: the log start offset was known to the index alone.
 */
import { FIELD_AT } from '@assay/records'
import { baseOffsetOf, readFacts } from './batch-facts.ts'
import { PAGE_BYTES } from './journal.ts'
import { indexRow, rowsBetween } from './offset-index.ts'
import { corruptPartition, NO_TIMESTAMP, type Partition } from './partition.ts'
import { isOfProducer, type Window, windowAfter } from './producers.ts'
import { readPartition } from './read.ts'
import type { StoredBatch } from './recent.ts'
import { applyTransaction, type LogState, writeCheckpoint } from './state.ts'
import { raiseStart } from './upkeep.ts'

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
    forgetTorn(state, partition)
    await countAgain(state, partition)
    if (partition.isTransactional) await settleTransactions(state, partition)
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

/**
 * Batches of a producer that are left in front of the gap may not be its last ones: those may have lain in it. What is known of it would refuse
 * its next batch as out of order, so nothing is: it may go on with any sequence.
 */
function forgetTorn(state: LogState, { producers, startOffset }: Partition): void {
  for (const producer of [...producers.values()]) {
    const last = producer.committed?.batches.at(-1)
    if (last === undefined || last.lastOffset < startOffset) state.producers.remove(producer)
  }
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

/**
 * Reads all of the batches once more: what a transaction is, the order of the offsets alone tells. Compaction goes no further than the last
 * stable offset, and takes the end of a transaction away only when nothing of it is left: a batch in front of what it emptied whose
 * transaction has no end had been deleted, and so had all before it.
 */
async function settleTransactions(state: LogState, partition: Partition): Promise<void> {
  const windows = new Map<number, Window>()
  /** By producer ID, of transactions whose end was not met yet. */
  const lastOffsets = new Map<number, number>()
  for (let from = partition.startOffset; from < partition.highWatermark; ) {
    const batches = await readPartition(state.parts, partition, from, { bytesMax: PAGE_BYTES })
    if (batches.length === 0) throw corruptPartition(partition, from, 'nothing was read')
    for (const batch of batches) {
      const facts = readFacts(batch)
      const baseOffset = baseOffsetOf(batch)
      from = baseOffset + facts.lastOffsetDelta + 1
      if (batch.readInt32BE(FIELD_AT.recordCount) === 0 && facts.producerId < 0) {
        for (const [id, lastOffset] of lastOffsets) {
          raiseStart(state, partition, lastOffset + 1)
          windows.set(id, { ...windows.get(id)!, openFrom: undefined })
        }
        lastOffsets.clear()
        partition.openTransactions.clear()
      }
      if (!isOfProducer(facts)) continue
      if (facts.end !== undefined) lastOffsets.delete(facts.producerId)
      else if (facts.isTransactional) lastOffsets.set(facts.producerId, from - 1)
      windows.set(facts.producerId, windowAfter(windows.get(facts.producerId), facts, baseOffset))
      if (facts.isTransactional) applyTransaction(state, partition, facts, baseOffset)
    }
    if (state.aborted.length >= PAGE_ROWS) await writeCheckpoint(state)
  }
  const nowMs = state.parts.clock.now()
  for (const [id, window] of windows) {
    const made = { id, prefix: partition.prefix, nowMs }
    const producer = partition.producers.get(id) ?? state.producers.add(partition.producers, made)
    // Its batches may have been deleted: then nothing tells where its sequences are, and it may go on with any.
    if (window.batches.length === 0 && window.openFrom === undefined) {
      state.producers.remove(producer)
      continue
    }
    producer.staged = window
    state.producers.commit(producer, window)
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
