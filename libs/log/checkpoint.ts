/**
 * Checkpoints: the state of partitions and producers as of one journal sequence, written with the index rows up to there in one synced
 * batch. They spare the next start the replay, and are the second place with which the journal is compared. Layout: docs/formats/journal.md.
 */
import { AssayError } from '@assay/errors'
import type { Range, Store, StoreOp } from '@assay/store'
import { ABORTED_TAG, abortedRow, newestAborted } from './aborted.ts'
import { readInt64, writeInt64 } from './int64.ts'
import type { AbortedTransaction } from './log.ts'
import { indexKey, indexRow } from './offset-index.ts'
import { newPartition, type Partition, PREFIX_BYTES, readPartitionKey } from './partition.ts'
import type { Producer, ProducerBatch, Window } from './producers.ts'
import type { RecentBatch, StoredBatch } from './recent.ts'
import { allocSealed, seal, unseal } from './sealed.ts'
import { newSegment, type Segment } from './segment-table.ts'

const TAG = { aborted: ABORTED_TAG, checkpoint: 0x63, dropped: 0x64, partition: 0x70, producer: 0x71, segment: 0x73 } as const
const FORMAT = 2
const CHECKPOINT_BYTES = 10
const REBUILDING = 1
const PARTITION_BYTES = 72
const PARTITION_AT = {
  startOffset: 0,
  endOffset: 8,
  batchCount: 16,
  size: 24,
  maxTimestamp: 32,
  maxTimestampOffset: 40,
  cleanedTo: 48,
  dirtySize: 56,
  tombstonesAt: 64
} as const
const SEGMENT_BYTES = 41
const SEGMENT_AT = { isDropped: 0, created: 1, rows: 9, size: 17, liveRows: 25, liveSize: 33 } as const
const PRODUCER_HEAD_BYTES = 18
/** Before there were transactions. */
const SHORT_PRODUCER_HEAD_BYTES = 10
const PRODUCER_BATCH_BYTES = 32
const PAGE_ROWS = 1024
/** No key of ours goes on like this, so it ends every range of keys with one beginning. */
const BEHIND_ALL = Buffer.alloc(17, 0xff)

export interface Changes {
  /** The first journal row that is not part of it. */
  readonly sequence: number
  /** True while the index is made anew: until that is done it is of no use. */
  readonly isRebuilding: boolean
  readonly segments: Iterable<Segment>
  readonly removedSegments: Iterable<Segment>
  readonly batches: readonly RecentBatch[]
  readonly moved: readonly Moved[]
  /** Keys of index rows. */
  readonly trimmed: readonly Buffer[]
  readonly aborted: readonly { readonly partition: Partition; readonly transaction: AbortedTransaction }[]
  readonly partitions: Iterable<Partition>
  readonly producers: Iterable<Producer>
  readonly removedProducers: Iterable<Producer>
  /** Partitions of deleted topics; `droppedTopics` are those topics. */
  readonly droppedPartitions: Iterable<Partition>
  readonly droppedTopics: Iterable<Buffer>
}

interface Moved {
  readonly batch: StoredBatch & { readonly prefix: Buffer }
  readonly replaced: readonly StoredBatch[]
}

/** One batch for the index store: the changes as they are now, whatever happens to the state later. */
export function checkpointOps(changes: Changes): StoreOp[] {
  const ops: StoreOp[] = []
  for (const batch of changes.batches) ops.push(indexRow(batch))
  for (const { batch, replaced } of changes.moved) {
    for (const { lastOffset } of replaced) ops.push({ type: 'del', key: indexKey(batch.prefix, lastOffset) })
    ops.push(indexRow(batch))
  }
  for (const key of changes.trimmed) ops.push({ type: 'del', key })
  for (const { partition, transaction } of changes.aborted) ops.push(abortedRow(partition.prefix, transaction))
  for (const producer of changes.removedProducers) ops.push({ type: 'del', key: producerKey(producer) })
  for (const producer of changes.producers) {
    if (producer.committed !== undefined) ops.push(producerRow(producer, producer.committed))
  }
  for (const partition of changes.partitions) ops.push(partitionRow(partition))
  for (const { prefix } of changes.droppedPartitions) ops.push({ type: 'del', key: tagged(TAG.partition, prefix) })
  for (const topicId of changes.droppedTopics)
    ops.push({ type: 'put', key: tagged(TAG.dropped, topicId), value: Buffer.alloc(0) })
  for (const { first } of changes.removedSegments) ops.push({ type: 'del', key: segmentKey(first) })
  for (const segment of changes.segments) ops.push(segmentRow(segment))
  ops.push(checkpointRow(changes))
  return ops
}

