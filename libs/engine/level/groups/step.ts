/**
 * The classic group protocol as a state machine: a group, an event and the time give the group's next state and the effects.
 * It changes the group it is given and nothing else, so any history can be replayed in a test.
 */
import { type Answer, type Effect, failedJoin, failedSync, type LeaveAnswer } from './effects.ts'
import {
  canJoin,
  chooseProtocol,
  type Group,
  type GroupError,
  type GroupProtocol,
  type Member,
  metadataUnder,
  NO_BYTES,
  type RequestId,
  refusal,
  sameProtocols
} from './group.ts'
import {
  completeIfAllJoined,
  completeWithoutTheLate,
  endSyncs,
  joinAnswerOf,
  joinedMembers,
  park,
  prepareRebalance,
  type RebalanceLimits,
  removeMember
} from './rebalance.ts'

export interface Join {
  readonly type: 'join'
  readonly request: RequestId
  /** Empty for a member that has no ID yet. */
  readonly memberId: string
  /** The ID that such a member gets. */
  readonly newMemberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly GroupProtocol[]
  /** The client speaks JoinGroup v4 or newer: it is told its ID before it may join (KIP-394). */
  readonly knowsMemberIdRequired: boolean
  /** The client speaks JoinGroup v9 or newer (KIP-814). */
  readonly knowsSkipAssignment: boolean
}

export interface Sync {
  readonly type: 'sync'
  readonly request: RequestId
  readonly memberId: string
  readonly instanceId: string | null
  readonly generation: number
  /** Null when the client is too old to say. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  /** By member ID; only the leader's count. */
  readonly assignments: ReadonlyMap<string, Buffer>
}

export interface Heartbeat {
  readonly type: 'heartbeat'
  readonly request: RequestId
  readonly memberId: string
  readonly instanceId: string | null
  readonly generation: number
}

export interface Leave {
  readonly type: 'leave'
  readonly request: RequestId
  readonly members: readonly { readonly memberId: string; readonly instanceId: string | null }[]
}

export type GroupEvent =
  | Join
  | Sync
  | Heartbeat
  | Leave
  /** A member showed that it lives by another request (a commit). */
  | { readonly type: 'heard'; readonly memberId: string }
  /** Whoever sent this request is gone: no answer can reach it. */
  | { readonly type: 'abandoned'; readonly request: RequestId }
  /** The `store` effect of this generation is durable, or has failed. */
  | { readonly type: 'stored'; readonly generation: number; readonly ok: boolean }
  /** Time has passed. */
  | { readonly type: 'tick' }

export interface GroupLimits extends RebalanceLimits {
  readonly membersMax: number
}

export function step(group: Group, event: GroupEvent, nowMs: number, limits: GroupLimits): Effect[] {
  switch (event.type) {
    case 'join':
      return event.memberId === '' ? joinUnknown(group, event, nowMs, limits) : joinKnown(group, event, nowMs, limits)
    case 'sync':
      return sync(group, event, nowMs)
    case 'heartbeat':
      return [{ type: 'heartbeat', request: event.request, error: heartbeat(group, event, nowMs) }]
    case 'leave':
      return leave(group, event, nowMs, limits)
    case 'heard': {
      const member = group.members.get(event.memberId)
      if (member !== undefined) hear(member, nowMs)
      return []
    }
    case 'abandoned':
      return abandon(group, event.request, nowMs, limits)
    case 'stored':
      return stored(group, event.generation, event.ok, nowMs, limits)
    case 'tick':
      return tick(group, nowMs, limits)
  }
}

const hear = (member: Member, nowMs: number): void => {
  member.sessionEndsMs = nowMs + member.sessionTimeoutMs
}

function joinUnknown(group: Group, join: Join, nowMs: number, limits: GroupLimits): Effect[] {
  const refuse = (error: GroupError, memberId = ''): Effect[] => [failedJoin(join.request, error, memberId)]
  if (group.state === 'Dead') return refuse('COORDINATOR_NOT_AVAILABLE')
  const ownerId = join.instanceId === null ? undefined : group.staticMembers.get(join.instanceId)
  if (!canJoin(group, join.protocolType, join.protocols, ownerId)) return refuse('INCONSISTENT_GROUP_PROTOCOL')
  if (ownerId !== undefined) return replaceStatic(group, group.members.get(ownerId)!, join, nowMs, limits)
  if (group.members.size + group.pending.size >= limits.membersMax) return refuse('GROUP_MAX_SIZE_REACHED')
  if (join.instanceId === null && join.knowsMemberIdRequired) {
    group.pending.set(join.newMemberId, nowMs + join.sessionTimeoutMs)
    return refuse('MEMBER_ID_REQUIRED', join.newMemberId)
  }
  return addMember(group, join.newMemberId, join, nowMs, limits)
}

