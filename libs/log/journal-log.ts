/**
 * The Log over two stores: checks and stamps appends, hands them to the group commit, makes visible what is on disk, and writes checkpoints.
 * After a failed write it takes nothing more: what became of that write is known only when the log is opened again. Reads go on. Only of a
 * full disk it recovers by itself.
 */
import { AssayError } from '@assay/errors'
import type { Timer } from '@assay/std'
import type { Reopenable, Segments, Store } from '@assay/store'
import { type Commits, type Flush, startCommits, type Unit } from './commit.ts'
import { watchDiskSpace } from './disk-space.ts'
import { openJournal, singleSegment } from './journal-segments.ts'
import type { Append, Appended, AppendOptions, Log, Offset, PartitionLog } from './log.ts'
import { isFull, mend } from './mend.ts'
import { assertKept, type Partition } from './partition.ts'
import { partitionLogs } from './partition-log.ts'
import { recover } from './recovery.ts'
import { keepForever, type Retention } from './retention-settings.ts'
import { type SegmentTable, segmentTable } from './segment-table.ts'
import { type Staged, stage } from './stage.ts'
import {
  applyMoved,
  applyOnDisk,
  forgetPartition,
  hasChanges,
  isCheckpointDue,
  isCheckpointLate,
  isMoved,
  isRollDue,
  type LogState,
  type Move,
  newState,
  type Replay,
  rollSegment,
  type StateParts,
  writeCheckpoint
} from './state.ts'
import { raiseStart, startUpkeep } from './upkeep.ts'

export interface LogOptions {
  /** When appends reach the disk: before they are acknowledged, every `flushIntervalMs`, or as the system likes. Default `commit`. */
  readonly flush?: Flush
  /** With `interval`: longest time that an acknowledged append is only in memory. Default 1,000. */
  readonly flushIntervalMs?: number
  /** Bytes that may wait for the disk; further appends wait, unstamped and in order, until there is room. Default 64 MiB. */
  readonly appendQueueBytesMax?: number
  /** Recent batches kept in memory for readers that keep up. Default 64 MiB. */
  readonly tailCacheBytes?: number
  /** A silent idempotent producer is forgotten after this. Default one day. */
  readonly producerExpiryMs?: number
  /** Above so many producers in all partitions together, those silent longest are forgotten. Default 100,000. */
  readonly producersMax?: number
  /** Aborted transactions of each partition that stay in memory, the newest; twice as many are there at times. Default 128. */
  readonly abortedKept?: number
  /** Bytes of appends after which a checkpoint is written: bounds what a start replays. Default 32 MiB. */
  readonly checkpointBytes?: number
  /** Longest time between an append and the checkpoint that covers it. Default 10,000. */
  readonly checkpointIntervalMs?: number
  /** Largest size that a compressed batch may inflate to when records are looked up by time. Default 64 MiB. */
  readonly inflateBytesMax?: number
  /** Bytes of batches in a segment of the journal before the next one is begun. Default 1 GiB. */
  readonly segmentBytes?: number
  /** Age of a segment before the next one is begun. Default seven days. */
  readonly segmentMs?: number
  /** Older segments that stay open when nobody reads them. Default 16. */
  readonly segmentsOpenMax?: number
  /** How often retention is seen to. Default five minutes. */
  readonly retentionCheckIntervalMs?: number
  /** Memory that compaction takes for the keys of one pass, at 32 bytes for each of them; further keys wait for the next. Default 16 MiB. */
  readonly compactionKeyMapBytes?: number
  /** Called now and then while the log is opened, with how far that is. */
  readonly onReplay?: (state: Replay) => void
  /** Appends are refused while fewer bytes than this are free on the disk; 0 leaves it to the disk to refuse. Default 256 MiB. */
  readonly diskFreeBytesMin?: number
}

export interface LogParts extends LogOptions, Pick<StateParts, 'clock' | 'logger'> {
  /** One that cannot be opened again takes no more after the disk was full. */
  readonly index: Store | Reopenable
  /** A single store is a journal with one segment for ever. */
  readonly journal: Segments | Store
  /** Refuses with STORE_CORRUPT to begin a journal: it is known to have been there. Default false. */
  readonly journalMustExist?: boolean
  /** Bytes that may still be written to the disk that both stores lie on; when absent, only the disk itself refuses. */
  readonly freeBytes?: () => Promise<number>
}

const MEBIBYTE = 1 << 20
const DAY_MS = 86_400_000

