/**
 * Log compaction of one partition: the last record of each key stays, earlier ones go, and a tombstone goes some time after all that it
 * deletes. Offsets stay as they are. Every offset stays covered by a batch, were it an empty one, so that the row of batches tells by
 * itself that nothing is missing. Rules are those of Kafka's cleaner (KIP-58, KIP-354, KIP-534).
 */
import { isAssayError } from '@assay/errors'
import {
  ATTRIBUTE,
  type BatchHeader,
  codecOf,
  decompress,
  HEADER_BYTES,
  isControl,
  isTransactional,
  RecordCursor,
  readHeader
} from '@assay/records'
import { clampToSafe } from './int64.ts'
import { readBatches } from './journal.ts'
import { hashOfKey, type KeyHash, type KeyMap, keyMap } from './key-map.ts'
import type { Offset } from './log.ts'
import { rowsBetween } from './offset-index.ts'
import { corruptPartition, lastStableOffsetOf, type Partition } from './partition.ts'
import { type Stores, storedBatches } from './read.ts'
import type { StoredBatch } from './recent.ts'
import type { Retention } from './retention-settings.ts'
import type { LogState, Move } from './state.ts'
import { emptyBatch, thinBatch } from './thin-batch.ts'

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

/** What a pass has done; it counts once the index points to all that was moved. */
export interface Compacted {
  /** Up to here each key has one record at most. */
  readonly cleanedTo: Offset
  /** When the first of the tombstones that stayed may go; -1 when none stayed. */
  readonly tombstonesAtMs: number
  /** Bytes, as they are now, of the batches that no pass had seen before. */
  readonly cleanedBytes: number
  readonly movedCount: number
}

const KEY_MAP_BYTES_MIN = 64 << 10
const PAGE_ROWS = 256
const PAGE_BYTES = 1 << 20
const SLICE_BYTES = 1 << 20
/** Batches that become one empty batch, at most. */
const RUN_BATCHES_MAX = 1024
const OFFSET_DELTA_MAX = 0x7fffffff

/** True when a pass would be worth its while: enough has been written since the last one, some of it is old, or tombstones may go. */
export async function isCompactionDue(
  stores: Stores,
  partition: Partition,
  retention: Retention,
  nowMs: number
): Promise<boolean> {
  const { cleanup, minCleanableDirtyRatio, maxCompactionLagMs } = retention
  const { sizeBytes, dirtyBytes, tombstonesAtMs, cleanedTo, startOffset } = partition
  if (cleanup === 'delete' || sizeBytes === 0) return false
  if (tombstonesAtMs >= 0 && tombstonesAtMs <= nowMs) return true
  if (dirtyBytes === 0) return false
  if (dirtyBytes >= sizeBytes * minCleanableDirtyRatio) return true
  for await (const first of storedBatches(stores, partition, Math.max(cleanedTo, startOffset))) {
    return first.maxTimestampMs >= 0 && nowMs - first.maxTimestampMs > maxCompactionLagMs
  }
  return false
}

/** One pass. All batches are in the index. Undefined when there is nothing that it may touch. */
export async function compact(
  parts: CompactionParts,
  partition: Partition,
  { retention, nowMs }: { readonly retention: Retention; readonly nowMs: number }
): Promise<Compacted | undefined> {
  const from = Math.max(partition.cleanedTo, partition.startOffset)
  const latest = await readLatest(parts, partition, { from, youngestMs: nowMs - retention.minCompactionLagMs })
  const hasTombstones = partition.tombstonesAtMs >= 0 && partition.tombstonesAtMs <= nowMs
  if (latest.end <= from && !hasTombstones) return undefined
  const cleaner = cleanerOf(parts, partition, { latest, nowMs, deleteRetentionMs: retention.deleteRetentionMs })
  for await (const { stored, bytes } of batchesOf(parts, partition, partition.startOffset, latest.end))
    await cleaner.take(stored, bytes)
  await cleaner.finish()
  const { tombstonesAtMs, cleanedBytes, movedCount } = cleaner
  return { cleanedTo: latest.end, tombstonesAtMs, cleanedBytes, movedCount }
}

interface Batch {
  readonly stored: StoredBatch
  readonly bytes: Buffer
}

/** Whole batches with first offsets below the bound. Nothing else may move or delete index rows meanwhile. */
async function* batchesOf(
  { state, proceed }: CompactionParts,
  partition: Partition,
  from: Offset,
  below: Offset
): AsyncGenerator<Batch> {
  const { index, journal } = state.parts
  for (let next = from; next < below; ) {
    proceed()
    const rows = await rowsBetween(index, partition, { from: next, below, limit: PAGE_ROWS })
    if (rows.length === 0) return
    let page: StoredBatch[] = []
    let pageBytes = 0
    for (const { batch } of rows) {
      if (batch === undefined || batch.baseOffset > next)
        throw corruptPartition(partition, next, 'the offset index has no row for it')
      if (page.length > 0 && pageBytes + batch.sizeBytes > PAGE_BYTES) break
      page.push(batch)
      pageBytes += batch.sizeBytes
      next = batch.lastOffset + 1
    }
    while (page.length > 0) {
      const read = await readBatches(journal, partition, page)
      for (const [at, bytes] of read.entries()) yield { stored: page[at]!, bytes }
      page = page.slice(read.length)
    }
  }
}

