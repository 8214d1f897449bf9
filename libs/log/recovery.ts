/**
 * What happens when a log is opened: the last checkpoint is read and compared with the journal, and the rows behind it are replayed.
 * Rows missing in the middle, in front of the checkpoint's end, or damaged, are told with STORE_CORRUPT; nothing is mended in silence.
 */
import { restoreAborted } from './aborted.ts'
import { type BatchFacts, baseOffsetOf, readFacts } from './batch-facts.ts'
import { type Checkpoint, loadCheckpoint } from './checkpoint.ts'
import { clearDroppedTopics } from './dropped-topics.ts'
import {
  corruptJournal,
  hasRow,
  type JournalRow,
  journalPages,
  PAGE_BYTES,
  readBatches,
  sequenceOfKey,
  syncJournal
} from './journal.ts'
import type { Journal } from './journal-segments.ts'
import { indexRowsAt, rowsBetween } from './offset-index.ts'
import { corruptPartition, nameOf, type Partition } from './partition.ts'
import { isOfProducer, type Producer, windowAfter } from './producers.ts'
import { settleIndex } from './rebuild.ts'
import type { StoredBatch } from './recent.ts'
import { compareSegments } from './recovery-segments.ts'
import type { Segment } from './segment-table.ts'
import { applyMoved, applyOnDisk, isCheckpointDue, type LogState, partitionOf, writeCheckpoint } from './state.ts'

const COMPARED_AT_ONCE = 256

interface Gap {
  readonly from: number
  readonly to: number
}

/** Brings an empty state up to the journal's end, in bounded memory. Fails with STORE_CORRUPT, STORE_FAILED, UNSUPPORTED_VERSION. */
export async function recover(state: LogState): Promise<void> {
  const { journal, index, logger, clock } = state.parts
  const startedMs = clock.now()
  const checkpoint = await loadCheckpoint(index, state.parts.abortedKept)
  if (checkpoint !== undefined) restore(state, checkpoint)
  await compareSegments(state, checkpoint)
  if (checkpoint !== undefined) {
    await clearDroppedTopics(state, () => writeCheckpoint(state))
    await compareWithJournal(state, checkpoint)
  }
  state.isRebuilding = checkpoint === undefined
  const from = state.appliedSequence
  // A process that died may have left rows that the disk does not have yet, and no checkpoint may tell of such.
  await syncJournal(journal, from)
  const end = await endSequence(journal)
  const gaps: Gap[] = []
  for await (const rows of journalPages(journal, from, state.isRebuilding ? gap => gaps.push(gap) : undefined)) {
    if (gaps.length > 0 && rows[0]!.sequence > state.appliedSequence) state.appliedSequence = rows[0]!.sequence
    for (const row of rows) await replay(state, row, gaps.length > 0)
    if (isCheckpointDue(state)) await writeCheckpoint(state)
    state.parts.onReplay({ done: state.appliedSequence - from, total: end - from, isRebuilding: state.isRebuilding })
  }
  // The newest segment may be empty.
  state.appliedSequence = Math.max(state.appliedSequence, journal.firsts.at(-1)!)
  state.nextSequence = state.appliedSequence
  const replayed = state.nextSequence - from
  if (state.isRebuilding && replayed > 0) {
    await writeCheckpoint(state)
    await settleIndex(state)
    state.isRebuilding = false
  }
  state.isRebuilding = false
  // A new log begins with a checkpoint, so that a missing one means that the index was lost.
  if (replayed > 0 || checkpoint === undefined) await writeCheckpoint(state)
  if (gaps.length > 0)
    logger.warn({ gaps }, 'segments are missing from the journal: dropped ones, or lost ones; only the index knew')
  if (replayed === 0) return
  const facts = { rows: replayed, from, ms: clock.now() - startedMs }
  if (checkpoint === undefined) logger.warn(facts, 'the index was missing and was made anew from the journal')
  else logger.info(facts, 'replayed the journal behind the last checkpoint')
}

/** The sequence behind the last row. */
async function endSequence(journal: Journal): Promise<number> {
  const newest = journal.firsts.at(-1)!
  const [last] = await journal.use(newest, store => store.range({ limit: 1, reverse: true }))
  return last === undefined || last.key.length < 8 ? newest : sequenceOfKey(last.key) + 1
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
  for (const partition of checkpoint.partitions) restoreOpen(partition)
  for (const { prefix, newest } of checkpoint.aborted) {
    const partition = byPrefix.get(prefix.toString('hex'))
    if (partition === undefined)
      throw corruptJournal('the checkpoint knows an aborted transaction of a partition that it does not know')
    restoreAborted(partition, newest, state.parts.abortedKept)
  }
}

/** Those that began first come first. */
function restoreOpen(partition: Partition): void {
  const open: (readonly [producerId: number, from: number])[] = []
  for (const { id, committed } of partition.producers.values()) {
    if (committed?.openFrom !== undefined) open.push([id, committed.openFrom])
  }
  for (const [id, from] of open.sort((a, b) => a[1] - b[1])) partition.openTransactions.set(id, from)
}

