/**
 * The step between an append's arrival and the queue: producer sequences are checked, offsets and journal sequences are given.
 * All of the checks of a unit come before anything is written into any batch; a refusal leaves no trace.
 */
import { AssayError } from '@assay/errors'
import { stampBatch } from '@assay/records'
import { type BatchFacts, LEADER_EPOCH, readFacts } from './batch-facts.ts'
import type { Appended, Offset } from './log.ts'
import { assertKept, type Partition } from './partition.ts'
import { checkSequence, isOfProducer, type Producer, type ProducerBatch, type Window, windowAfter } from './producers.ts'
import type { LogState, StagedBatch } from './state.ts'

export interface ToStage {
  readonly partition: Partition
  readonly batch: Buffer
  /** Passed over when the partition's topic was dropped. */
  readonly ifKept?: boolean
}

export interface Staged {
  readonly batches: StagedBatch[]
  /** In the order of the appends, duplicates included. */
  readonly places: Appended[]
  /** True when nothing is left to wait for: all of them are duplicates of what is on disk. */
  readonly isDurable: boolean
}

const NOWHERE: Appended = { baseOffset: -1, lastOffset: -1, logAppendTimeMs: -1, duplicate: false }

interface Checked {
  readonly facts: BatchFacts
  readonly baseOffset: Offset
  readonly same: ProducerBatch | undefined
  readonly producer: Producer | undefined
  /** What `undo` restores. */
  readonly windowBefore: Window | undefined
  readonly windowAfter: Window | undefined
  readonly isNewProducer: boolean
}

/** Fails with OUT_OF_ORDER_SEQUENCE, PRODUCER_FENCED, INVALID_TRANSACTION_STATE, INVALID_BATCH, PARTITION_NOT_FOUND of a dropped topic. */
export function stage(state: LogState, appends: readonly ToStage[]): Staged {
  const checked: (Checked | undefined)[] = []
  try {
    for (const append of appends) {
      checked.push(append.ifKept === true && append.partition.isDropped ? undefined : check(state, append))
    }
  } catch (error) {
    for (let at = checked.length - 1; at >= 0; at--) {
      const done = checked[at]
      if (done !== undefined) undo(state, appends[at]!.partition, done)
    }
    throw error
  }
  const batches: StagedBatch[] = []
  let isDurable = true
  const places = appends.map(({ partition, batch }, at): Appended => {
    const whatWasChecked = checked[at]
    if (whatWasChecked === undefined) return NOWHERE
    const { facts, baseOffset, same, producer, windowAfter: window } = whatWasChecked
    if (same !== undefined) {
      isDurable &&= same.lastOffset < partition.highWatermark
      return { baseOffset: same.baseOffset, lastOffset: same.lastOffset, logAppendTimeMs: same.appendTimeMs, duplicate: true }
    }
    isDurable = false
    stampBatch(batch, baseOffset, LEADER_EPOCH)
    const lastOffset = baseOffset + facts.lastOffsetDelta
    batches.push({
      partition,
      facts,
      producer,
      window,
      batch: {
        sequence: state.nextSequence++,
        baseOffset,
        lastOffset,
        maxTimestampMs: facts.maxTimestampMs,
        runningMaxTimestampMs: facts.maxTimestampMs,
        sizeBytes: batch.length,
        prefix: partition.prefix,
        home: partition.recent,
        bytes: batch,
        isIndexed: false
      }
    })
    return { baseOffset, lastOffset, logAppendTimeMs: facts.appendTimeMs, duplicate: false }
  })
  return { batches, places, isDurable }
}

/** Takes offsets and sequences for a batch, or finds that it was sent before. */
function check(state: LogState, { partition, batch }: ToStage): Checked {
  assertKept(partition)
  const facts = readFacts(batch)
  const baseOffset = partition.logEndOffset
  if (!isOfProducer(facts)) {
    partition.logEndOffset += facts.lastOffsetDelta + 1
    return {
      facts,
      baseOffset,
      same: undefined,
      producer: undefined,
      windowBefore: undefined,
      windowAfter: undefined,
      isNewProducer: false
    }
  }
  const { producerId: id } = facts
  if (!Number.isSafeInteger(id)) throw new AssayError('INVALID_BATCH', { reason: `producer ID ${id} was never given out` })
  const nowMs = state.parts.clock.now()
  const known = state.producers.find(partition.producers, id, nowMs)
  const windowBefore = known?.staged
  const same = checkSequence(windowBefore, facts)
  const producer = known ?? state.producers.add(partition.producers, { id, prefix: partition.prefix, nowMs })
  state.producers.touch(producer, nowMs)
  if (same === undefined) {
    producer.staged = windowAfter(windowBefore, facts, baseOffset)
    partition.logEndOffset += facts.lastOffsetDelta + 1
  }
  return { facts, baseOffset, same, producer, windowBefore, windowAfter: producer.staged, isNewProducer: known === undefined }
}

function undo(state: LogState, partition: Partition, { baseOffset, producer, windowBefore, isNewProducer }: Checked): void {
  partition.logEndOffset = baseOffset
  if (producer === undefined) return
  producer.staged = windowBefore
  if (isNewProducer) state.producers.undo(producer)
}
