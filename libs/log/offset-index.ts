/**
 * The offset index: (partition, last offset of a batch) -> where the batch lies. Finding the batch that holds an offset is one step.
 * It is derived from the journal and written by checkpoints only. Layout: docs/formats/journal.md.
 */
import { AssayError } from '@assay/errors'
import type { Entry, Store, StoreOp } from '@assay/store'
import { readInt64, writeInt64 } from './int64.ts'
import type { Offset } from './log.ts'
import { corruptPartition, type Partition, PREFIX_BYTES } from './partition.ts'
import type { StoredBatch } from './recent.ts'
import { allocSealed, seal, unseal } from './sealed.ts'

const TAG = 0x62
const PAGE_ROWS = 4096
const OFFSET_AT = 1 + PREFIX_BYTES
const KEY_BYTES = OFFSET_AT + 8
const VALUE_BYTES = 36
const AT = { sequence: 0, baseOffset: 8, maxTimestamp: 16, runningMaxTimestamp: 24, size: 32 } as const

export function indexRow(batch: StoredBatch & { readonly prefix: Buffer }): StoreOp {
  const value = allocSealed(VALUE_BYTES)
  writeInt64(value, batch.sequence, AT.sequence)
  writeInt64(value, batch.baseOffset, AT.baseOffset)
  writeInt64(value, batch.maxTimestampMs, AT.maxTimestamp)
  writeInt64(value, batch.runningMaxTimestampMs, AT.runningMaxTimestamp)
  value.writeUInt32BE(batch.sizeBytes, AT.size)
  return { type: 'put', key: indexKey(batch.prefix, batch.lastOffset), value: seal(value) }
}

export function indexKey(prefix: Buffer, lastOffset: Offset): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES)
  key[0] = TAG
  prefix.copy(key, 1)
  writeInt64(key, lastOffset, OFFSET_AT)
  return key
}

/** Where the partition's batches lie, from the one that holds `from` on: at least one and at most `limit`, without a gap. Fails with STORE_CORRUPT. */
export async function indexedBatches(
  index: Store,
  partition: Partition,
  { from, limit }: { readonly from: Offset; readonly limit: number }
): Promise<StoredBatch[]> {
  const entries = await index.range({
    gte: indexKey(partition.prefix, from),
    lt: indexKey(partition.prefix, Number.MAX_SAFE_INTEGER),
    limit
  })
  const batches: StoredBatch[] = []
  let next = from
  for (const entry of entries) {
    const batch = readRow(partition, entry)
    const follows = batches.length === 0 ? batch.baseOffset <= next : batch.baseOffset === next
    if (!follows) break
    batches.push(batch)
    next = batch.lastOffset + 1
  }
  if (batches.length === 0) throw corruptPartition(partition, from, 'the offset index has no row for it')
  return batches
}

/** The index rows of the batches with exactly these last offsets. */
export async function indexRowsAt(
  index: Store,
  wanted: readonly { readonly partition: Partition; readonly lastOffset: Offset }[]
): Promise<StoredBatch[]> {
  const keys = wanted.map(({ partition, lastOffset }) => indexKey(partition.prefix, lastOffset))
  const values = await index.getMany(keys)
  return values.map((value, at) => {
    const { partition, lastOffset } = wanted[at]!
    if (value === undefined) throw corruptPartition(partition, lastOffset, 'the offset index has no row for it')
    return readRow(partition, { key: keys[at]!, value })
  })
}

/**
 * The first batch with last offset in `from`..`before` whose running maximum of timestamps reaches the time, or undefined.
 * Halves the offsets: the running maximum never falls.
 */
