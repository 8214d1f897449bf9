/**
 * The header of a record batch v2 (KIP-98, Kafka's `RecordBatch`): 61 bytes before the records.
 * Base offset and leader epoch lie outside the CRC, so a broker sets them without touching what the producer signed.
 */

import { crc32c } from './crc.ts'

export const HEADER_BYTES = 61
/** Bytes before the part that `batchLength` counts: base offset and the length itself. */
export const LOG_OVERHEAD = 12
/** Where the CRC-32C begins to count: the attributes. */
export const CRC_START = 21
export const MAGIC = 2
export const NO_PRODUCER_ID = -1
/** Unset leader epoch, producer epoch and sequence. */
export const NONE = -1

/** Bits of `attributes`. */
export const ATTRIBUTE = {
  codec: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  /** KIP-534: the base timestamp is the time at which compaction may drop tombstones. Only a log cleaner sets it. */
  deleteHorizon: 0x40
} as const

/** Where each field begins. */
export const FIELD_AT = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57
} as const

/** Numbers stand for int64 too: offsets, timestamps and producer IDs of ours stay below 2^53. */
export interface BatchHeader {
  readonly baseOffset: number
  /** Bytes of the whole batch, the 12 bytes of log overhead included. */
  readonly sizeBytes: number
  readonly leaderEpoch: number
  readonly magic: number
  readonly crc: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** Reads the header at `start`; the caller has made sure that 61 bytes are there. */
export function readHeader(bytes: Buffer, start = 0): BatchHeader {
  return {
    baseOffset: Number(bytes.readBigInt64BE(start + FIELD_AT.baseOffset)),
    sizeBytes: LOG_OVERHEAD + bytes.readInt32BE(start + FIELD_AT.batchLength),
    leaderEpoch: bytes.readInt32BE(start + FIELD_AT.leaderEpoch),
    magic: bytes.readInt8(start + FIELD_AT.magic),
    crc: bytes.readUInt32BE(start + FIELD_AT.crc),
    attributes: bytes.readInt16BE(start + FIELD_AT.attributes),
    lastOffsetDelta: bytes.readInt32BE(start + FIELD_AT.lastOffsetDelta),
    baseTimestamp: Number(bytes.readBigInt64BE(start + FIELD_AT.baseTimestamp)),
    maxTimestamp: Number(bytes.readBigInt64BE(start + FIELD_AT.maxTimestamp)),
    producerId: Number(bytes.readBigInt64BE(start + FIELD_AT.producerId)),
    producerEpoch: bytes.readInt16BE(start + FIELD_AT.producerEpoch),
    baseSequence: bytes.readInt32BE(start + FIELD_AT.baseSequence),
    recordCount: bytes.readInt32BE(start + FIELD_AT.recordCount)
  }
}

export const codecOf = (header: BatchHeader): number => header.attributes & ATTRIBUTE.codec
export const hasLogAppendTime = (header: BatchHeader): boolean => (header.attributes & ATTRIBUTE.logAppendTime) !== 0
export const isTransactional = (header: BatchHeader): boolean => (header.attributes & ATTRIBUTE.transactional) !== 0
export const isControl = (header: BatchHeader): boolean => (header.attributes & ATTRIBUTE.control) !== 0

/** Sets the two fields that are the broker's to give, in place. */
export function stampBatch(batch: Buffer, baseOffset: number, leaderEpoch: number): void {
  batch.writeBigInt64BE(BigInt(baseOffset), FIELD_AT.baseOffset)
  batch.writeInt32BE(leaderEpoch, FIELD_AT.leaderEpoch)
}

/** Gives every record the time of the append, in place: consumers then read `maxTimestamp` for each. Signs the batch anew. */
export function setLogAppendTime(batch: Buffer, timestampMs: number): void {
  batch.writeInt16BE(batch.readInt16BE(FIELD_AT.attributes) | ATTRIBUTE.logAppendTime, FIELD_AT.attributes)
  batch.writeBigInt64BE(BigInt(timestampMs), FIELD_AT.maxTimestamp)
  signBatch(batch)
}

/** Writes the CRC-32C over all that it covers. */
export function signBatch(batch: Buffer): void {
  batch.writeUInt32BE(crc32c(batch, CRC_START), FIELD_AT.crc)
}

/** True when the bytes are those that were signed. The header must be there. */
export function hasRightCrc(batch: Buffer): boolean {
  return crc32c(batch, CRC_START) === batch.readUInt32BE(FIELD_AT.crc)
}