export const logDefaults: Required<LogOptions> = {
  flush: 'commit',
  flushIntervalMs: 1000,
  appendQueueBytesMax: 64 * MEBIBYTE,
  tailCacheBytes: 64 * MEBIBYTE,
  producerExpiryMs: DAY_MS,
  producersMax: 100_000,
  abortedKept: 128,
  checkpointBytes: 32 * MEBIBYTE,
  checkpointIntervalMs: 10_000,
  inflateBytesMax: 64 * MEBIBYTE,
  segmentBytes: 1024 * MEBIBYTE,
  segmentMs: 7 * DAY_MS,
  segmentsOpenMax: 16,
  retentionCheckIntervalMs: 300_000,
  compactionKeyMapBytes: 16 * MEBIBYTE,
  onReplay: () => {},
  diskFreeBytesMin: 256 * MEBIBYTE
}

const STOPPED = 'a write failed; the log takes no more appends until it is started again, reads go on'

/** An append that waits for room in the queue, unchecked and unstamped. */
interface Waiting {
  readonly appends: readonly Append[]
  readonly bytes: number
  readonly settled: PromiseWithResolvers<Appended[]>
}

/** What tests look at beside the Log. */
export interface JournalLog {
  readonly log: Log
  readonly state: LogState
}

/**
 * Opens the log that these two stores hold, and owns them from here on: they are closed with it, or when opening fails.
 * Fails with STORE_CORRUPT, STORE_FAILED, UNSUPPORTED_VERSION.
 */
export async function openLogOver(parts: LogParts): Promise<Log> {
  const { log } = await openJournalLog(parts)
  return log
}

export async function openJournalLog(given: LogParts): Promise<JournalLog> {
  const options = { ...logDefaults, journalMustExist: false, ...given }
  const { index } = options
  const isSingle = 'batch' in options.journal
  const segments = segmentTable()
  let state: LogState | undefined
  try {
    const journal = await openJournal('batch' in options.journal ? singleSegment(options.journal) : options.journal, {
      openMax: options.segmentsOpenMax,
      mustExist: options.journalMustExist,
      endOf: first => endOf(segments, first)
    })
    const unbounded = isSingle ? { segmentBytes: Number.POSITIVE_INFINITY, segmentMs: Number.POSITIVE_INFINITY } : {}
    const parts = { ...options, ...unbounded, journal }
    state = newState(parts, segments)
    await recover(state)
    return { log: logOver(state, parts), state }
  } catch (error) {
    await Promise.allSettled([state?.parts.journal.close(), index.close()])
    throw error
  }
}

/** Undefined until a row behind it is known: it may have rows that are not counted yet. */
function endOf(segments: SegmentTable, first: number): number | undefined {
  const segment = segments.all.find(known => known.first === first)
  const isComplete = segments.all.some(later => later.first > first && later.rows > 0)
  return segment !== undefined && isComplete ? segment.first + segment.rows : undefined
}

type OpenParts = Required<LogOptions> & StateParts & Pick<LogParts, 'index' | 'freeBytes'>

