/** All that a log holds in memory, and the one function by which a batch on disk becomes part of it, be it new or replayed. */
import { isControl, readHeader } from '@assay/records'
import type { Clock, Logger } from '@assay/std'
import type { Store, StoreOp } from '@assay/store'
import { abortedKey, evictAborted, forgetAborted } from './aborted.ts'
import type { BatchFacts } from './batch-facts.ts'
import { type Changes, checkpointOps } from './checkpoint.ts'
import type { Journal } from './journal-segments.ts'
import type { AbortedTransaction, PartitionKey } from './log.ts'
import { applyBatch, nameOf, newPartition, type Partition } from './partition.ts'
import { type Producer, type ProducerTable, producerTable, type Window } from './producers.ts'
import type { RecentBatch, StoredBatch } from './recent.ts'
import { newSegment, type SegmentTable } from './segment-table.ts'
import { type TailCache, tailCache } from './tail-cache.ts'
import { applyToTransactions } from './transactions.ts'

export interface StateParts {
  readonly journal: Journal
  readonly index: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly tailCacheBytes: number
  readonly producerExpiryMs: number
  readonly producersMax: number
  /** Newest aborted transactions of a partition that stay in memory. */
  readonly abortedKept: number
  readonly checkpointBytes: number
  readonly segmentBytes: number
  readonly segmentMs: number
  /** Called now and then while a start reads the journal. */
  readonly onReplay: (state: Replay) => void
}

/** How far a start is: rows of the journal. */
export interface Replay {
  readonly done: number
  readonly total: number
  /** The index is being made anew. */
  readonly isRebuilding: boolean
}

interface Aborted {
  readonly partition: Partition
  readonly transaction: AbortedTransaction
}

export interface LogState {
  readonly parts: StateParts
  readonly partitions: Map<string, Partition>
  readonly segments: SegmentTable
  readonly producers: ProducerTable
  readonly cache: TailCache
  /** Next journal sequence to be given. */
  nextSequence: number
  /** First journal sequence that is not applied. */
  appliedSequence: number
  /** What the next checkpoint has to write. */
  unindexed: RecentBatch[]
  unindexedBytes: number
  /** What a checkpoint was to write that failed: the next one writes it first. */
  unwritten:
    | { readonly ops: readonly StoreOp[]; readonly batches: readonly RecentBatch[]; readonly aborted: readonly Aborted[] }
    | undefined
  /** Batches that were written once more, elsewhere in the journal. */
  moved: MovedBatch[]
  /** Keys of index rows whose batches are deleted. */
  trimmed: Buffer[]
  /** Transactions aborted since the last checkpoint. */
  aborted: Aborted[]
  changed: Set<Partition>
  dropped: Partition[]
  /** A segment was begun, or removed, and no checkpoint says so. */
  hasOtherSegments: boolean
  /** The index is being made anew. */
  isRebuilding: boolean
}

/** Batches without an index row that a checkpoint waits for at most: bounds the memory that they take and the time that it does. */
const UNINDEXED_MAX = 2048

export function newState(parts: StateParts, segments: SegmentTable): LogState {
  return {
    parts,
    segments,
    partitions: new Map(),
    producers: producerTable({ expiryMs: parts.producerExpiryMs, producersMax: parts.producersMax }),
    cache: tailCache(parts.tailCacheBytes),
    nextSequence: 0,
    appliedSequence: 0,
    unindexed: [],
    unindexedBytes: 0,
    unwritten: undefined,
    moved: [],
    trimmed: [],
    aborted: [],
    changed: new Set(),
    dropped: [],
    hasOtherSegments: false,
    isRebuilding: false
  }
}

export function partitionOf(state: LogState, key: PartitionKey): Partition {
  const name = nameOf(key)
  const known = state.partitions.get(name)
  if (known !== undefined) return known
  const made = newPartition(key)
  state.partitions.set(name, made)
  return made
}

/** One batch on its way to disk, and what the state becomes when it is there. */
export interface StagedBatch {
  readonly partition: Partition
  readonly batch: RecentBatch
  readonly facts: BatchFacts
  readonly producer: Producer | undefined
  readonly window: Window | undefined
}

