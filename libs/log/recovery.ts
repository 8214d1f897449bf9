/**
 * What happens when a log is opened: the last checkpoint is read and compared with the journal, and the rows behind it are replayed.
 * Rows missing in the middle, in front of the checkpoint's end, or damaged, are told with STORE_CORRUPT; nothing is mended in silence.
 */
import { baseOffsetOf, readFacts } from './batch-facts.ts'
import { type Checkpoint, loadCheckpoint } from './checkpoint.ts'
import { corruptJournal, hasRow, type JournalRow, journalPages, PAGE_BYTES, readBatches } from './journal.ts'
import { indexRowsAt } from './offset-index.ts'
import { corruptPartition, nameOf, type Partition } from './partition.ts'
import { isSequenced, type Producer, windowAfter } from './producers.ts'
import type { StoredBatch } from './recent.ts'
import { applyOnDisk, isCheckpointDue, type LogState, partitionOf, writeCheckpoint } from './state.ts'

const COMPARED_AT_ONCE = 256

/** Brings an empty state up to the journal's end, in bounded memory. Fails with STORE_CORRUPT, STORE_FAILED, UNSUPPORTED_VERSION. */
export async function recover(state: LogState): Promise<void> {
  const { journal, index, logger, clock } = state.parts
  const startedMs = clock.now()
  const checkpoint = await loadCheckpoint(index)
  if (checkpoint !== undefined) {
    restore(state, checkpoint)
    await compareWithJournal(state, checkpoint)
  }
  const from = state.appliedSequence
  for await (const rows of journalPages(journal, from)) {
    for (const row of rows) replay(state, row)
    if (isCheckpointDue(state)) await writeCheckpoint(state)
  }
  state.nextSequence = state.appliedSequence
  const replayed = state.nextSequence - from
  // A new log begins with a checkpoint, so that a missing one means that the index was lost.
  if (replayed > 0 || checkpoint === undefined) await writeCheckpoint(state)
  if (replayed === 0) return
  const facts = { rows: replayed, from, ms: clock.now() - startedMs }
  if (checkpoint === undefined) logger.warn(facts, 'the index was missing and was made anew from the journal')
  else logger.info(facts, 'replayed the journal behind the last checkpoint')
}

function restore(state: LogState, checkpoint: Checkpoint): void {
  state.appliedSequence = checkpoint.sequence
  const byPrefix = new Map<string, Partition>()
  for (const partition of checkpoint.partitions) {
    state.partitions.set(nameOf(partition.key), partition)
    byPrefix.set(partition.prefix.toString('hex'), partition)
  }
  // Those silent longest come first, as they do in the table.
  const producers = [...checkpoint.producers].sort((a, b) => a.activeAtMs - b.activeAtMs)
  for (const { prefix, id, window, activeAtMs } of producers) {
    const partition = byPrefix.get(prefix.toString('hex'))
    if (partition === undefined) throw corruptJournal(`the checkpoint knows producer ${id} of a partition that it does not know`)
    const producer = state.producers.add(partition.producers, { id, prefix: partition.prefix, nowMs: activeAtMs })
    producer.staged = window
    producer.committed = window
  }
}

/** The journal must reach as far as the checkpoint, and hold the last batch of each partition where the checkpoint has its end. */
async function compareWithJournal(state: LogState, checkpoint: Checkpoint): Promise<void> {
  const { journal, index } = state.parts
  if (checkpoint.sequence > 0 && !(await hasRow(journal, checkpoint.sequence - 1))) {
    throw corruptJournal(`row ${checkpoint.sequence - 1} is missing, which was there at the last checkpoint`)
  }
  const filled = checkpoint.partitions.filter(({ startOffset, highWatermark }) => highWatermark > startOffset)
  for (let at = 0; at < filled.length; at += COMPARED_AT_ONCE) {
    const some = filled.slice(at, at + COMPARED_AT_ONCE)
    const lastBatches = await indexRowsAt(
      index,
      some.map(partition => ({ partition, lastOffset: partition.highWatermark - 1 }))
    )
    for (const group of groupsByBytes(lastBatches)) {
      await Promise.all(group.map(which => readBatches(journal, some[which]!, [lastBatches[which]!])))
    }
  }
}

/** Indexes of batches that are read at one time. */
function groupsByBytes(batches: readonly StoredBatch[]): number[][] {
  const groups: number[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const [which, { sizeBytes }] of batches.entries()) {
    bytes += sizeBytes
    if (bytes > PAGE_BYTES) {
      groups.push([])
      bytes = sizeBytes
    }
    groups.at(-1)!.push(which)
  }
  return groups
}

function replay(state: LogState, row: JournalRow): void {
  const { sequence, batch: bytes } = row
  const partition = partitionOf(state, row.partition)
  const baseOffset = baseOffsetOf(bytes)
  if (baseOffset !== partition.highWatermark) {
    throw corruptPartition(partition, partition.highWatermark, `row ${sequence} of the journal goes on with offset ${baseOffset}`)
  }
  const facts = readFacts(bytes)
  const lastOffset = baseOffset + facts.lastOffsetDelta
  const producer = isSequenced(facts) ? producerOf(state, partition, facts.producerId) : undefined
  const window = producer && windowAfter(producer.committed, facts, baseOffset)
  if (producer !== undefined) producer.staged = window
  applyOnDisk(state, {
    partition,
    batch: {
      sequence,
      baseOffset,
      lastOffset,
      maxTimestampMs: facts.maxTimestampMs,
      runningMaxTimestampMs: facts.maxTimestampMs,
      sizeBytes: bytes.length,
      prefix: partition.prefix,
      home: partition.recent,
      bytes,
      isIndexed: false
    },
    facts,
    producer,
    window
  })
  partition.logEndOffset = partition.highWatermark
}

/** When the producer sent this cannot be known; that it is taken for active now only lets it be remembered longer. */
function producerOf(state: LogState, partition: Partition, id: number): Producer {
  const nowMs = state.parts.clock.now()
  const known = partition.producers.get(id)
  if (known === undefined) return state.producers.add(partition.producers, { id, prefix: partition.prefix, nowMs })
  state.producers.touch(known, nowMs)
  return known
}
