/**
 * Group commit: one writer takes everything that waits and writes it as one store batch; what comes meanwhile is the next batch, of which one
 * more may be on its way to the disk. So the batches grow with the load, without a timer. Units take effect in the order in which they were
 * pushed.
 */
import { type AssayError, isAssayError } from '@assay/errors'
import { assert, type Clock, type Timer } from '@assay/std'
import type { StoreOp } from '@assay/store'
import { baseOffsetOf } from './batch-facts.ts'
import { journalKey } from './journal.ts'
import type { Journal } from './journal-segments.ts'
import type { StagedRow } from './state.ts'

/** What is written together or not at all. Without batches it only waits for all units before it. */
export interface Unit {
  readonly batches: readonly StagedRow[]
  readonly bytes: number
  readonly done: () => void
  readonly fail: (error: AssayError) => void
  /** Begins a new segment with this sequence, which all batches before have not reached and all behind have. */
  readonly rollAt?: number
}

export type Flush = 'commit' | 'interval' | 'never'

export interface CommitParts {
  readonly journal: Pick<Journal, 'batch'>
  readonly clock: Clock
  readonly flush: Flush
  readonly flushIntervalMs: number
  /** Waited for before each write: holds the writer back while others are behind. */
  readonly ready: () => Promise<void> | undefined
  /** True when what is written next belongs into a new segment. */
  readonly isRollDue: () => boolean
  /** Begins a new segment. All that was written before is durable. */
  readonly roll: (first: number) => Promise<void>
  /** The units are written. It settles them. */
  readonly committed: (units: readonly Unit[]) => void
  /** A write failed: its fate, and that of all that waited, is unknown. Called once, and once more after each `resume`. */
  readonly failed: (error: unknown) => AssayError
}

export interface Commits {
  readonly queuedBytes: number
  readonly isBusy: boolean
  push(unit: Unit): void
  /** Resolves when all that was pushed before is written. */
  barrier(): Promise<void>
  /** Begins a new segment behind all that was pushed before; `first` is the sequence of what will be pushed next. */
  roll(first: number): Promise<void>
  /** Makes durable what was written without a sync. */
  sync(): Promise<void>
  /** Takes nothing more: something else that all depends on has failed. Gives what appends are told. */
  abort(error: unknown): AssayError
  /** Resolves when no write is under way. */
  idle(): Promise<void>
  /** Takes units again after a failure. What was written before it is durable, or will never be. */
  resume(): void
  /** Stops the timer of `flush: 'interval'`. */
  stop(): void
}

/** Store batches under way: a disk that syncs two at a time does half as many again. */
const WRITES_MAX = 2
/** Bytes of one store batch, unless a single unit is larger: bounds the copy that the store makes of it. */
const COMMIT_BYTES_MAX = 16 << 20

