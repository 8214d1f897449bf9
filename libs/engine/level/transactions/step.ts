/**
 * The state machine of a transactional ID: each function gives what a request changes and how it is answered, as Kafka's coordinator does
 * (KIP-98, KIP-360, KIP-890). Pure: whoever runs it writes the change, with the markers that go with it, before anybody is told.
 */
import type { TransactionEnd } from '@assay/log'
import {
  completes,
  EPOCH_MAX,
  hasAll,
  isEnding,
  isExhausted,
  NO_PARTITIONS,
  NONE,
  type ProducerEpoch,
  prepares,
  type TopicPartitions,
  type Transaction,
  type TransactionError,
  type TransactionVersion,
  withPartitions
} from './transaction.ts'

/** The ends to write: a marker in each partition. */
export interface Markers extends ProducerEpoch {
  readonly end: TransactionEnd
  readonly partitions: TopicPartitions
}

/** A change: what is written, and what stands in for it until it is. */
export interface Change {
  /** What the transaction is once this is on disk. */
  readonly next: Transaction
  /** What it is meanwhile. */
  readonly meanwhile: Transaction
  /** Written together with it, or not at all. */
  readonly markers: Markers | undefined
}

export interface Step {
  readonly error: TransactionError
  readonly change: Change | undefined
  /** What the producer is told to go on with. */
  readonly producer: ProducerEpoch | undefined
}

const refused = (error: TransactionError): Step => ({ error, change: undefined, producer: undefined })
const nothingToDo: Step = refused('NONE')
const told = ({ producerId, producerEpoch }: Transaction): ProducerEpoch => ({ producerId, epoch: producerEpoch })
const writes = (next: Transaction): Step => ({
  error: 'NONE',
  change: { next, meanwhile: next, markers: undefined },
  producer: told(next)
})

export interface Init {
  readonly id: string
  readonly timeoutMs: number
  /** What the producer has been working with (KIP-360); undefined for one that begins, and fences all others. */
  readonly expected: ProducerEpoch | undefined
}

/** True when `init` will need a producer ID that nobody had. */
export function initTakesId(known: Transaction | undefined): boolean {
  if (known === undefined) return true
  return isExhausted(known.state === 'Ongoing' ? known.producerEpoch + 1 : known.producerEpoch)
}

/** A producer begins, or goes on after an error. `freshId` is there where `initTakesId` says so. */
export function init(known: Transaction | undefined, asked: Init, freshId: number | undefined, nowMs: number): Step {
  const { id, timeoutMs, expected } = asked
  const empty = {
    id,
    timeoutMs,
    state: 'Empty',
    partitions: NO_PARTITIONS,
    startedMs: NONE,
    updatedMs: nowMs,
    version: 0
  } as const
  if (known === undefined) {
    return writes({ ...empty, producerId: freshId!, producerEpoch: 0, previousProducerId: NONE, lastEpoch: NONE })
  }
  if (isEnding(known)) return refused('CONCURRENT_TRANSACTIONS')
  if (expected !== undefined && !isItsOwn(known, expected)) return refused('PRODUCER_FENCED')
  const isCurrent = expected === undefined || expected.epoch === known.producerEpoch
  const { producerId, producerEpoch, previousProducerId } = known
  const lastEpoch = expected === undefined ? NONE : producerEpoch
  if (known.state === 'Ongoing') {
    if (!isCurrent) return refused('PRODUCER_FENCED')
    // Its markers bear an epoch that no producer ever gets, so that whatever the former one still sends is too late.
    const fenced = producerEpoch + 1
    const next: Transaction = isExhausted(fenced)
      ? { ...empty, producerId: freshId!, producerEpoch: 0, previousProducerId: producerId, lastEpoch }
      : { ...empty, producerId, producerEpoch: fenced + 1, previousProducerId, lastEpoch }
    return { error: 'NONE', change: ending(known, 'abort', { markerEpoch: fenced, next }), producer: told(next) }
  }
  if (isCurrent && isExhausted(producerEpoch)) {
    return writes({ ...empty, producerId: freshId!, producerEpoch: 0, previousProducerId: producerId, lastEpoch })
  }
  if (isCurrent) return writes({ ...empty, producerId, producerEpoch: producerEpoch + 1, previousProducerId, lastEpoch })
  // The same request once more, because its answer was lost: nobody else has begun since, or there would be no last epoch.
  if (expected.epoch === known.lastEpoch) {
    return writes({ ...empty, producerId, producerEpoch, previousProducerId, lastEpoch: known.lastEpoch })
  }
  return refused('PRODUCER_FENCED')
}

