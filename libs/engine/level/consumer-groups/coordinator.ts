/**
 * Runs consumer groups: one step of a group at a time, its records durable before anybody sees what it came to. Groups come from the
 * classic protocol and go back to it as their members do.
 */
import type { Clock } from '@assay/std'
import type { JoinAnswer, LeaveAnswer, SyncAnswer } from '../groups/effects.ts'
import { emptyGroup, type Group, type GroupError, storedGroup } from '../groups/group.ts'
import { groupRecord } from '../groups/offset-records.ts'
import type { Join, Leave, Sync } from '../groups/step.ts'
import type { KeyedRecord } from '../keyed-log.ts'
import { type Catalog, changeOf, type Surroundings } from './change.ts'
import { type ClassicClaim, CONSUMER, classicHeartbeat, classicSync, stepClassicJoin, stepClassicLeave } from './classic-step.ts'
import { EPOCH, isClassic, recordsOf, tombstonesOf } from './group.ts'
import {
  type ConsumerHost,
  expectClassic,
  expired,
  type GroupTiming,
  heard,
  heartbeatIntervalMs,
  hostConsumerGroup,
  replaceGroup
} from './host.ts'
import { isAllClassic, type Migration, mayDowngrade, mayUpgrade, toClassic, toConsumer } from './migration.ts'
import { consumerGroupRecord } from './records.ts'
import {
  type ConsumerHeartbeat,
  fence,
  type HeartbeatAnswer,
  Refusal,
  refusedHeartbeat,
  type Stepped,
  stepHeartbeat
} from './step.ts'

/** What the ACLs newly allow to know of is found after so long (`group.consumer.regex.refresh.interval.ms`). */
const PATTERN_REFRESH_MS = 600_000

/** A group as both protocols share it: `group` counts while `consumer` is undefined. */
export interface Seat {
  group: Group
  consumer: ConsumerHost | undefined
}

export interface ConsumerCoordinatorParts<S extends Seat> {
  readonly clock: Clock
  readonly catalog: Catalog
  readonly migration: Migration
  readonly membersMax: number
  readonly timingOf: (groupId: string) => GroupTiming
  readonly append: (on: S, records: readonly KeyedRecord[]) => Promise<unknown>
  /** The group is of the other protocol now: those who wait under the classic one are sent to join again. */
  readonly upgraded: (on: S, classic: Group) => void
  readonly downgraded: (on: S) => void
}

export interface BeatAnswer extends HeartbeatAnswer {
  readonly intervalMs: number
}

/** Every method is called for one group at a time. Nothing was changed where one answers COORDINATOR_NOT_AVAILABLE. */
export interface ConsumerCoordinator<S extends Seat> {
  heartbeat(on: S, beat: ConsumerHeartbeat): Promise<BeatAnswer>
  join(on: S, join: Omit<Join, 'type' | 'request'>): Promise<JoinAnswer>
  sync(on: S, sync: Omit<Sync, 'type' | 'request'>): SyncAnswer
  classicHeartbeat(on: S, claim: ClassicClaim): GroupError
  leave(on: S, members: Leave['members']): Promise<readonly LeaveAnswer[]>
  /** Takes out who was not heard from. */
  tick(on: S): Promise<void>
}