/**
 * A batch that is written once more, with the same offsets: copied out of a segment that is to go, or thinned out by compaction.
 * The index then points to the new one.
 */
export interface MovedBatch {
  readonly partition: Partition
  readonly batch: StoredBatch & { readonly prefix: Buffer; readonly bytes: Buffer }
  /** The batches whose offsets it covers, as the last checkpoint knows them. */
  readonly replaced: readonly StoredBatch[]
}

/** A batch to be written once more. */
export interface Move {
  readonly partition: Partition
  readonly bytes: Buffer
  readonly batch: StoredBatch
  readonly replaced: readonly StoredBatch[]
}

export type StagedRow = StagedBatch | MovedBatch

export const isMoved = (row: StagedRow): row is MovedBatch => 'replaced' in row

/** The old places stay what readers find until the next checkpoint. Those of a dropped topic count for nothing. */
export function applyMoved(state: LogState, moved: MovedBatch): void {
  const { partition, batch, replaced } = moved
  state.appliedSequence = batch.sequence + 1
  if (partition.isDropped) {
    state.segments.stillborn(batch.sequence, batch.sizeBytes)
    return
  }
  state.segments.born(batch.sequence, batch.sizeBytes)
  partition.recent.relocate(batch)
  partition.batchCount++
  partition.sizeBytes += batch.sizeBytes
  if (batch.lastOffset >= partition.cleanedTo) partition.dirtyBytes += batch.sizeBytes
  for (const old of replaced) forgetBatch(state, partition, old)
  // Compaction takes a marker away once nothing is left of its transaction: from then on nobody may be told of it.
  if ((partition.aborted.length > 0 || partition.abortedFrom > 0) && !isControl(readHeader(batch.bytes))) {
    forgetMarkers(state, partition, batch.baseOffset, batch.lastOffset + 1)
    // Of those that are in the index alone it may be any: a row that is not there can be deleted as well.
    for (const { lastOffset } of replaced) {
      if (lastOffset < partition.abortedFrom) state.trimmed.push(abortedKey(partition.prefix, lastOffset))
    }
  }
  state.moved.push(moved)
  state.unindexedBytes += batch.sizeBytes
  state.changed.add(partition)
}

/** Takes a batch out of all that is counted. */
export function forgetBatch(state: LogState, partition: Partition, { sequence, sizeBytes, lastOffset }: StoredBatch): void {
  state.segments.died(sequence, sizeBytes)
  partition.batchCount--
  partition.sizeBytes -= sizeBytes
  if (lastOffset >= partition.cleanedTo) partition.dirtyBytes -= sizeBytes
}

export function applyOnDisk(state: LogState, { partition, batch, facts, producer, window }: StagedBatch): void {
  state.appliedSequence = batch.sequence + 1
  state.segments.born(batch.sequence, batch.sizeBytes)
  applyBatch(partition, batch, facts)
  if (producer !== undefined && window !== undefined) state.producers.commit(producer, window)
  if (facts.isTransactional || facts.end !== undefined) {
    // While the index is made anew the rows do not come in the order of their offsets: transactions are looked for once they are all there.
    if (state.isRebuilding) partition.isTransactional = true
    else applyTransaction(state, partition, facts, batch.baseOffset)
  }
  state.unindexed.push(batch)
  state.unindexedBytes += batch.sizeBytes
  state.changed.add(partition)
  state.cache.add(batch)
}

/** A batch of a transaction, in the order of the offsets. */
export function applyTransaction(state: LogState, partition: Partition, facts: BatchFacts, baseOffset: number): void {
  partition.isTransactional = true
  const transaction = applyToTransactions(partition, facts, baseOffset)
  if (transaction !== undefined) state.aborted.push({ partition, transaction })
}

/** Takes aborted transactions out of the state whose markers, in `from`..`below`, are gone. */
export function forgetMarkers(state: LogState, partition: Partition, from: number, below: number): void {
  const gone = new Set(forgetAborted(partition, from, below))
  if (gone.size === 0) return
  state.aborted = state.aborted.filter(({ transaction }) => !gone.has(transaction))
  for (const { lastOffset } of gone) state.trimmed.push(abortedKey(partition.prefix, lastOffset))
}

