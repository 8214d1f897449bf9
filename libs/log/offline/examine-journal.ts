/**
 * Reads every row of every segment and tells those that are whole from those that are not: key, sequence, framing, CRC. Goes on behind what
 * cannot be read, so that one damaged block hides nothing but itself.
 */
import { AssayError, isAssayError } from '@assay/errors'
import { checkBatch, HEADER_BYTES } from '@assay/records'
import type { Entry, Store } from '@assay/store'
import { baseOffsetOf, readFacts } from '../batch-facts.ts'
import { readInt64, writeInt64 } from '../int64.ts'
import { PAGE_BYTES, partitionOfKey, sequenceOfKey } from '../journal.ts'
import { nameOf, PREFIX_BYTES } from '../partition.ts'
import type { Findings } from './finding.ts'
import type { KnownRows } from './known-rows.ts'
import type { DataDirectory, SegmentDirectory } from './view.ts'

const SEQUENCE_BYTES = 8
const KEY_BYTES = SEQUENCE_BYTES + PREFIX_BYTES
const PAGE_ROWS_FIRST = 16
const PAGE_ROWS_MAX = 4096
/** Damaged rows whose reasons are remembered until the index tells what they were. */
const REASONS_MAX = 10_000

export const REPAIR_ADVICE = 'restore a backup, or let `assay doctor --repair OUT` write what is sound into a new directory'

export interface JournalFacts {
  readonly rows: number
  readonly bytes: number
  /** The sequence behind the last row of each segment that could be opened, by its first. */
  readonly ends: ReadonlyMap<number, number>
  /** What is wrong with damaged rows, by sequence. */
  readonly damaged: ReadonlyMap<number, DamagedRow>
}

export interface DamagedRow {
  readonly segment: SegmentDirectory
  readonly reason: string
}

export interface JournalExamination {
  readonly found: Findings
  readonly rows: KnownRows
  readonly onBytes?: (bytes: number) => void
}

export async function examineJournal(view: DataDirectory, examination: JournalExamination): Promise<JournalFacts> {
  const { found } = examination
  const damaged = new Map<number, DamagedRow>()
  const totals = { rows: 0, bytes: 0 }
  const ends = new Map<number, number>()
  for (const [at, segment] of view.segments.entries()) {
    const nextSegment = view.segments[at + 1]?.first
    const fault = await openingFault(view, segment, async store => {
      const end = await examineSegment(store, segment, { ...examination, damaged, totals })
      ends.set(segment.first, end)
      if (nextSegment !== undefined && end > nextSegment) {
        found.add({
          ...{ kind: 'segment', severity: 'damage', file: segment.path, advice: REPAIR_ADVICE },
          says: `its rows reach to ${end - 1}, into the segment that begins with row ${nextSegment}`
        })
      }
    })
    if (fault === undefined) continue
    found.add({
      ...{ kind: 'segment', severity: 'damage', file: segment.path, advice: REPAIR_ADVICE },
      says: `the segment cannot be opened: ${fault}`
    })
  }
  return { ...totals, ends, damaged }
}

/** What keeps a segment from being opened; undefined when the work was done. A newer format and a failing disk end the examination. */
async function openingFault(
  view: DataDirectory,
  { first }: SegmentDirectory,
  work: (store: Store) => Promise<void>
): Promise<string | undefined> {
  let store: Store
  try {
    store = await view.openSegment(first)
  } catch (error) {
    if (!isAssayError(error, 'STORE_CORRUPT')) throw error
    return error.message
  }
  try {
    await work(store)
  } finally {
    await store.close()
  }
  return undefined
}

interface SegmentExamination extends JournalExamination {
  readonly damaged: Map<number, DamagedRow>
  readonly totals: { rows: number; bytes: number }
}

