/** What compaction reads: whole batches in the order of offsets, and the records in them, without holding up anybody for long. */
import { isAssayError } from '@assay/errors'
import { type BatchHeader, codecOf, decompress, HEADER_BYTES, RecordCursor, readHeader } from '@assay/records'
import { readBatches } from './journal.ts'
import type { Offset } from './log.ts'
import { rowsBetween } from './offset-index.ts'
import { corruptPartition, type Partition } from './partition.ts'
import type { StoredBatch } from './recent.ts'
import type { LogState, Move } from './state.ts'

export interface CompactionParts {
  readonly state: LogState
  /** Bytes of the map of keys; what does not fit is left to the next pass. */
  readonly keyMapBytes: number
  readonly inflateBytesMax: number
  /** Writes batches once more. They are to be no more than a slice. */
  readonly move: (moves: readonly Move[]) => Promise<void>
  /** Throws to end the pass. */
  readonly proceed: () => void
}

export interface CompactionBatch {
  readonly stored: StoredBatch
  readonly header: BatchHeader
  readonly bytes: Buffer
}

const PAGE_ROWS = 256
const PAGE_BYTES = 1 << 20
/** Records between two turns of the event loop: about a millisecond. */
const TURN_RECORDS = 1000

/** The batches from the one that holds `from` on, as far as they begin below the bound. Nothing else may move or delete index rows meanwhile. */
export async function* compactionBatches(
  { state, proceed }: Pick<CompactionParts, 'state' | 'proceed'>,
  partition: Partition,
  { from, below }: { readonly from: Offset; readonly below: Offset }
): AsyncGenerator<CompactionBatch> {
  const { index, journal } = state.parts
  for (let next = from; next < below; ) {
    proceed()
    const rows = await rowsBetween(index, partition, { from: next, below: Number.MAX_SAFE_INTEGER, limit: PAGE_ROWS })
    let page: StoredBatch[] = []
    let pageBytes = 0
    for (const { batch } of rows) {
      if (batch === undefined || batch.baseOffset > next)
        throw corruptPartition(partition, next, 'the offset index has no row for it')
      if (batch.baseOffset >= below || (page.length > 0 && pageBytes + batch.sizeBytes > PAGE_BYTES)) break
      page.push(batch)
      pageBytes += batch.sizeBytes
      next = batch.lastOffset + 1
    }
    if (page.length === 0) return
    while (page.length > 0) {
      const read = await readBatches(journal, partition, page)
      for (const [at, bytes] of read.entries()) yield { stored: page[at]!, header: readHeader(bytes), bytes }
      page = page.slice(read.length)
    }
  }
}

/** The records of a batch, found whole in one walk; undefined when they cannot be read: that is what the producer sent, and it stays. */
export async function sectionOf({ header, bytes }: CompactionBatch, inflateBytesMax: number): Promise<Buffer | undefined> {
  try {
    const section = decompress(codecOf(header), bytes.subarray(HEADER_BYTES), inflateBytesMax)
    const cursor = new RecordCursor(section, header.recordCount)
    while (cursor.next()) await turnAfter(cursor)
    return section
  } catch (error) {
    if (isAssayError(error, 'INVALID_BATCH', 'CORRUPT_BATCH', 'DECOMPRESSED_TOO_LARGE', 'UNSUPPORTED_CODEC')) return undefined
    throw error
  }
}

/** Lets others go on after every so many records; at no other time is there anything to wait for. */
export function turnAfter({ index }: RecordCursor): Promise<void> | undefined {
  return index % TURN_RECORDS === TURN_RECORDS - 1 ? new Promise(resolve => setImmediate(resolve)) : undefined
}
