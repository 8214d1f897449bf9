/** All that a log holds in memory, and the one function by which a batch on disk becomes part of it, be it new or replayed. */
import type { Clock, Logger } from '@assay/std'
import type { Store } from '@assay/store'
import type { BatchFacts } from './batch-facts.ts'
import { type Changes, checkpointOps } from './checkpoint.ts'
import type { PartitionKey } from './log.ts'
import { applyBatch, nameOf, newPartition, type Partition } from './partition.ts'
import { type Producer, type ProducerTable, producerTable, type Window } from './producers.ts'
import type { RecentBatch } from './recent.ts'
import { type TailCache, tailCache } from './tail-cache.ts'

export interface StateParts {
  readonly journal: Store
  readonly index: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly tailCacheBytes: number
  readonly producerExpiryMs: number
  readonly producersMax: number
  readonly checkpointBytes: number
}

export interface LogState {
  readonly parts: StateParts
  readonly partitions: Map<string, Partition>
  readonly producers: ProducerTable
  readonly cache: TailCache
  /** Next journal sequence to be given. */
  nextSequence: number
  /** First journal sequence that is not applied. */
  appliedSequence: number
  /** What the next checkpoint has to write. */
  unindexed: RecentBatch[]
  unindexedBytes: number
  changed: Set<Partition>
  dropped: Partition[]
}

/** Batches without an index row that a checkpoint waits for at most: bounds the memory that they take and the time that it does. */
const UNINDEXED_MAX = 2048

export function newState(parts: StateParts): LogState {
  return {
    parts,
    partitions: new Map(),
    producers: producerTable({ expiryMs: parts.producerExpiryMs, producersMax: parts.producersMax }),
    cache: tailCache(parts.tailCacheBytes),
    nextSequence: 0,
    appliedSequence: 0,
    unindexed: [],
    unindexedBytes: 0,
    changed: new Set(),
    dropped: []
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

export function applyOnDisk(state: LogState, { partition, batch, facts, producer, window }: StagedBatch): void {
  state.appliedSequence = batch.sequence + 1
  applyBatch(partition, batch, facts)
  if (producer !== undefined && window !== undefined) state.producers.commit(producer, window)
  state.unindexed.push(batch)
  state.unindexedBytes += batch.sizeBytes
  state.changed.add(partition)
  state.cache.add(batch)
}

/** The next checkpoint is without the partition. Nothing of it may be on its way to disk. */
export function forgetPartition(state: LogState, partition: Partition): void {
  partition.recent.isAbandoned = true
  state.changed.delete(partition)
  state.producers.drop(partition.producers)
  state.dropped.push(partition)
}

export const isCheckpointDue = (state: LogState): boolean =>
  state.unindexed.length >= UNINDEXED_MAX || state.unindexedBytes >= state.parts.checkpointBytes

/** True while the checkpoints cannot keep up with the appends. */
export const isCheckpointLate = (state: LogState): boolean => state.unindexed.length >= 4 * UNINDEXED_MAX

export const hasChanges = (state: LogState): boolean => state.changed.size > 0 || state.dropped.length > 0

/** Writes a checkpoint of the state as it is at the call. `beforeWrite` makes sure that all of it is durable in the journal. */
export async function writeCheckpoint(state: LogState, beforeWrite?: () => Promise<void>): Promise<void> {
  state.producers.sweep(state.parts.clock.now())
  const { changed, removed } = state.producers.takeChanges()
  const batches = state.unindexed.filter(({ home }) => !home.isAbandoned)
  const changes: Changes = {
    sequence: state.appliedSequence,
    batches,
    partitions: state.changed,
    producers: changed,
    removedProducers: removed,
    droppedPartitions: state.dropped,
    droppedTopics: new Map(state.dropped.map(({ key, prefix }) => [key.topicId, prefix.subarray(0, 16)])).values()
  }
  const ops = checkpointOps(changes)
  state.unindexed = []
  state.unindexedBytes = 0
  state.changed = new Set()
  state.dropped = []
  await beforeWrite?.()
  await state.parts.index.batch(ops, { sync: true })
  for (const batch of batches) {
    batch.isIndexed = true
    batch.home.trim()
  }
}
