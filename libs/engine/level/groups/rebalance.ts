/** The moves between the states of a group: who is asked to join again, when a generation begins, what it is told. */
import { assert } from '@assay/std'
import { type Answer, type Effect, failedJoin, failedSync, type JoinAnswer } from './effects.ts'
import { chooseProtocol, type Group, type GroupError, type Member, metadataUnder, NO_BYTES } from './group.ts'

export interface RebalanceLimits {
  /** How long an empty group waits for more members after the first (`group.initial.rebalance.delay.ms`). */
  readonly initialRebalanceDelayMs: number
}

function enter(group: Group, state: Group['state'], nowMs: number): void {
  group.state = state
  group.stateSinceMs = nowMs
}

export const joinAnswerOf = (group: Group, member: Member): JoinAnswer => ({
  error: 'NONE',
  memberId: member.id,
  generation: group.generation,
  protocolType: group.protocolType,
  protocolName: group.protocolName,
  leaderId: group.leaderId ?? '',
  skipAssignment: false,
  members: group.leaderId === member.id ? joinedMembers(group) : []
})

export const joinedMembers = (group: Group): JoinAnswer['members'] =>
  [...group.members.values()].map(member => ({
    memberId: member.id,
    instanceId: member.instanceId,
    metadata: metadataUnder(member, group.protocolName)
  }))

/** Takes up a waiting JoinGroup; one that waited before (a retry on another connection) is sent back to try again. */
export function park(member: Member, request: number): Effect[] {
  const earlier = member.joinWaiting
  member.joinWaiting = request
  return earlier === undefined ? [] : [failedJoin(earlier, 'REBALANCE_IN_PROGRESS', member.id)]
}

const longestRebalanceMs = (group: Group): number => {
  let longest = 0
  for (const member of group.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs)
  return longest
}

/** Asks everybody to join again. */
export function prepareRebalance(group: Group, nowMs: number, limits: RebalanceLimits): Effect[] {
  const effects: Effect[] = []
  if (group.state === 'CompletingRebalance') effects.push(...endSyncs(group, 'REBALANCE_IN_PROGRESS'))
  group.rebalanceEarliestMs = group.state === 'Empty' ? nowMs + limits.initialRebalanceDelayMs : nowMs
  group.rebalanceDeadlineMs = nowMs + longestRebalanceMs(group)
  enter(group, 'PreparingRebalance', nowMs)
  effects.push(...completeIfAllJoined(group, nowMs))
  return effects
}

/** Answers the waiting SyncGroups with an error and forgets the assignment that was under way. */
export function endSyncs(group: Group, error: GroupError): Effect[] {
  const effects: Effect[] = []
  group.storing = false
  for (const member of group.members.values()) {
    member.assignment = NO_BYTES
    if (member.syncWaiting === undefined) continue
    effects.push(failedSync(member.syncWaiting, error))
    member.syncWaiting = undefined
  }
  return effects
}

export function completeIfAllJoined(group: Group, nowMs: number): Effect[] {
  if (group.state !== 'PreparingRebalance') return []
  if (group.members.size === 0) return beginGeneration(group, nowMs)
  if (group.pending.size > 0 || nowMs < group.rebalanceEarliestMs) return []
  for (const member of group.members.values()) if (member.joinWaiting === undefined) return []
  return beginGeneration(group, nowMs)
}

/** Time is up: goes on with those who have joined. Static members who have not keep their place until their session ends. */
export function completeWithoutTheLate(group: Group, nowMs: number): Effect[] {
  for (const member of [...group.members.values()]) {
    if (member.joinWaiting === undefined && member.instanceId === null) forgetMember(group, member)
  }
  const anyJoined = [...group.members.values()].some(member => member.joinWaiting !== undefined)
  if (group.members.size > 0 && !anyJoined) {
    group.rebalanceDeadlineMs = nowMs + longestRebalanceMs(group)
    return []
  }
  return beginGeneration(group, nowMs)
}

function beginGeneration(group: Group, nowMs: number): Effect[] {
  group.generation = group.nextGeneration++
  if (group.members.size === 0) {
    enter(group, 'Empty', nowMs)
    group.protocolName = null
    group.leaderId = null
    return [{ type: 'store', generation: group.generation, answers: [] }]
  }
  const leader = group.leaderId === null ? undefined : group.members.get(group.leaderId)
  if (leader?.joinWaiting === undefined) {
    group.leaderId = [...group.members.values()].find(member => member.joinWaiting !== undefined)!.id
  }
  group.protocolName = chooseProtocol(group)
  assert(group.protocolName !== null, 'members of a group share at least one protocol, for whoever shares none is refused')
  enter(group, 'CompletingRebalance', nowMs)
  group.rebalanceDeadlineMs = nowMs + longestRebalanceMs(group)
  const answers: Answer[] = []
  for (const member of group.members.values()) {
    member.assignment = NO_BYTES
    if (member.joinWaiting === undefined) continue
    answers.push({ type: 'join', request: member.joinWaiting, answer: joinAnswerOf(group, member) })
    member.joinWaiting = undefined
    member.isNew = false
    member.sessionEndsMs = nowMs + member.sessionTimeoutMs
  }
  return answers
}

function forgetMember(group: Group, member: Member): void {
  group.members.delete(member.id)
  if (member.instanceId !== null && group.staticMembers.get(member.instanceId) === member.id) {
    group.staticMembers.delete(member.instanceId)
  }
  if (group.leaderId === member.id) group.leaderId = null
}

/** Takes a member out; whatever it waits for is answered with `error`. The others are asked to join again. */
export function removeMember(group: Group, member: Member, error: GroupError, nowMs: number, limits: RebalanceLimits): Effect[] {
  const effects: Effect[] = []
  forgetMember(group, member)
  if (member.joinWaiting !== undefined) effects.push(failedJoin(member.joinWaiting, error, member.id))
  if (member.syncWaiting !== undefined) effects.push(failedSync(member.syncWaiting, error))
  if (group.state === 'Stable' || group.state === 'CompletingRebalance') {
    effects.push(...prepareRebalance(group, nowMs, limits))
  } else {
    effects.push(...completeIfAllJoined(group, nowMs))
  }
  return effects
}
