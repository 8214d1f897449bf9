/** The checks on a record batch as it arrives: where it ends, whether it is undamaged, and whether its header makes sense. */
import { AssayError } from '@assay/errors'
import {
  ATTRIBUTE,
  type BatchHeader,
  codecOf,
  FIELD_AT,
  HEADER_BYTES,
  hasLogAppendTime,
  hasRightCrc,
  isControl,
  LOG_OVERHEAD,
  MAGIC,
  readHeader
} from './batch.ts'
import { CODEC, isCodec } from './codec-name.ts'
import { RECORD_BYTES_MIN } from './cursor.ts'

export interface CheckOptions {
  /** Bytes of a whole batch, header included. */
  readonly sizeMax: number
  /**
   * `client` (the default) is strict as Kafka is with producers: no control batch, no log-append time, as many records as offsets.
   * `log` takes what a log may hold besides: control batches, stamped ones, and those that compaction thinned out.
   */
  readonly from?: 'client' | 'log'
  /** False where somebody else verifies the CRC of the same batch. Default true. */
  readonly verifyCrc?: boolean
}

export interface SplitOptions {
  /** A fetch may end in the middle of a batch; `drop` leaves that part out. Default `refuse`. */
  readonly partialTail?: 'refuse' | 'drop'
}

/**
 * Checks that `bytes` are exactly one record batch v2, and gives its header. The records are not looked at.
 * Fails with BATCH_TOO_LARGE, CORRUPT_BATCH (not what was sent: sending it again may help), INVALID_BATCH (it never will),
 * UNSUPPORTED_CODEC.
 */
export function checkBatch(bytes: Buffer, options: CheckOptions): BatchHeader {
  const { sizeMax, from = 'client', verifyCrc = true } = options
  if (bytes.length > sizeMax) throw new AssayError('BATCH_TOO_LARGE', { size: bytes.length, limit: sizeMax })
  const sizeBytes = batchBytesAt(bytes, 0)
  if (sizeBytes !== bytes.length) throw corrupt(`it claims ${sizeBytes} bytes and has ${bytes.length}`)
  const header = readHeader(bytes)
  if (verifyCrc && !hasRightCrc(bytes)) throw corrupt('its CRC-32C does not match')
  if (!isCodec(codecOf(header))) throw new AssayError('UNSUPPORTED_CODEC', { codec: codecOf(header) })
  checkCounts(header)
  if (from === 'client') checkClientHeader(header)
  return header
}

/**
 * Cuts a records field into its batches, as views. Only the framing is checked: each has to go through `checkBatch`.
 * Fails with CORRUPT_BATCH when the field does not end where a batch does, INVALID_BATCH at a message of the older formats.
 */
export function splitBatches(records: Buffer, options: SplitOptions = {}): Buffer[] {
  const batches: Buffer[] = []
  for (let at = 0; at < records.length; ) {
    if (options.partialTail === 'drop' && isPartial(records, at)) break
    const sizeBytes = batchBytesAt(records, at)
    if (at + sizeBytes > records.length) throw corrupt(`it claims ${sizeBytes} bytes and ${records.length - at} are left`)
    batches.push(records.subarray(at, at + sizeBytes))
    at += sizeBytes
  }
  return batches
}

function isPartial(records: Buffer, at: number): boolean {
  const left = records.length - at
  return left < LOG_OVERHEAD || LOG_OVERHEAD + records.readInt32BE(at + FIELD_AT.batchLength) > left
}

/** The size that the batch at this place claims, at least that of a header; its end may still lie outside. */
function batchBytesAt(bytes: Buffer, at: number): number {
  // All formats have the magic at the same place, so that an old one is told by its name and not called damaged.
  const magic = at + FIELD_AT.magic < bytes.length ? bytes.readInt8(at + FIELD_AT.magic) : MAGIC
  if (magic !== MAGIC) throw new AssayError('INVALID_BATCH', { reason: `its message format is ${magic}; only ${MAGIC} is taken` })
  if (bytes.length - at < HEADER_BYTES) throw corrupt(`${bytes.length - at} bytes are less than a header`)
  const sizeBytes = LOG_OVERHEAD + bytes.readInt32BE(at + FIELD_AT.batchLength)
  if (sizeBytes < HEADER_BYTES) throw corrupt(`its length of ${sizeBytes} bytes is less than a header`)
  return sizeBytes
}

function checkCounts(header: BatchHeader): void {
  const { recordCount, lastOffsetDelta, sizeBytes } = header
  if (lastOffsetDelta < 0) throw invalid(`its last offset delta is ${lastOffsetDelta}`)
  if (recordCount < 0 || recordCount > lastOffsetDelta + 1)
    throw invalid(`it claims ${recordCount} records in ${lastOffsetDelta + 1} offsets`)
  if (codecOf(header) === CODEC.none && recordCount * RECORD_BYTES_MIN > sizeBytes - HEADER_BYTES) {
    throw invalid(`it claims ${recordCount} records in ${sizeBytes - HEADER_BYTES} bytes`)
  }
}

/** What Kafka's LogValidator asks of a producer's batch, and that no bit is set whose meaning is not known. */
function checkClientHeader(header: BatchHeader): void {
  const { attributes, recordCount, lastOffsetDelta, producerId, producerEpoch, baseSequence } = header
  if (isControl(header)) throw invalid('clients may not write control records')
  if (hasLogAppendTime(header)) throw invalid("the log-append time is the broker's to give")
  const unknown = attributes & ~(ATTRIBUTE.codec | ATTRIBUTE.transactional)
  if (unknown !== 0) throw invalid(`its attributes have unknown bits: 0x${(unknown & 0xffff).toString(16)}`)
  if (recordCount !== lastOffsetDelta + 1) throw invalid(`it has ${recordCount} records for ${lastOffsetDelta + 1} offsets`)
  if (producerId >= 0 && (producerEpoch < 0 || baseSequence < 0)) {
    throw invalid(`producer ${producerId} sent epoch ${producerEpoch} and sequence ${baseSequence}`)
  }
  if (producerId < 0 && attributes & ATTRIBUTE.transactional) throw invalid('it is transactional without a producer ID')
}

const corrupt = (reason: string): AssayError => new AssayError('CORRUPT_BATCH', { reason })
const invalid = (reason: string): AssayError => new AssayError('INVALID_BATCH', { reason })
