/**
 * What is remembered of idempotent producers, per partition: the epoch and the last five batches (KIP-98), as Kafka does
 * (`ProducerAppendInfo`). A producer of which nothing is known may begin at any sequence: its past may have expired.
 */
import { AssayError } from '@assay/errors'
import type { BatchFacts } from './batch-facts.ts'
import type { Offset } from './log.ts'

export interface ProducerBatch {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: Offset
  readonly lastOffset: Offset
  readonly appendTimeMs: number
}

/** A value, never changed in place: what is staged for the next commit and what is on disk are two of them. */
export interface Window {
  readonly epoch: number
  /** The last five at most, oldest first. */
  readonly batches: readonly ProducerBatch[]
}

export type ProducersOfPartition = Map<number, Producer>

export interface Producer {
  readonly id: number
  readonly home: ProducersOfPartition
  /** 20 bytes: topic ID and partition. */
  readonly prefix: Buffer
  /** After all that was taken for writing. */
  staged: Window | undefined
  /** After all that is on disk. */
  committed: Window | undefined
  activeAtMs: number
}

export const WINDOW_BATCHES = 5
const SEQUENCE_MAX = 0x7fffffff

/** True when the batch takes part in idempotence: control batches bear a producer ID but no sequence. */
export const isSequenced = (facts: BatchFacts): boolean => facts.producerId >= 0 && facts.baseSequence >= 0

/** Sequences go round: 0 follows 2^31-1. */
function sequenceAfter(sequence: number, steps: number): number {
  const sum = sequence + steps
  return sum > SEQUENCE_MAX ? sum - SEQUENCE_MAX - 1 : sum
}

/** The place of the very same batch if it was sent before. Fails with PRODUCER_FENCED, OUT_OF_ORDER_SEQUENCE. */
export function checkSequence(window: Window | undefined, facts: BatchFacts): ProducerBatch | undefined {
  if (window === undefined) return undefined
  const { producerId, producerEpoch: epoch, baseSequence: sequence } = facts
  if (epoch < window.epoch) throw new AssayError('PRODUCER_FENCED', { producerId, epoch, current: window.epoch })
  if (epoch > window.epoch) {
    if (sequence !== 0) throw new AssayError('OUT_OF_ORDER_SEQUENCE', { producerId, sequence, expected: 0 })
    return undefined
  }
  const lastSequence = sequenceAfter(sequence, facts.lastOffsetDelta)
  const same = window.batches.find(batch => batch.baseSequence === sequence && batch.lastSequence === lastSequence)
  if (same !== undefined) return same
  const expected = nextSequence(window)
  if (sequence !== expected) throw new AssayError('OUT_OF_ORDER_SEQUENCE', { producerId, sequence, expected })
  return undefined
}

const nextSequence = (window: Window): number => sequenceAfter(window.batches.at(-1)!.lastSequence, 1)

/**
 * The window once the batch is in the log. Nothing is checked: this is also the way of replay, where the journal is right.
 * A batch that does not continue the window begins a new one: a new epoch, or a producer that had been forgotten.
 */
export function windowAfter(window: Window | undefined, facts: BatchFacts, baseOffset: Offset): Window {
  const batch: ProducerBatch = {
    baseSequence: facts.baseSequence,
    lastSequence: sequenceAfter(facts.baseSequence, facts.lastOffsetDelta),
    baseOffset,
    lastOffset: baseOffset + facts.lastOffsetDelta,
    appendTimeMs: facts.appendTimeMs
  }
  const continues = window?.epoch === facts.producerEpoch && nextSequence(window) === facts.baseSequence
  const batches = continues ? [...window.batches.slice(1 - WINDOW_BATCHES), batch] : [batch]
  return { epoch: facts.producerEpoch, batches }
}

export interface ProducerLimits {
  /** A producer that is silent for so long is forgotten. */
  readonly expiryMs: number
  /** Above so many in all partitions together, those silent longest are forgotten. */
  readonly producersMax: number
}

/** All producers of all partitions, those silent longest first, and which of them the next checkpoint has to write. */
export interface ProducerTable {
  /** Undefined when it is not known, or has expired. */
  find(home: ProducersOfPartition, id: number, nowMs: number): Producer | undefined
  add(home: ProducersOfPartition, made: { readonly id: number; readonly prefix: Buffer; readonly nowMs: number }): Producer
  touch(producer: Producer, nowMs: number): void
  commit(producer: Producer, window: Window): void
  /** Forgets what expired and what is above the limit; what is on its way to disk stays. */
  sweep(nowMs: number): void
  /** Takes back what `add` did. */
  undo(producer: Producer): void
  /** Takes back all that was taken for writing and is not on disk. */
  undoStaged(): void
  /** Forgets a partition's producers; their rows go with its own. */
  drop(home: ProducersOfPartition): void
  /** What has changed since the last call. */
  takeChanges(): { readonly changed: Producer[]; readonly removed: Producer[] }
}

export function producerTable(limits: ProducerLimits): ProducerTable {
  /** In the order of their last activity. */
  const all = new Set<Producer>()
  const changed = new Set<Producer>()
  let removed: Producer[] = []

  const isExpired = (producer: Producer, nowMs: number): boolean => nowMs - producer.activeAtMs >= limits.expiryMs
  const isOnItsWay = (producer: Producer): boolean => producer.staged !== producer.committed

  function forget(producer: Producer): void {
    producer.home.delete(producer.id)
    all.delete(producer)
    changed.delete(producer)
  }

  function remove(producer: Producer): void {
    forget(producer)
    removed.push(producer)
  }

  return {
    find(home, id, nowMs) {
      const producer = home.get(id)
      if (producer === undefined || !isExpired(producer, nowMs) || isOnItsWay(producer)) return producer
      remove(producer)
      return undefined
    },
    add(home, { id, prefix, nowMs }) {
      const producer: Producer = { id, home, prefix, staged: undefined, committed: undefined, activeAtMs: nowMs }
      home.set(id, producer)
      all.add(producer)
      return producer
    },
    touch(producer, nowMs) {
      producer.activeAtMs = nowMs
      all.delete(producer)
      all.add(producer)
    },
    commit(producer, window) {
      producer.committed = window
      changed.add(producer)
    },
    sweep(nowMs) {
      for (const producer of all) {
        if (all.size <= limits.producersMax && !isExpired(producer, nowMs)) return
        if (!isOnItsWay(producer)) remove(producer)
      }
    },
    undo: forget,
    undoStaged() {
      for (const producer of [...all].filter(isOnItsWay)) {
        producer.staged = producer.committed
        if (producer.committed === undefined) forget(producer)
      }
    },
    drop(home) {
      for (const producer of [...home.values()]) forget(producer)
    },
    takeChanges() {
      const changes = { changed: [...changed], removed }
      changed.clear()
      removed = []
      return changes
    }
  }
}