function logOver(state: LogState, parts: OpenParts): Log {
  const { journal, index, clock, logger } = parts
  let line: Waiting[] = []
  let failure: AssayError | undefined
  let closing: Promise<void> | undefined
  let checkpointTimer: Timer | undefined
  let isCheckpointing = false
  /** Checkpoints one after the other; never rejects. */
  let lane: Promise<void> = Promise.resolve()

  const commits: Commits = startCommits({
    journal,
    clock,
    flush: parts.flush,
    flushIntervalMs: parts.flushIntervalMs,
    ready: () => (isCheckpointLate(state) ? lane : undefined),
    isRollDue: () => isRollDue(state),
    roll: first => rollSegment(state, first),
    committed,
    failed
  })
  const space = watchDiskSpace({
    freeBytes: parts.freeBytes,
    floorBytes: parts.diskFreeBytesMin,
    clock,
    logger,
    isBroken: () => isFull(failure),
    mend: recoverSpace
  })
  const logs = partitionLogs(state, { append: submit, inflateBytesMax: parts.inflateBytesMax })

  let retentionOf = (_topicId: string): Retention => keepForever
  const upkeep = startUpkeep({
    state,
    intervalMs: parts.retentionCheckIntervalMs,
    retentionOf: topicId => retentionOf(topicId),
    inLane,
    checkpoint,
    hasFailed: () => failure !== undefined,
    fail: error => void commits.abort(error),
    move,
    roll: () => commits.roll(state.nextSequence),
    keyMapBytes: parts.compactionKeyMapBytes,
    inflateBytesMax: parts.inflateBytesMax
  })

  function submit(appends: readonly Append[], { fromReserve = false }: AppendOptions = {}): Promise<Appended[]> {
    const refusal = refusalTo('append') ?? (fromReserve ? undefined : space.refusal)
    if (refusal !== undefined) return Promise.reject(refusal)
    const bytes = appends.reduce((sum, { batch }) => sum + batch.length, 0)
    const settled = Promise.withResolvers<Appended[]>()
    const waiting = { appends, bytes, settled }
    if (line.length > 0 || !hasRoom(bytes)) line.push(waiting)
    else enqueue(waiting)
    return settled.promise
  }

  function refusalTo(action: string): AssayError | undefined {
    if (closing !== undefined) return new AssayError('STORE_FAILED', { action: `${action}: the log is closed` })
    return failure
  }

  const hasRoom = (bytes: number): boolean =>
    commits.queuedBytes === 0 || commits.queuedBytes + bytes <= parts.appendQueueBytesMax

  function enqueue({ appends, bytes, settled }: Waiting): void {
    let staged: Staged
    try {
      staged = stage(
        state,
        appends.map(({ log, batch, ifKept = false }) => ({ partition: logs.partitionOf(log), batch, ifKept }))
      )
    } catch (error) {
      settled.reject(error)
      return
    }
    const { batches, places, isDurable } = staged
    if (isDurable) settled.resolve(places)
    else commits.push({ batches, bytes, done: () => settled.resolve(places), fail: settled.reject })
  }

  function admitWaiting(): void {
    let admitted = 0
    for (; admitted < line.length && hasRoom(line[admitted]!.bytes); admitted++) enqueue(line[admitted]!)
    if (admitted > 0) line = line.slice(admitted)
  }

  function committed(units: readonly Unit[]): void {
    const risen = new Set<Partition>()
    for (const unit of units) {
      for (const row of unit.batches) {
        if (isMoved(row)) {
          applyMoved(state, row)
        } else {
          applyOnDisk(state, row)
          risen.add(row.partition)
        }
      }
    }
    for (const unit of units) unit.done()
    for (const partition of risen) callListeners(partition)
    admitWaiting()
    scheduleCheckpoint()
  }

  function scheduleCheckpoint(): void {
    if (isCheckpointing || failure !== undefined) return
    if (isCheckpointDue(state)) startCheckpoint()
    else if (hasChanges(state)) checkpointTimer ??= clock.after(parts.checkpointIntervalMs, startCheckpoint)
  }

  function callListeners(partition: Partition): void {
    for (const listener of [...partition.listeners]) {
      try {
        listener()
      } catch (error) {
        logger.error({ error, partition: partition.name }, 'a listener of appends failed')
      }
    }
  }

  function failed(cause: unknown): AssayError {
    if (isFull(cause)) {
      failure = new AssayError(
        'STORE_FULL',
        { action: 'append: there is no space left on the disk. It goes on by itself once there is' },
        { cause }
      )
      logger.error({ error: cause }, 'the disk is full; the log takes no appends until there is space, reads go on')
      space.look()
    } else {
      failure = stopped(cause)
      logger.error({ error: cause }, STOPPED)
    }
    checkpointTimer?.cancel()
    checkpointTimer = undefined
    for (const { settled } of line) settled.reject(failure)
    line = []
    return failure
  }

  /** The reason why a write failed may have cost what was thought to be on disk: only a new start looks at all of it. */
  function stopped(cause: unknown): AssayError {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const action = `append: an earlier write failed (${reason}). Mend the disk, then start again`
    return new AssayError('STORE_FAILED', { action }, { cause })
  }

  /** Nothing else that writes is at work while this is: it waits for its turn in the lane, and what comes behind it there goes on. */
  async function recoverSpace(): Promise<void> {
    const done = lane.then(async () => {
      if (closing !== undefined || !isFull(failure)) return
      if (!('reopen' in index)) throw failure!.cause
      await mend({ state, commits, reopenIndex: index.reopen })
      failure = undefined
      commits.resume()
    })
    lane = done.catch(() => {})
    try {
      await done
    } catch (error) {
      if (isFull(error) && 'reopen' in index) return
      failure = stopped(error)
      logger.error({ error }, STOPPED)
      return
    }
    if (failure !== undefined) return
    logger.info({}, 'there is space on the disk again, and the log takes appends')
    scheduleCheckpoint()
    upkeep.wake()
  }

  function inLane(work: () => Promise<void>): Promise<void> {
    const done = lane.then(async () => {
      if (failure !== undefined) throw failure
      try {
        await work()
      } catch (error) {
        throw commits.abort(error)
      }
    })
    lane = done.catch(() => {})
    return done
  }

  function checkpoint(): Promise<void> {
    return writeCheckpoint(state, commits.sync)
  }

  function startCheckpoint(): void {
    checkpointTimer?.cancel()
    checkpointTimer = undefined
    if (isCheckpointing) return
    isCheckpointing = true
    inLane(checkpoint)
      // `failed` has told of it, and whoever appends is told.
      .catch(() => {})
      .finally(() => {
        isCheckpointing = false
        if (closing === undefined) scheduleCheckpoint()
      })
  }

  /** Replay begins behind the checkpoint that forgets them, so that no row of theirs is met again. */
  async function forget(isGone: (topicId: string) => boolean): Promise<void> {
    const gone = [...state.partitions.values()].filter(({ key, isDropped }) => !isDropped && isGone(key.topicId))
    if (gone.length === 0) return
    const refusal = refusalTo('drop a topic')
    // What is refused for want of space is done when there is some.
    if (refusal === undefined || isFull(refusal)) for (const partition of gone) partition.isDropped = true
    if (refusal !== undefined) throw refusal
    // What of theirs is on its way becomes part of the state as ever, so that a checkpoint in between is right.
    await commits.barrier()
    await inLane(async () => {
      // The index has to know of all that is in the segments, or nobody would ever count it as dead.
      if (hasChanges(state)) await checkpoint()
      for (const partition of gone) forgetPartition(state, partition)
      await checkpoint()
      for (const partition of gone) state.partitions.delete(partition.name)
    })
    upkeep.wake()
  }

  async function deleteRecords(of: PartitionLog, before: Offset): Promise<Offset> {
    const partition = logs.partitionOf(of)
    assertKept(partition)
    const { startOffset: start, highWatermark: end } = partition
    if (!(before >= 0 && before <= end)) throw new AssayError('OFFSET_OUT_OF_RANGE', { offset: before, start, end })
    const refusal = refusalTo('delete records')
    if (refusal !== undefined) throw refusal
    raiseStart(state, partition, before)
    await inLane(async () => {
      if (hasChanges(state)) await checkpoint()
    })
    upkeep.wake()
    return partition.startOffset
  }

  function move(moves: readonly Move[]): Promise<void> {
    const batches = moves
      .filter(({ partition }) => !partition.isDropped)
      .map(({ partition, bytes, batch, replaced }) => ({
        partition,
        replaced,
        batch: { ...batch, sequence: state.nextSequence++, sizeBytes: bytes.length, prefix: partition.prefix, bytes }
      }))
    const bytes = batches.reduce((sum, { batch }) => sum + batch.sizeBytes, 0)
    return new Promise<void>((done, fail) => commits.push({ batches, bytes, done, fail }))
  }

  async function drain(): Promise<void> {
    await space.stop()
    await upkeep.stop()
    while (failure === undefined && (line.length > 0 || commits.isBusy)) await commits.barrier().catch(() => {})
    checkpointTimer?.cancel()
    commits.stop()
    await lane
  }

  async function close(): Promise<void> {
    await drain()
    try {
      // After a failure the state is ahead of what is known to be on disk: the next start replays instead.
      if (failure === undefined && hasChanges(state)) await inLane(checkpoint)
    } finally {
      const closed = await Promise.allSettled([journal.close(), index.close()])
      for (const outcome of closed)
        if (outcome.status === 'rejected') logger.error({ error: outcome.reason }, 'a store did not close')
    }
  }

  return {
    partition: logs.get,
    partitions: () =>
      [...state.partitions.values()]
        .filter(({ isDropped, highWatermark }) => !isDropped && highWatermark > 0)
        .map(({ key }) => logs.get(key)),
    async appendAll(appends, options) {
      return appends.length === 0 ? [] : submit(appends, options)
    },
    get refusal() {
      return failure ?? space.refusal
    },
    deleteRecords,
    retainBy(retention) {
      retentionOf = retention
    },
    upkeep: () => upkeep.run(),
    holdUpkeep: () => upkeep.hold(),
    keepOnly: topicIds => forget(topicId => !topicIds.has(topicId)),
    drop: topicId => forget(id => id === topicId),
    close() {
      closing ??= close()
      return closing
    }
  }
}
