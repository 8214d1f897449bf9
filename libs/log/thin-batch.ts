/**
 * A stored batch with fewer records: it covers the same offsets, and what is left of it is byte for byte what the producer sent, but for
 * the timestamps' encoding where KIP-534 puts the time at which tombstones may go into the base timestamp.
 */
import {
  ATTRIBUTE,
  type BatchHeader,
  CODEC,
  codecOf,
  compress,
  FIELD_AT,
  HEADER_BYTES,
  hasLogAppendTime,
  LOG_OVERHEAD,
  MAGIC,
  NO_PRODUCER_ID,
  NONE,
  RecordCursor,
  signBatch
} from '@assay/records'
import { clampToSafe, writeInt64 } from './int64.ts'
import type { Offset } from './log.ts'

export interface Thinning {
  /** Says of the record that the cursor is at whether it stays. */
  readonly keeps: (cursor: RecordCursor) => boolean
  /** When tombstones in it may go; undefined leaves that as it is. */
  readonly deleteHorizonMs?: number | undefined
}

/** `section` are the batch's records, decompressed. A batch without any record left is empty, and not compressed. */
export function thinBatch(batch: Buffer, header: BatchHeader, section: Buffer, { keeps, deleteHorizonMs }: Thinning): Buffer {
  const cursor = new RecordCursor(section, header.recordCount)
  const records: Buffer[] = []
  let maxTimestamp = Number.NEGATIVE_INFINITY
  while (cursor.next()) {
    if (!keeps(cursor)) continue
    const timestampMs = header.baseTimestamp + cursor.timestampDelta
    maxTimestamp = Math.max(maxTimestamp, timestampMs)
    const record = section.subarray(cursor.recordStart, cursor.recordEnd)
    records.push(deleteHorizonMs === undefined ? record : withTimestampDelta(record, timestampMs - deleteHorizonMs))
  }
  const isEmpty = records.length === 0
  const body = isEmpty ? Buffer.alloc(0) : compress(codecOf(header), Buffer.concat(records))
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + body.length)
  batch.copy(bytes, 0, 0, HEADER_BYTES)
  body.copy(bytes, HEADER_BYTES)

  let { attributes } = header
  if (isEmpty) attributes &= ~ATTRIBUTE.codec
  if (deleteHorizonMs !== undefined && !isEmpty) {
    attributes |= ATTRIBUTE.deleteHorizon
    writeInt64(bytes, deleteHorizonMs, FIELD_AT.baseTimestamp)
  }
  bytes.writeInt16BE(attributes, FIELD_AT.attributes)
  bytes.writeInt32BE(bytes.length - LOG_OVERHEAD, FIELD_AT.batchLength)
  if (!isEmpty && !hasLogAppendTime(header)) writeInt64(bytes, clampToSafe(maxTimestamp), FIELD_AT.maxTimestamp)
  bytes.writeInt32BE(records.length, FIELD_AT.recordCount)
  signBatch(bytes)
  return bytes
}

/** A batch without records that covers the offsets, so that the row of batches has no gap. */
export function emptyBatch(place: {
  readonly baseOffset: Offset
  readonly lastOffset: Offset
  readonly maxTimestampMs: number
}): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  writeInt64(bytes, place.baseOffset, FIELD_AT.baseOffset)
  bytes.writeInt32BE(HEADER_BYTES - LOG_OVERHEAD, FIELD_AT.batchLength)
  bytes.writeInt8(MAGIC, FIELD_AT.magic)
  bytes.writeInt16BE(CODEC.none, FIELD_AT.attributes)
  bytes.writeInt32BE(place.lastOffset - place.baseOffset, FIELD_AT.lastOffsetDelta)
  writeInt64(bytes, place.maxTimestampMs, FIELD_AT.baseTimestamp)
  writeInt64(bytes, place.maxTimestampMs, FIELD_AT.maxTimestamp)
  writeInt64(bytes, NO_PRODUCER_ID, FIELD_AT.producerId)
  bytes.writeInt16BE(NONE, FIELD_AT.producerEpoch)
  bytes.writeInt32BE(NONE, FIELD_AT.baseSequence)
  signBatch(bytes)
  return bytes
}

/** A record is its length, a byte of attributes, the timestamp delta, and what follows. */
function withTimestampDelta(record: Buffer, timestampDelta: number): Buffer {
  const attributesAt = behindVarint(record, 0)
  const restAt = behindVarint(record, attributesAt + 1)
  const delta = varint(timestampDelta)
  const bodyBytes = 1 + delta.length + record.length - restAt
  return Buffer.concat([varint(bodyBytes), record.subarray(attributesAt, attributesAt + 1), delta, record.subarray(restAt)])
}

function behindVarint(bytes: Buffer, start: number): number {
  let at = start
  while (bytes[at]! >= 0x80) at++
  return at + 1
}

/** Zigzag, of either width: tombstones are rare, and their distance to the horizon exceeds 32 bits. */
function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80)
  bytes.push(Number(left))
  return Buffer.from(bytes)
}
