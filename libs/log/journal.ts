/**
 * The rows of the journal: sequence, topic ID and partition in the key, the record batch byte for byte as the value.
 * Nothing else lives in that store, and its keys only grow. Layout: docs/formats/journal.md.
 */
import { AssayError, isAssayError } from '@assay/errors'
import { checkBatch, hasRightCrc } from '@assay/records'
import type { Entry, Store } from '@assay/store'
import { baseOffsetOf } from './batch-facts.ts'
import { readInt64, writeInt64 } from './int64.ts'
import type { PartitionKey } from './log.ts'
import { corruptPartition, nameOf, type Partition, PREFIX_BYTES, readPartitionKey } from './partition.ts'
import type { StoredBatch } from './recent.ts'

const SEQUENCE_BYTES = 8
const KEY_BYTES = SEQUENCE_BYTES + PREFIX_BYTES
/** What one page of replay, or one read of many rows, aims at. */
export const PAGE_BYTES = 4 << 20
const PAGE_ROWS_FIRST = 16
const PAGE_ROWS_MAX = 4096

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

/** All rows from a sequence on, in pages of bounded size. Fails with STORE_CORRUPT at a gap and at a damaged row. */
export async function* journalPages(journal: Store, from: number): AsyncGenerator<JournalRow[]> {
  let next = from
  let limit = PAGE_ROWS_FIRST
  for (;;) {
    const entries = await journal.range({ gte: sequenceKey(next), limit })
    if (entries.length === 0) return
    const rows = entries.map((entry, index) => checkRow(entry, next + index))
    yield rows
    next += rows.length
    limit = rowsOfNextPage(entries)
  }
}

/** True when there is a row of exactly this sequence. */
export async function hasRow(journal: Store, sequence: number): Promise<boolean> {
  const [entry] = await journal.range({ gte: sequenceKey(sequence), lt: sequenceKey(sequence + 1), limit: 1 })
  return entry !== undefined
}

function sequenceKey(sequence: number): Buffer {
  const key = Buffer.alloc(SEQUENCE_BYTES)
  writeInt64(key, sequence, 0)
  return key
}

function rowsOfNextPage(entries: readonly Entry[]): number {
  const bytes = entries.reduce((sum, { value }) => sum + value.length, 0)
  const averageBytes = Math.max(bytes / entries.length, 1)
  return Math.min(Math.max(Math.floor(PAGE_BYTES / averageBytes), 1), PAGE_ROWS_MAX)
}

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
  } catch (error) {
    if (!isAssayError(error)) throw error
    const reason = `at offset ${value.length >= SEQUENCE_BYTES ? baseOffsetOf(value) : 'unknown'} (row ${sequence}): ${error.message}`
    throw new AssayError('STORE_CORRUPT', { what: `Partition ${nameOf(partition)}`, reason }, { cause: error })
  }
  return { sequence, partition, batch: value }
}

export const corruptJournal = (reason: string): AssayError => new AssayError('STORE_CORRUPT', { what: 'The journal', reason })

/**
 * The batches of one partition, checked against what the index says of them and against their CRC. A damaged one ends the answer;
 * only when it is the first does this fail, with STORE_CORRUPT: what lies before the damage can always be read.
 */
export async function readBatches(journal: Store, partition: Partition, wanted: readonly StoredBatch[]): Promise<Buffer[]> {
  const values = await getRows(journal, partition, wanted)
  const batches: Buffer[] = []
  for (const [at, value] of values.entries()) {
    const fault = faultOf(value, wanted[at]!)
    if (fault !== undefined && at === 0) throw corruptPartition(partition, wanted[0]!.baseOffset, fault)
    if (fault !== undefined) break
    batches.push(value!)
  }
  return batches
}

async function getRows(journal: Store, partition: Partition, wanted: readonly StoredBatch[]): Promise<(Buffer | undefined)[]> {
  const keys = wanted.map(({ sequence }) => journalKey(sequence, partition.prefix))
  try {
    return await journal.getMany(keys)
  } catch (error) {
    // The store itself found damage somewhere among these rows, and does not say where.
    if (!isAssayError(error, 'STORE_CORRUPT')) throw error
    if (wanted.length > 1) return getRows(journal, partition, wanted.slice(0, 1))
    throw corruptPartition(partition, wanted[0]!.baseOffset, error.message)
  }
}

function faultOf(value: Buffer | undefined, { sequence, baseOffset, sizeBytes }: StoredBatch): string | undefined {
  if (value === undefined) return `row ${sequence} of the journal is missing`
  if (value.length !== sizeBytes) return `row ${sequence} has ${value.length} bytes and not ${sizeBytes}`
  if (baseOffsetOf(value) !== baseOffset) return `row ${sequence} holds offset ${baseOffsetOf(value)}`
  if (!hasRightCrc(value)) return `the CRC-32C of row ${sequence} does not match`
  return undefined
}