/** The deleted topics of which there still are rows, by their 16 bytes. */
export async function droppedTopics(index: Store): Promise<Buffer[]> {
  const topicIds: Buffer[] = []
  for (let range: Range = { ...rangeOf(TAG.dropped), limit: PAGE_ROWS }; ; ) {
    const entries = await index.range(range)
    for (const { key } of entries) topicIds.push(key.subarray(1))
    if (entries.length < PAGE_ROWS) return topicIds
    range = { ...range, gt: entries.at(-1)!.key }
  }
}

/** Ends the deletion of a topic whose index rows are gone. Until this is done its name stays written, so that a crash in between is made good. */
export async function clearDropped(index: Store, topicId: Buffer): Promise<void> {
  await clearRowsOf(index, topicId)
  await index.batch([{ type: 'del', key: tagged(TAG.dropped, topicId) }], { sync: true })
}

async function clearRowsOf(index: Store, topicId: Buffer): Promise<void> {
  await index.clear(startingWith(tagged(TAG.producer, topicId)))
  await index.clear(startingWith(tagged(TAG.aborted, topicId)))
}

/** What the last checkpoint said. */
export interface Checkpoint {
  readonly sequence: number
  /** Ascending. */
  readonly segments: Segment[]
  readonly partitions: Partition[]
  /** The newest of each partition, so many as were asked for. */
  readonly aborted: { readonly prefix: Buffer; readonly newest: AbortedTransaction[] }[]
  readonly producers: { readonly prefix: Buffer; readonly id: number; readonly window: Window; readonly activeAtMs: number }[]
}

/** Undefined when none was ever written, or the index was being made anew: it is empty then. Fails with STORE_CORRUPT, UNSUPPORTED_VERSION. */
export async function loadCheckpoint(index: Store, abortedKept: number): Promise<Checkpoint | undefined> {
  const value = await index.get(Buffer.of(TAG.checkpoint))
  if (value === undefined) {
    const [any] = await index.range({ limit: 1 })
    if (any !== undefined) throw corrupt('there are rows, but no checkpoint')
    return undefined
  }
  const payload = unseal(value)
  if (payload === undefined) throw corrupt('the checksum of the checkpoint does not match')
  const format = payload[0]
  if (format !== FORMAT || payload.length !== CHECKPOINT_BYTES) {
    throw new AssayError('UNSUPPORTED_VERSION', {
      what: 'The checkpoint',
      reason: `it has format ${format} and this is for ${FORMAT}`
    })
  }
  if (payload[9] === REBUILDING) {
    await clearIndex(index)
    return undefined
  }
  for (const topicId of await droppedTopics(index)) await clearRowsOf(index, topicId)
  const segments: Segment[] = []
  for await (const { key, payload } of rows(index, TAG.segment)) segments.push(readSegment(key, payload))
  const partitions: Partition[] = []
  for await (const { key, payload } of rows(index, TAG.partition)) partitions.push(readPartition(key, payload))
  const producers: Checkpoint['producers'] = []
  for await (const { key, payload } of rows(index, TAG.producer)) producers.push(readProducer(key, payload))
  const aborted: Checkpoint['aborted'] = []
  for await (const found of newestAborted(index, abortedKept)) aborted.push(found)
  return { sequence: readInt64(payload, 1), segments, partitions, producers, aborted }
}

