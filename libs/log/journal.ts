/**
 * The rows of the journal: sequence, topic ID and partition in the key, the record batch byte for byte as the value.
 * Nothing else lives in that store, and its keys only grow. Layout: docs/formats/journal.md.
 */
import { AssayError, isAssayError } from '@assay/errors'
import { checkBatch, hasRightCrc } from '@assay/records'
import { type Lease, lentMemory } from '@assay/std'
import type { Allocate, Entry, Range } from '@assay/store'
import { baseOffsetOf, frontFaultOf } from './batch-facts.ts'
import { readInt64, writeInt64 } from './int64.ts'
import type { Journal } from './journal-segments.ts'
import type { PartitionKey } from './log.ts'
import { corruptPartition, nameOf, type Partition, PREFIX_BYTES, readPartitionKey } from './partition.ts'
import type { StoredBatch } from './recent.ts'

const SEQUENCE_BYTES = 8
const KEY_BYTES = SEQUENCE_BYTES + PREFIX_BYTES
/** What one page of replay, or one read of many rows, aims at. */
export const PAGE_BYTES = 1 << 20
const PAGE = { limit: 4096, bytesMax: PAGE_BYTES } as const

export function journalKey(sequence: number, prefix: Buffer): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES)
  writeInt64(key, sequence, 0)
  prefix.copy(key, SEQUENCE_BYTES)
  return key
}

/** A row that was found whole: its sequence is the expected one, its framing and CRC are right. */
export interface JournalRow {
  readonly sequence: number
  readonly partition: PartitionKey
  readonly batch: Buffer
}

/**
 * All rows from a sequence on, in pages of bounded size, segment by segment. Fails with STORE_CORRUPT at a damaged row, and at a gap unless
 * that lies between segments and `onGap` is there to take it.
 */
export async function* journalPages(
  journal: Journal,
  from: number,
  onGap?: (gap: { readonly from: number; readonly to: number }) => void
): AsyncGenerator<JournalRow[]> {
  let next = from
  const firsts = [...journal.firsts]
  for (const [at, first] of firsts.entries()) {
    const end = firsts[at + 1] ?? Number.POSITIVE_INFINITY
    if (end <= next) continue
    if (first > next) {
      if (onGap === undefined) throw corruptJournal(`row ${next} is missing; the next segment begins with row ${first}`)
      onGap({ from: next, to: first })
      next = first
    }
    for await (const rows of segmentPages(journal, first, next)) {
      next += rows.length
      if (next > end) throw corruptJournal(`row ${end} lies in segment ${first}, and in segment ${end} as well`)
      yield rows
    }
  }
}

/** The rows of one segment from a sequence on, in pages of bounded size. Fails with STORE_CORRUPT at a gap and at a damaged row. */
export async function* segmentPages(journal: Journal, first: number, from: number): AsyncGenerator<JournalRow[]> {
  let next = from
  for (;;) {
    const entries = await journal.use(first, store => store.range({ ...PAGE, gte: sequenceKey(next) }))
    if (entries.length === 0) return
    const rows = entries.map((entry, index) => checkRow(entry, next + index))
    yield rows
    next += rows.length
  }
}

/**
 * The rows of a segment, as they stand there, unchecked, in pages of bounded size. Their bytes lie in memory that the next page takes: it
 * would be a lot of garbage otherwise, of a size that V8 is slow to collect.
 */
export async function* rawPages(journal: Journal, first: number): AsyncGenerator<Entry[]> {
  const memory = lentMemory(2 * PAGE_BYTES)
  const leases: Lease[] = []
  const allocate = (bytes: number): Buffer => {
    const lease = memory.take(bytes)
    leases.push(lease)
    return lease.bytes.subarray(0, bytes)
  }
  let range: Range = { gte: sequenceKey(first) }
  for (;;) {
    for (const lease of leases.splice(0)) lease.release()
    const entries = await journal.use(first, store => store.range({ ...PAGE, ...range }, allocate))
    if (entries.length === 0) return
    yield entries
    range = { gt: Buffer.from(entries.at(-1)!.key) }
  }
}

/** True when there is a row of exactly this sequence. */
export async function hasRow(journal: Journal, sequence: number): Promise<boolean> {
  const first = journal.segmentOf(sequence)
  if (first === undefined) return false
  const range = { gte: sequenceKey(sequence), lt: sequenceKey(sequence + 1), limit: 1 }
  const [entry] = await journal.use(first, store => store.range(range))
  return entry !== undefined
}

/**
 * Makes durable all that can be read, if there are rows from this sequence on, and gives the last sequence; undefined when there are none.
 * Writing the last row once more changes nothing, and the sync covers all before it; older segments were synced before it was begun.
 */
