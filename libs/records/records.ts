/** Records as objects: for everything that is not hot. The hot paths walk a batch with `RecordCursor`. */
import { assert } from '@assay/std'
import {
  ATTRIBUTE,
  codecOf,
  FIELD_AT,
  HEADER_BYTES,
  hasLogAppendTime,
  LOG_OVERHEAD,
  MAGIC,
  NO_PRODUCER_ID,
  NONE,
  readHeader,
  signBatch
} from './batch.ts'
import { compress, decompress } from './codec.ts'
import { CODEC, type Codec } from './codec-name.ts'
import { RecordCursor, type RecordHeader } from './cursor.ts'

export interface RecordEntry {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

export interface NewRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** Default: the batch's base timestamp. */
  readonly timestampMs?: number
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array | null }[]
}

export interface NewBatch {
  /** At least one. */
  readonly records: readonly NewRecord[]
  readonly baseTimestampMs: number
  /** Default none. */
  readonly codec?: Codec
  /** The three of an idempotent producer; -1 when there is none. */
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
}

/**
 * The records of one batch whose framing is already known to be right. Keys and values are views of the batch, or of what it inflated to.
 * `limitBytes` bounds what a compressed batch may inflate to. Fails as `decompress` and `RecordCursor.next` do.
 */
export function decodeBatch(batch: Buffer, limitBytes: number): RecordEntry[] {
  const header = readHeader(batch)
  const section = decompress(codecOf(header), batch.subarray(HEADER_BYTES, header.sizeBytes), limitBytes)
  const cursor = new RecordCursor(section, header.recordCount)
  const records: RecordEntry[] = []
  while (cursor.next()) {
    records.push({
      offset: header.baseOffset + cursor.offsetDelta,
      timestampMs: hasLogAppendTime(header) ? header.maxTimestamp : header.baseTimestamp + cursor.timestampDelta,
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers()
    })
  }
  return records
}

/** A batch as a producer sends it: base offset 0, no leader epoch, offset deltas without gaps, signed. */
export function encodeBatch(batch: NewBatch): Buffer {
  const { records, baseTimestampMs, codec = CODEC.none } = batch
  assert(records.length > 0, 'a new batch has a record')
  const section = compress(codec, encodeRecords(records, baseTimestampMs))
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + section.length)
  section.copy(bytes, HEADER_BYTES)

  let attributes: number = codec
  if (batch.isTransactional) attributes |= ATTRIBUTE.transactional
  if (batch.isControl) attributes |= ATTRIBUTE.control
  const maxTimestampMs = records.reduce(
    (max, { timestampMs = baseTimestampMs }) => Math.max(max, timestampMs),
    Number.NEGATIVE_INFINITY
  )

  bytes.writeBigInt64BE(0n, FIELD_AT.baseOffset)
  bytes.writeInt32BE(bytes.length - LOG_OVERHEAD, FIELD_AT.batchLength)
  bytes.writeInt32BE(NONE, FIELD_AT.leaderEpoch)
  bytes.writeInt8(MAGIC, FIELD_AT.magic)
  bytes.writeInt16BE(attributes, FIELD_AT.attributes)
  bytes.writeInt32BE(records.length - 1, FIELD_AT.lastOffsetDelta)
  bytes.writeBigInt64BE(BigInt(baseTimestampMs), FIELD_AT.baseTimestamp)
  bytes.writeBigInt64BE(BigInt(maxTimestampMs), FIELD_AT.maxTimestamp)
  bytes.writeBigInt64BE(BigInt(batch.producerId ?? NO_PRODUCER_ID), FIELD_AT.producerId)
  bytes.writeInt16BE(batch.producerEpoch ?? NONE, FIELD_AT.producerEpoch)
  bytes.writeInt32BE(batch.baseSequence ?? NONE, FIELD_AT.baseSequence)
  bytes.writeInt32BE(records.length, FIELD_AT.recordCount)
  signBatch(bytes)
  return bytes
}

function encodeRecords(records: readonly NewRecord[], baseTimestampMs: number): Buffer {
  const bodies = records.map((record, index) => bodyBytesOf(record, timestampDeltaOf(record, baseTimestampMs), index))
  const bytes = Buffer.allocUnsafe(bodies.reduce((sum, body) => sum + varintBytesOf(body) + body, 0))
  let at = 0
  records.forEach((record, index) => {
    at = writeVarint(bytes, at, bodies[index]!)
    at = writeBody(bytes, at, record, timestampDeltaOf(record, baseTimestampMs), index)
  })
  assert(at === bytes.length, 'records are as long as they were measured to be')
  return bytes
}

const timestampDeltaOf = (record: NewRecord, baseTimestampMs: number): number =>
  (record.timestampMs ?? baseTimestampMs) - baseTimestampMs

function bodyBytesOf({ key, value, headers = [] }: NewRecord, timestampDelta: number, offsetDelta: number): number {
  let total = 1 + varintBytesOf(timestampDelta) + varintBytesOf(offsetDelta) + blobBytesOf(key) + blobBytesOf(value)
  total += varintBytesOf(headers.length)
  for (const header of headers) {
    const keyBytes = Buffer.byteLength(header.key)
    total += varintBytesOf(keyBytes) + keyBytes + blobBytesOf(header.value)
  }
  return total
}

function writeBody(bytes: Buffer, start: number, record: NewRecord, timestampDelta: number, offsetDelta: number): number {
  const { key, value, headers = [] } = record
  let at = start
  // The record's attributes have no use yet.
  bytes[at++] = 0
  at = writeVarint(bytes, at, timestampDelta)
  at = writeVarint(bytes, at, offsetDelta)
  at = writeBlob(bytes, at, key)
  at = writeBlob(bytes, at, value)
  at = writeVarint(bytes, at, headers.length)
  for (const header of headers) {
    at = writeVarint(bytes, at, Buffer.byteLength(header.key))
    at += bytes.write(header.key, at)
    at = writeBlob(bytes, at, header.value)
  }
  return at
}

const blobBytesOf = (bytes: Uint8Array | null): number => (bytes === null ? 1 : varintBytesOf(bytes.length) + bytes.length)

function writeBlob(target: Buffer, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(target, at, -1)
  const start = writeVarint(target, at, bytes.length)
  target.set(bytes, start)
  return start + bytes.length
}

/** Numbers of this size stay within 32 bits when zigzag doubles them. */
const isSmall = (value: number): boolean => value === (value << 1) >> 1

/** The bytes of a zigzag varint; those of the short and of the long kind are the same. */
function varintBytesOf(value: number): number {
  if (!isSmall(value)) return Math.ceil(zigzag64(value).toString(2).length / 7)
  return Math.floor((38 - Math.clz32(((value << 1) ^ (value >> 31)) | 1)) / 7)
}

function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start
  if (isSmall(value)) {
    let left = (value << 1) ^ (value >> 31)
    for (; left > 0x7f; left >>>= 7) bytes[at++] = (left & 0x7f) | 0x80
    bytes[at++] = left
    return at
  }
  let left = zigzag64(value)
  for (; left > 0x7fn; left >>= 7n) bytes[at++] = Number(left & 0x7fn) | 0x80
  bytes[at++] = Number(left)
  return at
}

const zigzag64 = (value: number): bigint => BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