export function consumerCoordinator<S extends Seat>(parts: ConsumerCoordinatorParts<S>): ConsumerCoordinator<S> {
  const { clock, catalog, migration } = parts

  const around = (host: ConsumerHost | undefined, beat?: ConsumerHeartbeat): Surroundings => ({
    nowMs: clock.now(),
    catalog,
    membersMax: parts.membersMax,
    topicsChanged:
      host?.seenCatalog !== catalog.version ||
      (host.group.patterns.size > 0 && clock.now() - host.lookedMs >= PATTERN_REFRESH_MS),
    sees: (memberId, topic) => (memberId === beat?.memberId ? beat : { sees: host?.sight.get(memberId) }).sees?.(topic)
  })

  /** True when what the step came to is durable, and in force. */
  async function settle(on: S, stepped: Stepped<unknown>, host: ConsumerHost): Promise<boolean> {
    const seen = catalog.version
    const lookedMs = host.seenCatalog === seen && clock.now() - host.lookedMs < PATTERN_REFRESH_MS ? host.lookedMs : clock.now()
    if (stepped.records.length > 0) {
      const leavesClassic = isAllClassic(stepped.group) && !isAllClassic(host.group) && mayDowngrade(migration)
      if (leavesClassic) return downgrade(on, stepped, host)
      if (!(await written(on, stepped.records.map(consumerGroupRecord)))) return false
      replaceGroup(host, stepped.group, clock.now())
    }
    host.seenCatalog = seen
    host.lookedMs = lookedMs
    return true
  }

  async function written(on: S, records: readonly KeyedRecord[]): Promise<boolean> {
    try {
      await parts.append(on, records)
      return true
    } catch {
      // Whoever appends has logged it; the state is that of before.
      return false
    }
  }

  async function downgrade(on: S, stepped: Stepped<unknown>, host: ConsumerHost): Promise<boolean> {
    // In the generation that its members know: they are to learn that they must join again, not that they are strangers.
    const classic = toClassic({ ...stepped.group, epoch: host.group.epoch }, catalog, clock.now())
    const records = [...tombstonesOf(host.group).map(consumerGroupRecord), groupRecord(classic.id, storedGroup(classic))]
    if (!(await written(on, records))) return false
    on.group = classic
    on.consumer = undefined
    parts.downgraded(on)
    return true
  }

  /** The first step of a group that was no consumer group: all of it is written at once, in the place of the classic record. */
  async function begin(on: S, beat: ConsumerHeartbeat): Promise<BeatAnswer> {
    const classic = on.group
    if (classic.state === 'Dead') return refuse('COORDINATOR_NOT_AVAILABLE', 'The group is being deleted.')
    if (beat.epoch !== EPOCH.join) return refuse('GROUP_ID_NOT_FOUND', `Group ${classic.id} is not a consumer group.`)
    const isEmpty = classic.members.size === 0
    const base = isEmpty || mayUpgrade(migration) ? toConsumer(classic, catalog) : undefined
    if (base === undefined || base.members.size > parts.membersMax) {
      return refuse('GROUP_ID_NOT_FOUND', `Group ${classic.id} is not a consumer group.`)
    }
    // Its generations were numbered by the same count of epochs: a member of an older one is never taken for one of these.
    base.epoch = Math.max(base.epoch, classic.generation)
    const stepped = stepHeartbeat(base, beat, { ...around(undefined, beat), topicsChanged: true })
    if (stepped.records.length === 0) return { ...stepped.answer, intervalMs: 0 }
    const seen = catalog.version
    const records = [groupRecord(classic.id, null), ...recordsOf(stepped.group).map(consumerGroupRecord)]
    // Whoever speaks the classic protocol meanwhile is sent to try again: what is being written is the group as it was.
    on.group = { ...emptyGroup(classic.id, clock.now()), state: 'Dead' }
    if (!(await written(on, records))) {
      on.group = classic
      return refuse('COORDINATOR_NOT_AVAILABLE', 'The group could not be stored.')
    }
    const host = hostConsumerGroup(stepped.group, parts.timingOf(classic.id), clock.now())
    host.seenCatalog = seen
    host.sight.set(beat.memberId, beat.sees)
    on.consumer = host
    on.group = emptyGroup(classic.id, clock.now())
    parts.upgraded(on, classic)
    return answered(host, stepped.answer)
  }

  function answered(host: ConsumerHost, answer: HeartbeatAnswer): BeatAnswer {
    return { ...answer, intervalMs: heartbeatIntervalMs(host, parts.timingOf(host.group.id), clock.now()) }
  }

  return {
    async heartbeat(on, beat) {
      const host = on.consumer
      if (host === undefined) return begin(on, beat)
      const stepped = stepHeartbeat(host.group, beat, around(host, beat))
      if (!(await settle(on, stepped, host))) return refuse('COORDINATOR_NOT_AVAILABLE', 'The group could not be stored.')
      const { error, epoch, memberId } = stepped.answer
      if (error === 'NONE' && epoch >= 0) {
        heard(host, memberId!, parts.timingOf(host.group.id), clock.now())
        host.sight.set(memberId!, beat.sees)
      }
      return answered(host, stepped.answer)
    },
    async join(on, join) {
      const host = on.consumer!
      const stepped = stepClassicJoin(host.group, join, around(host))
      const { error, memberId, generation, protocolName } = stepped.answer
      if (!(await settle(on, stepped, host))) return joinAnswer('COORDINATOR_NOT_AVAILABLE', join.memberId)
      if (error === 'NONE') {
        heard(host, memberId, parts.timingOf(host.group.id), clock.now())
        expectClassic(host, memberId, undefined)
        expectClassic(host, memberId, clock.now() + join.rebalanceTimeoutMs)
      }
      return { ...joinAnswer(error, memberId), generation, protocolName, protocolType: error === 'NONE' ? CONSUMER : null }
    },
    sync(on, sync) {
      const host = on.consumer!
      const answer = classicSync(host.group, sync, topicId => catalog.byId(topicId)?.name)
      if (answer.error === 'NONE') {
        heard(host, sync.memberId, parts.timingOf(host.group.id), clock.now())
        expectClassic(host, sync.memberId, undefined)
      }
      return { ...answer, protocolType: answer.error === 'NONE' ? CONSUMER : null }
    },
    classicHeartbeat(on, claim) {
      const host = on.consumer!
      const error = classicHeartbeat(host.group, claim)
      const member = host.group.members.get(claim.memberId)
      if (error === 'NONE' || error === 'REBALANCE_IN_PROGRESS') {
        heard(host, claim.memberId, parts.timingOf(host.group.id), clock.now())
        if (error !== 'NONE') expectClassic(host, claim.memberId, clock.now() + member!.rebalanceTimeoutMs)
      }
      return error
    },
    async leave(on, members) {
      const host = on.consumer!
      const stepped = stepClassicLeave(host.group, members, around(host))
      const isStored = await settle(on, stepped, host)
      return members.map(({ memberId, instanceId }, at) => ({
        memberId,
        instanceId,
        error: isStored ? stepped.answer[at]! : 'COORDINATOR_NOT_AVAILABLE'
      }))
    },
    async tick(on) {
      const host = on.consumer
      const late = host === undefined ? [] : expired(host, clock.now())
      if (host === undefined || late.length === 0) return
      const change = changeOf(host.group)
      fence(change, late, around(host))
      const stored = await settle(on, { records: change.records, group: change.group, answer: undefined }, host)
      // Tried again, and not at once: the disk is what failed.
      if (!stored) for (const { id } of late) heard(host, id, parts.timingOf(host.group.id), clock.now())
    }
  }
}