function joinKnown(group: Group, join: Join, nowMs: number, limits: GroupLimits): Effect[] {
  const refuse = (error: GroupError): Effect[] => [failedJoin(join.request, error, join.memberId)]
  if (group.state !== 'Dead' && group.pending.has(join.memberId)) {
    if (!canJoin(group, join.protocolType, join.protocols)) return refuse('INCONSISTENT_GROUP_PROTOCOL')
    group.pending.delete(join.memberId)
    return addMember(group, join.memberId, join, nowMs, limits)
  }
  const error = refusal(group, join)
  if (error !== undefined) return refuse(error)
  const member = group.members.get(join.memberId)!
  if (!canJoin(group, join.protocolType, join.protocols, member.id)) return refuse('INCONSISTENT_GROUP_PROTOCOL')

  const unchanged = sameProtocols(member.protocols, join.protocols)
  // Its earlier answer may have been lost. A leader of a stable group comes back because it wants another assignment.
  const mayKeep = group.state === 'CompletingRebalance' || (group.state === 'Stable' && group.leaderId !== member.id)
  update(member, join)
  hear(member, nowMs)
  if (unchanged && mayKeep) return [{ type: 'join', request: join.request, answer: joinAnswerOf(group, member) }]
  const effects = park(member, join.request)
  effects.push(
    ...(group.state === 'PreparingRebalance' ? completeIfAllJoined(group, nowMs) : prepareRebalance(group, nowMs, limits))
  )
  return effects
}

function update(member: Member, join: Join): void {
  member.protocols = join.protocols
  member.clientId = join.clientId
  member.clientHost = join.clientHost
  member.sessionTimeoutMs = join.sessionTimeoutMs
  member.rebalanceTimeoutMs = join.rebalanceTimeoutMs
}

function memberOf(id: string, join: Join, nowMs: number): Member {
  return {
    id,
    instanceId: join.instanceId,
    clientId: join.clientId,
    clientHost: join.clientHost,
    sessionTimeoutMs: join.sessionTimeoutMs,
    rebalanceTimeoutMs: join.rebalanceTimeoutMs,
    protocols: join.protocols,
    assignment: NO_BYTES,
    isNew: true,
    joinWaiting: undefined,
    syncWaiting: undefined,
    sessionEndsMs: nowMs + join.sessionTimeoutMs
  }
}

function addMember(group: Group, id: string, join: Join, nowMs: number, limits: GroupLimits): Effect[] {
  if (group.members.size === 0) group.protocolType = join.protocolType
  const member = memberOf(id, join, nowMs)
  member.joinWaiting = join.request
  group.members.set(id, member)
  if (join.instanceId !== null) group.staticMembers.set(join.instanceId, id)
  if (group.state !== 'PreparingRebalance') return prepareRebalance(group, nowMs, limits)
  if (nowMs < group.rebalanceEarliestMs) {
    group.rebalanceEarliestMs = Math.min(nowMs + limits.initialRebalanceDelayMs, group.rebalanceDeadlineMs)
  }
  return completeIfAllJoined(group, nowMs)
}

/** A static member came back without its ID: it takes its old place under a new ID, and the old ID is fenced (KIP-345). */
function replaceStatic(group: Group, old: Member, join: Join, nowMs: number, limits: GroupLimits): Effect[] {
  const effects: Effect[] = []
  if (old.joinWaiting !== undefined) effects.push(failedJoin(old.joinWaiting, 'FENCED_INSTANCE_ID', old.id))
  if (old.syncWaiting !== undefined) effects.push(failedSync(old.syncWaiting, 'FENCED_INSTANCE_ID'))
  const member: Member = { ...memberOf(join.newMemberId, join, nowMs), assignment: old.assignment, isNew: old.isNew }
  const formerLeaderId = group.leaderId
  group.members.delete(old.id)
  group.members.set(member.id, member)
  group.staticMembers.set(join.instanceId!, member.id)
  if (group.leaderId === old.id) group.leaderId = member.id

  const wantsTheSame = metadataUnder(member, group.protocolName).equals(metadataUnder(old, group.protocolName))
  if (group.state === 'Stable' && wantsTheSame && chooseProtocol(group) === group.protocolName) {
    const leads = group.leaderId === member.id
    // An older client that is told it leads would send an assignment; it is told of the former leader, which no longer exists.
    const answer: Answer = join.knowsSkipAssignment
      ? {
          type: 'join',
          request: join.request,
          answer: { ...joinAnswerOf(group, member), skipAssignment: leads, members: leads ? joinedMembers(group) : [] }
        }
      : {
          type: 'join',
          request: join.request,
          answer: { ...joinAnswerOf(group, member), leaderId: formerLeaderId ?? '', members: [] }
        }
    return [...effects, { type: 'store', generation: group.generation, answers: [answer] }]
  }
  member.joinWaiting = join.request
  effects.push(
    ...(group.state === 'PreparingRebalance' ? completeIfAllJoined(group, nowMs) : prepareRebalance(group, nowMs, limits))
  )
  return effects
}