/** The checkpoint goes last: as long as it is there, it says that nothing else here counts. */
async function clearIndex(index: Store): Promise<void> {
  await index.clear({ lt: Buffer.of(TAG.checkpoint) })
  await index.clear({ gt: Buffer.of(TAG.checkpoint) })
  await index.batch([{ type: 'del', key: Buffer.of(TAG.checkpoint) }], { sync: true })
}

function checkpointRow({ sequence, isRebuilding }: Changes): StoreOp {
  const value = allocSealed(CHECKPOINT_BYTES)
  value[0] = FORMAT
  writeInt64(value, sequence, 1)
  value[9] = isRebuilding ? REBUILDING : 0
  return { type: 'put', key: Buffer.of(TAG.checkpoint), value: seal(value) }
}

function segmentKey(first: number): Buffer {
  const key = Buffer.allocUnsafe(9)
  key[0] = TAG.segment
  writeInt64(key, first, 1)
  return key
}

function segmentRow(segment: Segment): StoreOp {
  const value = allocSealed(SEGMENT_BYTES)
  value[SEGMENT_AT.isDropped] = segment.isDropped ? 1 : 0
  writeInt64(value, segment.createdMs, SEGMENT_AT.created)
  writeInt64(value, segment.rows, SEGMENT_AT.rows)
  writeInt64(value, segment.bytes, SEGMENT_AT.size)
  writeInt64(value, segment.liveRows, SEGMENT_AT.liveRows)
  writeInt64(value, segment.liveBytes, SEGMENT_AT.liveSize)
  return { type: 'put', key: segmentKey(segment.first), value: seal(value) }
}

function readSegment(key: Buffer, payload: Buffer): Segment {
  if (payload.length !== SEGMENT_BYTES) throw corrupt(`a segment's row has ${payload.length} bytes`)
  return {
    ...newSegment(readInt64(key, 1), readInt64(payload, SEGMENT_AT.created)),
    rows: readInt64(payload, SEGMENT_AT.rows),
    bytes: readInt64(payload, SEGMENT_AT.size),
    liveRows: readInt64(payload, SEGMENT_AT.liveRows),
    liveBytes: readInt64(payload, SEGMENT_AT.liveSize),
    isDropped: payload[SEGMENT_AT.isDropped] === 1
  }
}

function partitionRow(partition: Partition): StoreOp {
  const value = allocSealed(PARTITION_BYTES)
  writeInt64(value, partition.startOffset, PARTITION_AT.startOffset)
  writeInt64(value, partition.highWatermark, PARTITION_AT.endOffset)
  writeInt64(value, partition.batchCount, PARTITION_AT.batchCount)
  writeInt64(value, partition.sizeBytes, PARTITION_AT.size)
  writeInt64(value, partition.maxTimestampMs, PARTITION_AT.maxTimestamp)
  writeInt64(value, partition.maxTimestampOffset, PARTITION_AT.maxTimestampOffset)
  writeInt64(value, partition.cleanedTo, PARTITION_AT.cleanedTo)
  writeInt64(value, partition.dirtyBytes, PARTITION_AT.dirtySize)
  writeInt64(value, partition.tombstonesAtMs, PARTITION_AT.tombstonesAt)
  return { type: 'put', key: tagged(TAG.partition, partition.prefix), value: seal(value) }
}

function readPartition(key: Buffer, payload: Buffer): Partition {
  if (payload.length !== PARTITION_BYTES) throw corrupt(`a partition's row has ${payload.length} bytes`)
  const partition = newPartition(readPartitionKey(key, 1))
  partition.startOffset = readInt64(payload, PARTITION_AT.startOffset)
  partition.highWatermark = readInt64(payload, PARTITION_AT.endOffset)
  partition.logEndOffset = partition.highWatermark
  partition.batchCount = readInt64(payload, PARTITION_AT.batchCount)
  partition.sizeBytes = readInt64(payload, PARTITION_AT.size)
  partition.isTrimDue = partition.startOffset > 0
  partition.maxTimestampMs = readInt64(payload, PARTITION_AT.maxTimestamp)
  partition.maxTimestampOffset = readInt64(payload, PARTITION_AT.maxTimestampOffset)
  partition.cleanedTo = readInt64(payload, PARTITION_AT.cleanedTo)
  partition.dirtyBytes = readInt64(payload, PARTITION_AT.dirtySize)
  partition.tombstonesAtMs = readInt64(payload, PARTITION_AT.tombstonesAt)
  return partition
}

