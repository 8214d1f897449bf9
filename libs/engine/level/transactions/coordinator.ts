/**
 * The coordinator of all transactions: runs the state machine of each, keeps it in `__transaction_state`, aborts what takes too long, and
 * forgets what nobody uses. The end of a transaction is one atomic write: its record, the markers of all its partitions, and by them the
 * offsets that were committed in it. What a client is told was on disk before; a start rebuilds the same state from the log.
 */
import { type Append, type Log, markerBatch, type PartitionLog, type TransactionEnd } from '@assay/log'
import type { Clock, Logger, Timer } from '@assay/std'
import { type KeyedRecord, keyedBatch, replay } from '../keyed-log.ts'
import { readTransactionRecord, transactionRecord } from './state-records.ts'
import {
  type Add,
  add,
  type Change,
  type End,
  end,
  endTakesId,
  type Init,
  init,
  initTakesId,
  isExpired,
  type Markers,
  type Step,
  timeOut,
  verify
} from './step.ts'
import { deadlineMs, isEnding, type ProducerEpoch, type Transaction, type TransactionError } from './transaction.ts'

export interface TransactionOptions {
  readonly transactionTimeoutMsMax: number
  readonly transactionalIdExpirationMs: number
  readonly transactionalIdsMax: number
}

export interface TransactionParts {
  readonly log: Log
  /** Partition 0 of `__transaction_state`. */
  readonly own: PartitionLog
  readonly clock: Clock
  readonly logger: Logger
  readonly options: TransactionOptions
  readonly freshProducerId: () => Promise<number>
  /** Undefined when there is no such partition any more. */
  readonly partition: (topic: string, index: number) => PartitionLog | undefined
  /** Told once the end of a producer's transaction is on disk. */
  readonly onEnd: (producerId: number, end: TransactionEnd) => Promise<void>
}

export interface Outcome {
  readonly error: TransactionError
  /** What the producer goes on with; undefined with most errors. */
  readonly producer: ProducerEpoch | undefined
}

export interface Transactions {
  init(asked: Init): Promise<Outcome>
  /** Resolves when it is on disk. */
  add(id: string, asked: Add): Promise<TransactionError>
  /**
   * Makes the partitions part of the transaction before this returns; only what is appended after it may rely on that. It is for appends of
   * the same turn: they reach the disk behind it, or not at all.
   */
  enlist(id: string, asked: Add): TransactionError
  verify(id: string, asked: Omit<Add, 'version'>): TransactionError
  end(id: string, asked: End): Promise<Outcome>
  get(id: string): Transaction | undefined
  all(): Iterable<Transaction>
  /** True while the coordinator has a transaction of this producer under way: its end is the coordinator's to write. */
  isUnderWay(producerId: number): boolean
  /** Waits for what is on its way to disk; nothing new begins. */
  close(): Promise<void>
}

interface Hosted {
  readonly id: string
  /** With what is on its way to disk. */
  current: Transaction
  /** As it is on disk; undefined while it was never written. */
  durable: Transaction | undefined
  /** What was written last is on disk, or never will be. */
  settled: Promise<boolean>
  timer: Timer | undefined
}

const DELAY_MAX_MS = 86_400_000
/** When an end that could not be written is tried again. */
const RETRY_MS = 1000
/** How often those are looked for that nobody uses (`transaction.remove.expired.transaction.cleanup.interval.ms`). */
const EXPIRY_CHECK_MS = 3_600_000