export async function indexedBatchAtTime(
  index: Store,
  partition: Partition,
  wanted: { readonly timestampMs: number; readonly from: Offset; readonly before: Offset }
): Promise<StoredBatch | undefined> {
  let low = wanted.from
  let high = wanted.before
  let found: StoredBatch | undefined
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [batch] = await indexedBatches(index, partition, { from: middle, limit: 1 })
    if (batch!.runningMaxTimestampMs >= wanted.timestampMs) {
      found = batch
      high = Math.min(batch!.baseOffset, middle)
    } else {
      low = batch!.lastOffset + 1
    }
  }
  return found
}

/** One row of the index with its key; without the batch when it is damaged. */
export interface IndexRow {
  readonly key: Buffer
  readonly batch: StoredBatch | undefined
}

/** Rows of a partition whose last offset lies in `from`..`below`, the latter not included. */
export interface RowsWanted {
  readonly from: Offset
  readonly below: Offset
  readonly limit: number
  /** From the last one down. */
  readonly reverse?: boolean
}

export async function rowsBetween(index: Store, { prefix }: Partition, wanted: RowsWanted): Promise<IndexRow[]> {
  const { from, below, limit, reverse = false } = wanted
  return rowsIn(await index.range({ gte: indexKey(prefix, from), lt: indexKey(prefix, below), limit, reverse }))
}

/** At most `limit` rows of a topic. */
export async function rowsOfTopic(index: Store, topicId: Buffer, limit: number): Promise<IndexRow[]> {
  const prefix = Buffer.concat([Buffer.of(TAG), topicId])
  return rowsIn(await index.range({ gte: prefix, lt: Buffer.concat([prefix, Buffer.alloc(13, 0xff)]), limit }))
}

const rowsIn = (entries: readonly Entry[]): IndexRow[] => entries.map(entry => ({ key: entry.key, batch: parseRow(entry) }))

/** The rows with exactly these last offsets; undefined where there is none, or a damaged one. */
export async function findRows(
  index: Store,
  wanted: readonly { readonly partition: Partition; readonly lastOffset: Offset }[]
): Promise<(StoredBatch | undefined)[]> {
  const keys = wanted.map(({ partition, lastOffset }) => indexKey(partition.prefix, lastOffset))
  const values = await index.getMany(keys)
  return values.map((value, at) => value && parseRow({ key: keys[at]!, value }))
}

/** The rows of all partitions, in pages, for counting. Fails with STORE_CORRUPT at a damaged one. */
export async function* liveRowsOf(index: Store): AsyncGenerator<StoredBatch> {
  let after: Buffer = Buffer.of(TAG)
  for (;;) {
    const entries = await index.range({ gt: after, lt: Buffer.of(TAG + 1), limit: PAGE_ROWS })
    for (const { key, value } of entries) {
      const row = parseRow({ key, value })
      const reason = `the checksum of row ${key.toString('hex')} does not match`
      if (row === undefined) throw new AssayError('STORE_CORRUPT', { what: 'The offset index', reason })
      yield row
    }
    if (entries.length < PAGE_ROWS) return
    after = entries.at(-1)!.key
  }
}

function readRow(partition: Partition, entry: Entry): StoredBatch {
  const row = parseRow(entry)
  if (row !== undefined) return row
  throw new AssayError('STORE_CORRUPT', {
    what: `The offset index of partition ${partition.name}`,
    reason: `at offset ${readInt64(entry.key, OFFSET_AT)}: its checksum does not match`
  })
}

/** Undefined when the row is damaged. */
export function parseRow({ key, value }: Entry): StoredBatch | undefined {
  const payload = unseal(value)
  if (payload?.length !== VALUE_BYTES || key.length !== KEY_BYTES) return undefined
  return {
    sequence: readInt64(payload, AT.sequence),
    baseOffset: readInt64(payload, AT.baseOffset),
    lastOffset: readInt64(key, OFFSET_AT),
    maxTimestampMs: readInt64(payload, AT.maxTimestamp),
    runningMaxTimestampMs: readInt64(payload, AT.runningMaxTimestamp),
    sizeBytes: payload.readUInt32BE(AT.size)
  }
}
