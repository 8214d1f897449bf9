/**
 * What a log does in the background: deletes what retention does not keep, and gives the space back. One thing after the other, in slices
 * that are small beside what producers write, so that an append never waits for more than one of them.
 */

import { isAssayError } from '@assay/errors'
import { FIELD_AT, HEADER_BYTES } from '@assay/records'
import type { Timer } from '@assay/std'
import { clearAborted } from './aborted.ts'
import { baseOffsetOf } from './batch-facts.ts'
import { droppedTopics } from './checkpoint.ts'
import type { Compacted } from './compaction.ts'
import { clearDroppedTopics } from './dropped-topics.ts'
import { faultOf, partitionOfKey, rawPages, sequenceOfKey } from './journal.ts'
import { findRows, rowsBetween } from './offset-index.ts'
import { assertKept, corruptPartition, nameOf, type Partition } from './partition.ts'
import { firstKept } from './retention.ts'
import type { Retention } from './retention-settings.ts'
import type { Segment } from './segment-table.ts'
import { forgetBatch, forgetMarkers, hasChanges, type LogState, type Move } from './state.ts'

export interface UpkeepParts {
  readonly state: LogState
  readonly intervalMs: number
  readonly retentionOf: (topicId: string) => Retention
  /** Work that excludes checkpoints; it may write one with `writeNow`. */
  readonly inLane: (work: () => Promise<void>) => Promise<void>
  /** A checkpoint, within `inLane`. */
  readonly checkpoint: () => Promise<void>
  /** Writes batches once more, at the journal's end, and resolves when they are applied. */
  readonly move: (batches: readonly Move[]) => Promise<void>
  /** True once the log takes nothing more. */
  readonly hasFailed: () => boolean
  /** The log takes nothing more from here on. */
  readonly fail: (error: unknown) => void
  /** Begins a new segment. */
  readonly roll: () => Promise<void>
  /** Bytes of compaction's map of keys. */
  readonly keyMapBytes: number
  readonly inflateBytesMax: number
}

export interface Upkeep {
  /** Does all that is due, and resolves when it is done. Never rejects: what fails is logged, or has stopped the log. */
  run(): Promise<void>
  /** Gives back soon what has just been deleted. What is kept by age and size waits for its time. */
  wake(): void
  /** Nothing is deleted, moved or given back from when this resolves until the function that it gives is called; holds add up. */
  hold(): Promise<() => void>
  /** Ends after the slice under way. */
  stop(): Promise<void>
}

const SLICE_ROWS = 2048
const SLICE_BYTES = 1 << 20
/** A segment of which less than this part is alive is copied forward. */
const LIVE_RATIO_MIN = 0.25
/** The newest segment is closed to be given back when at least so much is in it. */
const NEWEST_BYTES_MIN = 16 << 20

/** To give back space, or to see to retention and compaction before. */
type Wanted = 'space' | 'all'

/** Thrown to end a pass when the log closes, or takes nothing more. */
const STOPPED = Symbol('stopped')