export async function syncJournal(journal: Journal, from = 0): Promise<number | undefined> {
  const [last] = await journal.use(journal.firsts.at(-1)!, store => store.range({ limit: 1, reverse: true }))
  // One that is no row of ours is told of by whoever reads all of them.
  if (last === undefined || last.key.length < SEQUENCE_BYTES || sequenceOfKey(last.key) < from) return undefined
  await journal.batch([{ type: 'put', ...last }], { sync: true })
  return sequenceOfKey(last.key)
}

/** Deletes the rows of the newest segment from this sequence on, for good when it resolves. */
export async function dropRowsFrom(journal: Journal, sequence: number): Promise<void> {
  await journal.use(journal.firsts.at(-1)!, store => store.clear({ gte: sequenceKey(sequence) }))
}

function sequenceKey(sequence: number): Buffer {
  const key = Buffer.alloc(SEQUENCE_BYTES)
  writeInt64(key, sequence, 0)
  return key
}

/** What a journal key tells. */
export const partitionOfKey = (key: Buffer): PartitionKey => readPartitionKey(key, SEQUENCE_BYTES)
export const sequenceOfKey = (key: Buffer): number => readInt64(key, 0)

function checkRow({ key, value }: Entry, expected: number): JournalRow {
  if (key.length !== KEY_BYTES) throw corruptJournal(`a key has ${key.length} bytes where row ${expected} was expected`)
  const sequence = readInt64(key, 0)
  const partition = readPartitionKey(key, SEQUENCE_BYTES)
  if (sequence !== expected) {
    const where = `partition ${nameOf(partition)} offset ${value.length >= SEQUENCE_BYTES ? baseOffsetOf(value) : 'unknown'}`
    throw corruptJournal(`row ${expected} is missing; the next is ${sequence}, of ${where}`)
  }
  try {
    checkBatch(value, { sizeMax: Number.POSITIVE_INFINITY, from: 'log' })
    const fault = frontFaultOf(value)
    if (fault !== undefined) throw new AssayError('CORRUPT_BATCH', { reason: fault })
  } catch (error) {
    if (!isAssayError(error)) throw error
    const reason = `at offset ${value.length >= SEQUENCE_BYTES ? baseOffsetOf(value) : 'unknown'} (row ${sequence}): ${error.message}`
    throw new AssayError('STORE_CORRUPT', { what: `Partition ${nameOf(partition)}`, reason }, { cause: error })
  }
  return { sequence, partition, batch: value }
}

export const corruptJournal = (reason: string): AssayError => new AssayError('STORE_CORRUPT', { what: 'The journal', reason })

/**
 * The batches of one partition as far as they lie in one segment, checked against what the index says of them and against their CRC. A damaged one ends the answer;
 * only when it is the first does this fail, with STORE_CORRUPT: what lies before the damage can always be read.
 */
export async function readBatches(
  journal: Journal,
  partition: Partition,
  wanted: readonly StoredBatch[],
  allocate?: Allocate
): Promise<Buffer[]> {
  const values = await getRows(journal, partition, wanted, allocate)
  const batches: Buffer[] = []
  for (const [at, value] of values.entries()) {
    const fault = faultOf(value, wanted[at]!)
    if (fault !== undefined && at === 0) throw corruptPartition(partition, wanted[0]!.baseOffset, fault)
    if (fault !== undefined) break
    batches.push(value!)
  }
  return batches
}

async function getRows(
  journal: Journal,
  partition: Partition,
  wanted: readonly StoredBatch[],
  allocate: Allocate | undefined
): Promise<(Buffer | undefined)[]> {
  const first = journal.segmentOf(wanted[0]!.sequence)
  if (first === undefined) return [undefined]
  let count = 1
  while (count < wanted.length && journal.segmentOf(wanted[count]!.sequence) === first) count++
  const keys = wanted.slice(0, count).map(({ sequence }) => journalKey(sequence, partition.prefix))
  try {
    return await journal.use(first, store => store.getMany(keys, allocate))
  } catch (error) {
    // The store itself found damage somewhere among these rows, and does not say where.
    if (!isAssayError(error, 'STORE_CORRUPT')) throw error
    if (count > 1) return getRows(journal, partition, wanted.slice(0, 1), allocate)
    throw corruptPartition(partition, wanted[0]!.baseOffset, error.message)
  }
}

/** What is wrong with a row in the light of its index row; undefined when nothing is. */
export function faultOf(value: Buffer | undefined, { sequence, baseOffset, sizeBytes }: StoredBatch): string | undefined {
  if (value === undefined) return `row ${sequence} of the journal is missing`
  if (value.length !== sizeBytes) return `row ${sequence} has ${value.length} bytes and not ${sizeBytes}`
  if (baseOffsetOf(value) !== baseOffset) return `row ${sequence} holds offset ${baseOffsetOf(value)}`
  if (!hasRightCrc(value)) return `the CRC-32C of row ${sequence} does not match`
  const fault = frontFaultOf(value)
  return fault && `row ${sequence}: ${fault}`
}