interface Aborted {
  readonly producerId: number
  readonly from: Offset
  readonly to: Offset
}

/** The last offsets of keys among the records that no pass has seen yet. */
interface Latest {
  readonly keys: KeyMap
  readonly aborted: readonly Aborted[]
  /** The first offset that this pass leaves alone. */
  readonly end: Offset
}

interface OpenTransaction {
  readonly from: Offset
  readonly entries: { readonly key: KeyHash; readonly offset: Offset }[]
}

async function readLatest(
  parts: CompactionParts,
  partition: Partition,
  { from, youngestMs }: { readonly from: Offset; readonly youngestMs: number }
): Promise<Latest> {
  // A record takes eight bytes at the least, unless it is compressed; with too small a map there is another pass.
  const keys = keyMap(Math.min(parts.keyMapBytes, KEY_MAP_BYTES_MIN + 4 * partition.dirtyBytes))
  const aborted: Aborted[] = []
  const open = new Map<number, OpenTransaction>()
  let pendingCount = 0
  let end = from
  for await (const { stored, bytes } of batchesOf(parts, partition, from, lastStableOffsetOf(partition))) {
    const header = readHeader(bytes)
    if (stored.maxTimestampMs > youngestMs) break
    if (isControl(header)) {
      const ended = open.get(header.producerId)
      open.delete(header.producerId)
      if (ended !== undefined) {
        pendingCount -= ended.entries.length
        if (isCommit(header, bytes)) for (const { key, offset } of ended.entries) keys.put(key, offset)
        else aborted.push({ producerId: header.producerId, from: ended.from, to: stored.lastOffset })
      }
    } else {
      const isTooMuch = header.recordCount > keys.free - pendingCount
      // One that would not fit in an empty map either is left as it is.
      if (isTooMuch && header.recordCount <= keys.capacity) break
      const transaction = isTransactional(header) ? transactionOf(open, header.producerId, stored.baseOffset) : undefined
      if (!isTooMuch) {
        for (const entry of keysIn(header, bytes, parts.inflateBytesMax)) {
          if (transaction === undefined) keys.put(entry.key, entry.offset)
          else transaction.entries.push(entry)
        }
        pendingCount = [...open.values()].reduce((sum, { entries }) => sum + entries.length, 0)
      }
    }
    end = stored.lastOffset + 1
  }
  // What belongs to a transaction whose end was not met waits for the next pass.
  for (const { from: first } of open.values()) end = Math.min(end, first)
  return { keys, aborted, end: Math.max(end, from) }
}

function transactionOf(open: Map<number, OpenTransaction>, producerId: number, from: Offset): OpenTransaction {
  const known = open.get(producerId)
  if (known !== undefined) return known
  const made = { from, entries: [] }
  open.set(producerId, made)
  return made
}

/** The key of a control record is its version and its type: 0 aborts, 1 commits. */
function isCommit(header: BatchHeader, bytes: Buffer): boolean {
  const cursor = new RecordCursor(bytes.subarray(HEADER_BYTES), header.recordCount)
  const key = cursor.next() ? cursor.key() : null
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 1
}

function* keysIn(
  header: BatchHeader,
  bytes: Buffer,
  inflateBytesMax: number
): Generator<{ readonly key: KeyHash; readonly offset: Offset }> {
  const section = sectionOf(header, bytes, inflateBytesMax)
  if (section === undefined) return
  const cursor = new RecordCursor(section, header.recordCount)
  while (cursor.next()) {
    const key = cursor.key()
    if (key !== null) yield { key: hashOfKey(key), offset: header.baseOffset + cursor.offsetDelta }
  }
}

/** The records of a batch, walked over once; undefined when they cannot be read: that is what the producer sent, and it stays. */
function sectionOf(header: BatchHeader, bytes: Buffer, inflateBytesMax: number): Buffer | undefined {
  try {
    const section = decompress(codecOf(header), bytes.subarray(HEADER_BYTES), inflateBytesMax)
    const cursor = new RecordCursor(section, header.recordCount)
    while (cursor.next()) {}
    return section
  } catch (error) {
    if (isAssayError(error, 'INVALID_BATCH', 'CORRUPT_BATCH', 'DECOMPRESSED_TOO_LARGE', 'UNSUPPORTED_CODEC')) return undefined
    throw error
  }
}

interface CleanerOptions {
  readonly latest: Latest
  readonly nowMs: number
  readonly deleteRetentionMs: number
}

interface Cleaner {
  take(stored: StoredBatch, bytes: Buffer): Promise<void>
  /** Moves what is left. */
  finish(): Promise<void>
  readonly tombstonesAtMs: number
  readonly cleanedBytes: number
  readonly movedCount: number
}

