/**
 * ConsumerGroupHeartbeat as a pure step (KIP-848): a group, what a member says, and what is around give the records to write and the
 * answer. Nothing of it is in force before the records are durable.
 */
import { AssayError } from '@assay/errors'
import type { GroupError } from '../groups/group.ts'
import { ASSIGNORS } from './assignors.ts'
import { bringUpToDate, type Change, changeOf, raise, removeMember, type Surroundings } from './change.ts'
import { type ConsumerGroup, type ConsumerMember, currentOf, EPOCH, metadataOf, newMember } from './group.ts'
import { compilePattern } from './pattern.ts'
import { isWithin, reconcile, sameHeld } from './reconcile.ts'
import type { ConsumerGroupRecord, CurrentAssignment, Held, MemberMetadata, Partitions } from './records.ts'

/** Null wherever a member says that nothing changed. */
export interface ConsumerHeartbeat {
  readonly memberId: string
  readonly epoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  /** -1 when it did not change. */
  readonly rebalanceTimeoutMs: number
  readonly topicNames: readonly string[] | null
  readonly topicPattern: string | null
  readonly assignor: string | null
  readonly owned: Partitions | null
  readonly clientId: string
  readonly clientHost: string
  /** Whether it may know of a topic that its pattern matches (KIP-848). */
  readonly sees: (topic: string) => boolean
}

export interface HeartbeatAnswer {
  readonly error: GroupError
  readonly message: string | null
  readonly memberId: string | null
  readonly epoch: number
  /** Null when the member has it already. */
  readonly assigned: Held | null
}

export interface Stepped<A> {
  readonly records: readonly ConsumerGroupRecord[]
  readonly group: ConsumerGroup
  readonly answer: A
}

/** What a step throws to be answered with, and nothing is written. */
export class Refusal extends Error {
  readonly error: GroupError

  constructor(error: GroupError, message: string) {
    super(message)
    this.error = error
  }
}

/** The answer of a step, or its refusal: then nothing is written. */
export function refusing<A>(group: ConsumerGroup, run: () => Stepped<A>, answer: (refusal: Refusal) => A): Stepped<A> {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { records: [], group, answer: answer(error) }
  }
}

export const refusedHeartbeat = ({
  error,
  message
}: {
  readonly error: GroupError
  readonly message: string
}): HeartbeatAnswer => ({
  error,
  message,
  memberId: null,
  epoch: 0,
  assigned: null
})

export function stepHeartbeat(group: ConsumerGroup, beat: ConsumerHeartbeat, around: Surroundings): Stepped<HeartbeatAnswer> {
  return refusing(group, () => (beat.epoch < 0 ? leave(group, beat, around) : hear(group, beat, around)), refusedHeartbeat)
}

function leave(group: ConsumerGroup, beat: ConsumerHeartbeat, around: Surroundings): Stepped<HeartbeatAnswer> {
  const member = beat.instanceId === null ? memberOf(group, beat.memberId) : staticMemberOf(group, beat.instanceId, beat.memberId)
  const change = changeOf(group)
  if (beat.epoch === EPOCH.leaveStatic) {
    // It keeps its partitions until it is back or its session ends.
    const value: CurrentAssignment = { ...currentOf(member), epoch: EPOCH.leaveStatic, revoking: new Map() }
    change.emit({ type: 'current', group: group.id, memberId: member.id, value })
  } else fence(change, [member], around)
  const answer = { error: 'NONE', message: null, memberId: member.id, epoch: beat.epoch, assigned: null } as const
  return { records: change.records, group: change.group, answer }
}

/** Takes members out of the group; those who stay learn of it with their next heartbeat. */
export function fence(change: Change, members: readonly ConsumerMember[], around: Surroundings): void {
  for (const member of members) removeMember(change, member)
  raise(change, change.group.metadataHash)
  if (change.group.members.size > 0) bringUpToDate(change, around, { bump: false })
}

function hear(group: ConsumerGroup, beat: ConsumerHeartbeat, around: Surroundings): Stepped<HeartbeatAnswer> {
  const change = changeOf(group)
  const before = beat.instanceId === null ? dynamicMember(change, beat, around) : staticMember(change, beat, around)
  const told = updated(before, beat)
  // The place of a static member that came back is the old one: nobody else has to move for it.
  const isNew = !change.group.members.has(before.id)
  const wantsOther = !sameNames(told.topicNames, before.topicNames) || told.topicPattern !== before.topicPattern
  if (isNew || !sameMetadata(told, before)) {
    change.emit({ type: 'member', group: group.id, memberId: told.id, value: metadataOf(told) })
  }
  const losesSight = !isNew && shallHaveUnseen(change.group, told, around)
  bringUpToDate(change, around, { bump: isNew || wantsOther || losesSight || told.assignor !== before.assignor })
  const after = moveOn(change, change.group.members.get(told.id)!, beat.owned)
  const tellsAll =
    beat.epoch === EPOCH.join ||
    (beat.rebalanceTimeoutMs !== -1 && (beat.topicNames !== null || beat.topicPattern !== null) && beat.owned !== null)
  const isOther = before.epoch !== beat.epoch || !sameHeld(before.assigned, after.assigned)
  return {
    records: change.records,
    group: change.group,
    answer: {
      error: 'NONE',
      message: null,
      memberId: after.id,
      epoch: after.epoch,
      assigned: tellsAll || isOther ? after.assigned : null
    }
  }
}