export async function openTransactions(parts: TransactionParts): Promise<Transactions> {
  const { log, own, clock, logger, options } = parts
  const hosted = new Map<string, Hosted>()
  const underWay = new Set<Promise<unknown>>()
  let expiryTimer: Timer | undefined
  let closed = false

  await replay(own, record => {
    const read = readTransactionRecord(record)
    if (read === undefined) return
    if (read.transaction === null) hosted.delete(read.id)
    else host(read.transaction, read.transaction)
  })
  for (const on of hosted.values()) arm(on)
  armExpiry()

  /** In the order of the calls. Resolves with false when it could not be written: nothing of it is there then, nor of what follows it. */
  function write(records: readonly KeyedRecord[], markers: readonly Append[]): Promise<boolean> {
    const written = log.appendAll([{ log: own, batch: keyedBatch(records, clock.now()) }, ...markers]).then(
      () => true,
      error => {
        logger.error({ error }, 'the state of a transaction could not be stored')
        return false
      }
    )
    underWay.add(written)
    void written.then(() => underWay.delete(written))
    return written
  }

  function markersOf({ partitions, end: how, producerId, epoch }: Markers): Append[] {
    const appends: Append[] = []
    for (const [topic, indexes] of partitions) {
      for (const index of indexes) {
        const partition = parts.partition(topic, index)
        if (partition === undefined) continue
        const batch = markerBatch({ producerId, producerEpoch: epoch, end: how, nowMs: clock.now() })
        appends.push({ log: partition, batch, ifKept: true })
      }
    }
    return appends
  }

  function host(current: Transaction, durable: Transaction | undefined): Hosted {
    const made: Hosted = { id: current.id, current, durable, settled: Promise.resolve(true), timer: undefined }
    hosted.set(made.id, made)
    return made
  }

  /** What is asked next sees the change at once; nobody is told of it before it is on disk. */
  function carryOut(on: Hosted, { next, meanwhile, markers }: Change): Promise<boolean> {
    on.current = meanwhile
    on.settled = write([transactionRecord(next.id, next)], markers === undefined ? [] : markersOf(markers)).then(
      async isWritten => {
        if (!isWritten) {
          takeBack(on)
          return false
        }
        on.durable = next
        if (markers !== undefined) await parts.onEnd(markers.producerId, markers.end)
        if (on.current === meanwhile) on.current = next
        arm(on)
        return true
      }
    )
    arm(on)
    return on.settled
  }

  /** What could not be written never was; what was asked after it could not be written either. */
  function takeBack(on: Hosted): void {
    if (on.durable !== undefined) on.current = on.durable
    else if (hosted.get(on.id) === on) hosted.delete(on.id)
    arm(on, RETRY_MS)
  }

  async function conclude(on: Hosted | undefined, { error, change, producer }: Step): Promise<Outcome> {
    if (error !== 'NONE') return { error, producer }
    // What was changed before may still be on its way, and this answer says that it is there.
    const isWritten = change === undefined ? await on!.settled : await carryOut(on!, change)
    return isWritten ? { error, producer } : { error: 'COORDINATOR_NOT_AVAILABLE', producer: undefined }
  }

  function arm(on: Hosted, delayMsMin = 0): void {
    on.timer?.cancel()
    on.timer = undefined
    const dueMs = deadlineMs(on.current)
    if (closed || dueMs === undefined || hosted.get(on.id) !== on) return
    on.timer = clock.after(Math.min(Math.max(dueMs - clock.now(), delayMsMin), DELAY_MAX_MS), () => {
      on.timer = undefined
      if (closed) return
      const change = timeOut(on.current, clock.now())
      if (change === undefined) return arm(on)
      const { id, producerId } = on.current
      logger.info({ transactionalId: id, producerId }, 'a transaction took too long and was aborted')
      void carryOut(on, change)
    })
  }

  function armExpiry(): void {
    if (closed) return
    expiryTimer = clock.after(Math.min(EXPIRY_CHECK_MS, options.transactionalIdExpirationMs), () => {
      expire()
      armExpiry()
    })
  }

  function expire(): void {
    const nowMs = clock.now()
    const gone = [...hosted.values()].filter(({ current }) => isExpired(current, nowMs, options.transactionalIdExpirationMs))
    for (const on of gone) {
      const { id } = on.current
      on.current = { ...on.current, state: 'Dead' }
      hosted.delete(id)
      void write([transactionRecord(id, null)], []).then(isWritten => {
        if (isWritten || hosted.has(id)) return
        hosted.set(id, on)
        takeBack(on)
      })
    }
  }

  /** Asks for a producer ID as often as the transaction, which may change meanwhile, turns out to need one. */
  async function withFreshId<T>(needsOne: () => boolean, run: (freshId: number | undefined) => Promise<T>): Promise<T> {
    let freshId: number | undefined
    while (freshId === undefined && needsOne()) freshId = await parts.freshProducerId()
    return run(freshId)
  }

  return {
    async init(asked) {
      const failing = (error: TransactionError): Outcome => ({ error, producer: undefined })
      const { id, timeoutMs } = asked
      if (timeoutMs <= 0 || timeoutMs > options.transactionTimeoutMsMax) return failing('INVALID_TRANSACTION_TIMEOUT')
      const known = (): Transaction | undefined => hosted.get(id)?.current
      return withFreshId(
        () => initTakesId(known()),
        async freshId => {
          if (closed) return failing('NOT_COORDINATOR')
          const on = hosted.get(id)
          if (on === undefined && hosted.size >= options.transactionalIdsMax) return failing('POLICY_VIOLATION')
          const step = init(on?.current, asked, freshId, clock.now())
          return conclude(on ?? host(step.change!.next, undefined), step)
        }
      )
    },
    async add(id, asked) {
      if (closed) return 'NOT_COORDINATOR'
      const on = hosted.get(id)
      const { error } = await conclude(on, add(on?.current, asked, clock.now()))
      return error
    },
    enlist(id, asked) {
      if (closed) return 'NOT_COORDINATOR'
      const on = hosted.get(id)
      const step = add(on?.current, asked, clock.now())
      if (step.change !== undefined) void carryOut(on!, step.change)
      return step.error
    },
    verify: (id, asked) => (closed ? 'NOT_COORDINATOR' : verify(hosted.get(id)?.current, asked)),
    end(id, asked) {
      return withFreshId(
        () => endTakesId(hosted.get(id)?.current, asked),
        async freshId => {
          if (closed) return { error: 'NOT_COORDINATOR', producer: undefined }
          const on = hosted.get(id)
          return conclude(on, end(on?.current, asked, freshId, clock.now()))
        }
      )
    },
    get: id => hosted.get(id)?.current,
    *all() {
      for (const { current } of hosted.values()) yield current
    },
    isUnderWay(producerId) {
      for (const { current } of hosted.values()) {
        if (current.producerId === producerId && (current.state === 'Ongoing' || isEnding(current))) return true
      }
      return false
    },
    async close() {
      closed = true
      expiryTimer?.cancel()
      for (const on of hosted.values()) on.timer?.cancel()
      await Promise.all(underWay)
    }
  }
}
