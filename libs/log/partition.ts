/** The state of one partition: all of it derives from the journal's rows, by `applyBatch`, whether they are new or replayed. */
import { AssayError } from '@assay/errors'
import { assert } from '@assay/std'
import type { BatchFacts } from './batch-facts.ts'
import type { AbortedTransaction, Offset, PartitionKey } from './log.ts'
import type { ProducersOfPartition } from './producers.ts'
import { type RecentBatch, RecentBatches } from './recent.ts'

export interface Partition {
  readonly key: PartitionKey
  /** How messages call it. */
  readonly name: string
  /** Topic ID and partition as they stand in every key: 16 and 4 bytes. */
  readonly prefix: Buffer
  startOffset: Offset
  /** Next offset to be given; ahead of the high watermark while batches are on their way to disk. */
  logEndOffset: Offset
  highWatermark: Offset
  /** Batches and bytes below the high watermark. */
  batchCount: number
  sizeBytes: number
  /** The largest of all batches so far; `NO_TIMESTAMP` while there is none. */
  maxTimestampMs: number
  /** Last offset of the first batch that has it. */
  maxTimestampOffset: Offset
  /** Below it compaction has left one record of each key at most. */
  cleanedTo: Offset
  /** Bytes of batches that end behind that. */
  dirtyBytes: number
  /** When the first of the tombstones in front of it may go; -1 when there is none. */
  tombstonesAtMs: number
  readonly producers: ProducersOfPartition
  /** By producer ID the first offset of its transaction that has not ended, in the order of these offsets; on disk. */
  readonly openTransactions: Map<number, Offset>
  /** Those whose markers lie at or behind `abortedFrom`, in their order; on disk. Older ones are in the index alone. */
  readonly aborted: AbortedTransaction[]
  abortedFrom: Offset
  /** A batch of a transaction was met since the start. */
  isTransactional: boolean
  readonly recent: RecentBatches
  readonly listeners: Set<() => void>
  isDropped: boolean
  /** There may be index rows in front of the start offset. */
  isTrimDue: boolean
}

export const NO_TIMESTAMP = Number.MIN_SAFE_INTEGER
export const PREFIX_BYTES = 20
const TOPIC_ID_BYTES = 16

export function newPartition(key: PartitionKey): Partition {
  return {
    key,
    name: nameOf(key),
    prefix: prefixOf(key),
    startOffset: 0,
    logEndOffset: 0,
    highWatermark: 0,
    batchCount: 0,
    sizeBytes: 0,
    maxTimestampMs: NO_TIMESTAMP,
    maxTimestampOffset: -1,
    cleanedTo: 0,
    dirtyBytes: 0,
    tombstonesAtMs: -1,
    producers: new Map(),
    openTransactions: new Map(),
    aborted: [],
    abortedFrom: 0,
    isTransactional: false,
    recent: new RecentBatches(),
    listeners: new Set(),
    isDropped: false,
    isTrimDue: false
  }
}

export const nameOf = (key: PartitionKey): string => `${key.topicId}-${key.partition}`

export const topicIdBytes = (topicId: string): Buffer => {
  const bytes = Buffer.from(topicId, 'hex')
  assert(bytes.length === TOPIC_ID_BYTES && topicId.length === 32, `a topic ID is 32 hex digits, not '${topicId}'`)
  return bytes
}

function prefixOf(key: PartitionKey): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES)
  topicIdBytes(key.topicId).copy(prefix)
  prefix.writeInt32BE(key.partition, TOPIC_ID_BYTES)
  return prefix
}

/** Reads back what `prefixOf` wrote at this place of a key. */
export function readPartitionKey(key: Buffer, at: number): PartitionKey {
  return {
    topicId: key.toString('hex', at, at + TOPIC_ID_BYTES),
    partition: key.readInt32BE(at + TOPIC_ID_BYTES)
  }
}

/** Makes a batch that is on disk part of the state. Gives its running maximum of timestamps along the partition. */
export function applyBatch(partition: Partition, batch: RecentBatch, facts: BatchFacts): void {
  assert(batch.baseOffset === partition.highWatermark, 'batches become visible in the order of their offsets')
  partition.highWatermark = batch.lastOffset + 1
  partition.batchCount++
  partition.sizeBytes += batch.sizeBytes
  partition.dirtyBytes += batch.sizeBytes
  if (facts.maxTimestampMs > partition.maxTimestampMs) {
    partition.maxTimestampMs = facts.maxTimestampMs
    partition.maxTimestampOffset = batch.lastOffset
  }
  batch.runningMaxTimestampMs = partition.maxTimestampMs
  partition.recent.push(batch)
}

export function assertKept(partition: Partition): void {
  if (!partition.isDropped) return
  throw new AssayError('PARTITION_NOT_FOUND', { topic: partition.key.topicId, partition: partition.key.partition })
}

export function corruptPartition(partition: Partition, offset: Offset, reason: string): AssayError {
  return new AssayError('STORE_CORRUPT', { what: `Partition ${partition.name}`, reason: `at offset ${offset}: ${reason}` })
}
