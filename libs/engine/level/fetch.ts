/**
 * Fetch: batches from the asked offsets on. Waits for appends, not by polling, until there are enough bytes or the time is up. Which
 * partitions are read, and of which the reader is told, is its session's (fetch-sessions.ts).
 */

import type { PartitionLog } from '@assay/log'
import { errorCode, type fetch, type ResponseOf } from '@assay/protocol'
import { readHeader } from '@assay/records'
import type { Lease } from '@assay/std'
import type { Session } from '../engine.ts'
import type { Handler, Level } from './context.ts'
import type { Hold } from './fetch-budget.ts'
import type { FetchPartition, Wanted } from './fetch-session.ts'
import { divergence, type EpochEnd, epochError, NO_EPOCH_END } from './leader-epoch.ts'
import { refusalOf } from './refusal.ts'

type FetchTopic = ResponseOf<typeof fetch>['responses'][number]

/** One asked partition while its answer is being gathered. */
interface Gathering {
  readonly index: number
  readonly bytesMax: number
  readonly log: PartitionLog | undefined
  errorCode: number
  /** Set when the reader has read what is not there: it is told where to go back to, and gets no records. */
  readonly divergingEpoch: EpochEnd
  readonly from: number
  next: number
  bytes: number
  readonly batches: Buffer[]
  /** What its reader has to pass over among the records. */
  aborted: FetchPartition['abortedTransactions']
}

const READ_COMMITTED = 1

export const answerFetch: Handler<typeof fetch> = async (level, { version, body }, session) => {
  const turn = level.fetchSessions.begin({ version, body, principal: session.principal })
  if ('refused' in turn) return { throttleTimeMs: 0, errorCode: turn.refused, sessionId: 0, responses: [], nodeEndpoints: [] }
  const all = turn.wanted.map(wanted => gatheringOf(level, version, wanted))
  const committedOnly = body.isolationLevel === READ_COMMITTED
  const hold = level.fetchBudget.hold(session)
  const leases: Lease[] = []
  const allocate = (bytes: number): Buffer => {
    const lease = level.fetchMemory.take(bytes)
    leases.push(lease)
    return lease.bytes.subarray(0, bytes)
  }
  try {
    await gather(level, session, hold, all, {
      allocate,
      committedOnly,
      bytesMax: Math.min(body.maxBytes, level.options.fetchBytesMax),
      bytesMin: body.minBytes,
      waitMs: Math.min(body.maxWaitMs, level.options.fetchWaitMsMax)
    })
    if (committedOnly) await Promise.all(all.map(findAborted))
  } catch (error) {
    hold.release()
    throw error
  }
  const answers = all.map(partition => partitionAnswer(partition, committedOnly))
  const { errorCode: code, sessionId, isTold } = turn.finish(answers)
  const response: ResponseOf<typeof fetch> = {
    throttleTimeMs: 0,
    errorCode: code,
    sessionId,
    responses: byTopic(turn.wanted, answers, isTold),
    nodeEndpoints: []
  }
  const dispose = (): void => {
    hold.release()
    for (const lease of leases) lease.release()
  }
  if (hold.bytes === 0 || code !== 0) dispose()
  // Not a field of the message: whoever has written the answer calls it, as engine.ts says.
  else Object.defineProperty(response, Symbol.dispose, { value: dispose, enumerable: false })
  hold.answered()
  return response
}

function gatheringOf(level: Level, version: number, { topic: name, topicId, asked }: Wanted): Gathering {
  const topic = level.topics.get(version >= 13 ? { id: topicId } : { name })
  const log = topic === undefined ? undefined : level.topics.partition(topic, asked.partition)
  const firstCode = firstError(version, topic !== undefined, log, asked.currentLeaderEpoch)
  const diverging = log === undefined || firstCode !== 0 ? undefined : divergence(log, asked)
  return {
    index: asked.partition,
    bytesMax: asked.partitionMaxBytes,
    log,
    errorCode: diverging === 'unknown' ? errorCode('OFFSET_OUT_OF_RANGE') : firstCode,
    divergingEpoch: diverging === undefined || diverging === 'unknown' ? NO_EPOCH_END : diverging,
    from: Number(asked.fetchOffset),
    next: Number(asked.fetchOffset),
    bytes: 0,
    batches: [],
    aborted: []
  }
}

/** Neighbours of one topic stand together, as they do in requests. */
function byTopic(wanted: readonly Wanted[], answers: readonly FetchPartition[], isTold: readonly boolean[]): FetchTopic[] {
  const topics: FetchTopic[] = []
  for (const [at, answer] of answers.entries()) {
    if (!isTold[at]) continue
    const { topic, topicId } = wanted[at]!
    const last = topics.at(-1)
    if (last !== undefined && last.topic === topic && last.topicId === topicId) last.partitions.push(answer)
    else topics.push({ topic, topicId, partitions: [answer] })
  }
  return topics
}

