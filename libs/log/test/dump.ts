/** The whole state of a log as plain values, for tests: a log that was replayed must have the same as the one that wrote it. */
import { abortedBetween } from '../aborted.ts'
import { indexedBatches, parseRow } from '../offset-index.ts'
import { nameOf, type Partition, readPartitionKey } from '../partition.ts'
import type { StoredBatch } from '../recent.ts'
import type { LogState } from '../state.ts'
import { lastStableOffsetOf } from '../transactions.ts'

export interface PartitionDump {
  readonly startOffset: number
  readonly logEndOffset: number
  readonly highWatermark: number
  readonly batchCount: number
  readonly sizeBytes: number
  readonly maxTimestampMs: number
  readonly maxTimestampOffset: number
  readonly cleanedTo: number
  readonly dirtyBytes: number
  readonly tombstonesAtMs: number
  readonly lastStableOffset: number
  readonly openTransactions: unknown[]
  readonly aborted: unknown[]
  readonly producers: unknown[]
  readonly batches: StoredBatch[]
}

export interface LogDump {
  readonly sequence: number
  readonly segments: unknown[]
  readonly partitions: Record<string, PartitionDump>
}

/** Only while nothing is on its way to disk. Partitions that never had a batch are left out: nothing on disk tells of them. */
export async function dump(state: LogState): Promise<LogDump> {
  const filled = [...state.partitions.values()].filter(({ highWatermark, isDropped }) => highWatermark > 0 && !isDropped)
  filled.sort((a, b) => Buffer.compare(a.prefix, b.prefix))
  const partitions: Record<string, PartitionDump> = {}
  for (const partition of filled) partitions[partition.name] = await dumpPartition(state, partition)
  return {
    sequence: state.appliedSequence,
    segments: state.segments.all.map(({ createdMs: _, ...segment }) => ({ ...segment })),
    partitions
  }
}

async function dumpPartition(state: LogState, partition: Partition): Promise<PartitionDump> {
  const { startOffset, logEndOffset, highWatermark, batchCount, sizeBytes, maxTimestampMs, maxTimestampOffset } = partition
  const producers = [...partition.producers.values()]
    .sort((a, b) => a.id - b.id)
    .map(({ id, staged, committed }) => ({ id, staged, committed }))
  const batches = (await batchesOf(state, partition)).map(
    ({ sequence, baseOffset, lastOffset, maxTimestampMs: own, runningMaxTimestampMs, sizeBytes: bytes }) => ({
      ...{ sequence, baseOffset, lastOffset, maxTimestampMs: own, runningMaxTimestampMs, sizeBytes: bytes }
    })
  )
  return {
    startOffset,
    logEndOffset,
    highWatermark,
    batchCount,
    sizeBytes,
    maxTimestampMs,
    maxTimestampOffset,
    ...{ cleanedTo: partition.cleanedTo, dirtyBytes: partition.dirtyBytes, tombstonesAtMs: partition.tombstonesAtMs },
    lastStableOffset: lastStableOffsetOf(partition),
    openTransactions: [...partition.openTransactions],
    aborted: await abortedBetween(state.parts.index, partition, 0, Number.MAX_SAFE_INTEGER),
    producers,
    batches
  }
}

/** Index rows first, then what has none yet. */
async function batchesOf(state: LogState, partition: Partition): Promise<StoredBatch[]> {
  // A checkpoint may be on its way: what it lets go of here is in the index only after that.
  const recent = Array.from({ length: partition.recent.length }, (_, at) => partition.recent.at(at)!)
  const indexedEnd = recent[0]?.baseOffset ?? partition.highWatermark
  const batches: StoredBatch[] = []
  for (let next = partition.startOffset; next < indexedEnd; next = batches.at(-1)!.lastOffset + 1) {
    batches.push(...(await indexedBatches(state.parts.index, partition, { from: next, limit: 100 })))
  }
  // The index may reach into what is also recent.
  return [...batches.filter(({ baseOffset }) => baseOffset < indexedEnd), ...recent]
}

/** What is counted of segments and partitions, and what there is: both are the same. Only after a checkpoint that covers all. */
export async function counts(state: LogState): Promise<{ readonly counted: Counts; readonly found: Counts }> {
  const counted: Counts = {}
  const found: Counts = {}
  for (const { first, liveRows, liveBytes } of state.segments.all) {
    counted[`segment ${first}`] = { rows: liveRows, bytes: liveBytes }
    found[`segment ${first}`] = { rows: 0, bytes: 0 }
  }
  for (const partition of state.partitions.values()) {
    if (partition.isDropped) continue
    counted[partition.name] = { rows: partition.batchCount, bytes: partition.sizeBytes, dirtyBytes: partition.dirtyBytes }
    found[partition.name] = { rows: 0, bytes: 0, dirtyBytes: 0 }
  }
  for await (const { partition: name, sequence, sizeBytes, lastOffset } of allRows(state)) {
    for (const count of [found[`segment ${state.segments.of(sequence).first}`]!, found[name]]) {
      if (count === undefined) continue
      count.rows++
      count.bytes += sizeBytes
      if (count.dirtyBytes !== undefined && lastOffset >= state.partitions.get(name)!.cleanedTo) count.dirtyBytes += sizeBytes
    }
  }
  return { counted, found }
}

type Counts = Record<string, { rows: number; bytes: number; dirtyBytes?: number }>

async function* allRows({ parts: { index } }: LogState): AsyncGenerator<StoredBatch & { readonly partition: string }> {
  for (const { key, value } of await index.range({ gt: Buffer.of(0x62), lt: Buffer.of(0x63) })) {
    yield { ...parseRow({ key, value })!, partition: nameOf(readPartitionKey(key, 1)) }
  }
}
