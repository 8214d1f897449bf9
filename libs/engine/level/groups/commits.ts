/**
 * The committed offsets of all groups: who may commit, what a transaction holds until it ends, and what is taken away. An offset counts once it
 * is on disk.
 */
import type { Append, PartitionLog, TransactionEnd } from '@assay/log'
import type { Clock } from '@assay/std'
import type { Topic } from '../../engine.ts'
import { consumerCommitRefusal, type Seat } from '../consumer-groups/coordinator.ts'
import { type KeyedRecord, keyedBatch } from '../keyed-log.ts'
import type { CommittedOffsets } from './committed.ts'
import type { TopicPartition } from './expiry.ts'
import { type GroupError, refusal } from './group.ts'
import { type OffsetValue, offsetRecord } from './offset-records.ts'
import type { PendingOffsets } from './pending-offsets.ts'

/** Who says what a commit is for; generation -1 and no member ID for a consumer that assigns itself. */
export interface Claim {
  readonly memberId: string
  readonly instanceId: string | null
  readonly generation: number
  /** False when the request is too old to tell the epoch of a member of the consumer protocol. */
  readonly knowsMemberEpoch?: boolean
}

export interface OffsetCommitEntry extends Omit<OffsetValue, 'committedMs'> {
  readonly topic: string
  readonly partition: number
}

/** Whose transaction a commit is part of. */
export interface Committer {
  readonly producerId: number
  readonly epoch: number
}

/** A group, as far as its offsets go. */
export interface Committing extends Seat {
  readonly offsets: CommittedOffsets
  /** Appends of this group that are on their way to the disk. */
  readonly appends: ReadonlySet<Promise<unknown>>
  /** What the group is busy with: the next waits for it. */
  readonly turn: Promise<unknown> | undefined
}

export interface CommitsParts<S extends Committing> {
  readonly log: PartitionLog
  readonly clock: Clock
  readonly pending: PendingOffsets
  readonly topicLives: (topicId: string) => boolean
  /** Resolves with the offset of the first record. */
  readonly append: (on: S, records: readonly KeyedRecord[], producer?: Committer) => Promise<number>
  readonly inTurn: <T>(on: S, run: () => T) => Promise<T>
  /** A commit is a sign of life. */
  readonly heard: (on: S, memberId: string) => void
}

export interface Commits<S extends Committing> {
  /** Resolves with NONE when all entries are on disk. Nothing was written otherwise. With a producer they count once its transaction is committed. */
  commit(on: S, claim: Claim, entries: readonly OffsetCommitEntry[], producer?: Committer): Promise<GroupError>
  /** What a producer's transaction held counts from now on, or is forgotten; `find` gives a group that is there. */
  end(producerId: number, end: TransactionEnd, find: (group: string) => S | undefined): Promise<S[]>
  /** True when they are gone, on disk too. A commit that was appended later stands. */
  drop(on: S, partitions: readonly TopicPartition[]): Promise<boolean>
  /** What must be written, and then done, when a topic is deleted. */
  deleteTopic(topic: Topic, groups: readonly S[]): { readonly appends: readonly Append[]; readonly done: () => void }
}