/** It was to be given a topic by its pattern that it may not know of: no more, or not at all. */
function shallHaveUnseen({ targets }: ConsumerGroup, member: ConsumerMember, { catalog, sees }: Surroundings): boolean {
  if (member.topicPattern === '') return false
  return [...(targets.get(member.id)?.keys() ?? [])].some(topicId => {
    const name = catalog.byId(topicId)?.name
    return name !== undefined && !member.topicNames.includes(name) && sees(member.id, name) === false
  })
}

/** Brings the member one step nearer to its target. */
export function moveOn(change: Change, member: ConsumerMember, owned: Partitions | null): ConsumerMember {
  const value = reconcile(change.group, member, owned)
  if (sameCurrent(value, member)) return member
  change.emit({ type: 'current', group: change.group.id, memberId: member.id, value: currentOf(value) })
  return change.group.members.get(member.id)!
}

function dynamicMember({ group }: Change, beat: ConsumerHeartbeat, around: Surroundings): ConsumerMember {
  const known = group.members.get(beat.memberId)
  if (beat.epoch === EPOCH.join) {
    if (known !== undefined) return known
    checkRoom(group, around)
    return fresh(beat)
  }
  if (known === undefined) throw new Refusal('UNKNOWN_MEMBER_ID', `Member ${beat.memberId} is not a member of group ${group.id}.`)
  checkEpoch(known, beat)
  return known
}

function staticMember(change: Change, beat: ConsumerHeartbeat, around: Surroundings): ConsumerMember {
  const { group } = change
  if (beat.epoch !== EPOCH.join) {
    const known = staticMemberOf(group, beat.instanceId!, beat.memberId)
    checkEpoch(known, beat)
    return known
  }
  const ownerId = group.staticMembers.get(beat.instanceId!)
  if (ownerId === undefined) {
    const known = group.members.get(beat.memberId)
    if (known !== undefined) return known
    checkRoom(group, around)
    return fresh(beat)
  }
  const owner = group.members.get(ownerId)!
  if (ownerId === beat.memberId) return owner
  // A member of the classic protocol cannot say that it will be back.
  if (owner.classic === null && owner.epoch !== EPOCH.leaveStatic) {
    throw new Refusal('UNRELEASED_INSTANCE_ID', `Member ${ownerId} still holds the instance ID ${beat.instanceId}.`)
  }
  return takePlace(change, owner, beat.memberId, EPOCH.join)
}

/** A static member under a new ID: everything of the old one is its own now. */
export function takePlace(change: Change, old: ConsumerMember, id: string, epoch: number): ConsumerMember {
  const group = change.group.id
  const target = change.group.targets.get(old.id)
  change.emit({ type: 'current', group, memberId: old.id, value: null })
  if (target !== undefined) change.emit({ type: 'target-member', group, memberId: old.id, value: null })
  change.emit({ type: 'member', group, memberId: old.id, value: null })
  change.emit({ type: 'member', group, memberId: id, value: metadataOf(old) })
  if (target !== undefined) change.emit({ type: 'target-member', group, memberId: id, value: target })
  // It owns nothing yet, so there is nothing that it would have to give up first.
  const value: CurrentAssignment = { ...currentOf(old), epoch, previousEpoch: EPOCH.join, revoking: new Map() }
  change.emit({ type: 'current', group, memberId: id, value })
  return change.group.members.get(id)!
}

const fresh = (beat: ConsumerHeartbeat): ConsumerMember =>
  newMember(beat.memberId, {
    instanceId: beat.instanceId,
    rackId: beat.rackId,
    clientId: beat.clientId,
    clientHost: beat.clientHost,
    topicNames: [],
    topicPattern: '',
    rebalanceTimeoutMs: beat.rebalanceTimeoutMs,
    assignor: null,
    classic: null
  })

