/**
 * The coordinator of all groups: runs the state machine of each, keeps its durable part in `__consumer_offsets`, and lets
 * requests wait. What a client is told was on disk before; a start rebuilds the same state from the log.
 */
import type { Append, PartitionLog, TransactionEnd } from '@assay/log'
import type { Clock, Logger, Timer } from '@assay/std'
import type { Topic } from '../../engine.ts'
import type { Catalog } from '../consumer-groups/change.ts'
import { type BeatAnswer, consumerCoordinator } from '../consumer-groups/coordinator.ts'
import { type ConsumerGroup, tombstonesOf } from '../consumer-groups/group.ts'
import { type GroupTiming, hostConsumerGroup, nextConsumerDeadlineMs } from '../consumer-groups/host.ts'
import type { Migration } from '../consumer-groups/migration.ts'
import { consumerGroupRecord } from '../consumer-groups/records.ts'
import { type ConsumerHeartbeat, Refusal, refusedHeartbeat } from '../consumer-groups/step.ts'
import { type KeyedRecord, keyedBatch } from '../keyed-log.ts'
import { type Claim, type Committer, type Committing, groupCommits, type OffsetCommitEntry } from './commits.ts'
import { type CommittedOffsets, committedOffsets } from './committed.ts'
import {
  type Answer,
  type Effect,
  failed,
  failedJoin,
  failedSync,
  type JoinAnswer,
  type LeaveAnswer,
  type SyncAnswer
} from './effects.ts'
import { expiredOffsets, type TopicPartition } from './expiry.ts'
import { emptyGroup, type Group, type GroupError, nextDeadlineMs, type RequestId, restoreGroup, storedGroup } from './group.ts'
import { groupRecord, offsetRecord, startRecord } from './offset-records.ts'
import { pendingOffsets } from './pending-offsets.ts'
import { prepareRebalance } from './rebalance.ts'
import { type GroupEvent, type Join, type Leave, type Sync, step } from './step.ts'
import { readStoredGroups } from './stored-groups.ts'

export interface CoordinatorOptions {
  readonly groupsMax: number
  readonly groupMembersMax: number
  readonly groupInitialRebalanceDelayMs: number
  readonly groupConsumerMigrationPolicy: Migration
  readonly offsetsRetentionMinutes: number
}

export interface CoordinatorParts {
  /** Partition 0 of `__consumer_offsets`. */
  readonly log: PartitionLog
  readonly clock: Clock
  readonly logger: Logger
  readonly options: CoordinatorOptions
  /** False for the ID of a topic that was deleted: its offsets mean nothing any more. */
  readonly topicLives: (topicId: string) => boolean
  /** The topics that members of consumer groups may be given. */
  readonly catalog: Catalog
  /** The settings of a consumer group that are in force. */
  readonly timingOf: (groupId: string) => GroupTiming
}

/** A group as others may look at it. */
export interface GroupView {
  /** Counts while there is no `consumer`. */
  readonly group: Readonly<Group>
  /** A group of the consumer protocol (KIP-848). */
  readonly consumer: { readonly group: Readonly<ConsumerGroup> } | undefined
  readonly offsets: Pick<CommittedOffsets, 'get' | 'entries' | 'size'>
}

type Unnumbered<E> = Omit<E, 'type' | 'request'>

export interface Coordinator {
  join(groupId: string, join: Unnumbered<Join>, gone: AbortSignal): Promise<JoinAnswer>
  sync(groupId: string, sync: Unnumbered<Sync>, gone: AbortSignal): Promise<SyncAnswer>
  heartbeat(groupId: string, claim: Claim): Promise<GroupError>
  leave(groupId: string, members: Leave['members']): Promise<readonly LeaveAnswer[]>
  /** Of the consumer protocol (KIP-848); answered when what changed is on disk. */
  consumerHeartbeat(groupId: string, beat: ConsumerHeartbeat): Promise<BeatAnswer>
  /** Resolves with NONE when all entries are on disk. Nothing was written otherwise. */
  commit(groupId: string, claim: Claim, entries: readonly OffsetCommitEntry[]): Promise<GroupError>
  /**
   * The same within the transaction of this producer, which holds the partition of the offsets: they count once it is committed. Resolves
   * with NONE when they are on disk.
   */
  commitInTransaction(
    groupId: string,
    claim: Claim,
    producer: Committer,
    entries: readonly OffsetCommitEntry[]
  ): Promise<GroupError>
  /** The end of a producer's transaction is on disk: its offsets count from now on, or are forgotten. */
  endTransaction(producerId: number, end: TransactionEnd): Promise<void>
  /** True while a transaction that has not ended holds an offset for the partition. */
  isPending(groupId: string, topic: string, partition: number): boolean
  get(groupId: string): GroupView | undefined
  all(): Iterable<GroupView>
  /** Forgets an empty group and its offsets. */
  remove(groupId: string): Promise<GroupError>
  /** Takes away the offsets that the group has of these partitions. NONE when it is on disk. */
  deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<GroupError>
  /** What must be written, and then done, when a topic is deleted. */
  deleteTopic(topic: Topic): { readonly appends: readonly Append[]; readonly done: () => void }
  /** Sends everyone who waits away, and waits for appends under way. */
  close(): Promise<void>
}

