/** Partitions that the engine keeps its own state in: keyed records, the last one of a key stands, one without a value takes the key away. */
import { AssayError } from '@assay/errors'
import type { PartitionLog } from '@assay/log'
import { decodeBatch, encodeBatch, readHeader } from '@assay/records'

export interface KeyedRecord {
  readonly key: Buffer
  /** Null is a tombstone. */
  readonly value: Buffer | null
}

/** Bytes of one read while replaying: keeps memory flat however long the log is. */
const READ_BYTES = 4 * 1024 * 1024

export const keyedBatch = (records: readonly KeyedRecord[], nowMs: number): Buffer =>
  encodeBatch({ records, baseTimestampMs: nowMs })

/** Visits every record in the order of the log. Fails with STORE_CORRUPT when one has no key, and as `read` fails. */
export async function replay(log: PartitionLog, visit: (record: KeyedRecord, offset: number) => void): Promise<void> {
  for (let from = log.startOffset; from < log.highWatermark; ) {
    const batches = await log.read(from, { bytesMax: READ_BYTES })
    if (batches.length === 0) throw damaged(`nothing was read at offset ${from}`)
    for (const batch of batches) {
      for (const { key, value, offset } of decodeBatch(batch, READ_BYTES)) {
        if (key === null) throw damaged(`the record at offset ${offset} has no key`)
        if (offset >= from) visit({ key, value }, offset)
      }
      // Not the last record's: compaction may have taken it out of the batch.
      const { baseOffset, lastOffsetDelta } = readHeader(batch)
      from = Math.max(from, baseOffset + lastOffsetDelta + 1)
    }
  }
}

const damaged = (reason: string): AssayError => new AssayError('STORE_CORRUPT', { what: 'A log of the server', reason })
