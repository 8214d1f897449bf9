/** Partitions that the engine keeps its own state in: keyed records, the last one of a key stands, one without a value takes the key away. */
import { AssayError } from '@assay/errors'
import type { PartitionLog, TransactionEnd } from '@assay/log'
import { type BatchHeader, decodeBatch, encodeBatch, isControl, readHeader } from '@assay/records'

export interface KeyedRecord {
  readonly key: Buffer
  /** Null is a tombstone. */
  readonly value: Buffer | null
}

/** Bytes of one read while replaying: keeps memory flat however long the log is. */
const READ_BYTES = 4 * 1024 * 1024
/** The type of a marker that commits. */
const COMMIT = 1

/** With a producer it is part of that producer's transaction. */
export const keyedBatch = (
  records: readonly KeyedRecord[],
  nowMs: number,
  producer?: { readonly producerId: number; readonly epoch: number }
): Buffer =>
  encodeBatch({
    records,
    baseTimestampMs: nowMs,
    ...(producer && { producerId: producer.producerId, producerEpoch: producer.epoch, isTransactional: true })
  })

export interface Visitor {
  /** The header is that of the record's batch. */
  record(record: KeyedRecord, offset: number, header: BatchHeader): void
  marker(producerId: number, end: TransactionEnd): void
}

/** Visits every record, and every end of a transaction, in the order of the log. Fails with STORE_CORRUPT when one has no key, and as `read` fails. */
export async function replay(log: PartitionLog, visit: Visitor['record'], marker?: Visitor['marker']): Promise<void> {
  for (let from = log.startOffset; from < log.highWatermark; ) {
    const batches = await log.read(from, { bytesMax: READ_BYTES })
    if (batches.length === 0) throw damaged(`nothing was read at offset ${from}`)
    for (const batch of batches) {
      const header = readHeader(batch)
      for (const { key, value, offset } of decodeBatch(batch, READ_BYTES)) {
        if (key === null) throw damaged(`the record at offset ${offset} has no key`)
        if (offset < from) continue
        if (isControl(header)) marker?.(header.producerId, key.readInt16BE(2) === COMMIT ? 'commit' : 'abort')
        else visit({ key, value }, offset, header)
      }
      // Not the last record's: compaction may have taken it out of the batch.
      const { baseOffset, lastOffsetDelta } = header
      from = Math.max(from, baseOffset + lastOffsetDelta + 1)
    }
  }
}

const damaged = (reason: string): AssayError => new AssayError('STORE_CORRUPT', { what: 'A log of the server', reason })