interface Hosted extends Committing {
  timer: Timer | undefined
  timerAtMs: number
  /** Appends of this group that are on their way to the disk. */
  readonly appends: Set<Promise<unknown>>
  /** What the group is busy with under the consumer protocol: the next of its requests waits for it. */
  turn: Promise<unknown> | undefined
}

/** A group without members and offsets is forgotten after so long. */
const EMPTY_KEPT_MS = 600_000
const DELAY_MAX_MS = 86_400_000
/** Kafka's `offsets.retention.check.interval.ms`. */
const EXPIRY_EVERY_MS = 600_000

export async function openCoordinator(parts: CoordinatorParts): Promise<Coordinator> {
  const { log, clock, logger, options } = parts
  const limits = {
    membersMax: options.groupMembersMax,
    initialRebalanceDelayMs: options.groupInitialRebalanceDelayMs
  }
  const hosted = new Map<string, Hosted>()
  const waiting = new Map<RequestId, (answer: Answer) => void>()
  const underWay = new Set<Promise<unknown>>()
  const pending = pendingOffsets()
  let lastRequest = 0
  let closed = false

  const host = (group: Group, offsets = committedOffsets()): Hosted => {
    const made: Hosted = {
      group,
      consumer: undefined,
      offsets,
      timer: undefined,
      timerAtMs: Number.POSITIVE_INFINITY,
      appends: new Set(),
      turn: undefined
    }
    hosted.set(group.id, made)
    return made
  }
  const hostFor = (groupId: string): Hosted | undefined => {
    const known = hosted.get(groupId)
    if (known !== undefined) return known
    return hosted.size >= options.groupsMax ? undefined : host(emptyGroup(groupId, clock.now()))
  }

  /** Appends in the order of the calls; the promise is owned here too, so that close can wait for it. */
  function append(to: Hosted, records: readonly KeyedRecord[], producer?: Committer): Promise<number> {
    const done = log.append(keyedBatch(records, clock.now(), producer)).then(({ baseOffset }) => baseOffset)
    const tracked = done.then(
      () => undefined,
      error => logger.error({ group: to.group.id, error }, 'group state could not be stored')
    )
    underWay.add(tracked)
    to.appends.add(tracked)
    void tracked.then(() => {
      underWay.delete(tracked)
      to.appends.delete(tracked)
    })
    return done
  }

  function answer(effect: Answer): void {
    const give = waiting.get(effect.request)
    waiting.delete(effect.request)
    give?.(effect)
  }

  function run(on: Hosted, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type !== 'store') {
        answer(effect)
        continue
      }
      const done = (ok: boolean): void => {
        for (const one of effect.answers) answer(ok ? one : failed(one, 'COORDINATOR_NOT_AVAILABLE'))
        dispatch(on, { type: 'stored', generation: effect.generation, ok })
      }
      // Nobody waits for this: what `append` tracks is the write, and what follows it is told to those who wait for answers.
      void append(on, [groupRecord(on.group.id, storedGroup(on.group))]).then(
        () => done(true),
        () => done(false)
      )
    }
  }

  function dispatch(on: Hosted, event: GroupEvent): void {
    run(on, step(on.group, event, clock.now(), limits))
    // A sign of life only moves deadlines back: the timer finds that out when it rings, not each of thousands of heartbeats.
    if ((event.type !== 'heartbeat' && event.type !== 'heard') || on.timer === undefined) arm(on)
  }

  function arm(on: Hosted): void {
    if (closed || hosted.get(on.group.id) !== on) return
    const nowMs = clock.now()
    let nextMs = nextDeadlineMs(on.group, nowMs) ?? Number.POSITIVE_INFINITY
    if (on.consumer !== undefined) nextMs = nextConsumerDeadlineMs(on.consumer)
    if (isIdle(on)) nextMs = Math.min(nextMs, idleSinceMs(on) + EMPTY_KEPT_MS)
    if (on.timer !== undefined && on.timerAtMs <= nextMs) return
    on.timer?.cancel()
    on.timer = undefined
    on.timerAtMs = nextMs
    if (!Number.isFinite(nextMs)) return
    on.timer = clock.after(Math.min(Math.max(nextMs - nowMs, 0), DELAY_MAX_MS), () => {
      on.timer = undefined
      if (closed || on.group.state === 'Dead') return
      if (isIdle(on) && idleSinceMs(on) + EMPTY_KEPT_MS <= clock.now()) {
        void forget(on).catch(() => arm(on))
      } else if (on.consumer !== undefined) {
        void inTurn(on, () => consumers.tick(on)).then(() => arm(on))
      } else dispatch(on, { type: 'tick' })
    })
  }

  const isIdle = ({ group, consumer, offsets, appends, turn }: Hosted): boolean =>
    group.state === 'Empty' &&
    group.pending.size === 0 &&
    (consumer === undefined || consumer.group.members.size === 0) &&
    offsets.size === 0 &&
    appends.size === 0 &&
    turn === undefined &&
    !pending.hasGroup(group.id)
  const idleSinceMs = ({ group, consumer }: Hosted): number => consumer?.changedMs ?? group.stateSinceMs

  /** One at a time: `run` finds the group as everything before it has left it. Its failure is the caller's. */
  function inTurn<T>(on: Hosted, run: () => T | Promise<T>): Promise<T> {
    const turn = (on.turn ?? Promise.resolve()).then(async () => {
      try {
        return await run()
      } finally {
        if (on.turn === own) on.turn = undefined
      }
    })
    const own = turn.then(
      () => undefined,
      () => undefined
    )
    on.turn = own
    underWay.add(own)
    void own.then(() => underWay.delete(own))
    return turn
  }

  /** What a request of the classic protocol comes to in a consumer group; undefined in a classic one, which is at rest then. */
  async function ofConsumerGroup<T>(on: Hosted, run: () => T | Promise<T>): Promise<{ readonly answer: T } | undefined> {
    while (on.consumer !== undefined || on.turn !== undefined) {
      const given = await inTurn(on, async () => (on.consumer === undefined ? undefined : { answer: await run() }))
      arm(on)
      // Without an answer the group has become a classic one, and may have become another again.
      if (given?.answer !== undefined) return given
    }
    return undefined
  }

  const consumers = consumerCoordinator<Hosted>({
    clock,
    catalog: parts.catalog,
    migration: options.groupConsumerMigrationPolicy,
    membersMax: options.groupMembersMax,
    timingOf: parts.timingOf,
    append,
    upgraded(_on, classic) {
      for (const member of classic.members.values()) {
        if (member.joinWaiting !== undefined) answer(failedJoin(member.joinWaiting, 'REBALANCE_IN_PROGRESS', member.id))
        if (member.syncWaiting !== undefined) answer(failedSync(member.syncWaiting, 'REBALANCE_IN_PROGRESS'))
      }
      classic.members.clear()
    },
    downgraded(on) {
      run(on, prepareRebalance(on.group, clock.now(), limits))
    }
  })

  /** An empty group is of either protocol: whoever joins says which. */
  async function leaveConsumerProtocol(on: Hosted): Promise<boolean> {
    const host = on.consumer!
    try {
      await append(on, tombstonesOf(host.group).map(consumerGroupRecord))
    } catch {
      return false
    }
    on.consumer = undefined
    on.group = emptyGroup(host.group.id, clock.now())
    on.group.generation = host.group.epoch
    on.group.nextGeneration = host.group.epoch + 1
    return true
  }

  /** Dead first, so that nothing new begins; then all that is on its way arrives; then the tombstones are the last word. */
  async function forget(on: Hosted): Promise<void> {
    on.group.state = 'Dead'
    on.timer?.cancel()
    on.timer = undefined
    try {
      await Promise.all(on.appends)
      const keys = [...on.offsets.keys(on.group.id), ...pending.forget(on.group.id)]
      const tombstones = keys.map(key => offsetRecord(key, null))
      const ofConsumer = on.consumer === undefined ? [] : tombstonesOf(on.consumer.group).map(consumerGroupRecord)
      await append(on, [...tombstones, ...ofConsumer, groupRecord(on.group.id, null)])
      hosted.delete(on.group.id)
    } catch (error) {
      on.group.state = 'Empty'
      throw error
    }
  }

  const commits = groupCommits<Hosted>({
    log,
    clock,
    pending,
    topicLives: parts.topicLives,
    append,
    inTurn,
    heard: (on, memberId) => dispatch(on, { type: 'heard', memberId })
  })

  async function dropOffsets(on: Hosted, partitions: readonly TopicPartition[]): Promise<boolean> {
    const isDone = await commits.drop(on, partitions)
    arm(on)
    return isDone
  }

  let expiry: Timer | undefined
  function expireLater(): void {
    expiry = clock.after(EXPIRY_EVERY_MS, () => {
      const retentionMs = options.offsetsRetentionMinutes * 60_000
      for (const on of hosted.values()) {
        if (on.group.state === 'Dead') continue
        // What a transaction under way may change is looked at again once it has ended.
        const gone = expiredOffsets(on, { nowMs: clock.now(), retentionMs }).filter(
          ({ topic, partition }) => !pending.has(on.group.id, topic, partition)
        )
        if (gone.length > 0) void dropOffsets(on, gone)
      }
      expireLater()
    })
  }

  /** Gives the event a number, and waits for its answer as long as the connection lives. */
  function ask(on: Hosted, gone: AbortSignal | undefined, event: (request: RequestId) => GroupEvent): Promise<Answer> {
    const request = ++lastRequest
    return new Promise(resolve => {
      const leave = (): void => {
        if (!waiting.delete(request)) return
        dispatch(on, { type: 'abandoned', request })
        resolve(failedSync(request, 'NOT_COORDINATOR'))
      }
      waiting.set(request, one => {
        gone?.removeEventListener('abort', leave)
        resolve(one)
      })
      gone?.addEventListener('abort', leave, { once: true })
      dispatch(on, event(request))
      if (gone?.aborted) leave()
    })
  }

  /** The answers to heartbeats and leaves come within the step. */
  function askNow(on: Hosted, event: (request: RequestId) => GroupEvent): Answer {
    const request = ++lastRequest
    let given: Answer | undefined
    waiting.set(request, one => {
      given = one
    })
    dispatch(on, event(request))
    return given!
  }

  async function commit(
    groupId: string,
    claim: Claim,
    entries: readonly OffsetCommitEntry[],
    producer?: Committer
  ): Promise<GroupError> {
    if (closed) return 'NOT_COORDINATOR'
    if (claim.generation >= 0 && !hosted.has(groupId)) return 'ILLEGAL_GENERATION'
    const on = hostFor(groupId)
    return on === undefined ? 'GROUP_MAX_SIZE_REACHED' : commits.commit(on, claim, entries, producer)
  }

  /** Before anybody hears of a generation. Without it a disk that is full would keep the server from starting. */
  async function noteStart(start: number): Promise<void> {
    try {
      await log.append(keyedBatch([startRecord(start)], clock.now()))
    } catch (error) {
      logger.warn({ error }, 'the start could not be written down for the groups: members may be told of a generation twice')
    }
  }

  const nowMs = clock.now()
  const found = await readStoredGroups(log, { topicLives: parts.topicLives, pending })
  for (const { id, classic, consumer, offsets } of found.groups) {
    const on = host(classic === undefined ? emptyGroup(id, nowMs) : restoreGroup(id, classic, nowMs), offsets)
    if (consumer !== undefined) on.consumer = hostConsumerGroup(consumer, parts.timingOf(id), nowMs)
    arm(on)
  }
  if (found.groups.some(({ classic }) => classic !== undefined && classic.members.length > 0)) await noteStart(found.starts + 1)
  expireLater()

  return {
    async join(groupId, join, gone) {
      const refuse = (error: GroupError): JoinAnswer => {
        const refused = failedJoin(0, error, join.memberId)
        return refused.type === 'join' ? refused.answer : neverOf(refused)
      }
      if (closed) return refuse('NOT_COORDINATOR')
      if (join.memberId !== '' && !hosted.has(groupId)) return refuse('UNKNOWN_MEMBER_ID')
      const on = hostFor(groupId)
      if (on === undefined) return refuse('GROUP_MAX_SIZE_REACHED')
      const other = await ofConsumerGroup(on, async () => {
        if (on.group.state === 'Dead') return refuse('COORDINATOR_NOT_AVAILABLE')
        if (on.consumer!.group.members.size > 0) return consumers.join(on, join)
        return (await leaveConsumerProtocol(on)) ? undefined : refuse('COORDINATOR_NOT_AVAILABLE')
      })
      if (other?.answer !== undefined) return other.answer
      const given = await ask(on, gone, request => ({ ...join, type: 'join', request }))
      return given.type === 'join' ? given.answer : refuse('NOT_COORDINATOR')
    },
    async sync(groupId, sync, gone) {
      const refuse = (error: GroupError): SyncAnswer => ({
        error,
        protocolType: null,
        protocolName: null,
        assignment: Buffer.alloc(0)
      })
      if (closed) return refuse('NOT_COORDINATOR')
      const on = hosted.get(groupId)
      if (on === undefined) return refuse('UNKNOWN_MEMBER_ID')
      const other = await ofConsumerGroup(on, () => consumers.sync(on, sync))
      if (other !== undefined) return other.answer
      const given = await ask(on, gone, request => ({ ...sync, type: 'sync', request }))
      return given.type === 'sync' ? given.answer : neverOf(given)
    },
    async heartbeat(groupId, claim) {
      if (closed) return 'NOT_COORDINATOR'
      const on = hosted.get(groupId)
      if (on === undefined) return 'UNKNOWN_MEMBER_ID'
      const other = await ofConsumerGroup(on, () => consumers.classicHeartbeat(on, claim))
      if (other !== undefined) return other.answer
      const given = askNow(on, request => ({ ...claim, type: 'heartbeat', request }))
      return given.type === 'heartbeat' ? given.error : neverOf(given)
    },
    async leave(groupId, members) {
      const on = hosted.get(groupId)
      if (closed) return members.map(member => ({ ...member, error: 'NOT_COORDINATOR' }))
      if (on === undefined) return members.map(member => ({ ...member, error: 'UNKNOWN_MEMBER_ID' }))
      const other = await ofConsumerGroup(on, () => consumers.leave(on, members))
      if (other !== undefined) return other.answer
      const given = askNow(on, request => ({ type: 'leave', request, members }))
      return given.type === 'leave' ? given.answers : neverOf(given)
    },
    async consumerHeartbeat(groupId, beat) {
      const refuse = (error: GroupError, message: string): BeatAnswer => ({
        ...refusedHeartbeat(new Refusal(error, message)),
        intervalMs: 0
      })
      if (closed) return refuse('NOT_COORDINATOR', 'The server is stopping.')
      if (beat.epoch !== 0 && !hosted.has(groupId)) return refuse('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
      const on = hostFor(groupId)
      if (on === undefined) return refuse('GROUP_MAX_SIZE_REACHED', 'There are as many groups as there may be.')
      const given = await inTurn(on, () =>
        on.group.state === 'Dead'
          ? refuse('COORDINATOR_NOT_AVAILABLE', `Group ${groupId} is being deleted.`)
          : consumers.heartbeat(on, beat)
      )
      arm(on)
      return given
    },
    commit,
    commitInTransaction: (groupId, claim, producer, entries) => commit(groupId, claim, entries, producer),
    async endTransaction(producerId, end) {
      for (const on of await commits.end(producerId, end, group => hosted.get(group))) arm(on)
    },
    isPending: (groupId, topic, partition) => pending.has(groupId, topic, partition),
    get: groupId => hosted.get(groupId),
    all: () => hosted.values(),
    async remove(groupId) {
      if (closed) return 'NOT_COORDINATOR'
      const on = hosted.get(groupId)
      if (on === undefined) return 'GROUP_ID_NOT_FOUND'
      return inTurn(on, async () => {
        if (on.group.state === 'Dead') return 'GROUP_ID_NOT_FOUND'
        if (on.group.state !== 'Empty' || (on.consumer?.group.members.size ?? 0) > 0) return 'NON_EMPTY_GROUP'
        try {
          await forget(on)
          return 'NONE'
        } catch {
          return 'COORDINATOR_NOT_AVAILABLE'
        }
      })
    },
    async deleteOffsets(groupId, partitions) {
      if (closed) return 'NOT_COORDINATOR'
      const on = hosted.get(groupId)
      if (on === undefined || on.group.state === 'Dead') return 'GROUP_ID_NOT_FOUND'
      return (await dropOffsets(on, partitions)) ? 'NONE' : 'COORDINATOR_NOT_AVAILABLE'
    },
    deleteTopic(topic) {
      const holders = [...hosted.values()]
      const { appends, done } = commits.deleteTopic(topic, holders)
      return {
        appends,
        done: () => {
          done()
          for (const on of holders) arm(on)
        }
      }
    },
    async close() {
      closed = true
      expiry?.cancel()
      for (const on of hosted.values()) on.timer?.cancel()
      for (const [request, give] of [...waiting]) {
        waiting.delete(request)
        give(failedSync(request, 'NOT_COORDINATOR'))
      }
      await Promise.all(underWay)
    }
  }
}

function neverOf(answer: Answer): never {
  throw new Error(`Broken invariant: a ${answer.type} answer was given to another kind of request`)
}
