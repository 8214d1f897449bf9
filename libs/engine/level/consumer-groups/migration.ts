/** From the classic to the consumer protocol and back, without a pause for those who are members (KIP-848): values in, value out. */
import { emptyGroup, type Group, type Member, metadataUnder } from '../groups/group.ts'
import type { Catalog } from './change.ts'
import { assignmentBytes, byTopicId, readAssignment, readSubscription } from './classic-member.ts'
import { CONSUMER } from './classic-step.ts'
import { apply, type ConsumerGroup, emptyConsumerGroup, isClassic, MEMBER_STATE } from './group.ts'
import type { ConsumerGroupRecord, Held } from './records.ts'

/** Kafka's `group.consumer.migration.policy`. */
export type Migration = 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled'
export const mayUpgrade = (policy: Migration): boolean => policy === 'bidirectional' || policy === 'upgrade'
export const mayDowngrade = (policy: Migration): boolean => policy === 'bidirectional' || policy === 'downgrade'

/**
 * A classic group with its members and what they have, as a consumer group; undefined when its members are no consumers. While a leader
 * computes, they have what they say they kept. Two members never have the same partition after it.
 */
export function toConsumer(classic: Group, catalog: Catalog): ConsumerGroup | undefined {
  const group = emptyConsumerGroup(classic.id)
  if (classic.members.size === 0) return group
  if (classic.protocolType !== CONSUMER) return undefined
  const epoch = classic.generation
  const taken = new Set<string>()
  const emit = (record: ConsumerGroupRecord): void => apply(group, record)
  const of = { group: classic.id }
  emit({ type: 'consumer-group', ...of, value: { epoch, metadataHash: 0n } })
  for (const member of classic.members.values()) {
    const subscription = readSubscription(metadataUnder(member, classic.protocolName ?? member.protocols[0]?.name ?? null))
    const assignment = readAssignment(member.assignment)
    if (subscription === undefined || assignment === undefined) return undefined
    const has = classic.state === 'CompletingRebalance' ? subscription.owned : assignment
    const assigned = heldOf(
      byTopicId(has, name => catalog.byName(name)?.id),
      epoch,
      taken
    )
    const target = new Map([...assigned].map(([topicId, partitions]) => [topicId, [...partitions.keys()]]))
    const { sessionTimeoutMs, protocols } = member
    emit({
      type: 'member',
      ...of,
      memberId: member.id,
      value: {
        instanceId: member.instanceId,
        rackId: subscription.rackId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        topicNames: [...new Set(subscription.topics)].sort(),
        topicPattern: '',
        rebalanceTimeoutMs: member.rebalanceTimeoutMs,
        assignor: null,
        classic: { sessionTimeoutMs, protocols }
      }
    })
    if (target.size > 0) emit({ type: 'target-member', ...of, memberId: member.id, value: target })
    const current = { epoch, previousEpoch: epoch, state: MEMBER_STATE.stable, assigned, revoking: new Map() }
    emit({ type: 'current', ...of, memberId: member.id, value: current })
  }
  emit({ type: 'target-metadata', ...of, value: { epoch, assignedMs: classic.stateSinceMs } })
  return group
}

function heldOf(partitions: ReadonlyMap<string, readonly number[]>, epoch: number, taken: Set<string>): Held {
  const held = new Map<string, ReadonlyMap<number, number>>()
  for (const [topicId, indexes] of partitions) {
    const own = [...indexes].sort((a, b) => a - b).filter(index => !taken.has(`${topicId}/${index}`))
    for (const index of own) taken.add(`${topicId}/${index}`)
    if (own.length > 0) held.set(topicId, new Map(own.map(index => [index, epoch])))
  }
  return held
}

/** True when nobody is left who speaks the consumer protocol. */
export const isAllClassic = (group: ConsumerGroup): boolean =>
  group.members.size > 0 && [...group.members.values()].every(isClassic)

/** A consumer group of classic members alone, as a classic group in the generation of its epoch. */
export function toClassic(group: ConsumerGroup, catalog: Catalog, nowMs: number): Group {
  const classic = emptyGroup(group.id, nowMs)
  const members = [...group.members.values()]
  const [first] = members
  const shared = first!.classic!.protocols.find(({ name }) =>
    members.every(member => member.classic!.protocols.some(protocol => protocol.name === name))
  )
  classic.state = 'Stable'
  classic.generation = group.epoch
  classic.nextGeneration = group.epoch + 1
  classic.protocolType = CONSUMER
  classic.protocolName = shared?.name ?? null
  classic.leaderId = first!.id
  for (const { id, instanceId, clientId, clientHost, rebalanceTimeoutMs, assigned, classic: its } of members) {
    const { sessionTimeoutMs, protocols } = its!
    const version = readSubscription(protocols[0]!.metadata)?.version ?? 0
    const member: Member = {
      id,
      instanceId,
      clientId,
      clientHost,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocols,
      assignment: assignmentBytes(version, assigned, topicId => catalog.byId(topicId)?.name),
      isNew: false,
      joinWaiting: undefined,
      syncWaiting: undefined,
      sessionEndsMs: nowMs + sessionTimeoutMs
    }
    classic.members.set(id, member)
    if (instanceId !== null) classic.staticMembers.set(instanceId, id)
  }
  return classic
}