function firstError(version: number, topicKnown: boolean, log: PartitionLog | undefined, leaderEpoch: number): number {
  if (!topicKnown) return errorCode(version >= 13 ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION')
  if (log === undefined) return errorCode('UNKNOWN_TOPIC_OR_PARTITION')
  return epochError(leaderEpoch)
}

interface Terms {
  readonly committedOnly: boolean
  readonly bytesMax: number
  readonly bytesMin: number
  readonly waitMs: number
  /** Memory that the answer holds until it is written; the budget may be given back before. */
  readonly allocate: (bytes: number) => Buffer
}

async function gather(level: Level, session: Session, hold: Hold, all: readonly Gathering[], terms: Terms): Promise<void> {
  let changed = true
  let progress: Progress = 'waiting'
  let releases = 0
  let over = terms.waitMs <= 0 || session.closed.aborted || level.closing.aborted
  let wake: (() => void) | undefined
  const signal = (): void => {
    changed = true
    wake?.()
  }
  const end = (): void => {
    over = true
    wake?.()
  }
  // Listening begins before the first read, so that no append falls between the two.
  const stops: (() => void)[] = []
  if (!over) {
    for (const { log } of all) if (log !== undefined) stops.push(log.onAppend(signal))
    const released = (): void => {
      releases++
      if (progress === 'starved') signal()
    }
    stops.push(level.fetchBudget.onRelease(released))
    const timer = level.clock.after(terms.waitMs, end)
    stops.push(() => timer.cancel())
    for (const gone of [session.closed, level.closing]) {
      gone.addEventListener('abort', end, { once: true })
      stops.push(() => gone.removeEventListener('abort', end))
    }
  }
  try {
    for (;;) {
      if (changed) {
        changed = false
        const releasesBefore = releases
        progress = await readMore(hold, all, terms)
        if (progress === 'ready') return
        // What was given back while it was being read may be what it lacked.
        if (progress === 'starved' && releases !== releasesBefore) changed = true
      }
      if (over) return
      if (changed) continue
      await new Promise<void>(resolve => {
        wake = resolve
      })
      wake = undefined
    }
  } finally {
    for (const stop of stops) stop()
  }
}

/** `starved` when the budget has nothing left for records that are there. */
type Progress = 'ready' | 'waiting' | 'starved'

/** Reads what has become visible since the last time. */
async function readMore(hold: Hold, all: readonly Gathering[], terms: Terms): Promise<Progress> {
  let ready = false
  let starved = false
  for (const partition of all) {
    const { log } = partition
    if (log === undefined || partition.errorCode !== 0 || partition.divergingEpoch !== NO_EPOCH_END) {
      ready = true
      continue
    }
    const end = terms.committedOnly ? log.lastStableOffset : log.highWatermark
    const atEnd = partition.next >= log.startOffset && partition.next <= log.highWatermark && partition.next >= end
    if (atEnd) continue
    const first = hold.bytes === 0
    const room = Math.min(partition.bytesMax - partition.bytes, terms.bytesMax - hold.bytes)
    // The first batch of an answer is always whole, however little was asked for: else nobody could pass a large one.
    if (room <= 0 && !first) {
      ready = true
      continue
    }
    const taken = hold.take(Math.max(room, 1))
    if (taken === 0) {
      starved = true
      break
    }
    let used = 0
    try {
      const batches = await log.read(partition.next, { bytesMax: taken, allocate: terms.allocate })
      used = keep(partition, batches, { first, room, end })
      if (used === 0 && batches.length > 0) ready = true
    } catch (error) {
      partition.errorCode = refusalOf(error).errorCode
      ready = true
    } finally {
      hold.settle(taken, used)
    }
  }
  // Whoever holds something does not wait for more of the budget: all could wait for each other.
  if (ready || hold.bytes >= terms.bytesMin || (starved && hold.bytes > 0)) return 'ready'
  return starved ? 'starved' : 'waiting'
}

function keep(
  partition: Gathering,
  batches: readonly Buffer[],
  limits: { readonly first: boolean; readonly room: number; readonly end: number }
): number {
  let used = 0
  for (const batch of batches) {
    const header = readHeader(batch)
    if (header.baseOffset >= limits.end) break
    if (used + batch.length > limits.room && !(limits.first && used === 0)) break
    partition.batches.push(batch)
    partition.next = header.baseOffset + header.lastOffsetDelta + 1
    used += batch.length
  }
  partition.bytes += used
  return used
}

function partitionAnswer(partition: Gathering, committedOnly: boolean): FetchPartition {
  const { log, batches } = partition
  const known = log !== undefined && partition.errorCode !== errorCode('UNKNOWN_TOPIC_OR_PARTITION')
  return {
    partitionIndex: partition.index,
    errorCode: partition.errorCode,
    highWatermark: known ? BigInt(log.highWatermark) : -1n,
    lastStableOffset: known ? BigInt(log.lastStableOffset) : -1n,
    logStartOffset: known ? BigInt(log.startOffset) : -1n,
    divergingEpoch: { ...partition.divergingEpoch },
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    snapshotId: { endOffset: -1n, epoch: -1 },
    abortedTransactions: committedOnly ? partition.aborted : null,
    preferredReadReplica: -1,
    records: batches
  }
}

/** By first offset, since kafkajs goes through the list beside the records. What cannot be told of stands in the way of the records. */
async function findAborted(partition: Gathering): Promise<void> {
  const { log, from, next, batches } = partition
  if (log === undefined || batches.length === 0) return
  try {
    const found = await log.abortedTransactions(from, next)
    partition.aborted = found
      .toSorted((a, b) => a.firstOffset - b.firstOffset)
      .map(({ producerId, firstOffset }) => ({ producerId: BigInt(producerId), firstOffset: BigInt(firstOffset) }))
  } catch (error) {
    partition.errorCode = refusalOf(error).errorCode
    batches.length = 0
  }
}