function cleanerOf({ inflateBytesMax, move }: CompactionParts, partition: Partition, options: CleanerOptions): Cleaner {
  const { latest, nowMs, deleteRetentionMs } = options
  let tombstonesAtMs = -1
  let cleanedBytes = 0
  let movedCount = 0
  let slice: Move[] = []
  let sliceBytes = 0
  /** Batches without records that lie one behind the other. */
  let run: StoredBatch[] = []

  function count(sizeBytes: number, { lastOffset }: StoredBatch): void {
    if (lastOffset >= partition.cleanedTo) cleanedBytes += sizeBytes
  }

  async function add(bytes: Buffer, replaced: readonly StoredBatch[]): Promise<void> {
    const first = replaced[0]!
    const last = replaced.at(-1)!
    count(bytes.length, last)
    const { maxTimestamp } = readHeader(bytes)
    slice.push({
      partition,
      bytes,
      replaced,
      batch: { ...last, baseOffset: first.baseOffset, maxTimestampMs: clampToSafe(maxTimestamp) }
    })
    sliceBytes += bytes.length
    movedCount++
    if (sliceBytes >= SLICE_BYTES) await flush()
  }

  async function flush(): Promise<void> {
    if (slice.length === 0) return
    const moves = slice
    slice = []
    sliceBytes = 0
    await move(moves)
  }

  async function endRun(): Promise<void> {
    const replaced = run
    run = []
    const [first] = replaced
    const last = replaced.at(-1)
    if (first === undefined || last === undefined) return
    if (replaced.length === 1 && first.sizeBytes === HEADER_BYTES) return count(HEADER_BYTES, first)
    const maxTimestampMs = replaced.reduce((max, batch) => Math.max(max, batch.maxTimestampMs), Number.MIN_SAFE_INTEGER)
    await add(emptyBatch({ baseOffset: first.baseOffset, lastOffset: last.lastOffset, maxTimestampMs }), replaced)
  }

  async function addToRun(stored: StoredBatch): Promise<void> {
    const [first] = run
    const isFull =
      run.length >= RUN_BATCHES_MAX || (first !== undefined && stored.lastOffset - first.baseOffset > OFFSET_DELTA_MAX)
    if (isFull) await endRun()
    run.push(stored)
  }

  /** The last batches of a producer stay, though empty: a log whose index is lost still knows its sequences by them. */
  function isRemembered({ lastOffset }: StoredBatch, { producerId }: BatchHeader): boolean {
    const producer = partition.producers.get(producerId)
    return producer?.committed?.batches.some(batch => batch.lastOffset === lastOffset) ?? false
  }

  async function take(stored: StoredBatch, bytes: Buffer): Promise<void> {
    const header = readHeader(bytes)
    const thinned = isControl(header) ? bytes : thin(header, bytes)
    const isEmpty = readHeader(thinned).recordCount === 0
    if (isEmpty && !isRemembered(stored, header)) return addToRun(stored)
    await endRun()
    if (thinned === bytes) count(bytes.length, stored)
    else await add(thinned, [stored])
  }

  /** The same bytes when nothing is to be changed. */
  function thin(header: BatchHeader, bytes: Buffer): Buffer {
    if (header.recordCount === 0) return bytes
    const section = sectionOf(header, bytes, inflateBytesMax)
    if (section === undefined) return bytes
    const { baseOffset, producerId, baseTimestamp, recordCount } = header
    const knownHorizonMs = (header.attributes & ATTRIBUTE.deleteHorizon) === 0 ? undefined : baseTimestamp
    const isAborted =
      isTransactional(header) &&
      latest.aborted.some(({ producerId: id, from, to }) => id === producerId && baseOffset >= from && baseOffset <= to)
    let hasTombstones = false
    let keptCount = 0

    function keeps(cursor: RecordCursor): boolean {
      const key = cursor.key()
      if (isAborted || key === null || latest.keys.get(hashOfKey(key)) > baseOffset + cursor.offsetDelta) return false
      const isTombstone = cursor.valueStart < 0
      if (isTombstone && knownHorizonMs !== undefined && knownHorizonMs <= nowMs) return false
      hasTombstones ||= isTombstone
      return true
    }

    const kept = new Uint8Array(recordCount)
    const cursor = new RecordCursor(section, recordCount)
    while (cursor.next()) {
      if (!keeps(cursor)) continue
      kept[cursor.index] = 1
      keptCount++
    }
    const horizonMs = knownHorizonMs ?? nowMs + deleteRetentionMs
    if (hasTombstones && (tombstonesAtMs < 0 || horizonMs < tombstonesAtMs)) tombstonesAtMs = horizonMs
    const isMarked = hasTombstones && knownHorizonMs === undefined
    if (keptCount === recordCount && !isMarked) return bytes
    return thinBatch(bytes, header, section, {
      keeps: ({ index }) => kept[index] === 1,
      deleteHorizonMs: isMarked ? horizonMs : undefined
    })
  }

  return {
    take,
    async finish() {
      await endRun()
      await flush()
    },
    get tombstonesAtMs() {
      return tombstonesAtMs
    },
    get cleanedBytes() {
      return cleanedBytes
    },
    get movedCount() {
      return movedCount
    }
  }
}
