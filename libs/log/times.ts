/** Finding offsets by time: the batch by the running maxima of the index, then the record inside the batch. */
import { isAssayError } from '@assay/errors'
import { decodeBatch, type RecordEntry, readHeader } from '@assay/records'
import type { Offset, TimedOffset } from './log.ts'
import { indexedBatchAtTime } from './offset-index.ts'
import { assertKept, type Partition } from './partition.ts'
import { readPartition, type Stores } from './read.ts'

/** The first record at least as late as this, or undefined. `inflateBytesMax` bounds what a compressed batch may inflate to. */
export async function firstAtTime(
  stores: Stores,
  partition: Partition,
  { timestampMs, inflateBytesMax }: { readonly timestampMs: number; readonly inflateBytesMax: number }
): Promise<TimedOffset | undefined> {
  assertKept(partition)
  if (partition.highWatermark === partition.startOffset || timestampMs > partition.maxTimestampMs) return undefined
  const end = partition.highWatermark
  let next = await batchAtTime(stores, partition, timestampMs)
  while (next < end) {
    const [batch] = await readPartition(stores, partition, next, { bytesMax: 1 })
    const header = readHeader(batch!)
    const records = header.maxTimestamp < timestampMs ? [] : decodeOrNone(batch!, inflateBytesMax)
    for (const { offset, timestampMs: at } of records) {
      if (at >= timestampMs && offset >= partition.startOffset) return { offset, timestampMs: at }
    }
    // The header promised a record as late as this and none is: what clients write is not always true.
    next = header.baseOffset + header.lastOffsetDelta + 1
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
  const [batch] = await readPartition(stores, partition, partition.maxTimestampOffset, { bytesMax: 1 })
  let latest: RecordEntry | undefined
  for (const record of decodeOrNone(batch!, inflateBytesMax)) {
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
