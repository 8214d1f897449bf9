/**
 * Members of the classic protocol inside a consumer group, while a group is being migrated (KIP-848): JoinGroup, SyncGroup, Heartbeat and
 * LeaveGroup as pure steps. Such a member gives up and gets partitions by joining again, whenever its heartbeat says so.
 */
import type { GroupError } from '../groups/group.ts'
import type { Join } from '../groups/step.ts'
import { bringUpToDate, changeOf, type Surroundings } from './change.ts'
import { assignmentBytes, byTopicId, readSubscription } from './classic-member.ts'
import { type ConsumerGroup, type ConsumerMember, isClassic, MEMBER_STATE, metadataOf, newMember } from './group.ts'
import { waitsForOthers } from './reconcile.ts'
import { checkRoom, fence, moveOn, Refusal, refusing, type Stepped, staticMemberOf, takePlace } from './step.ts'

/** The protocol type of consumers. */
export const CONSUMER = 'consumer'

export interface ClassicJoinAnswer {
  readonly error: GroupError
  readonly memberId: string
  readonly generation: number
  readonly protocolName: string | null
}

export interface ClassicClaim {
  readonly memberId: string
  readonly instanceId: string | null
  readonly generation: number
}

type ClassicJoin = Omit<Join, 'type' | 'request'>

export function stepClassicJoin(group: ConsumerGroup, join: ClassicJoin, around: Surroundings): Stepped<ClassicJoinAnswer> {
  return refusing(
    group,
    () => joined(group, join, around),
    ({ error }) => ({
      error,
      memberId: error === 'MEMBER_ID_REQUIRED' ? join.newMemberId : join.memberId,
      generation: -1,
      protocolName: null
    })
  )
}

function joined(group: ConsumerGroup, join: ClassicJoin, around: Surroundings): Stepped<ClassicJoinAnswer> {
  const [first] = join.protocols
  const subscription = first === undefined ? undefined : readSubscription(first.metadata)
  if (join.protocolType !== CONSUMER || first === undefined || subscription === undefined || !sharesProtocol(group, join)) {
    throw new Refusal('INCONSISTENT_GROUP_PROTOCOL', 'The member has no protocol of consumers that the others have.')
  }
  const change = changeOf(group)
  const before = placeOf()
  const told: ConsumerMember = {
    ...before,
    instanceId: join.instanceId,
    rackId: subscription.rackId,
    clientId: join.clientId,
    clientHost: join.clientHost,
    topicNames: [...new Set(subscription.topics)].sort(),
    topicPattern: '',
    rebalanceTimeoutMs: join.rebalanceTimeoutMs,
    classic: { sessionTimeoutMs: join.sessionTimeoutMs, protocols: join.protocols }
  }
  const isNew = !change.group.members.has(before.id)
  const sameTopics =
    told.topicNames.length === before.topicNames.length && told.topicNames.every((name, at) => name === before.topicNames[at])
  change.emit({ type: 'member', group: group.id, memberId: told.id, value: metadataOf(told) })
  bringUpToDate(change, around, { bump: isNew || !sameTopics || before.topicPattern !== '' })
  const owned = byTopicId(subscription.owned, name => around.catalog.byName(name)?.id)
  const after = moveOn(change, change.group.members.get(told.id)!, owned)
  const answer = { error: 'NONE', memberId: after.id, generation: after.epoch, protocolName: first.name } as const
  return { records: change.records, group: change.group, answer }

  function placeOf(): ConsumerMember {
    const ownerId = join.instanceId === null ? undefined : group.staticMembers.get(join.instanceId)
    if (join.memberId !== '') {
      if (join.instanceId !== null) return staticMemberOf(group, join.instanceId, join.memberId)
      const known = group.members.get(join.memberId)
      if (known !== undefined) return known
    }
    if (ownerId !== undefined) return takePlace(change, group.members.get(ownerId)!, join.newMemberId, group.assignmentEpoch)
    checkRoom(group, around)
    if (join.memberId === '' && join.instanceId === null && join.knowsMemberIdRequired) {
      throw new Refusal('MEMBER_ID_REQUIRED', 'Join again with this member ID.')
    }
    return newMember(join.memberId === '' ? join.newMemberId : join.memberId, {
      instanceId: join.instanceId,
      rackId: null,
      clientId: join.clientId,
      clientHost: join.clientHost,
      topicNames: [],
      topicPattern: '',
      rebalanceTimeoutMs: join.rebalanceTimeoutMs,
      assignor: null,
      classic: null
    })
  }
}