/** The journal must reach as far as the checkpoint, and hold the last batch of each partition where the checkpoint has its end. */
async function compareWithJournal(state: LogState, checkpoint: Checkpoint): Promise<void> {
  const { journal, index } = state.parts
  const last = checkpoint.sequence - 1
  const lastSegment = state.segments.all.findLast(({ first, isDropped }) => first <= last && !isDropped)
  // The last rows may have gone with their segment.
  const isKept = lastSegment !== undefined && last < lastSegment.first + lastSegment.rows
  if (isKept && !(await hasRow(journal, last))) {
    throw corruptJournal(`row ${last} is missing, which was there at the last checkpoint`)
  }
  const filled = checkpoint.partitions.filter(({ startOffset, highWatermark }) => highWatermark > startOffset)
  for (let at = 0; at < filled.length; at += COMPARED_AT_ONCE) {
    const some = filled.slice(at, at + COMPARED_AT_ONCE)
    const lastBatches = await indexRowsAt(
      index,
      some.map(partition => ({ partition, lastOffset: partition.highWatermark - 1 }))
    )
    for (const group of groupsByBytes(lastBatches)) {
      const near = group.filter(
        which => lastBatches[which]!.sequence >= state.segments.newest!.first || isKeptIn(lastSegment, lastBatches[which]!)
      )
      await Promise.all(near.map(which => readBatches(journal, some[which]!, [lastBatches[which]!])))
    }
  }
}

/** Older segments are compared when somebody opens them: a start is not to open them all. */
const isKeptIn = (segment: Segment | undefined, { sequence }: StoredBatch): boolean =>
  segment !== undefined && sequence >= segment.first

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

async function replay(state: LogState, row: JournalRow, isGapped: boolean): Promise<void> {
  const { sequence, batch: bytes } = row
  const partition = partitionOf(state, row.partition)
  const baseOffset = baseOffsetOf(bytes)
  if (baseOffset < partition.highWatermark) {
    await replayMoved(state, partition, row)
    return
  }
  // The batches before it may have gone with their segments, or come later, copied forward.
  if (isGapped && baseOffset > partition.highWatermark) partition.highWatermark = baseOffset
  if (baseOffset !== partition.highWatermark) {
    throw corruptPartition(partition, partition.highWatermark, `row ${sequence} of the journal goes on with offset ${baseOffset}`)
  }
  const facts = readFacts(bytes)
  const lastOffset = baseOffset + facts.lastOffsetDelta
  const producer = isOfProducer(facts) ? producerOf(state, partition, facts.producerId) : undefined
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

/** A batch that was written once more: it has to fit the batches that it replaces. */
async function replayMoved(state: LogState, partition: Partition, { sequence, batch: bytes }: JournalRow): Promise<void> {
  const facts = readFacts(bytes)
  const baseOffset = baseOffsetOf(bytes)
  const lastOffset = baseOffset + facts.lastOffsetDelta
  const batch = {
    ...{ sequence, baseOffset, lastOffset, prefix: partition.prefix, bytes, sizeBytes: bytes.length },
    ...{ maxTimestampMs: facts.maxTimestampMs, runningMaxTimestampMs: facts.maxTimestampMs }
  }
  if (state.isRebuilding) {
    replayProducer(state, partition, facts, baseOffset)
    applyMoved(state, { partition, batch, replaced: [] })
    return
  }
  const limit = facts.lastOffsetDelta + 1
  const rows = await rowsBetween(state.parts.index, partition, { from: baseOffset, below: lastOffset + 1, limit })
  const replaced = rows.map(row => row.batch).filter(found => found !== undefined)
  const fits = replaced[0]?.baseOffset === baseOffset && replaced.at(-1)!.lastOffset === lastOffset
  if (fits) {
    const { runningMaxTimestampMs } = replaced.at(-1)!
    applyMoved(state, { partition, batch: { ...batch, runningMaxTimestampMs }, replaced })
    return
  }
  if (lastOffset >= partition.startOffset) {
    throw corruptPartition(partition, baseOffset, `row ${sequence} of the journal holds offsets that the index has otherwise`)
  }
  // They were deleted before the batch arrived.
  state.segments.stillborn(sequence, bytes.length)
  state.appliedSequence = sequence + 1
}

/** Its own last batches count, not those that came to lie behind them. */
function replayProducer(state: LogState, partition: Partition, facts: BatchFacts, baseOffset: number): void {
  if (facts.isTransactional) partition.isTransactional = true
  if (!isOfProducer(facts)) return
  const producer = producerOf(state, partition, facts.producerId)
  const last = producer.committed?.batches.at(-1)
  if (last !== undefined && last.baseOffset >= baseOffset) return
  const window = windowAfter(producer.committed, facts, baseOffset)
  producer.staged = window
  state.producers.commit(producer, window)
}

/** When the producer sent this cannot be known; that it is taken for active now only lets it be remembered longer. */
function producerOf(state: LogState, partition: Partition, id: number): Producer {
  const nowMs = state.parts.clock.now()
  const known = partition.producers.get(id)
  if (known === undefined) return state.producers.add(partition.producers, { id, prefix: partition.prefix, nowMs })
  state.producers.touch(known, nowMs)
  return known
}