export function groupCommits<S extends Committing>(parts: CommitsParts<S>): Commits<S> {
  const { clock, pending } = parts
  /** Commits in transactions that were not answered yet. */
  const committing = new Set<{ readonly producerId: number; readonly done: Promise<unknown> }>()

  const lives = (topicId: string | null): boolean => topicId === null || parts.topicLives(topicId)

  /** Checked and appended without a pause between: no generation can begin in the log before a commit of the one it ends. */
  async function write(
    on: S,
    claim: Claim,
    entries: readonly OffsetCommitEntry[],
    producer: Committer | undefined
  ): Promise<GroupError> {
    const error = (producer === undefined ? commitRefusal : refusalInTransaction)(on, claim, entries)
    if (error !== undefined) return error
    if (on.consumer === undefined) parts.heard(on, claim.memberId)
    if (entries.length === 0) return 'NONE'
    const group = on.group.id
    const committedMs = clock.now()
    const values = entries.map(({ topic, partition, ...value }) => ({ topic, partition, value: { ...value, committedMs } }))
    const records = values.map(({ topic, partition, value }) => offsetRecord({ group, topic, partition }, value))
    let baseOffset: number
    try {
      baseOffset = await parts.append(on, records, producer)
    } catch {
      return 'COORDINATOR_NOT_AVAILABLE'
    }
    for (const [at, { topic, partition, value }] of values.entries()) {
      if (!lives(value.topicId)) continue
      const committed = { ...value, recordOffset: baseOffset + at }
      if (producer === undefined) on.offsets.set(topic, partition, committed)
      else pending.add(producer.producerId, { group, topic, partition, committed })
    }
    return 'NONE'
  }

  return {
    async commit(on, claim, entries, producer) {
      // In a consumer group it is checked and appended in its turn, so that nobody is put out between the two.
      const inOrder = on.consumer !== undefined || on.turn !== undefined
      const done = inOrder
        ? parts.inTurn(on, () => ({ written: write(on, claim, entries, producer) })).then(({ written }) => written)
        : write(on, claim, entries, producer)
      if (producer === undefined) return done
      const one = { producerId: producer.producerId, done }
      committing.add(one)
      try {
        return await done
      } finally {
        committing.delete(one)
      }
    },
    async end(producerId, end, find) {
      // Those on disk before the end may not have heard of it yet.
      await Promise.all([...committing].filter(one => one.producerId === producerId).map(({ done }) => done))
      const touched: S[] = []
      for (const { group, topic, partition, committed } of pending.take(producerId)) {
        const on = find(group)
        if (on === undefined) continue
        if (end === 'commit' && lives(committed.topicId)) on.offsets.set(topic, partition, committed)
        touched.push(on)
      }
      return touched
    },
    async drop(on, partitions) {
      const group = on.group.id
      const known = partitions.filter(({ topic, partition }) => on.offsets.get(topic, partition) !== undefined)
      if (known.length === 0) return true
      let baseOffset: number
      try {
        baseOffset = await parts.append(
          on,
          known.map(({ topic, partition }) => offsetRecord({ group, topic, partition }, null))
        )
      } catch {
        return false
      }
      for (const { topic, partition } of known) {
        // As in a replay, where the tombstone lies behind what the transaction wrote.
        pending.forget(group, { topic, partition })
        const committed = on.offsets.get(topic, partition)
        if (committed !== undefined && committed.recordOffset < baseOffset) on.offsets.delete(topic, partition)
      }
      // A group with nothing left is idle only once its appends are over.
      await Promise.all(on.appends)
      return true
    },
    deleteTopic(topic, groups) {
      const tombstones = groups.flatMap(({ group, offsets }) =>
        offsets
          .keys(group.id)
          .filter(key => key.topic === topic.name)
          .map(key => offsetRecord(key, null))
      )
      return {
        appends: tombstones.length === 0 ? [] : [{ log: parts.log, batch: keyedBatch(tombstones, clock.now()) }],
        done: () => {
          for (const { offsets } of groups) offsets.deleteTopic(topic.name, topic.id)
          pending.forgetTopic(topic.id)
        }
      }
    }
  }
}

function commitRefusal(
  { group, consumer }: Committing,
  claim: Claim,
  entries: readonly OffsetCommitEntry[]
): GroupError | undefined {
  if (group.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
  if (consumer !== undefined) return consumerCommitRefusal(consumer, claim, entries)
  if (group.state === 'Empty' && claim.generation < 0) return undefined
  if (isAnonymous(claim)) return 'UNKNOWN_MEMBER_ID'
  const error = refusal(group, claim)
  if (error !== undefined) return error
  return group.state === 'CompletingRebalance' ? 'REBALANCE_IN_PROGRESS' : undefined
}

/** As Kafka has it: clients before KIP-447 do not say who they are, and a rebalance does not hold a transaction up. */
function refusalInTransaction(
  { group, consumer }: Committing,
  claim: Claim,
  entries: readonly OffsetCommitEntry[]
): GroupError | undefined {
  if (group.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
  if (isAnonymous(claim)) return undefined
  if (consumer !== undefined) {
    const error = consumerCommitRefusal(consumer, claim, entries)
    return error === 'STALE_MEMBER_EPOCH' ? 'ILLEGAL_GENERATION' : error
  }
  return group.state === 'Empty' && claim.generation < 0 ? undefined : refusal(group, claim)
}

const isAnonymous = ({ generation, memberId, instanceId }: Claim): boolean =>
  generation < 0 && memberId === '' && instanceId === null