function sync(group: Group, event: Sync, nowMs: number): Effect[] {
  const refuse = (error: GroupError): Effect[] => [failedSync(event.request, error)]
  const error = refusal(group, event)
  if (error !== undefined) return refuse(error)
  const otherType = event.protocolType !== null && event.protocolType !== group.protocolType
  const otherName = event.protocolName !== null && event.protocolName !== group.protocolName
  if (group.state === 'PreparingRebalance') return refuse('REBALANCE_IN_PROGRESS')
  if (otherType || otherName) return refuse('INCONSISTENT_GROUP_PROTOCOL')
  const member = group.members.get(event.memberId)!
  hear(member, nowMs)
  if (group.state === 'Stable') return [syncAnswer(group, member, event.request)]

  const effects: Effect[] = []
  if (member.syncWaiting !== undefined) effects.push(failedSync(member.syncWaiting, 'REBALANCE_IN_PROGRESS'))
  member.syncWaiting = event.request
  if (group.leaderId === member.id && !group.storing) {
    for (const one of group.members.values()) one.assignment = event.assignments.get(one.id) ?? NO_BYTES
    group.storing = true
    effects.push({ type: 'store', generation: group.generation, answers: [] })
  }
  return effects
}

const syncAnswer = (group: Group, member: Member, request: RequestId): Answer => ({
  type: 'sync',
  request,
  answer: {
    error: 'NONE',
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    assignment: member.assignment
  }
})

/** The assignment is on disk, and only now may members see it. */
function stored(group: Group, generation: number, ok: boolean, nowMs: number, limits: GroupLimits): Effect[] {
  if (group.state !== 'CompletingRebalance' || group.generation !== generation || !group.storing) return []
  if (!ok) {
    const effects = endSyncs(group, 'COORDINATOR_NOT_AVAILABLE')
    return [...effects, ...prepareRebalance(group, nowMs, limits)]
  }
  group.storing = false
  group.state = 'Stable'
  group.stateSinceMs = nowMs
  const effects: Effect[] = []
  for (const member of group.members.values()) {
    if (member.syncWaiting === undefined) continue
    effects.push(syncAnswer(group, member, member.syncWaiting))
    member.syncWaiting = undefined
    hear(member, nowMs)
  }
  return effects
}

function heartbeat(group: Group, event: Heartbeat, nowMs: number): GroupError {
  const error = refusal(group, event)
  if (error !== undefined) return error
  hear(group.members.get(event.memberId)!, nowMs)
  return group.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
}

function leave(group: Group, event: Leave, nowMs: number, limits: GroupLimits): Effect[] {
  const effects: Effect[] = []
  const answers: LeaveAnswer[] = []
  for (const { memberId, instanceId } of event.members) {
    const say = (error: GroupError): void => void answers.push({ memberId, instanceId, error })
    if (group.state === 'Dead') {
      say('COORDINATOR_NOT_AVAILABLE')
      continue
    }
    if (group.pending.delete(memberId)) {
      say('NONE')
      effects.push(...completeIfAllJoined(group, nowMs))
      continue
    }
    // An administrator removes a static member by its instance alone.
    const id = memberId === '' && instanceId !== null ? (group.staticMembers.get(instanceId) ?? '') : memberId
    const error = refusal(group, { memberId: id, instanceId })
    say(error ?? 'NONE')
    if (error === undefined) effects.push(...removeMember(group, group.members.get(id)!, 'UNKNOWN_MEMBER_ID', nowMs, limits))
  }
  return [...effects, { type: 'leave', request: event.request, answers }]
}

function abandon(group: Group, request: RequestId, nowMs: number, limits: GroupLimits): Effect[] {
  for (const member of group.members.values()) {
    if (member.syncWaiting === request) {
      member.syncWaiting = undefined
      hear(member, nowMs)
      return []
    }
    if (member.joinWaiting !== request) continue
    member.joinWaiting = undefined
    hear(member, nowMs)
    return member.isNew && member.instanceId === null ? removeMember(group, member, 'UNKNOWN_MEMBER_ID', nowMs, limits) : []
  }
  return []
}

function tick(group: Group, nowMs: number, limits: GroupLimits): Effect[] {
  const effects: Effect[] = []
  for (const [id, lapsesMs] of group.pending) if (lapsesMs <= nowMs) group.pending.delete(id)
  const lateForSync = group.state === 'CompletingRebalance' && !group.storing && group.rebalanceDeadlineMs <= nowMs
  // Chosen before the first removal, which answers the others' waiting syncs.
  const silent = [...group.members.values()].filter(
    member =>
      member.joinWaiting === undefined && member.syncWaiting === undefined && (lateForSync || member.sessionEndsMs <= nowMs)
  )
  for (const member of silent) effects.push(...removeMember(group, member, 'UNKNOWN_MEMBER_ID', nowMs, limits))
  effects.push(...completeIfAllJoined(group, nowMs))
  if (group.state === 'PreparingRebalance' && group.rebalanceDeadlineMs <= nowMs) {
    effects.push(...completeWithoutTheLate(group, nowMs))
  }
  return effects
}
