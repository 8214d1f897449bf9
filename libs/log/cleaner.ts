/**
 * The second half of a compaction pass: each batch is thinned out by what the map of keys says, and those that are left without records
 * become few empty ones. Moves are handed over in the order of offsets: what a tombstone deletes goes before the tombstone may.
 */
import { ATTRIBUTE, type BatchHeader, HEADER_BYTES, isControl, isTransactional, RecordCursor, readHeader } from '@assay/records'
import { type CompactionBatch, type CompactionParts, sectionOf, turnAfter } from './compaction-batches.ts'
import { clampToSafe } from './int64.ts'
import { hashOfKey } from './key-map.ts'
import type { LatestKeys } from './latest-keys.ts'
import type { Partition } from './partition.ts'
import type { StoredBatch } from './recent.ts'
import type { Move } from './state.ts'
import { emptyBatch, thinBatch } from './thin-batch.ts'

export interface CleanerOptions {
  readonly latest: LatestKeys
  readonly nowMs: number
  readonly deleteRetentionMs: number
}

export interface Cleaner {
  take(batch: CompactionBatch): Promise<void>
  /** Moves what is left. */
  finish(): Promise<void>
  readonly tombstonesAtMs: number
  readonly cleanedBytes: number
  readonly movedCount: number
}

const SLICE_BYTES = 1 << 20
/** Batches that become one empty batch, at most. */
const RUN_BATCHES_MAX = 1024
/** Offset deltas are `int32`. */
const RUN_OFFSETS_MAX = 0x7fffffff

export function cleanerOf({ inflateBytesMax, move }: CompactionParts, partition: Partition, options: CleanerOptions): Cleaner {
  const { latest, nowMs, deleteRetentionMs } = options
  let tombstonesAtMs = -1
  let cleanedBytes = 0
  let movedCount = 0
  let slice: Move[] = []
  let sliceBytes = 0
  /** Batches without records that lie one behind the other. */
  let run: StoredBatch[] = []
  /** There was a batch whose records cannot be read here: what lies behind it may delete some of them, and stays. */
  let hasUnread = false

  /** By producer ID, of transactions whose end was not met yet: whether any batch of theirs stays. */
  const transactions = new Map<number, 'stays' | 'goes'>()

  async function take(batch: CompactionBatch): Promise<void> {
    const { stored, header, bytes } = batch
    const thinned = isControl(header) ? thinEnd(batch) : await thin(batch)
    const isGone = readHeader(thinned).recordCount === 0 && !isRemembered(stored, header)
    if (isTransactional(header) && !isControl(header) && transactions.get(header.producerId) !== 'stays') {
      transactions.set(header.producerId, isGone ? 'goes' : 'stays')
    }
    if (isGone) return addToRun(stored)
    await endRun()
    if (thinned === bytes) count(stored.sizeBytes, stored)
    else await add(thinned, [stored])
  }

  /** The last batches of a producer stay, though empty: a log whose index is lost still knows its sequences by them. */
  function isRemembered({ lastOffset }: StoredBatch, { producerId }: BatchHeader): boolean {
    const producer = partition.producers.get(producerId)
    return producer?.committed?.batches.some(batch => batch.lastOffset === lastOffset) ?? false
  }

  /**
   * The end of a transaction stays as long as any of its batches does. After that it is treated as a tombstone is: whoever has met records
   * of an aborted transaction must have time to meet its end (KIP-534).
   */
  function thinEnd({ header, bytes }: CompactionBatch): Buffer {
    const found = transactions.get(header.producerId)
    transactions.delete(header.producerId)
    if (header.recordCount === 0 || found === 'stays' || hasUnread) return bytes
    const section = bytes.subarray(HEADER_BYTES)
    const horizonMs = horizonOf(header)
    if (horizonMs === undefined) {
      const deleteHorizonMs = nowMs + deleteRetentionMs
      noteTombstones(deleteHorizonMs)
      return thinBatch(bytes, header, section, { keeps: () => true, deleteHorizonMs })
    }
    if (horizonMs <= nowMs && found === undefined) return thinBatch(bytes, header, section, { keeps: () => false })
    noteTombstones(horizonMs)
    return bytes
  }

  /** The same bytes when nothing is to be changed. */
  async function thin(batch: CompactionBatch): Promise<Buffer> {
    const { header, bytes } = batch
    if (header.recordCount === 0) return bytes
    const section = await sectionOf(batch, inflateBytesMax)
    if (section === undefined) {
      hasUnread = true
      return bytes
    }
    const isAborted = latest.isAborted(header)
    const horizonMs = horizonOf(header)

    function keeps(cursor: RecordCursor): boolean {
      const offset = header.baseOffset + cursor.offsetDelta
      if (offset >= latest.end) return true
      const key = cursor.key()
      if (isAborted || key === null || latest.keys.get(hashOfKey(key)) > offset) return false
      return cursor.valueStart >= 0 || horizonMs === undefined || horizonMs > nowMs || hasUnread
    }

    const kept = new Uint8Array(header.recordCount)
    let keptCount = 0
    let hasTombstones = false
    const cursor = new RecordCursor(section, header.recordCount)
    while (cursor.next()) {
      await turnAfter(cursor)
      if (!keeps(cursor)) continue
      kept[cursor.index] = 1
      keptCount++
      hasTombstones ||= cursor.valueStart < 0
    }
    // Of records that the pass did not reach it is not known yet what they delete.
    const isMarked = hasTombstones && horizonMs === undefined && batch.stored.lastOffset < latest.end && !hasUnread
    const deleteHorizonMs = isMarked ? nowMs + deleteRetentionMs : undefined
    if (hasTombstones && !hasUnread) noteTombstones(horizonMs ?? deleteHorizonMs)
    if (keptCount === header.recordCount && !isMarked) return bytes
    return thinBatch(bytes, header, section, { keeps: ({ index }) => kept[index] === 1, deleteHorizonMs })
  }

  function noteTombstones(atMs: number | undefined): void {
    if (atMs !== undefined && (tombstonesAtMs < 0 || atMs < tombstonesAtMs)) tombstonesAtMs = atMs
  }

  /** What the partition counts as dirty until now, and will not any more. */
  function count(sizeBytes: number, { lastOffset }: StoredBatch): void {
    if (lastOffset >= partition.cleanedTo && lastOffset < latest.end) cleanedBytes += sizeBytes
  }

  async function addToRun(stored: StoredBatch): Promise<void> {
    const [first] = run
    const isFull =
      run.length >= RUN_BATCHES_MAX || (first !== undefined && stored.lastOffset - first.baseOffset > RUN_OFFSETS_MAX)
    if (isFull) await endRun()
    run.push(stored)
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

  async function add(bytes: Buffer, replaced: readonly StoredBatch[]): Promise<void> {
    const first = replaced[0]!
    const last = replaced.at(-1)!
    count(bytes.length, last)
    const maxTimestampMs = clampToSafe(readHeader(bytes).maxTimestamp)
    slice.push({ partition, bytes, replaced, batch: { ...last, baseOffset: first.baseOffset, maxTimestampMs } })
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

/** When tombstones in the batch may go; undefined while no pass has said so. */
const horizonOf = ({ attributes, baseTimestamp }: BatchHeader): number | undefined =>
  (attributes & ATTRIBUTE.deleteHorizon) === 0 ? undefined : baseTimestamp
