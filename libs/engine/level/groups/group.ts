/** What a consumer group of the classic protocol is: its members, its generation, and the questions that can be asked of them. No I/O, no clock. */

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** Names of Kafka's error codes that group requests are answered with. */
export type GroupError =
  | 'NONE'
  | 'COORDINATOR_NOT_AVAILABLE'
  | 'FENCED_INSTANCE_ID'
  | 'FENCED_MEMBER_EPOCH'
  | 'GROUP_ID_NOT_FOUND'
  | 'GROUP_MAX_SIZE_REACHED'
  | 'ILLEGAL_GENERATION'
  | 'INCONSISTENT_GROUP_PROTOCOL'
  | 'INVALID_GROUP_ID'
  | 'INVALID_REGULAR_EXPRESSION'
  | 'INVALID_REQUEST'
  | 'INVALID_SESSION_TIMEOUT'
  | 'MEMBER_ID_REQUIRED'
  | 'NON_EMPTY_GROUP'
  | 'NOT_COORDINATOR'
  | 'REBALANCE_IN_PROGRESS'
  | 'STALE_MEMBER_EPOCH'
  | 'UNKNOWN_MEMBER_ID'
  | 'UNRELEASED_INSTANCE_ID'
  | 'UNSUPPORTED_ASSIGNOR'
  | 'UNSUPPORTED_VERSION'

/** Names a request that waits for its answer. */
export type RequestId = number

/** One assignment strategy that a member knows, with what it wants under it (the subscription). */
export interface GroupProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface Member {
  readonly id: string
  /** `group.instance.id` of a static member (KIP-345). */
  readonly instanceId: string | null
  clientId: string
  clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly GroupProtocol[]
  assignment: Buffer
  /** Has never been part of a generation: nobody but us knows it, so it goes when its connection goes. */
  isNew: boolean
  /** The JoinGroup that waits for the other members. */
  joinWaiting: RequestId | undefined
  /** The SyncGroup that waits for the leader's assignment. */
  syncWaiting: RequestId | undefined
  /** When it counts as dead unless it is heard from; not looked at while it waits for an answer of ours. */
  sessionEndsMs: number
}

export interface Group {
  readonly id: string
  state: GroupState
  generation: number
  /** What the one after it will be called. */
  nextGeneration: number
  protocolType: string | null
  protocolName: string | null
  leaderId: string | null
  readonly members: Map<string, Member>
  /** Member ID by instance ID. */
  readonly staticMembers: Map<string, string>
  /** IDs handed out with MEMBER_ID_REQUIRED (KIP-394) that have not come back yet, and when they lapse. */
  readonly pending: Map<string, number>
  /** PreparingRebalance: not completed before this, so that a first member waits for its friends. */
  rebalanceEarliestMs: number
  /** PreparingRebalance: who has not joined by then is left out. CompletingRebalance: who has not synced by then is removed. */
  rebalanceDeadlineMs: number
  /** CompletingRebalance: the leader's assignment is on its way to the disk. */
  storing: boolean
  stateSinceMs: number
}

/** A member as the durable record keeps it: under the chosen protocol only. */
export interface StoredMember {
  readonly id: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly subscription: Buffer
  readonly assignment: Buffer
}

/** A group as it is found again after a restart. */
export interface StoredGroup {
  readonly protocolType: string
  readonly generation: number
  readonly protocolName: string | null
  readonly leaderId: string | null
  readonly stateSinceMs: number
  readonly members: readonly StoredMember[]
}

export interface RestorableGroup extends StoredGroup {
  /** How often the server was started after it was stored, this time not counted. */
  readonly startsSince: number
}

export const NO_BYTES = Buffer.alloc(0)
/**
 * A generation is stored once its leader has assigned, so members may know of later ones that a start does not find. So many are left out for
 * every start since, or a member would be told of an earlier generation than it knows.
 */
const UNSTORED_GENERATIONS_MAX = 100

export function emptyGroup(id: string, nowMs: number): Group {
  return {
    id,
    state: 'Empty',
    generation: 0,
    nextGeneration: 1,
    protocolType: null,
    protocolName: null,
    leaderId: null,
    members: new Map(),
    staticMembers: new Map(),
    pending: new Map(),
    rebalanceEarliestMs: 0,
    rebalanceDeadlineMs: 0,
    storing: false,
    stateSinceMs: nowMs
  }
}

