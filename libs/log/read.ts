/** Reading a partition: from the tail cache where it reaches, else by the index from the journal, in pages. */
import { AssayError, isAssayError } from '@assay/errors'
import { HEADER_BYTES } from '@assay/records'
import { PAGE_BYTES, readBatches } from './journal.ts'
import type { Offset, ReadOptions } from './log.ts'
import { indexedBatches } from './offset-index.ts'
import { assertKept, type Partition } from './partition.ts'
import type { StoredBatch } from './recent.ts'
import type { StateParts } from './state.ts'

export type Stores = Pick<StateParts, 'journal' | 'index'>

const INDEX_ROWS_MAX = 1024
const INDEX_ROWS_FIRST = 16

/** An answer in the making. */
interface Gathering {
  next: Offset
  bytesLeft: number
  /** Compaction leaves batches without any, and some clients take an answer of only such for the end of the partition. */
  hasRecords: boolean
  readonly end: Offset
  readonly batches: Buffer[]
}

export async function readPartition(stores: Stores, partition: Partition, from: Offset, options: ReadOptions): Promise<Buffer[]> {
  assertKept(partition)
  const { startOffset: start, highWatermark: end } = partition
  if (!(from >= start && from <= end)) throw new AssayError('OFFSET_OUT_OF_RANGE', { offset: from, start, end })
  const gathering: Gathering = { next: from, bytesLeft: options.bytesMax, hasRecords: false, end, batches: [] }
  while (gathering.next < end && takeCached(partition, gathering)) {
    try {
      if (!(await takeStored(stores, partition, gathering))) break
    } catch (error) {
      // What lies before the damage is answered first.
      if (gathering.batches.length > 0) break
      // Retention may have taken away what was just being read.
      if (from < partition.startOffset)
        throw new AssayError('OFFSET_OUT_OF_RANGE', { offset: from, start: partition.startOffset, end })
      throw error
    }
  }
  return gathering.batches
}

const hasRecords = (sizeBytes: number): boolean => sizeBytes > HEADER_BYTES

function add(gathering: Gathering, batch: Buffer, lastOffset: Offset): void {
  gathering.batches.push(batch)
  gathering.bytesLeft -= batch.length
  gathering.hasRecords ||= hasRecords(batch.length)
  gathering.next = lastOffset + 1
}

/** Compaction may have put one batch in the place of several meanwhile: an answer does not go on with one that reaches back into it. */
const goesOn = (gathering: Gathering, batch: StoredBatch | undefined): boolean =>
  batch === undefined || gathering.batches.length === 0 || batch.baseOffset === gathering.next

/** Takes what the tail cache holds. False when the answer is complete with it. */
function takeCached({ recent }: Partition, gathering: Gathering): boolean {
  const first = recent.find(gathering.next)
  if (first < 0) return true
  if (!goesOn(gathering, recent.at(first))) return false
  let bytes = 0
  let at = first
  let isFull = false
  let isEnough = gathering.hasRecords
  for (let batch = recent.at(at); batch?.bytes !== undefined && batch.baseOffset < gathering.end; batch = recent.at(++at)) {
    isFull = isEnough && bytes + batch.sizeBytes > gathering.bytesLeft
    if (isFull) break
    isEnough ||= hasRecords(batch.sizeBytes)
    bytes += batch.sizeBytes
  }
  // The cache writes over what it lets go of, and an answer may be on its way for long.
  const copy = Buffer.allocUnsafe(bytes)
  let from = 0
  for (let index = first; index < at; index++) {
    const { bytes: cached, lastOffset } = recent.at(index)!
    from += cached!.copy(copy, from)
    add(gathering, copy.subarray(from - cached!.length, from), lastOffset)
  }
  return !isFull && gathering.next < gathering.end
}

/** Takes one page out of the journal. False when the answer is complete with it. */
async function takeStored(stores: Stores, partition: Partition, gathering: Gathering): Promise<boolean> {
  const wanted = await nextStored(stores, partition, gathering)
  if (wanted.length === 0 || !goesOn(gathering, wanted[0])) return false
  let read: Buffer[]
  try {
    read = await readBatches(stores.journal, partition, wanted)
  } catch (error) {
    // It may have been copied to another place, and its segment dropped, after the index was asked.
    if (!isAssayError(error, 'STORE_CORRUPT')) throw error
    const [now] = await nextStored(stores, partition, gathering)
    if (now === undefined || now.sequence === wanted[0]!.sequence) throw error
    return true
  }
  for (const [at, batch] of read.entries()) add(gathering, batch, wanted[at]!.lastOffset)
  // A page ends where the segment does; when it ends at damage, the next one begins there and fails.
  return read.length > 0
}

/** Where the next batches lie that have to be read from the journal: as many as fit, of one page at most. */
async function nextStored(stores: Stores, partition: Partition, gathering: Gathering): Promise<StoredBatch[]> {
  const { recent } = partition
  const at = recent.find(gathering.next)
  const located = at < 0 ? await indexedAhead(stores, partition, gathering) : uncachedAhead(partition, at)
  const wanted: StoredBatch[] = []
  let bytes = 0
  let isFirst = !gathering.hasRecords
  for (const batch of located) {
    if (!isFirst && bytes + batch.sizeBytes > gathering.bytesLeft) break
    isFirst &&= !hasRecords(batch.sizeBytes)
    if (wanted.length > 0 && bytes + batch.sizeBytes > PAGE_BYTES) break
    wanted.push(batch)
    bytes += batch.sizeBytes
  }
  return wanted
}

function uncachedAhead({ recent }: Partition, from: number): StoredBatch[] {
  const batches: StoredBatch[] = []
  for (let at = from; batches.length < INDEX_ROWS_MAX; at++) {
    const batch = recent.at(at)
    if (batch === undefined || batch.bytes !== undefined) break
    batches.push(batch)
  }
  return batches
}

/** Where all batches lie, from the one that holds `from` up to the high watermark as it is at the end, without their bytes. */
export async function* storedBatches({ index }: Stores, partition: Partition, from: Offset): AsyncGenerator<StoredBatch> {
  const { recent } = partition
  let limit = INDEX_ROWS_FIRST
  for (let next = from; next < partition.highWatermark; ) {
    const at = recent.find(next)
    const page =
      at < 0 || at === recent.length
        ? await indexedBatches(index, partition, { from: next, limit })
        : recentPage(partition, at, limit)
    for (const batch of page) {
      yield batch
      next = batch.lastOffset + 1
    }
    limit = INDEX_ROWS_MAX
  }
}

function recentPage({ recent }: Partition, from: number, limit: number): StoredBatch[] {
  const count = Math.min(limit, recent.length - from)
  return Array.from({ length: count }, (_, at) => recent.at(from + at)!)
}

async function indexedAhead({ index }: Stores, partition: Partition, gathering: Gathering): Promise<StoredBatch[]> {
  const averageBytes = Math.max(partition.sizeBytes / Math.max(partition.batchCount, 1), 1)
  const likely = Math.ceil(Math.min(gathering.bytesLeft, PAGE_BYTES) / averageBytes) + 1
  const limit = Math.min(Math.max(likely, 1), INDEX_ROWS_MAX)
  const batches = await indexedBatches(index, partition, { from: gathering.next, limit })
  // From here on they are at hand, and most likely with their bytes.
  const recentStart = partition.recent.first?.baseOffset ?? Number.POSITIVE_INFINITY
  return batches.filter(({ baseOffset }) => baseOffset < recentStart)
}
