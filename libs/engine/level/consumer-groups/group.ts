/**
 * What a group of the consumer protocol (KIP-848) is. Its state is what its records say and nothing else: a live change and a replay
 * after a restart go through the same `apply`. No I/O, no clock.
 */
import type { ConsumerGroupRecord, CurrentAssignment, Held, MemberMetadata, Partitions, ResolvedPattern } from './records.ts'

/** Kafka's `MemberState`. */
export const MEMBER_STATE = { stable: 0, unrevoked: 1, unreleased: 2 } as const

/** Joins afresh; leaves; leaves as a static member that will be back. */
export const EPOCH = { join: 0, leave: -1, leaveStatic: -2 } as const

export interface ConsumerMember extends MemberMetadata, CurrentAssignment {
  readonly id: string
}

export interface ConsumerGroup {
  readonly id: string
  epoch: number
  /** Of the topics that the group is subscribed to: a change of it asks for a new assignment. */
  metadataHash: bigint
  /** The group epoch that `targets` was computed for. */
  assignmentEpoch: number
  assignedMs: number
  members: Map<string, ConsumerMember>
  /** Member ID by instance ID. */
  staticMembers: Map<string, string>
  /** What each member shall have in the end. */
  targets: Map<string, Partitions>
  /** What each regular expression was found to match, of what those who use it may know of. */
  patterns: Map<string, ResolvedPattern>
}

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

export const NO_PARTITIONS: Partitions = new Map()
export const NOTHING_HELD: Held = new Map()

export function emptyConsumerGroup(id: string): ConsumerGroup {
  return {
    id,
    epoch: 0,
    metadataHash: 0n,
    assignmentEpoch: 0,
    assignedMs: 0,
    members: new Map(),
    staticMembers: new Map(),
    targets: new Map(),
    patterns: new Map()
  }
}

/** A copy that `apply` may change while the original is still what others see. */
export const draftOf = (group: ConsumerGroup): ConsumerGroup => ({
  ...group,
  members: new Map(group.members),
  staticMembers: new Map(group.staticMembers),
  targets: new Map(group.targets),
  patterns: new Map(group.patterns)
})

const UNASSIGNED: CurrentAssignment = {
  epoch: EPOCH.join,
  previousEpoch: -1,
  state: MEMBER_STATE.stable,
  assigned: NOTHING_HELD,
  revoking: NOTHING_HELD
}

export function newMember(id: string, metadata: MemberMetadata): ConsumerMember {
  return { id, ...metadata, ...UNASSIGNED }
}

/** Makes the group what the record says. */
export function apply(group: ConsumerGroup, record: ConsumerGroupRecord): void {
  switch (record.type) {
    case 'consumer-group':
      group.epoch = record.value?.epoch ?? 0
      group.metadataHash = record.value?.metadataHash ?? 0n
      return
    case 'target-metadata':
      group.assignmentEpoch = record.value?.epoch ?? 0
      group.assignedMs = record.value?.assignedMs ?? 0
      return
    case 'target-member':
      if (record.value === null) group.targets.delete(record.memberId)
      else group.targets.set(record.memberId, record.value)
      return
    case 'pattern':
      if (record.value === null) group.patterns.delete(record.pattern)
      else group.patterns.set(record.pattern, record.value)
      return
    case 'member':
      applyMember(group, record.memberId, record.value)
      return
    case 'current': {
      const member = group.members.get(record.memberId)
      // The tombstone of a member's assignment may come with those of all the rest of it.
      if (member !== undefined) group.members.set(member.id, { ...member, ...(record.value ?? UNASSIGNED) })
    }
  }
}

function applyMember(group: ConsumerGroup, id: string, metadata: MemberMetadata | null): void {
  const before = group.members.get(id)
  if (before !== undefined && before.instanceId !== null && group.staticMembers.get(before.instanceId) === id) {
    group.staticMembers.delete(before.instanceId)
  }
  if (metadata === null) {
    group.members.delete(id)
    return
  }
  group.members.set(id, before === undefined ? newMember(id, metadata) : { ...before, ...metadata })
  if (metadata.instanceId !== null) group.staticMembers.set(metadata.instanceId, id)
}

