/**
 * One fetch session (KIP-227): which partitions a reader wants, and what it was last told of each, so that it names only what it changes
 * and is told only what has changed.
 */
import type { fetch, RequestOf, ResponseOf } from '@assay/protocol'

type FetchRequest = RequestOf<typeof fetch>
export type AskedPartition = FetchRequest['topics'][number]['partitions'][number]
export type FetchPartition = ResponseOf<typeof fetch>['responses'][number]['partitions'][number]

/** One partition to be read. By name up to version 12, by ID from 13 on; what is not used has its default. */
export interface Wanted {
  readonly topic: string
  readonly topicId: string
  readonly asked: AskedPartition
}

/** What the reader knows of a partition. */
interface Followed {
  wanted: Wanted
  highWatermark: bigint
  logStartOffset: bigint
}

export interface FetchSession {
  readonly id: number
  /** Another's session is none. */
  readonly principal: string
  /** All topics of a session are named one way. */
  readonly byId: boolean
  readonly createdMs: number
  usedMs: number
  /** The epoch that the next request has to name. */
  epoch: number
  /** By topic and partition, those first that gave no records lately: so that each has its turn when answers are full. */
  readonly partitions: Map<string, Followed>
}

const NOT_TOLD = -1n
const EPOCH_MAX = 2_147_483_647
/** The first request opens the session with epoch 0; after the largest comes 1. */
export const epochAfter = (epoch: number): number => (epoch === EPOCH_MAX ? 1 : epoch + 1)

const keyOf = (topic: string, topicId: string, partition: number): string => `${topic}:${topicId}:${partition}`

/** Every partition that a request names, in its order. */
export const wantedOf = (topics: FetchRequest['topics']): Wanted[] =>
  topics.flatMap(({ topic, topicId, partitions }) => partitions.map(asked => ({ topic, topicId, asked })))

/** How many partitions the session has when this request was taken in. At most: what is forgotten is not subtracted. */
export function sizeWith(session: FetchSession, topics: FetchRequest['topics']): number {
  let size = session.partitions.size
  for (const { topic, topicId, asked } of wantedOf(topics)) {
    if (!session.partitions.has(keyOf(topic, topicId, asked.partition))) size++
  }
  return size
}

/** Adds and changes what the request names, then takes out what it forgets. */
export function takeIn(session: FetchSession, { topics, forgottenTopicsData }: FetchRequest): void {
  for (const wanted of wantedOf(topics)) {
    const key = keyOf(wanted.topic, wanted.topicId, wanted.asked.partition)
    const known = session.partitions.get(key)
    if (known === undefined) session.partitions.set(key, { wanted, highWatermark: NOT_TOLD, logStartOffset: NOT_TOLD })
    else known.wanted = wanted
  }
  for (const { topic, topicId, partitions } of forgottenTopicsData) {
    for (const partition of partitions) session.partitions.delete(keyOf(topic, topicId, partition))
  }
}

export const wantedIn = (session: FetchSession): Wanted[] => [...session.partitions.values()].map(({ wanted }) => wanted)

/** Remembers what the reader is told of a partition, and says whether there is anything to tell. */
export function isNews(session: FetchSession, wanted: Wanted, answer: FetchPartition): boolean {
  const key = keyOf(wanted.topic, wanted.topicId, answer.partitionIndex)
  const known = session.partitions.get(key)
  // Forgotten while it was read: only a request that lost its epoch can meet this.
  if (known === undefined) return false
  const hasRecords = answer.records !== null && answer.records.length > 0
  const isTrouble = answer.errorCode !== 0 || answer.divergingEpoch.epoch !== -1
  const isChanged = known.highWatermark !== answer.highWatermark || known.logStartOffset !== answer.logStartOffset
  // After trouble the partition is told again when the trouble is over, even if nothing else has changed.
  known.highWatermark = isTrouble ? NOT_TOLD : answer.highWatermark
  known.logStartOffset = answer.logStartOffset
  if (hasRecords) {
    session.partitions.delete(key)
    session.partitions.set(key, known)
  }
  return hasRecords || isTrouble || isChanged
}
