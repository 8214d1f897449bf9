/** Finding offsets by time: the batch by the running maxima of the index, then the record inside the batch. */
import { isAssayError } from '@assay/errors'
import { decodeBatch, HEADER_BYTES, type RecordEntry } from '@assay/records'
import type { Offset, TimedOffset } from './log.ts'
import { indexedBatchAtTime } from './offset-index.ts'
import { assertKept, type Partition } from './partition.ts'
import { readPartition, type Stores, storedBatches } from './read.ts'
import type { StoredBatch } from './recent.ts'

/** The first record at least as late as this, or undefined. `inflateBytesMax` bounds what a compressed batch may inflate to. */
export async function firstAtTime(
  stores: Stores,
  partition: Partition,
  { timestampMs, inflateBytesMax }: { readonly timestampMs: number; readonly inflateBytesMax: number }
): Promise<TimedOffset | undefined> {
  assertKept(partition)
  if (partition.highWatermark === partition.startOffset || timestampMs > partition.maxTimestampMs) return undefined
  for await (const stored of storedBatches(stores, partition, await batchAtTime(stores, partition, timestampMs))) {
    // The running maximum reaches the time, but perhaps by a batch that is deleted.
    if (stored.maxTimestampMs < timestampMs) continue
    const [batch] = await readPartition(stores, partition, Math.max(stored.baseOffset, partition.startOffset), { bytesMax: 1 })
    for (const { offset, timestampMs: at } of decodeOrNone(batch!, inflateBytesMax)) {
      if (at >= timestampMs && offset >= partition.startOffset) return { offset, timestampMs: at }
    }
    // The header promised a record as late as this and none is: what clients write is not always true.
  }
  return undefined
}

/** The record with the largest timestamp, the first of them if there are several; undefined in an empty partition. */
export async function latestRecord(
  stores: Stores,
  partition: Partition,
  inflateBytesMax: number
): Promise<TimedOffset | undefined> {
  assertKept(partition)
  if (partition.highWatermark === partition.startOffset) return undefined
  const isThere = partition.maxTimestampOffset >= partition.startOffset
  const known = isThere ? await latestIn(stores, partition, { at: partition.maxTimestampOffset, inflateBytesMax }) : undefined
  if (known !== undefined) return known
  // It is deleted, or compaction took it: now another one is the latest.
  let latest: StoredBatch | undefined
  for await (const stored of storedBatches(stores, partition, partition.startOffset)) {
    if (stored.sizeBytes === HEADER_BYTES) continue
    if (latest === undefined || stored.maxTimestampMs > latest.maxTimestampMs) latest = stored
  }
  return latest && latestIn(stores, partition, { at: latest.lastOffset, inflateBytesMax })
}

/** The record with the largest timestamp in the batch that holds the offset; undefined when it has no records any more. */
async function latestIn(
  stores: Stores,
  partition: Partition,
  { at, inflateBytesMax }: { readonly at: Offset; readonly inflateBytesMax: number }
): Promise<TimedOffset | undefined> {
  const [batch] = await readPartition(stores, partition, at, { bytesMax: 1 })
  let latest: RecordEntry | undefined
  for (const record of decodeOrNone(batch!, inflateBytesMax)) {
    if (record.offset < partition.startOffset) continue
    if (latest === undefined || record.timestampMs > latest.timestampMs) latest = record
  }
  return latest && { offset: latest.offset, timestampMs: latest.timestampMs }
}

/** An offset in the first batch whose running maximum reaches the time; the partition's maximum does. */
async function batchAtTime(stores: Stores, partition: Partition, timestampMs: number): Promise<Offset> {
  const { first } = partition.recent
  const indexedEnd = first?.baseOffset ?? partition.highWatermark
  const at = first === undefined ? 0 : partition.recent.findByTime(timestampMs)
  const among = partition.recent.at(at)
  // Unless it is the first of them, one before it does not reach the time, and so none in the index does.
  if (among !== undefined && at > 0) return among.baseOffset
  const indexed = await indexedBatchAtTime(stores.index, partition, {
    timestampMs,
    from: partition.startOffset,
    before: indexedEnd
  })
  return indexed?.baseOffset ?? indexedEnd
}

/** A batch whose records cannot be read has none that could be found by time. Its CRC was right: it is what its producer sent. */
function decodeOrNone(batch: Buffer, inflateBytesMax: number): RecordEntry[] {
  try {
    return decodeBatch(batch, inflateBytesMax)
  } catch (error) {
    if (isAssayError(error, 'INVALID_BATCH', 'CORRUPT_BATCH', 'DECOMPRESSED_TOO_LARGE', 'UNSUPPORTED_CODEC')) return []
    throw error
  }
}
