/**
 * Writes into a new directory all that is sound in a damaged one, and says exactly what is not. What is lost in the middle of a partition
 * keeps its offsets: an empty batch stands for it, as compaction leaves one.
 */
import { type FileHandle, open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAssayError } from '@assay/errors'
import { checkBatch } from '@assay/records'
import type { Clock } from '@assay/std'
import { openLevel, type Store, type StoreOp } from '@assay/store'
import type { Checkpoint } from '../checkpoint.ts'
import { loadCheckpoint } from '../checkpoint.ts'
import type { Offset, PartitionKey } from '../log.ts'
import { indexedRows, indexRow, rowsBetween } from '../offset-index.ts'
import { newPartition, type Partition, readPartitionKey } from '../partition.ts'
import type { StoredBatch } from '../recent.ts'
import { lastAtOrBefore } from '../segment-table.ts'
import { emptyBatch } from '../thin-batch.ts'
import type { Examined } from './examine.ts'
import { attempt } from './new-directory.ts'
import { type WholePartition, writeLog } from './write-log.ts'

/** Offsets that no sound batch holds. */
export interface Loss {
  readonly partition: PartitionKey
  readonly from: Offset
  readonly to: Offset
  /** At most: compaction may have taken some of them before. */
  readonly records: number
  /** Of the batches that held them; undefined when the index could not tell. */
  readonly bytes: number | undefined
}

export interface Salvage {
  readonly losses: readonly Loss[]
  readonly partitions: number
  readonly batches: number
  readonly bytes: number
}

export interface SalvageOptions {
  readonly clock: Clock
  readonly onProgress?: (state: { readonly done: number; readonly total: number }) => void
}

const PAGE_ROWS = 2048
const OFFSET_DELTA_MAX = 2 ** 31 - 1
const FILES_OPEN_MAX = 8

/** `directory` is empty. Fails with STORE_FAILED. */
export async function salvage(examined: Examined, directory: string, options: SalvageOptions): Promise<Salvage> {
  const { view, checkpoint } = examined
  const live = await openLevel(join(view.scratch, 'live'))
  const index = checkpoint === undefined ? undefined : await view.openIndex('index-before')
  const reader = rowReader(examined)
  try {
    // A checkpoint that was good before is so in a second view.
    if (index !== undefined) await loadCheckpoint(index, 1)
    await collectLive(examined, live)
    const total = { partitions: 0, batches: 0, bytes: 0 }
    const losses: Loss[] = []
    const partitions = partitionsOf(live, checkpoint)
    await writeLog(directory, wholePartitions(partitions, { live, index, reader, losses, total, examined, options }), options)
    return { losses, ...total }
  } finally {
    await reader.close()
    await index?.close()
    await live.close()
  }
}

/** An offset index of all sound batches: of those with the same end the one that was written last stands. */
async function collectLive({ rows, checkpoint }: Examined, live: Store): Promise<void> {
  const starts = new Map(checkpoint?.partitions.map(({ prefix, startOffset }) => [prefix.toString('hex'), startOffset]))
  let ops: StoreOp[] = []
  for await (const row of rows.all()) {
    const start = starts.get(row.prefix.toString('hex'))
    const isOfDroppedTopic = checkpoint !== undefined && start === undefined && row.sequence < checkpoint.sequence
    if (isOfDroppedTopic || row.lastOffset < (start ?? 0)) continue
    ops.push(indexRow({ ...row, runningMaxTimestampMs: row.maxTimestampMs }))
    if (ops.length < PAGE_ROWS) continue
    await live.batch(ops, { sync: false })
    ops = []
  }
  await live.batch(ops, { sync: false })
}

/** Those that the checkpoint knows, and those that came behind it. */
async function* partitionsOf(live: Store, checkpoint: Checkpoint | undefined): AsyncGenerator<Partition> {
  const known = new Set<string>()
  for (const partition of checkpoint?.partitions ?? []) {
    known.add(partition.prefix.toString('hex'))
    yield partition
  }
  for await (const page of indexedRows(live, PAGE_ROWS)) {
    for (const { prefix } of page) {
      const name = prefix.toString('hex')
      if (known.has(name)) continue
      known.add(name)
      yield newPartition(readPartitionKey(prefix, 0))
    }
  }
}

interface Work {
  readonly live: Store
  readonly index: Store | undefined
  readonly reader: RowReader
  readonly losses: Loss[]
  readonly total: { partitions: number; batches: number; bytes: number }
  readonly examined: Examined
  readonly options: SalvageOptions
}

async function* wholePartitions(partitions: AsyncIterable<Partition>, work: Work): AsyncGenerator<WholePartition> {
  for await (const partition of partitions) {
    await dropCovered(work.live, partition)
    const [first, last] = await Promise.all([edge(work.live, partition, false), edge(work.live, partition, true)])
    const isKnown = partition.highWatermark > 0
    const startOffset = isKnown ? partition.startOffset : (first?.baseOffset ?? 0)
    const endOffset = Math.max(partition.highWatermark, (last?.lastOffset ?? -1) + 1)
    work.total.partitions++
    yield { key: partition.key, startOffset, endOffset, batches: batchesOf(partition, { startOffset, endOffset }, work) }
  }
}