export function stateOf(group: ConsumerGroup): ConsumerGroupState {
  if (group.members.size === 0) return 'Empty'
  if (group.epoch > group.assignmentEpoch) return 'Assigning'
  for (const member of group.members.values()) if (!isReconciled(group, member)) return 'Reconciling'
  return 'Stable'
}

const isReconciled = (group: ConsumerGroup, member: ConsumerMember): boolean =>
  member.state === MEMBER_STATE.stable && member.epoch === group.assignmentEpoch

/** Uses the classic protocol inside this group, during a migration. */
export const isClassic = (member: ConsumerMember): boolean => member.classic !== null

/** Whether a member may know of a topic that its pattern matches; undefined while it has not been heard from since the start. */
export type Sees = (memberId: string, topic: string) => boolean | undefined

const everything: Sees = () => true

/** The topics that a member wants by name and by pattern, whether they exist or not. */
export function subscribedTopics(group: ConsumerGroup, member: ConsumerMember, sees = everything): ReadonlySet<string> {
  const matched = member.topicPattern === '' ? undefined : group.patterns.get(member.topicPattern)
  return new Set([...member.topicNames, ...(matched?.topics ?? []).filter(topic => sees(member.id, topic) !== false)])
}

export function isSubscribed(group: ConsumerGroup, topic: string): boolean {
  for (const member of group.members.values()) if (subscribedTopics(group, member).has(topic)) return true
  return false
}

/** Who holds a partition, be it about to give it away. */
export function* holders(group: ConsumerGroup): Iterable<readonly [topicId: string, partition: number, member: ConsumerMember]> {
  for (const member of group.members.values()) {
    for (const held of [member.assigned, member.revoking]) {
      for (const [topicId, partitions] of held) for (const partition of partitions.keys()) yield [topicId, partition, member]
    }
  }
}

/** Everything that the group consists of, as records: two groups with the same records are the same. */
export function recordsOf(group: ConsumerGroup): ConsumerGroupRecord[] {
  const of = { group: group.id }
  const ids = [...group.members.keys()].sort()
  return [
    { type: 'consumer-group', ...of, value: { epoch: group.epoch, metadataHash: group.metadataHash } },
    ...ids.map(memberId => ({ type: 'member' as const, ...of, memberId, value: metadataOf(group.members.get(memberId)!) })),
    ...[...group.patterns.keys()]
      .sort()
      .map(pattern => ({ type: 'pattern' as const, ...of, pattern, value: group.patterns.get(pattern)! })),
    ...[...group.targets.keys()]
      .sort()
      .map(memberId => ({ type: 'target-member' as const, ...of, memberId, value: group.targets.get(memberId)! })),
    { type: 'target-metadata', ...of, value: { epoch: group.assignmentEpoch, assignedMs: group.assignedMs } },
    ...ids.map(memberId => ({ type: 'current' as const, ...of, memberId, value: currentOf(group.members.get(memberId)!) }))
  ]
}

/** The same records without values, members before the group: what takes the group away. */
export const tombstonesOf = (group: ConsumerGroup): ConsumerGroupRecord[] =>
  recordsOf(group)
    .map(record => ({ ...record, value: null }) as ConsumerGroupRecord)
    .reverse()

export function metadataOf(member: MemberMetadata): MemberMetadata {
  const { instanceId, rackId, clientId, clientHost, topicNames, topicPattern, rebalanceTimeoutMs, assignor, classic } = member
  return { instanceId, rackId, clientId, clientHost, topicNames, topicPattern, rebalanceTimeoutMs, assignor, classic }
}

export function currentOf(member: CurrentAssignment): CurrentAssignment {
  const { epoch, previousEpoch, state, assigned, revoking } = member
  return { epoch, previousEpoch, state, assigned, revoking }
}