const refuse = (error: GroupError, message: string): BeatAnswer => ({
  ...refusedHeartbeat(new Refusal(error, message)),
  intervalMs: 0
})

const joinAnswer = (error: GroupError, memberId: string): JoinAnswer => ({
  error,
  memberId,
  generation: -1,
  protocolType: null,
  protocolName: null,
  leaderId: '',
  skipAssignment: false,
  members: []
})

/**
 * The error with which a commit must be refused. A member of the consumer protocol may commit what it was given at the epoch that it names
 * or before: its epoch may have risen while the request was on its way.
 */
export function consumerCommitRefusal(
  host: ConsumerHost,
  claim: ClassicClaim & { readonly knowsMemberEpoch?: boolean },
  partitions: readonly { readonly topicId: string | null; readonly partition: number }[]
): GroupError | undefined {
  const { group } = host
  if (claim.generation < 0 && group.members.size === 0) return undefined
  const member = group.members.get(claim.memberId)
  if (member === undefined) return 'UNKNOWN_MEMBER_ID'
  if (claim.generation === member.epoch)
    return !isClassic(member) && claim.knowsMemberEpoch === false ? 'UNSUPPORTED_VERSION' : undefined
  if (isClassic(member)) return 'ILLEGAL_GENERATION'
  if (claim.knowsMemberEpoch === false) return 'UNSUPPORTED_VERSION'
  if (claim.generation > member.epoch) return 'STALE_MEMBER_EPOCH'
  const isItsOwn = partitions.every(({ topicId, partition }) => {
    const since = member.assigned.get(topicId ?? '')?.get(partition) ?? member.revoking.get(topicId ?? '')?.get(partition)
    return since !== undefined && since <= claim.generation
  })
  return isItsOwn ? undefined : 'STALE_MEMBER_EPOCH'
}