/** Gives the sequence behind the last row. */
async function examineSegment(store: Store, segment: SegmentDirectory, examination: SegmentExamination): Promise<number> {
  const { found, rows, damaged, totals, onBytes } = examination
  let next = segment.first
  for await (const entry of entriesOf(store, next)) {
    const { key, value } = entry
    if (key.length !== KEY_BYTES || sequenceOfKey(key) < next) {
      found.add({
        ...{ kind: 'segment', severity: 'damage', file: segment.path, advice: REPAIR_ADVICE },
        says: `a key of ${key.length} bytes (${key.toString('hex', 0, KEY_BYTES)}) stands where row ${next} was expected`
      })
      continue
    }
    const sequence = sequenceOfKey(key)
    if (sequence > next) tellMissing(examination, segment, { from: next, to: sequence - 1 })
    next = sequence + 1
    totals.rows++
    totals.bytes += value.length
    onBytes?.(value.length)
    const reason = faultOfRow(entry)
    if (reason !== undefined) {
      if (damaged.size < REASONS_MAX) damaged.set(sequence, { segment, reason })
      continue
    }
    const { lastOffsetDelta, maxTimestampMs } = readFacts(value)
    const baseOffset = baseOffsetOf(value)
    await rows.add({
      ...{ sequence, baseOffset, maxTimestampMs, sizeBytes: value.length },
      prefix: Buffer.from(key.subarray(SEQUENCE_BYTES)),
      lastOffset: baseOffset + lastOffsetDelta
    })
  }
  return next
}

function tellMissing({ found }: SegmentExamination, segment: SegmentDirectory, gap: { from: number; to: number }): void {
  const rows = gap.from === gap.to ? `row ${gap.from} is` : `rows ${gap.from} to ${gap.to} are`
  found.add({
    ...{ kind: 'gap', severity: 'damage', file: segment.path, advice: REPAIR_ADVICE },
    says: `${rows} missing from the segment, or cannot be read`
  })
}

function faultOfRow({ key, value }: Entry): string | undefined {
  try {
    checkBatch(value, { sizeMax: Number.POSITIVE_INFINITY, from: 'log' })
    readFacts(value)
    return undefined
  } catch (error) {
    const offset = value.length >= HEADER_BYTES ? `, which says that it begins at offset ${baseOffsetOf(value)}` : ''
    return `partition ${nameOf(partitionOfKey(key))}${offset}: ${(error as Error).message}`
  }
}

/** Every entry that can be read, by key. */
async function* entriesOf(store: Store, first: number): AsyncGenerator<Entry> {
  let from = sequenceKey(first)
  for (let limit = PAGE_ROWS_FIRST; ; ) {
    let entries: Entry[]
    try {
      entries = await store.range({ gte: from, limit })
    } catch (error) {
      if (!isAssayError(error, 'STORE_CORRUPT')) throw error
      if (limit > 1) {
        limit = 1
        continue
      }
      const behind = await behindDamage(store, readInt64(from, 0))
      if (behind === undefined) return
      from = sequenceKey(behind)
      limit = PAGE_ROWS_FIRST
      continue
    }
    if (entries.length === 0) return
    yield* entries
    from = Buffer.concat([entries.at(-1)!.key, Buffer.of(0)])
    const averageBytes = Math.max(entries.reduce((sum, { value }) => sum + value.length, 0) / entries.length, 1)
    limit = Math.min(Math.max(Math.floor(PAGE_BYTES / averageBytes), 1), PAGE_ROWS_MAX, limit * 8)
  }
}

/** The first sequence from which on something can be read again; undefined when nothing can. */
async function behindDamage(store: Store, damaged: number): Promise<number | undefined> {
  const canRead = async (sequence: number): Promise<boolean> => {
    try {
      await store.range({ gte: sequenceKey(sequence), limit: 1 })
      return true
    } catch (error) {
      if (isAssayError(error, 'STORE_CORRUPT')) return false
      throw error
    }
  }
  let [bad, step] = [damaged, 1]
  while (!(await canRead(bad + step))) {
    bad += step
    step *= 2
    if (!Number.isSafeInteger(bad + step)) return undefined
  }
  let good = bad + step
  while (good - bad > 1) {
    const middle = Math.floor((bad + good) / 2)
    if (await canRead(middle)) good = middle
    else bad = middle
  }
  return good
}

function sequenceKey(sequence: number): Buffer {
  const key = Buffer.alloc(SEQUENCE_BYTES)
  writeInt64(key, sequence, 0)
  return key
}

/** A row of the journal by its key, read once more. */
export async function rowBytes(store: Store, sequence: number, prefix: Buffer): Promise<Buffer> {
  const bytes = await store.get(Buffer.concat([sequenceKey(sequence), prefix]))
  if (bytes === undefined) {
    throw new AssayError('STORE_CORRUPT', { what: 'The journal', reason: `row ${sequence} was there, and is gone` })
  }
  return bytes
}