function updated(member: ConsumerMember, beat: ConsumerHeartbeat): ConsumerMember {
  return {
    ...member,
    instanceId: beat.instanceId ?? member.instanceId,
    rackId: beat.rackId ?? member.rackId,
    clientId: beat.clientId,
    clientHost: beat.clientHost,
    topicNames: beat.topicNames === null ? member.topicNames : [...new Set(beat.topicNames)].sort(),
    topicPattern: beat.topicPattern ?? member.topicPattern,
    rebalanceTimeoutMs: beat.rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : beat.rebalanceTimeoutMs,
    assignor: beat.assignor ?? member.assignor,
    classic: null
  }
}

export function checkRoom(group: ConsumerGroup, { membersMax }: Surroundings): void {
  if (group.members.size >= membersMax)
    throw new Refusal('GROUP_MAX_SIZE_REACHED', `Group ${group.id} has ${membersMax} members.`)
}

function checkEpoch(member: ConsumerMember, beat: ConsumerHeartbeat): void {
  if (beat.epoch === member.epoch) return
  // The answer with the newer epoch was lost: a member that claims no more than it was given may ask again.
  if (beat.epoch < member.epoch && beat.epoch === member.previousEpoch && isWithin(beat.owned, member.assigned)) return
  throw new Refusal(
    'FENCED_MEMBER_EPOCH',
    `Member ${member.id} is at epoch ${member.epoch}, not ${beat.epoch}: it must join again.`
  )
}

export function memberOf(group: ConsumerGroup, memberId: string): ConsumerMember {
  const member = group.members.get(memberId)
  if (member !== undefined) return member
  throw new Refusal('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${group.id}.`)
}

export function staticMemberOf(group: ConsumerGroup, instanceId: string, memberId: string): ConsumerMember {
  const ownerId = group.staticMembers.get(instanceId)
  if (ownerId === undefined)
    throw new Refusal('UNKNOWN_MEMBER_ID', `Instance ${instanceId} is not a member of group ${group.id}.`)
  if (ownerId !== memberId) throw new Refusal('FENCED_INSTANCE_ID', `Instance ${instanceId} is member ${ownerId} now.`)
  return group.members.get(ownerId)!
}

const sameNames = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((name, at) => name === right[at])

const sameCurrent = (left: CurrentAssignment, right: CurrentAssignment): boolean =>
  left.epoch === right.epoch &&
  left.previousEpoch === right.previousEpoch &&
  left.state === right.state &&
  sameHeld(left.assigned, right.assigned) &&
  sameHeld(left.revoking, right.revoking)

const sameMetadata = (left: MemberMetadata, right: MemberMetadata): boolean =>
  left.instanceId === right.instanceId &&
  left.rackId === right.rackId &&
  left.clientId === right.clientId &&
  left.clientHost === right.clientHost &&
  sameNames(left.topicNames, right.topicNames) &&
  left.topicPattern === right.topicPattern &&
  left.rebalanceTimeoutMs === right.rebalanceTimeoutMs &&
  left.assignor === right.assignor &&
  left.classic === right.classic

/** What is wrong with a request before any group is looked at; undefined when nothing is. */
export function faultOf(beat: ConsumerHeartbeat, groupId: string): Refusal | undefined {
  const invalid = (message: string): Refusal => new Refusal('INVALID_REQUEST', message)
  if (groupId === '') return invalid("GroupId can't be empty.")
  if (beat.memberId === '') return invalid("MemberId can't be empty.")
  if (beat.instanceId === '') return invalid("InstanceId can't be empty.")
  if (beat.rackId === '') return invalid("RackId can't be empty.")
  if (beat.epoch < EPOCH.leaveStatic) return invalid('MemberEpoch is invalid.')
  if (beat.epoch === EPOCH.leaveStatic && beat.instanceId === null) return invalid("InstanceId can't be null.")
  if (beat.epoch === EPOCH.join) {
    if (beat.rebalanceTimeoutMs === -1) return invalid('RebalanceTimeoutMs must be provided in first request.')
    if (beat.owned === null || beat.owned.size > 0) return invalid('TopicPartitions must be empty when (re-)joining.')
    if (beat.topicNames === null && beat.topicPattern === null) {
      return invalid('Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.')
    }
  }
  if (beat.assignor !== null && !(ASSIGNORS as readonly string[]).includes(beat.assignor)) {
    return new Refusal(
      'UNSUPPORTED_ASSIGNOR',
      `ServerAssignor ${beat.assignor} is not supported. Supported assignors: ${ASSIGNORS.join(', ')}.`
    )
  }
  return beat.topicPattern === null || beat.topicPattern === '' ? undefined : patternFault(beat.topicPattern)
}

function patternFault(pattern: string): Refusal | undefined {
  try {
    compilePattern(pattern)
    return undefined
  } catch (error) {
    if (!(error instanceof AssayError)) throw error
    return new Refusal('INVALID_REGULAR_EXPRESSION', error.message)
  }
}