export function startCommits(parts: CommitParts): Commits {
  const { journal, clock, flush } = parts
  const durable = flush === 'commit'
  let queue: Unit[] = []
  let queuedBytes = 0
  let failure: AssayError | undefined
  /** The last row that was written without a sync. */
  let unsynced: StoreOp | undefined
  let timer: Timer | undefined
  let syncing: Promise<void> = Promise.resolve()
  /** Of those that are written, the last one: it is settled when all before it are. Never rejects. */
  let settled: Promise<void> = Promise.resolve()
  let underWay = 0
  let isBeginning = false
  let beginning: Promise<void> = Promise.resolve()

  /** Takes what waits and lets it be written, until nothing waits or enough is under way. */
  async function begin(): Promise<void> {
    while (queue.length > 0 && underWay < (durable ? WRITES_MAX : 1)) {
      await parts.ready()
      if (failure !== undefined) break
      const units = take()
      const rollAt = rollAtOf(units[0]!)
      // Between the rows of two segments nothing is under way.
      if (rollAt !== undefined) await settled
      underWay++
      settled = settle(settled, units, write(units, rollAt))
      if (rollAt !== undefined) await settled
    }
    isBeginning = false
  }

  async function settle(before: Promise<void>, units: readonly Unit[], written: Promise<void>): Promise<void> {
    try {
      await Promise.all([before, written])
      // A sync of rows before these may have failed meanwhile, or a write before them.
      if (failure !== undefined) throw failure
      for (const unit of units) queuedBytes -= unit.bytes
      parts.committed(units)
    } catch (error) {
      giveUp(error, units)
    }
    underWay--
    if (queue.length > 0) beginSoon()
  }

  /** One turn of the event loop later, so that all appends of what was received at one time share a write. */
  function beginSoon(): void {
    if (isBeginning) return
    isBeginning = true
    beginning = new Promise<void>(resolve => setImmediate(resolve)).then(begin)
  }

  function take(): Unit[] {
    let count = 0
    let bytes = 0
    for (; count < queue.length; count++) {
      bytes += queue[count]!.bytes
      if (count > 0 && (bytes > COMMIT_BYTES_MAX || queue[count]!.rollAt !== undefined)) break
    }
    const units = queue.slice(0, count)
    queue = queue.slice(count)
    return units
  }

  async function write(units: readonly Unit[], rollAt: number | undefined): Promise<void> {
    if (failure !== undefined) throw failure
    if (rollAt !== undefined) {
      await sync()
      await parts.roll(rollAt)
    }
    const ops: StoreOp[] = []
    for (const unit of units) {
      for (const { batch } of unit.batches) {
        const value = batch.bytes!
        assert(baseOffsetOf(value) === batch.baseOffset, 'a batch is appended once, and left alone after that')
        ops.push({ type: 'put', key: journalKey(batch.sequence, batch.prefix), value })
      }
    }
    if (ops.length === 0) return
    await journal.batch(ops, { sync: durable })
    if (durable) return
    unsynced = ops.at(-1)
    if (flush === 'interval') timer ??= clock.after(parts.flushIntervalMs, () => void sync().catch(() => {}))
  }

  const rollAtOf = ({ rollAt, batches }: Unit): number | undefined =>
    rollAt ?? (parts.isRollDue() ? batches[0]?.batch.sequence : undefined)

  /** One after the other: whoever asks while a sync is under way must wait for that one too. */
  function sync(): Promise<void> {
    const done = syncing.then(syncNow)
    syncing = done.catch(() => {})
    return done
  }

  /** An empty batch would sync nothing; writing the last row once more changes nothing and syncs all before it. */
  async function syncNow(): Promise<void> {
    timer?.cancel()
    timer = undefined
    if (failure !== undefined) throw failure
    const last = unsynced
    if (last === undefined) return
    unsynced = undefined
    try {
      await journal.batch([last], { sync: true })
    } catch (error) {
      throw giveUp(error, [])
    }
  }

  /** Nothing is acknowledged from here on. */
  function giveUp(error: unknown, units: readonly Unit[]): AssayError {
    failure ??= parts.failed(error)
    const ofThese = isAssayError(error, 'STORE_FAILED') ? error : failure
    for (const unit of units) unit.fail(ofThese)
    for (const unit of queue) unit.fail(failure)
    queue = []
    queuedBytes = 0
    return failure
  }

  function push(unit: Unit): void {
    if (failure !== undefined) {
      unit.fail(failure)
      return
    }
    queue.push(unit)
    queuedBytes += unit.bytes
    beginSoon()
  }

  return {
    get queuedBytes() {
      return queuedBytes
    },
    get isBusy() {
      return isBeginning || underWay > 0 || queue.length > 0
    },
    push,
    barrier: () => new Promise<void>((done, fail) => push({ batches: [], bytes: 0, done, fail })),
    roll: first => new Promise<void>((done, fail) => push({ batches: [], bytes: 0, done, fail, rollAt: first })),
    sync,
    abort: error => giveUp(error, []),
    async idle() {
      while (underWay > 0 || isBeginning) await Promise.all([beginning, settled])
      await syncing
    },
    resume() {
      failure = undefined
      unsynced = undefined
    },
    stop: () => timer?.cancel()
  }
}