/** The group of a durable record. Its members have one session timeout from now to be heard from. */
export function restoreGroup(id: string, stored: RestorableGroup, nowMs: number): Group {
  const group = emptyGroup(id, stored.stateSinceMs)
  group.state = stored.members.length === 0 ? 'Empty' : 'Stable'
  group.generation = stored.generation
  group.nextGeneration = stored.generation + UNSTORED_GENERATIONS_MAX * (stored.startsSince + 1) + 1
  group.protocolType = stored.protocolType === '' ? null : stored.protocolType
  group.protocolName = stored.protocolName
  group.leaderId = stored.leaderId
  for (const { subscription, ...member } of stored.members) {
    group.members.set(member.id, {
      ...member,
      protocols: stored.protocolName === null ? [] : [{ name: stored.protocolName, metadata: subscription }],
      isNew: false,
      joinWaiting: undefined,
      syncWaiting: undefined,
      sessionEndsMs: nowMs + member.sessionTimeoutMs
    })
    if (member.instanceId !== null) group.staticMembers.set(member.instanceId, member.id)
  }
  return group
}

/** What must be on disk for `restoreGroup` to find this group again. */
export function storedGroup(group: Group): StoredGroup {
  return {
    protocolType: group.protocolType ?? '',
    generation: group.generation,
    protocolName: group.protocolName,
    leaderId: group.leaderId,
    stateSinceMs: group.stateSinceMs,
    members: [...group.members.values()].map(member => ({
      id: member.id,
      instanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      sessionTimeoutMs: member.sessionTimeoutMs,
      subscription: metadataUnder(member, group.protocolName),
      assignment: member.assignment
    }))
  }
}

/** What a member asked for under a protocol; nothing when it does not know it. */
export const metadataUnder = (member: Member, protocolName: string | null): Buffer =>
  member.protocols.find(protocol => protocol.name === protocolName)?.metadata ?? NO_BYTES

/** True when a newcomer can talk with all members but `exceptId` under at least one protocol. */
export function canJoin(group: Group, protocolType: string, protocols: readonly GroupProtocol[], exceptId?: string): boolean {
  if (protocolType === '' || protocols.length === 0) return false
  const others = [...group.members.values()].filter(member => member.id !== exceptId)
  if (others.length === 0) return true
  if (group.protocolType !== protocolType) return false
  return protocols.some(({ name }) => others.every(other => other.protocols.some(protocol => protocol.name === name)))
}

/** The protocol that most members like best among those that all of them know. */
export function chooseProtocol(group: Group): string | null {
  const members = [...group.members.values()]
  const known = (name: string): boolean => members.every(member => member.protocols.some(protocol => protocol.name === name))
  const votes = new Map<string, number>()
  for (const member of members) {
    const favourite = member.protocols.find(protocol => known(protocol.name))
    if (favourite !== undefined) votes.set(favourite.name, (votes.get(favourite.name) ?? 0) + 1)
  }
  let best: string | null = null
  for (const [name, count] of votes) if (best === null || count > votes.get(best)!) best = name
  return best
}

export function sameProtocols(left: readonly GroupProtocol[], right: readonly GroupProtocol[]): boolean {
  return (
    left.length === right.length &&
    left.every((protocol, at) => protocol.name === right[at]!.name && protocol.metadata.equals(right[at]!.metadata))
  )
}

/** The error with which a member of this ID, instance and generation must be refused, or undefined when it is the group's own. */
export function refusal(
  group: Group,
  claim: { readonly memberId: string; readonly instanceId: string | null; readonly generation?: number }
): GroupError | undefined {
  if (group.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
  if (claim.instanceId !== null) {
    const owner = group.staticMembers.get(claim.instanceId)
    if (owner === undefined) return 'UNKNOWN_MEMBER_ID'
    if (owner !== claim.memberId) return 'FENCED_INSTANCE_ID'
  }
  if (!group.members.has(claim.memberId)) return 'UNKNOWN_MEMBER_ID'
  if (claim.generation !== undefined && claim.generation !== group.generation) return 'ILLEGAL_GENERATION'
  return undefined
}

/** The next moment at which time alone changes this group; undefined when it never does. */
export function nextDeadlineMs(group: Group, nowMs: number): number | undefined {
  let next = Number.POSITIVE_INFINITY
  for (const lapsesMs of group.pending.values()) next = Math.min(next, lapsesMs)
  for (const member of group.members.values()) {
    if (member.joinWaiting === undefined && member.syncWaiting === undefined) next = Math.min(next, member.sessionEndsMs)
  }
  if (group.state === 'CompletingRebalance' && !group.storing) next = Math.min(next, group.rebalanceDeadlineMs)
  if (group.state === 'PreparingRebalance') {
    next = Math.min(next, group.rebalanceDeadlineMs)
    if (group.rebalanceEarliestMs > nowMs) next = Math.min(next, group.rebalanceEarliestMs)
  }
  return Number.isFinite(next) ? next : undefined
}