/** The next checkpoint is without the partition. Nothing of it may be on its way to disk, and the index has rows of all its batches. */
export function forgetPartition(state: LogState, partition: Partition): void {
  state.changed.delete(partition)
  state.producers.drop(partition.producers)
  state.dropped.push(partition)
  state.aborted = state.aborted.filter(aborted => aborted.partition !== partition)
}

/** True when the segment that is written is full, or old; an empty one is neither. */
export function isRollDue({ segments, parts }: LogState): boolean {
  const { rows, bytes, createdMs } = segments.newest!
  return rows > 0 && (bytes >= parts.segmentBytes || parts.clock.now() - createdMs >= parts.segmentMs)
}

/** Begins a new segment: all rows before this sequence are applied and durable. */
export async function rollSegment(state: LogState, first: number): Promise<void> {
  if (state.segments.newest!.rows === 0) return
  await state.parts.journal.roll(first)
  state.segments.add(newSegment(first, state.parts.clock.now()))
  state.hasOtherSegments = true
}

export const isCheckpointDue = (state: LogState): boolean =>
  state.hasOtherSegments ||
  state.unindexed.length + state.moved.length >= UNINDEXED_MAX ||
  state.unindexedBytes >= state.parts.checkpointBytes

/** True while the checkpoints cannot keep up with the appends. */
export const isCheckpointLate = (state: LogState): boolean => state.unindexed.length >= 4 * UNINDEXED_MAX

export const hasChanges = (state: LogState): boolean =>
  state.unwritten !== undefined ||
  state.changed.size > 0 ||
  state.dropped.length > 0 ||
  state.trimmed.length > 0 ||
  state.hasOtherSegments

/** Takes back what appends were given that were refused in the end: their offsets, sequences and places in the journal. */
export function undoStaged(state: LogState): void {
  state.nextSequence = state.appliedSequence
  for (const partition of state.partitions.values()) partition.logEndOffset = partition.highWatermark
  state.producers.undoStaged()
}

/** Writes a checkpoint of the state as it is at the call. `beforeWrite` makes sure that all of it is durable in the journal. */
export async function writeCheckpoint(state: LogState, beforeWrite?: () => Promise<void>): Promise<void> {
  state.producers.sweep(state.parts.clock.now())
  const { changed, removed } = state.producers.takeChanges()
  const { unindexed, moved, unwritten } = state
  const segments = state.segments.takeChanges()
  const changes: Changes = {
    sequence: state.appliedSequence,
    isRebuilding: state.isRebuilding,
    moved,
    trimmed: state.trimmed,
    aborted: state.aborted,
    segments: segments.changed,
    removedSegments: segments.removed,
    batches: unindexed,
    partitions: state.changed,
    producers: changed,
    removedProducers: removed,
    droppedPartitions: state.dropped,
    droppedTopics: new Map(state.dropped.map(({ key, prefix }) => [key.topicId, prefix.subarray(0, 16)])).values()
  }
  const ops = [...(unwritten?.ops ?? []), ...checkpointOps(changes)]
  const batches = [...(unwritten?.batches ?? []), ...unindexed]
  const aborted = [...(unwritten?.aborted ?? []), ...state.aborted]
  state.unwritten = { ops, batches, aborted }
  state.unindexed = []
  state.unindexedBytes = 0
  state.changed = new Set()
  state.dropped = []
  state.hasOtherSegments = false
  state.moved = []
  state.trimmed = []
  state.aborted = []
  await beforeWrite?.()
  await state.parts.index.batch(ops, { sync: true })
  state.unwritten = undefined
  for (const batch of batches) {
    batch.isIndexed = true
    batch.home.trim()
  }
  for (const [partition, rows] of Map.groupBy(aborted, one => one.partition)) {
    evictAborted(partition, rows.at(-1)!.transaction.lastOffset, state.parts.abortedKept)
  }
}