/** True unless the producer has been working with an ID that was never, or is no longer, of this transactional ID. */
const isItsOwn = (known: Transaction, { producerId, epoch }: ProducerEpoch): boolean =>
  producerId === known.producerId || (producerId === known.previousProducerId && isExhausted(epoch))

export interface Add extends ProducerEpoch {
  readonly partitions: TopicPartitions
  readonly version: TransactionVersion
}

/** Partitions become part of the transaction; the first of them begin it. */
export function add(known: Transaction | undefined, asked: Add, nowMs: number): Step {
  const fault = faultOf(known, asked)
  if (fault !== undefined) return refused(fault)
  const isOngoing = known!.state === 'Ongoing'
  if (isOngoing && hasAll(known!, asked.partitions)) return nothingToDo
  return writes({
    ...known!,
    state: 'Ongoing',
    partitions: withPartitions(isOngoing ? known!.partitions : NO_PARTITIONS, asked.partitions),
    startedMs: isOngoing ? known!.startedMs : nowMs,
    updatedMs: nowMs,
    version: asked.version
  })
}

/** Whether the transaction is under way with all of these partitions in it. */
export function verify(known: Transaction | undefined, asked: Omit<Add, 'version'>): TransactionError {
  const fault = faultOf(known, asked)
  if (fault !== undefined) return fault
  return known!.state === 'Ongoing' && hasAll(known!, asked.partitions) ? 'NONE' : 'TRANSACTION_ABORTABLE'
}

function faultOf(known: Transaction | undefined, { producerId, epoch }: ProducerEpoch): TransactionError | undefined {
  if (known === undefined || known.producerId !== producerId) return 'INVALID_PRODUCER_ID_MAPPING'
  if (known.producerEpoch !== epoch) return 'PRODUCER_FENCED'
  return isEnding(known) ? 'CONCURRENT_TRANSACTIONS' : undefined
}

export interface End extends ProducerEpoch {
  readonly end: TransactionEnd
  readonly version: TransactionVersion
}

/** True when `end` will need a producer ID that nobody had. */
export const endTakesId = (known: Transaction | undefined, { version }: End): boolean =>
  version === 2 && known !== undefined && !isEnding(known) && isExhausted(known.producerEpoch)

/** The producer commits or aborts. `freshId` is there where `endTakesId` says so. */
export function end(known: Transaction | undefined, asked: End, freshId: number | undefined, nowMs: number): Step {
  if (known === undefined) return refused('INVALID_PRODUCER_ID_MAPPING')
  return asked.version === 2 ? endAndRaise(known, asked, freshId, nowMs) : endAndKeep(known, asked, nowMs)
}

/** By the older protocol: the epoch stays, so a request that comes late cannot be told from a new one. */
function endAndKeep(known: Transaction, asked: End, nowMs: number): Step {
  if (known.producerId !== asked.producerId) return refused('INVALID_PRODUCER_ID_MAPPING')
  if (known.producerEpoch !== asked.epoch) return refused('PRODUCER_FENCED')
  switch (known.state) {
    case 'Ongoing': {
      const next: Transaction = { ...ended(known, asked.end, nowMs), version: 0 }
      return { error: 'NONE', change: ending(known, asked.end, { markerEpoch: asked.epoch, next }), producer: told(next) }
    }
    case 'PrepareCommit':
    case 'PrepareAbort':
      return refused(known.state === prepares(asked.end) ? 'CONCURRENT_TRANSACTIONS' : 'INVALID_TXN_STATE')
    case 'CompleteCommit':
    case 'CompleteAbort':
      return known.state === completes(asked.end)
        ? { error: 'NONE', change: undefined, producer: told(known) }
        : refused('INVALID_TXN_STATE')
    default:
      return refused('INVALID_TXN_STATE')
  }
}