function producerKey({ prefix, id }: Producer): Buffer {
  const key = Buffer.allocUnsafe(1 + PREFIX_BYTES + 8)
  key[0] = TAG.producer
  prefix.copy(key, 1)
  writeInt64(key, id, 1 + PREFIX_BYTES)
  return key
}

function producerRow(producer: Producer, window: Window): StoreOp {
  const value = allocSealed(PRODUCER_HEAD_BYTES + window.batches.length * PRODUCER_BATCH_BYTES)
  value.writeInt16BE(window.epoch, 0)
  writeInt64(value, producer.activeAtMs, 2)
  writeInt64(value, window.openFrom ?? -1, 10)
  window.batches.forEach((batch, index) => {
    const at = PRODUCER_HEAD_BYTES + index * PRODUCER_BATCH_BYTES
    value.writeInt32BE(batch.baseSequence, at)
    value.writeInt32BE(batch.lastSequence, at + 4)
    writeInt64(value, batch.baseOffset, at + 8)
    writeInt64(value, batch.lastOffset, at + 16)
    writeInt64(value, batch.appendTimeMs, at + 24)
  })
  return { type: 'put', key: producerKey(producer), value: seal(value) }
}

function readProducer(key: Buffer, payload: Buffer): Checkpoint['producers'][number] {
  const isShort = payload.length % PRODUCER_BATCH_BYTES === SHORT_PRODUCER_HEAD_BYTES
  const headBytes = isShort ? SHORT_PRODUCER_HEAD_BYTES : PRODUCER_HEAD_BYTES
  const count = (payload.length - headBytes) / PRODUCER_BATCH_BYTES
  if (!Number.isInteger(count) || count < 0) throw corrupt(`a producer's row has ${payload.length} bytes`)
  const batches = Array.from({ length: count }, (_, index): ProducerBatch => {
    const at = headBytes + index * PRODUCER_BATCH_BYTES
    return {
      baseSequence: payload.readInt32BE(at),
      lastSequence: payload.readInt32BE(at + 4),
      baseOffset: readInt64(payload, at + 8),
      lastOffset: readInt64(payload, at + 16),
      appendTimeMs: readInt64(payload, at + 24)
    }
  })
  const openFrom = isShort ? -1 : readInt64(payload, 10)
  return {
    prefix: Buffer.from(key.subarray(1, 1 + PREFIX_BYTES)),
    id: readInt64(key, 1 + PREFIX_BYTES),
    window: { epoch: payload.readInt16BE(0), batches, openFrom: openFrom < 0 ? undefined : openFrom },
    activeAtMs: readInt64(payload, 2)
  }
}

async function* rows(index: Store, tag: number): AsyncGenerator<{ readonly key: Buffer; readonly payload: Buffer }> {
  let range: Range = { ...rangeOf(tag), limit: PAGE_ROWS }
  for (;;) {
    const entries = await index.range(range)
    for (const { key, value } of entries) {
      const payload = unseal(value)
      if (payload === undefined) throw corrupt(`the checksum of row ${key.toString('hex')} does not match`)
      yield { key, payload }
    }
    const last = entries.at(-1)
    if (last === undefined || entries.length < PAGE_ROWS) return
    range = { ...rangeOf(tag), gt: last.key, limit: PAGE_ROWS }
  }
}

const tagged = (tag: number, rest: Buffer): Buffer => Buffer.concat([Buffer.of(tag), rest])
const rangeOf = (tag: number): Range => ({ gt: Buffer.of(tag), lt: Buffer.of(tag + 1) })
const startingWith = (prefix: Buffer): Range => ({ gte: prefix, lt: Buffer.concat([prefix, BEHIND_ALL]) })

const corrupt = (reason: string): AssayError =>
  new AssayError('STORE_CORRUPT', {
    what: 'The index',
    reason: `${reason}; moved out of the way, it is made anew from the journal`
  })
