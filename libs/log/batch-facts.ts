/** The few header fields that the log acts on, read directly: the rest of a batch is opaque to it. */
import { ATTRIBUTE, FIELD_AT, HEADER_BYTES, LOG_OVERHEAD, MAGIC, RecordCursor } from '@assay/records'
import { assert } from '@assay/std'
import { clampToSafe, readInt64 } from './int64.ts'

/** How a control batch ends its producer's transaction. */
export type TransactionEnd = 'commit' | 'abort'

export interface BatchFacts {
  readonly lastOffsetDelta: number
  readonly maxTimestampMs: number
  /** -1 unless the batch bears the time of its append. */
  readonly appendTimeMs: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional: boolean
  /** How it ends its producer's transaction; undefined unless it is a marker. */
  readonly end: TransactionEnd | undefined
}

/** One copy of each partition, led by this node since ever. */
export const LEADER_EPOCH = 0

/** What is wrong with the fields in front of a batch's CRC, which does not cover them. The base offset is for the caller to compare. */
export function frontFaultOf(batch: Buffer): string | undefined {
  if (batch.length < HEADER_BYTES) return `its ${batch.length} bytes are less than a header`
  const [length, epoch] = [batch.readInt32BE(FIELD_AT.batchLength), batch.readInt32BE(FIELD_AT.leaderEpoch)]
  if (LOG_OVERHEAD + length !== batch.length) return `it claims ${LOG_OVERHEAD + length} bytes and has ${batch.length}`
  if (epoch !== LEADER_EPOCH) return `its leader epoch is ${epoch}`
  if (batch[FIELD_AT.magic] !== MAGIC) return `its message format is ${batch[FIELD_AT.magic]}`
  return undefined
}

/** The caller has checked framing and CRC; what is asserted here keeps a fault of ours from reaching the disk. */
export function readFacts(batch: Buffer): BatchFacts {
  assert(batch.length >= HEADER_BYTES && batch[FIELD_AT.magic] === MAGIC, 'the log is given record batches v2')
  assert(LOG_OVERHEAD + batch.readInt32BE(FIELD_AT.batchLength) === batch.length, 'the log is given one whole batch at a time')
  const lastOffsetDelta = batch.readInt32BE(FIELD_AT.lastOffsetDelta)
  assert(lastOffsetDelta >= 0, 'a batch takes at least one offset')
  const maxTimestampMs = clampToSafe(readInt64(batch, FIELD_AT.maxTimestamp))
  const attributes = batch.readInt16BE(FIELD_AT.attributes)
  const hasAppendTime = (attributes & ATTRIBUTE.logAppendTime) !== 0
  return {
    lastOffsetDelta,
    maxTimestampMs,
    appendTimeMs: hasAppendTime ? maxTimestampMs : -1,
    producerId: readInt64(batch, FIELD_AT.producerId),
    producerEpoch: batch.readInt16BE(FIELD_AT.producerEpoch),
    baseSequence: batch.readInt32BE(FIELD_AT.baseSequence),
    isTransactional: (attributes & ATTRIBUTE.transactional) !== 0,
    end: (attributes & ATTRIBUTE.control) === 0 ? undefined : endIn(batch)
  }
}

/** The key of a control record is its version and its type: 0 aborts, 1 commits. */
function endIn(batch: Buffer): TransactionEnd | undefined {
  const cursor = new RecordCursor(batch.subarray(HEADER_BYTES), batch.readInt32BE(FIELD_AT.recordCount))
  const key = cursor.next() ? cursor.key() : null
  if (key === null || key.length < 4) return undefined
  const type = key.readInt16BE(2)
  return type === 1 ? 'commit' : type === 0 ? 'abort' : undefined
}

export const baseOffsetOf = (batch: Buffer): number => readInt64(batch, FIELD_AT.baseOffset)