/** By KIP-890: the end raises the epoch, so that nothing of this transaction can reach into the next one. */
function endAndRaise(known: Transaction, asked: End, freshId: number | undefined, nowMs: number): Step {
  const isOverflowRetry =
    known.version === 2 &&
    known.previousProducerId === asked.producerId &&
    asked.epoch === EPOCH_MAX - 1 &&
    known.producerEpoch === 0
  if (known.producerId !== asked.producerId && !isOverflowRetry) return refused('INVALID_PRODUCER_ID_MAPPING')
  const isCurrent = known.producerId === asked.producerId && known.producerEpoch === asked.epoch
  const isRetry =
    isOverflowRetry || (known.version === 2 && known.producerId === asked.producerId && known.producerEpoch === asked.epoch + 1)

  function raise(): Step {
    const isLast = isExhausted(known.producerEpoch)
    const markerEpoch = known.producerEpoch + 1
    const base: Transaction = { ...ended(known, asked.end, nowMs), version: 2, lastEpoch: known.producerEpoch }
    const next: Transaction = isLast
      ? { ...base, producerId: freshId!, producerEpoch: 0, previousProducerId: known.producerId }
      : { ...base, producerEpoch: markerEpoch }
    return { error: 'NONE', change: ending(known, asked.end, { markerEpoch, next }), producer: told(next) }
  }

  switch (known.state) {
    case 'Ongoing':
      return isCurrent ? raise() : refused('PRODUCER_FENCED')
    case 'PrepareCommit':
    case 'PrepareAbort':
      if (!isRetry) return refused('PRODUCER_FENCED')
      return refused(known.state === prepares(asked.end) ? 'CONCURRENT_TRANSACTIONS' : 'INVALID_TXN_STATE')
    case 'CompleteCommit':
    case 'CompleteAbort':
      if (isRetry && known.state === completes(asked.end)) return { error: 'NONE', change: undefined, producer: told(known) }
      if (isRetry) return refused('INVALID_TXN_STATE')
      if (!isCurrent) return refused('PRODUCER_FENCED')
      // A transaction that nothing was added to may be aborted: it takes its epoch with it.
      return asked.end === 'abort' ? raise() : refused('INVALID_TXN_STATE')
    default:
      if (!isCurrent) return refused('PRODUCER_FENCED')
      return asked.end === 'abort' ? raise() : refused('INVALID_TXN_STATE')
  }
}

/** Its time is over: it is aborted under an epoch of its own, so that its producer learns of it. Undefined when it is not due. */
export function timeOut(known: Transaction, nowMs: number): Change | undefined {
  if (known.state !== 'Ongoing' || nowMs < known.startedMs + known.timeoutMs) return undefined
  const markerEpoch = known.producerEpoch + 1
  const next: Transaction = { ...ended(known, 'abort', nowMs), producerEpoch: markerEpoch, lastEpoch: NONE }
  return ending(known, 'abort', { markerEpoch, next })
}

/** True when nobody has used it for so long that it is forgotten. */
export const isExpired = ({ state, updatedMs }: Transaction, nowMs: number, expirationMs: number): boolean =>
  (state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort') && nowMs - updatedMs >= expirationMs

function ended(known: Transaction, end: TransactionEnd, nowMs: number): Transaction {
  return { ...known, state: completes(end), partitions: NO_PARTITIONS, updatedMs: nowMs }
}

function ending(
  known: Transaction,
  end: TransactionEnd,
  { markerEpoch, next }: { readonly markerEpoch: number; readonly next: Transaction }
): Change {
  const { producerId, partitions } = known
  return {
    next,
    meanwhile: { ...known, state: prepares(end), producerEpoch: markerEpoch, version: next.version },
    markers: {
      end,
      producerId,
      epoch: markerEpoch,
      partitions: known.state === 'Ongoing' ? partitions : NO_PARTITIONS
    }
  }
}