export function startUpkeep(parts: UpkeepParts): Upkeep {
  const { state, inLane, checkpoint, move } = parts
  const { clock, logger, index, journal } = state.parts
  /** Segments in which something cannot be read that is alive: they stay. */
  const stuck = new Set<number>()
  let isStopping = false
  let timer: Timer | undefined
  let running: Promise<void> | undefined
  let holds = 0
  /** What the next pass is wanted for; a pass under way may have gone by already what is to be seen to. */
  let wanted: Wanted | undefined

  function run(what: Wanted): Promise<void> {
    if (isStopping) return running ?? Promise.resolve()
    if (wanted !== 'all') wanted = what
    if (holds > 0) return running ?? Promise.resolve()
    running ??= work()
    return running
  }

  async function work(): Promise<void> {
    while (wanted !== undefined && !isStopping && holds === 0) {
      const what = wanted
      wanted = undefined
      try {
        await pass(what)
      } catch (error) {
        told(error)
      }
    }
    running = undefined
    if (!isStopping) timer ??= clock.after(parts.intervalMs, onTime)
  }

  /** A failure of the log has told of itself, and one that nobody expected is one. */
  function told(error: unknown): void {
    if (error === STOPPED || parts.hasFailed()) return
    if (isAssayError(error)) logger.error({ error }, 'the upkeep of the log failed; it is tried again')
    else parts.fail(error)
  }

  function onTime(): void {
    timer = undefined
    void run('all')
  }

  async function pass(what: Wanted): Promise<void> {
    proceed()
    if (
      !(await clearDroppedTopics(
        state,
        () => inLane(checkpoint),
        () => isStopping || parts.hasFailed()
      ))
    )
      return
    for (const partition of [...state.partitions.values()]) {
      await guarded(partition, async () => {
        await trim(partition)
        if (what === 'space') return
        await retain(partition)
        await clean(partition)
      })
    }
    await giveBack()
  }

  function proceed(): void {
    if (holds > 0) throw STOPPED
    if (isStopping || parts.hasFailed()) throw STOPPED
  }

  function proceedWith(partition: Partition): void {
    proceed()
    assertKept(partition)
  }

  /** What is damaged in one partition does not keep the others waiting. */
  async function guarded(partition: Partition, work: () => Promise<void>): Promise<void> {
    proceed()
    if (partition.isDropped) return
    try {
      await work()
    } catch (error) {
      if (partition.isDropped) return
      if (!isAssayError(error, 'STORE_CORRUPT')) throw error
      logger.error({ error, partition: partition.name }, 'the upkeep of a partition failed')
    }
  }

  async function retain(partition: Partition): Promise<void> {
    const start = await firstKept(state.parts, partition, {
      retention: parts.retentionOf(partition.key.topicId),
      nowMs: clock.now(),
      segments: state.segments
    })
    if (start <= partition.startOffset) return
    raiseStart(state, partition, start)
    await trim(partition)
  }

  /** Compaction, in as many passes as the map of keys needs. */
  async function clean(partition: Partition): Promise<void> {
    for (;;) {
      const retention = parts.retentionOf(partition.key.topicId)
      if (partition.isDropped || retention.cleanup === 'delete') return
      const { cleanableOf, compact } = await import('./compaction.ts')
      // Until a pass has counted what it cleaned, the walk goes on from here: what is deleted meanwhile is still counted.
      await trim(partition)
      const due = { retention, nowMs: clock.now(), startOffset: partition.startOffset }
      await settle()
      const cleanable = await cleanableOf(index, partition, due)
      if (cleanable === undefined) return
      const from = partition.cleanedTo
      let done: Compacted | undefined
      try {
        done = await compact({ ...parts, proceed: () => proceedWith(partition) }, partition, { ...due, cleanable })
      } finally {
        // Of a pass that was cut short, too: nobody may look any more for what was written anew at its old place.
        if (!parts.hasFailed()) await inLane(() => settleCompacted(partition, done))
      }
      logger.debug({ partition: partition.name, from, ...done }, 'compacted a partition')
      if (done === undefined || done.cleanedTo === from) return
    }
  }

  /** What was cleaned is told with the index rows of all that was moved for it, or not at all. */
  async function settleCompacted(partition: Partition, done: Compacted | undefined): Promise<void> {
    if (done !== undefined && !partition.isDropped) {
      partition.cleanedTo = done.cleanedTo
      partition.dirtyBytes -= done.cleanedBytes
      partition.tombstonesAtMs = done.tombstonesAtMs
      state.changed.add(partition)
    }
    if (hasChanges(state)) await checkpoint()
    partition.recent.dropBelow(done?.cleanedTo ?? partition.highWatermark)
  }

  /** All batches so far, and all moves, are in the index after this. */
  function settle(): Promise<void> {
    return inLane(async () => {
      if (hasChanges(state)) await checkpoint()
    })
  }

  /** Takes the rows in front of the log start offset out of the index. What fails in a lane stops the log: damage is looked for before. */
  async function trim(partition: Partition): Promise<void> {
    while (partition.isTrimDue) {
      proceed()
      await settle()
      const below = partition.startOffset
      partition.recent.dropBelow(below)
      const rows = await rowsBetween(index, partition, { from: 0, below, limit: SLICE_ROWS })
      if (rows.some(({ batch }) => batch === undefined)) {
        throw corruptPartition(partition, below, 'a row of the offset index in front of it is damaged')
      }
      await inLane(async () => {
        if (partition.isDropped || rows.length === 0) return
        forgetMarkers(state, partition, 0, below)
        for (const { key, batch } of rows) {
          forgetBatch(state, partition, batch!)
          state.trimmed.push(key)
        }
        state.changed.add(partition)
        await checkpoint()
      })
      // That the partition begins there is on disk.
      if (!partition.isDropped) await clearAborted(index, partition, below)
      if (partition.isDropped || (rows.length < SLICE_ROWS && partition.startOffset === below)) partition.isTrimDue = false
    }
  }

  async function giveBack(): Promise<void> {
    await settle()
    await rollMostlyDead()
    const tried = new Set<Segment>()
    for (;;) {
      proceed()
      await dropDead()
      const mostlyDead = closedSegments().find(
        segment => !tried.has(segment) && !stuck.has(segment.first) && segment.liveBytes < segment.bytes * LIVE_RATIO_MIN
      )
      if (mostlyDead === undefined) return
      tried.add(mostlyDead)
      await emptySegment(mostlyDead)
    }
  }

  const closedSegments = (): Segment[] =>
    state.segments.all.filter(segment => segment !== state.segments.newest && !segment.isDropped)

  async function rollMostlyDead(): Promise<void> {
    const { bytes, liveBytes } = state.segments.newest!
    const isWorthIt = bytes >= Math.min(NEWEST_BYTES_MIN, state.parts.segmentBytes)
    if (isWorthIt && liveBytes < bytes * LIVE_RATIO_MIN) await parts.roll()
  }

  /** A segment goes when the last checkpoint says that nothing in it is alive, so that no start will look for it. */
  async function dropDead(): Promise<void> {
    if (closedSegments().some(({ liveRows }) => liveRows === 0)) {
      await inLane(async () => {
        for (const segment of closedSegments()) if (segment.liveRows === 0) state.segments.markDropped(segment)
        await checkpoint()
      })
    }
    // Those among them whose removal failed before are tried again.
    for (const segment of state.segments.all.filter(({ isDropped }) => isDropped)) {
      await journal.drop(segment.first)
      state.segments.remove(segment)
      state.hasOtherSegments = true
      logger.debug({ segment: segment.first, bytes: segment.bytes }, 'dropped a segment of the journal')
    }
  }

  /** Writes what is alive in a segment once more, so that nothing in it is. */
  async function emptySegment(segment: Segment): Promise<void> {
    let error: unknown
    try {
      await copyForward(segment)
    } catch (cause) {
      if (!isAssayError(cause, 'STORE_CORRUPT')) throw cause
      error = cause
    }
    await settle()
    if (segment.liveRows === 0 || (await isMoreToClear())) return
    stuck.add(segment.first)
    const { liveRows, liveBytes } = segment
    logger.error({ segment: segment.first, liveRows, liveBytes, error }, 'a segment holds batches that cannot be read, and stays')
  }

  /** What was deleted meanwhile is seen to by the next pass, and only then known as dead. */
  async function isMoreToClear(): Promise<boolean> {
    const isDue = [...state.partitions.values()].some(({ isDropped, isTrimDue }) => isDropped || isTrimDue)
    return isDue || (await droppedTopics(index)).length > 0
  }

  async function copyForward(segment: Segment): Promise<void> {
    for await (const entries of rawPages(journal, segment.first)) {
      for (const slice of slicesOf(await liveAmong(entries))) {
        proceed()
        await move(slice)
      }
    }
  }

  async function liveAmong(entries: readonly { readonly key: Buffer; readonly value: Buffer }[]): Promise<Move[]> {
    const found: {
      readonly partition: Partition
      readonly lastOffset: number
      readonly bytes: Buffer
      readonly sequence: number
    }[] = []
    for (const { key, value } of entries) {
      const partition = state.partitions.get(nameOf(partitionOfKey(key)))
      const lastOffset = partition && lastOffsetOf(value)
      if (partition === undefined || lastOffset === undefined || partition.isDropped) continue
      found.push({ partition, lastOffset, bytes: value, sequence: sequenceOfKey(key) })
    }
    const rows = await findRows(index, found)
    return found.flatMap(({ partition, bytes, sequence }, at): Move[] => {
      const batch = rows[at]
      if (batch?.sequence !== sequence || batch.lastOffset < partition.startOffset) return []
      return faultOf(bytes, batch) === undefined ? [{ partition, bytes, batch, replaced: [batch] }] : []
    })
  }

  timer = clock.after(parts.intervalMs, onTime)
  return {
    run: () => run('all'),
    wake: () => void run('space'),
    async hold() {
      holds++
      await running
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        holds--
        if (holds === 0) void run('all')
      }
    },
    async stop() {
      isStopping = true
      timer?.cancel()
      await running
    }
  }
}

/** The start offset never falls. It is durable with the next checkpoint. */
export function raiseStart(state: LogState, partition: Partition, offset: number): void {
  if (offset <= partition.startOffset) return
  partition.startOffset = offset
  partition.isTrimDue = true
  state.changed.add(partition)
}

/** Undefined when it is too short for a batch. */
const lastOffsetOf = (value: Buffer): number | undefined =>
  value.length < HEADER_BYTES ? undefined : baseOffsetOf(value) + value.readInt32BE(FIELD_AT.lastOffsetDelta)

function slicesOf(moves: readonly Move[]): Move[][] {
  const slices: Move[][] = []
  let bytes = SLICE_BYTES
  for (const move of moves) {
    bytes += move.bytes.length
    if (bytes > SLICE_BYTES) {
      slices.push([])
      bytes = move.bytes.length
    }
    slices.at(-1)!.push(move)
  }
  return slices
}
