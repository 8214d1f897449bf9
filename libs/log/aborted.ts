/**
 * The transactions that were aborted in a partition, which readers of committed records are told to pass over. All of them are rows of the index;
 * memory holds the newest, so that it does not grow with how much is kept, and readers of old records ask the index.
 */
import { AssayError } from '@assay/errors'
import type { Range, Store, StoreOp } from '@assay/store'
import { readInt64, writeInt64 } from './int64.ts'
import type { AbortedTransaction, Offset } from './log.ts'
import { type Partition, PREFIX_BYTES } from './partition.ts'
import { allocSealed, seal, unseal } from './sealed.ts'

export const ABORTED_TAG = 0x61
const ROW_BYTES = 24
const PAGE_ROWS = 256

export function abortedKey(prefix: Buffer, lastOffset: Offset): Buffer {
  const key = Buffer.allocUnsafe(1 + PREFIX_BYTES + 8)
  key[0] = ABORTED_TAG
  prefix.copy(key, 1)
  writeInt64(key, lastOffset, 1 + PREFIX_BYTES)
  return key
}

export function abortedRow(
  prefix: Buffer,
  { producerId, firstOffset, lastOffset, lastStableOffset }: AbortedTransaction
): StoreOp {
  const value = allocSealed(ROW_BYTES)
  writeInt64(value, producerId, 0)
  writeInt64(value, firstOffset, 8)
  writeInt64(value, lastStableOffset, 16)
  return { type: 'put', key: abortedKey(prefix, lastOffset), value: seal(value) }
}

function readRow({ key, value }: { readonly key: Buffer; readonly value: Buffer }): AbortedTransaction {
  const payload = unseal(value)
  if (payload?.length !== ROW_BYTES) {
    throw new AssayError('STORE_CORRUPT', {
      what: 'The index',
      reason: `the row ${key.toString('hex')} of an aborted transaction is damaged; moved out of the way, it is made anew from the journal`
    })
  }
  return {
    producerId: readInt64(payload, 0),
    firstOffset: readInt64(payload, 8),
    lastOffset: readInt64(key, 1 + PREFIX_BYTES),
    lastStableOffset: readInt64(payload, 16)
  }
}

/** Of each partition that has any, the newest. Fails with STORE_CORRUPT. */
export async function* newestAborted(
  index: Store,
  kept: number
): AsyncGenerator<{ readonly prefix: Buffer; readonly newest: AbortedTransaction[] }> {
  let range: Range = { gte: Buffer.of(ABORTED_TAG), lt: Buffer.of(ABORTED_TAG + 1), limit: 1 }
  for (;;) {
    const [first] = await index.range(range)
    if (first === undefined) return
    const prefix = Buffer.from(first.key.subarray(1, 1 + PREFIX_BYTES))
    const behind = abortedKey(prefix, Number.MAX_SAFE_INTEGER)
    const rows = await index.range({ gte: abortedKey(prefix, 0), lte: behind, reverse: true, limit: kept })
    yield { prefix, newest: rows.map(readRow).reverse() }
    range = { ...range, gte: behind }
  }
}

/** Reads every row. Fails with STORE_CORRUPT. */
export async function examineAborted(index: Store): Promise<void> {
  let range: Range = { gte: Buffer.of(ABORTED_TAG), lt: Buffer.of(ABORTED_TAG + 1), limit: PAGE_ROWS }
  for (;;) {
    const rows = await index.range(range)
    for (const row of rows) readRow(row)
    if (rows.length < PAGE_ROWS) return
    range = { ...range, gte: Buffer.concat([rows.at(-1)!.key, Buffer.of(0)]) }
  }
}

/** Makes the newest rows of a partition, as a start finds them, what is in memory. */
export function restoreAborted(partition: Partition, newest: readonly AbortedTransaction[], kept: number): void {
  partition.aborted.push(...newest)
  if (newest.length >= kept) partition.abortedFrom = newest[0]!.lastOffset
}

/** Lets the older ones go from memory, once there are twice as many as are kept; those up to `indexedTo` have their rows. */
export function evictAborted(partition: Partition, indexedTo: Offset, kept: number): void {
  const { aborted } = partition
  if (aborted.length <= 2 * kept) return
  const count = Math.min(aborted.length - kept, firstEndingAt(aborted, indexedTo + 1))
  if (count === 0) return
  aborted.splice(0, count)
  partition.abortedFrom = aborted[0]?.lastOffset ?? indexedTo + 1
}

/** Those that have records in `from`..`below`, the latter not included. Fails with STORE_CORRUPT, STORE_FAILED. */
export async function abortedBetween(
  index: Store,
  partition: Partition,
  from: Offset,
  below: Offset
): Promise<AbortedTransaction[]> {
  const { prefix, abortedFrom } = partition
  // What goes from memory meanwhile lies behind the rows that are asked for.
  const inMemory = partition.aborted.slice(firstEndingAt(partition.aborted, from))
  const found: AbortedTransaction[] = []
  for (let next = from; next < abortedFrom; ) {
    const rows = await index.range({ gte: abortedKey(prefix, next), lt: abortedKey(prefix, abortedFrom), limit: PAGE_ROWS })
    const transactions = rows.map(readRow)
    if (collect(found, transactions, below)) return found
    if (rows.length < PAGE_ROWS) break
    next = transactions.at(-1)!.lastOffset + 1
  }
  collect(found, inMemory, below)
  return found
}

/** True when no later one begins before `below`. */
function collect(found: AbortedTransaction[], transactions: readonly AbortedTransaction[], below: Offset): boolean {
  for (const one of transactions) {
    if (one.firstOffset < below) found.push(one)
    if (one.lastStableOffset >= below) return true
  }
  return false
}

/** Takes those out of memory whose markers lie in `from`..`below`, and gives them: the markers are gone. */
export function forgetAborted({ aborted }: Partition, from: Offset, below: Offset): AbortedTransaction[] {
  const first = firstEndingAt(aborted, from)
  return aborted.splice(first, firstEndingAt(aborted, below) - first)
}

/** Deletes the rows, of those that are in the index alone, whose markers lie before the offset: the records do not come back. */
export async function clearAborted(index: Store, { prefix, abortedFrom }: Partition, below: Offset): Promise<void> {
  if (abortedFrom === 0) return
  await index.clear({ gte: abortedKey(prefix, 0), lt: abortedKey(prefix, Math.min(below, abortedFrom)) })
}

/** Index of the first whose marker lies at or behind the offset, or the length. */
function firstEndingAt(aborted: readonly AbortedTransaction[], offset: Offset): number {
  let low = 0
  let high = aborted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (aborted[middle]!.lastOffset >= offset) high = middle
    else low = middle + 1
  }
  return low
}
