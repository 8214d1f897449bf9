/**
 * Reads every row of every segment and tells those that are whole from those that are not: frames, sequences, framing and CRC of batches. Goes
 * on behind what cannot be read. A row of a damaged frame is taken for whole when its batch is, and the index, or the partition's chain of offsets,
 * says that it belongs there: the CRC of a batch covers neither its partition nor its base offset.
 */
import { checkBatch, HEADER_BYTES } from '@assay/records'
import { examineSegmentFile, type SegmentPiece, type Store } from '@assay/store'
import { baseOffsetOf, readFacts } from '../batch-facts.ts'
import { partitionOfKey } from '../journal.ts'
import { findRows } from '../offset-index.ts'
import { nameOf, newPartition } from '../partition.ts'
import type { Findings } from './finding.ts'
import type { KnownRow, KnownRows } from './known-rows.ts'
import type { DataDirectory, SegmentPath } from './view.ts'

const SEQUENCE_BYTES = 8
/** Damaged rows whose reasons are remembered until the index tells what they were. */
const REASONS_MAX = 10_000

export const REPAIR_ADVICE = 'restore a backup, or let `assay doctor --repair OUT` write what is sound into a new directory'

export interface JournalFacts {
  readonly rows: number
  readonly bytes: number
  /** The sequence behind the last row of each segment that could be read, by its first. */
  readonly ends: ReadonlyMap<number, number>
  /** What is wrong with damaged rows, by sequence. */
  readonly damaged: ReadonlyMap<number, DamagedRow>
}

export interface DamagedRow {
  readonly segment: SegmentPath
  readonly reason: string
}

export interface JournalExamination {
  readonly found: Findings
  readonly rows: KnownRows
  /** Undefined when there is none that can be read. */
  readonly index: Store | undefined
  readonly onBytes?: (bytes: number) => void
}

export async function examineJournal(view: DataDirectory, examination: JournalExamination): Promise<JournalFacts> {
  const { found } = examination
  const work: Work = { ...examination, damaged: new Map(), totals: { rows: 0, bytes: 0 }, chains: new Map() }
  const ends = new Map<number, number>()
  for (const [at, segment] of view.segments.entries()) {
    const nextSegment = view.segments[at + 1]?.first
    const end = await examineSegment(view, segment, nextSegment === undefined, work)
    ends.set(segment.first, end)
    if (nextSegment === undefined || end <= nextSegment) continue
    found.add({
      ...{ kind: 'segment', severity: 'damage', file: segment.path, advice: REPAIR_ADVICE },
      says: `its rows reach to ${end - 1}, into the segment that begins with row ${nextSegment}`
    })
  }
  return { ...work.totals, ends, damaged: work.damaged }
}

interface Work extends JournalExamination {
  readonly damaged: Map<number, DamagedRow>
  readonly totals: { rows: number; bytes: number }
  /** The next offset of each partition, as far as rows were whole, by prefix. */
  readonly chains: Map<string, number>
}

/** Gives the sequence behind the last row. */
async function examineSegment(view: DataDirectory, segment: SegmentPath, isNewest: boolean, work: Work): Promise<number> {
  const { first, path } = segment
  let next = first
  for await (const piece of examineSegmentFile(path, { first, isNewest, onBytes: work.onBytes })) {
    if (piece.kind === 'row') {
      if (piece.sequence > next) tellMissing(work, segment, { from: next, to: piece.sequence - 1 })
      next = piece.sequence + 1
      await examineRow(piece, segment, work)
    } else if (piece.kind === 'end') {
      next = Math.min(next, piece.sequence)
      await work.rows.dropFrom(next)
      for (const sequence of [...work.damaged.keys()]) if (sequence >= next) work.damaged.delete(sequence)
    } else if (piece.kind === 'torn') {
      work.found.add({
        ...{ kind: 'file', severity: 'note', file: path, at: piece.at, says: 'it ends within what was being written' },
        advice: 'nothing: nobody was told of it, and the next start cuts it off'
      })
      await view.cutOff(first, piece.at)
    } else {
      const { file, at, reason } = piece
      const isOfSegment = file === path
      const advice = isOfSegment ? REPAIR_ADVICE : 'remove the file: it is made anew'
      work.found.add({ kind: 'file', severity: 'damage', file, at, says: reason, advice })
    }
  }
  return next
}

async function examineRow(row: Extract<SegmentPiece, { kind: 'row' }>, segment: SegmentPath, work: Work): Promise<void> {
  const { sequence, key, value, at, isSuspect } = row
  const { rows, damaged, totals, chains } = work
  totals.rows++
  totals.bytes += value.length
  const reason = faultOfBatch(key, value)
  if (reason !== undefined) {
    if (damaged.size < REASONS_MAX) damaged.set(sequence, { segment, reason })
    return
  }
  const { lastOffsetDelta, maxTimestampMs } = readFacts(value)
  const baseOffset = baseOffsetOf(value)
  const prefix = Buffer.from(key.subarray(SEQUENCE_BYTES))
  const known = {
    sequence,
    prefix,
    baseOffset,
    lastOffset: baseOffset + lastOffsetDelta,
    maxTimestampMs,
    sizeBytes: value.length,
    at
  }
  const name = prefix.toString('hex')
  if (isSuspect && chains.get(name) !== baseOffset && !(await isConfirmed(work.index, known))) {
    const why = 'nothing says that it belongs where it stands'
    if (damaged.size < REASONS_MAX) damaged.set(sequence, { segment, reason: `partition ${nameOf(partitionOfKey(key))}: ${why}` })
    return
  }
  chains.set(name, known.lastOffset + 1)
  await rows.add(known)
}

async function isConfirmed(index: Store | undefined, row: KnownRow): Promise<boolean> {
  if (index === undefined) return false
  const partition = newPartition(partitionOfKey(Buffer.concat([Buffer.alloc(SEQUENCE_BYTES), row.prefix])))
  const [indexed] = await findRows(index, [{ partition, lastOffset: row.lastOffset }]).catch(() => [undefined])
  return indexed?.sequence === row.sequence && indexed.baseOffset === row.baseOffset && indexed.sizeBytes === row.sizeBytes
}

function tellMissing({ found }: Work, segment: SegmentPath, gap: { readonly from: number; readonly to: number }): void {
  const rows = gap.from === gap.to ? `row ${gap.from} is` : `rows ${gap.from} to ${gap.to} are`
  found.add({
    ...{ kind: 'gap', severity: 'damage', file: segment.path, advice: REPAIR_ADVICE },
    says: `${rows} missing from the segment, or cannot be read`
  })
}

function faultOfBatch(key: Buffer, value: Buffer): string | undefined {
  try {
    checkBatch(value, { sizeMax: Number.POSITIVE_INFINITY, from: 'log' })
    readFacts(value)
    return undefined
  } catch (error) {
    const offset = value.length >= HEADER_BYTES ? `, which says that it begins at offset ${baseOffsetOf(value)}` : ''
    return `partition ${nameOf(partitionOfKey(key))}${offset}: ${(error as Error).message}`
  }
}