/** True when all classic members have a protocol in common with the one that joins: a group that goes back to classic needs one. */
function sharesProtocol(group: ConsumerGroup, join: ClassicJoin): boolean {
  const others = [...group.members.values()].filter(
    member =>
      isClassic(member) && member.id !== join.memberId && (join.instanceId === null || member.instanceId !== join.instanceId)
  )
  return join.protocols.some(({ name }) =>
    others.every(other => other.classic!.protocols.some(protocol => protocol.name === name))
  )
}

export interface ClassicSyncAnswer {
  readonly error: GroupError
  readonly protocolName: string | null
  readonly assignment: Buffer
}

export function classicSync(
  group: ConsumerGroup,
  sync: ClassicClaim & { readonly protocolType: string | null; readonly protocolName: string | null },
  nameOf: (topicId: string) => string | undefined
): ClassicSyncAnswer {
  const member = classicMember(group, sync)
  if (typeof member === 'string') return { error: member, protocolName: null, assignment: Buffer.alloc(0) }
  const [protocol] = member.classic!.protocols
  const otherType = sync.protocolType !== null && sync.protocolType !== CONSUMER
  if (otherType || (sync.protocolName !== null && sync.protocolName !== protocol!.name)) {
    return { error: 'INCONSISTENT_GROUP_PROTOCOL', protocolName: null, assignment: Buffer.alloc(0) }
  }
  const version = readSubscription(protocol!.metadata)?.version ?? 0
  return { error: 'NONE', protocolName: protocol!.name, assignment: assignmentBytes(version, member.assigned, nameOf) }
}

/** REBALANCE_IN_PROGRESS when the member has to join again: to give something up, or to get what is free now. */
export function classicHeartbeat(group: ConsumerGroup, claim: ClassicClaim): GroupError {
  const member = classicMember(group, claim)
  if (typeof member === 'string') return member
  if (member.epoch < group.epoch || member.state === MEMBER_STATE.unrevoked) return 'REBALANCE_IN_PROGRESS'
  return member.state === MEMBER_STATE.unreleased && !waitsForOthers(group, member) ? 'REBALANCE_IN_PROGRESS' : 'NONE'
}

function classicMember(group: ConsumerGroup, { memberId, instanceId, generation }: ClassicClaim): ConsumerMember | GroupError {
  const ownerId = instanceId === null ? memberId : group.staticMembers.get(instanceId)
  if (ownerId === undefined) return 'UNKNOWN_MEMBER_ID'
  if (ownerId !== memberId) return 'FENCED_INSTANCE_ID'
  const member = group.members.get(memberId)
  if (member === undefined || !isClassic(member)) return 'UNKNOWN_MEMBER_ID'
  return generation === member.epoch ? member : 'ILLEGAL_GENERATION'
}

/** Members by ID or, as an administrator removes them, by instance alone. */
export function stepClassicLeave(
  group: ConsumerGroup,
  leaving: readonly { readonly memberId: string; readonly instanceId: string | null }[],
  around: Surroundings
): Stepped<readonly GroupError[]> {
  const going = new Map<string, ConsumerMember>()
  const answer = leaving.map(({ memberId, instanceId }): GroupError => {
    const ownerId = instanceId === null ? memberId : group.staticMembers.get(instanceId)
    if (ownerId !== undefined && memberId !== '' && ownerId !== memberId) return 'FENCED_INSTANCE_ID'
    const member = ownerId === undefined || going.has(ownerId) ? undefined : group.members.get(ownerId)
    if (member === undefined) return 'UNKNOWN_MEMBER_ID'
    going.set(member.id, member)
    return 'NONE'
  })
  if (going.size === 0) return { records: [], group, answer }
  const change = changeOf(group)
  fence(change, [...going.values()], around)
  return { records: change.records, group: change.group, answer }
}
