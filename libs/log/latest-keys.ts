/**
 * The first half of a compaction pass: the last offset of each key among the records that no pass has seen yet, as far as the map of keys
 * reaches. Of transactions only committed ones count, and a record whose transaction has no end yet ends the walk.
 */
import { type BatchHeader, HEADER_BYTES, isControl, isTransactional, RecordCursor } from '@assay/records'
import { type CompactionBatch, type CompactionParts, compactionBatches, sectionOf, turnAfter } from './compaction-batches.ts'
import { hashOfKey, type KeyMap, keyMap } from './key-map.ts'
import type { Offset } from './log.ts'
import type { Partition } from './partition.ts'

export interface LatestKeys {
  readonly keys: KeyMap
  /** The first offset that this pass leaves alone; it may lie within a batch. */
  readonly end: Offset
  /** True when the batch belongs to a transaction that was aborted. */
  isAborted(header: BatchHeader): boolean
}

const KEY_MAP_BYTES_MIN = 64 << 10
/** A key takes 32 bytes of the map and its record eight of the partition at the least, unless it is compressed; then there are more passes. */
const KEY_MAP_BYTES_PER_BYTE = 4

export async function latestKeys(
  parts: CompactionParts,
  partition: Partition,
  { from, below }: { readonly from: Offset; readonly below: Offset }
): Promise<LatestKeys> {
  const keys = keyMap(Math.min(parts.keyMapBytes, KEY_MAP_BYTES_MIN + KEY_MAP_BYTES_PER_BYTE * partition.dirtyBytes))
  // A transaction may have begun before `below` and ended behind it.
  const transactions = transactionsOf(compactionBatches(parts, partition, { from, below: partition.highWatermark }))
  let end = from
  for await (const batch of compactionBatches(parts, partition, { from, below })) {
    const { header } = batch
    const isData = !isControl(header)
    if (isData && isTransactional(header) && (await transactions.outcomeOf(header)) === 'open') break
    const reached =
      isData && !transactions.isAborted(header)
        ? await putKeys(keys, batch, { from, inflateBytesMax: parts.inflateBytesMax })
        : undefined
    end = reached ?? batch.stored.lastOffset + 1
    if (reached !== undefined) break
  }
  return { keys, end, isAborted: transactions.isAborted }
}

/** Gives the offset of the first record whose key does not fit, or undefined when all do. */
async function putKeys(
  keys: KeyMap,
  batch: CompactionBatch,
  { from, inflateBytesMax }: { readonly from: Offset; readonly inflateBytesMax: number }
): Promise<Offset | undefined> {
  const { header } = batch
  const section = await sectionOf(batch, inflateBytesMax)
  if (section === undefined) return undefined
  const cursor = new RecordCursor(section, header.recordCount)
  while (cursor.next()) {
    const offset = header.baseOffset + cursor.offsetDelta
    const key = cursor.key()
    if (key !== null && offset >= from && !keys.put(hashOfKey(key), offset)) return offset
    await turnAfter(cursor)
  }
  return undefined
}

interface Ended {
  readonly from: Offset
  readonly to: Offset
  readonly isAborted: boolean
}

interface Transactions {
  /** Looks ahead for the end of the batch's transaction. Batches are asked about in the order of their offsets. */
  outcomeOf(header: BatchHeader): Promise<'committed' | 'aborted' | 'open'>
  /** Of what was looked at so far. */
  isAborted(header: BatchHeader): boolean
}

/** Reads ahead only as far as it is asked, and only where there are transactions. */
function transactionsOf(ahead: AsyncGenerator<CompactionBatch>): Transactions {
  /** By producer ID, in the order of offsets; committed ones until they are passed, unless an aborted one is in front. */
  const ended = new Map<number, Ended[]>()
  /** By producer ID: the first offset of a transaction whose end was not met yet. */
  const open = new Map<number, Offset>()

  const find = ({ producerId, baseOffset }: BatchHeader): Ended | undefined =>
    ended.get(producerId)?.find(({ from, to }) => baseOffset >= from && baseOffset <= to)

  function forgetPassed({ producerId, baseOffset }: BatchHeader): void {
    const known = ended.get(producerId)
    const passedCount = known?.findIndex(({ to, isAborted }) => isAborted || to >= baseOffset) ?? 0
    if (passedCount > 0) known!.splice(0, passedCount)
  }

  function note({ header, bytes }: CompactionBatch): void {
    const { producerId, baseOffset } = header
    if (!isControl(header)) {
      if (isTransactional(header) && !open.has(producerId)) open.set(producerId, baseOffset)
      return
    }
    const from = open.get(producerId)
    open.delete(producerId)
    if (from === undefined) return
    const known = ended.get(producerId) ?? []
    known.push({ from, to: baseOffset, isAborted: !isCommit(header, bytes) })
    ended.set(producerId, known)
  }

  return {
    async outcomeOf(header) {
      forgetPassed(header)
      for (;;) {
        const found = find(header)
        if (found !== undefined) return found.isAborted ? 'aborted' : 'committed'
        const { value, done } = await ahead.next()
        if (done) return 'open'
        note(value)
      }
    },
    isAborted: header => isTransactional(header) && find(header)?.isAborted === true
  }
}

/** The key of a control record is its version and its type: 0 aborts, 1 commits (KIP-98). */
function isCommit(header: BatchHeader, bytes: Buffer): boolean {
  const cursor = new RecordCursor(bytes.subarray(HEADER_BYTES), header.recordCount)
  const key = cursor.next() ? cursor.key() : null
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 1
}