/** What a larger batch holds as well goes. */
async function dropCovered(live: Store, partition: Partition): Promise<void> {
  let next = Number.MAX_SAFE_INTEGER
  for (let below = next; ; ) {
    const rows = await rowsBetween(live, partition, { from: 0, below, limit: PAGE_ROWS, reverse: true })
    const covered: StoreOp[] = []
    for (const { key, batch } of rows) {
      below = batch!.lastOffset
      if (batch!.lastOffset < next) next = batch!.baseOffset
      else covered.push({ type: 'del', key })
    }
    if (covered.length > 0) await live.batch(covered, { sync: false })
    if (rows.length < PAGE_ROWS) return
  }
}

async function edge(live: Store, partition: Partition, reverse: boolean): Promise<StoredBatch | undefined> {
  const [row] = await rowsBetween(live, partition, { from: 0, below: Number.MAX_SAFE_INTEGER, limit: 1, reverse })
  return row?.batch
}

async function* batchesOf(
  partition: Partition,
  { startOffset, endOffset }: { readonly startOffset: Offset; readonly endOffset: Offset },
  work: Work
): AsyncGenerator<Buffer> {
  const { live, reader, total, examined, options } = work
  let next = startOffset
  let timestampMs = -1
  for (let from = 0; ; ) {
    const rows = await rowsBetween(live, partition, { from, below: Number.MAX_SAFE_INTEGER, limit: PAGE_ROWS })
    for (const { batch } of rows) {
      const { sequence, baseOffset, lastOffset, maxTimestampMs, sizeBytes } = batch!
      if (baseOffset > next) yield* fillers(partition, { from: next, to: baseOffset - 1, timestampMs }, work)
      yield await reader.read(sequence)
      next = lastOffset + 1
      from = next
      timestampMs = maxTimestampMs
      total.batches++
      total.bytes += sizeBytes
      options.onProgress?.({ done: total.bytes, total: examined.journal.bytes })
    }
    if (rows.length < PAGE_ROWS) break
  }
  if (next < endOffset) yield* fillers(partition, { from: next, to: endOffset - 1, timestampMs }, work)
}

interface Gap {
  readonly from: Offset
  readonly to: Offset
  readonly timestampMs: number
}

async function* fillers(partition: Partition, { from, to, timestampMs }: Gap, work: Work): AsyncGenerator<Buffer> {
  const bytes = await bytesBetween(work.index, partition, { from, to })
  work.losses.push({ partition: partition.key, from, to, records: to - from + 1, bytes })
  for (let baseOffset = from; baseOffset <= to; ) {
    const lastOffset = Math.min(to, baseOffset + OFFSET_DELTA_MAX)
    yield emptyBatch({ baseOffset, lastOffset, maxTimestampMs: timestampMs })
    baseOffset = lastOffset + 1
  }
}

/** Undefined when the index cannot tell. */
async function bytesBetween(
  index: Store | undefined,
  partition: Partition,
  gap: { readonly from: Offset; readonly to: Offset }
): Promise<number | undefined> {
  if (index === undefined) return undefined
  let bytes = 0
  try {
    for (let { from } = gap; ; ) {
      const rows = await rowsBetween(index, partition, { from, below: gap.to + 1, limit: PAGE_ROWS })
      for (const { batch } of rows) bytes += batch?.sizeBytes ?? 0
      if (rows.length < PAGE_ROWS) return bytes
      from = (rows.at(-1)!.batch?.lastOffset ?? gap.to) + 1
    }
  } catch (error) {
    if (isAssayError(error, 'STORE_CORRUPT')) return undefined
    throw error
  }
}

interface RowReader {
  read(sequence: number): Promise<Buffer>
  close(): Promise<void>
}

/** Keeps a few files open, those used last. */
function rowReader({ view, rows }: Examined): RowReader {
  const { segments } = view
  const open = new Map<number, FileHandle>()
  return {
    async read(sequence) {
      const segment = segments[lastAtOrBefore(sequence, segments.length, at => segments[at]!.first)]!
      const [row] = await rows.find([sequence])
      let file = open.get(segment.first)
      if (file === undefined && open.size >= FILES_OPEN_MAX) {
        const [oldest, unused] = [...open][0]!
        open.delete(oldest)
        await unused.close()
      }
      return attempt(`read ${segment.path}`, async () => {
        file ??= await openFile(segment.path, 'r')
        open.delete(segment.first)
        open.set(segment.first, file)
        const bytes = Buffer.allocUnsafe(row!.sizeBytes)
        const { bytesRead } = await file.read(bytes, 0, bytes.length, row!.at)
        // It was whole when it was examined.
        checkBatch(bytes.subarray(0, bytesRead), { sizeMax: Number.POSITIVE_INFINITY, from: 'log' })
        return bytes
      })
    },
    async close() {
      for (const file of open.values()) await file.close()
      open.clear()
    }
  }
}
