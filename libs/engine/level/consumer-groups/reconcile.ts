/**
 * One step of a member towards its target (KIP-848): first it gives up what it shall not have, and only when it says that it has,
 * does anybody else get it. Values in, value out.
 */
import { type ConsumerGroup, type ConsumerMember, holders, MEMBER_STATE } from './group.ts'
import type { CurrentAssignment, Held, Partitions } from './records.ts'

/** `owned` is what the member says it owns; null when it said nothing, which is no word that it gave anything up. */
export function reconcile(group: ConsumerGroup, member: ConsumerMember, owned: Partitions | null): CurrentAssignment {
  switch (member.state) {
    case MEMBER_STATE.unrevoked:
      if (ownsAny(owned, member.revoking)) return member
      // What was asked to go is gone: that is an epoch of its own.
      return next(group, { ...member, revoking: new Map() }, member.epoch + 1, owned)
    case MEMBER_STATE.unreleased:
      return next(group, member, member.epoch, owned)
    default:
      return member.epoch === group.assignmentEpoch ? member : next(group, member, member.epoch, owned)
  }
}

function next(group: ConsumerGroup, member: ConsumerMember, epoch: number, owned: Partitions | null): CurrentAssignment {
  const target = group.targets.get(member.id) ?? new Map<string, readonly number[]>()
  const kept = new Map<string, Map<number, number>>()
  const revoking = new Map<string, Map<number, number>>()
  for (const [topicId, partitions] of member.assigned) {
    for (const [partition, since] of partitions) {
      put(target.get(topicId)?.includes(partition) ? kept : revoking, topicId, partition, since)
    }
  }
  const previousEpoch = epoch === member.epoch ? member.previousEpoch : member.epoch
  if (revoking.size > 0 && ownsAny(owned, revoking)) {
    return { epoch, previousEpoch, state: MEMBER_STATE.unrevoked, assigned: kept, revoking }
  }
  const taken = heldByOthers(group, member)
  let isComplete = true
  for (const [topicId, partitions] of target) {
    for (const partition of partitions) {
      if (kept.get(topicId)?.has(partition)) continue
      if (taken.get(topicId)?.has(partition)) isComplete = false
      else put(kept, topicId, partition, group.assignmentEpoch)
    }
  }
  return {
    epoch: group.assignmentEpoch,
    previousEpoch: group.assignmentEpoch === member.epoch ? member.previousEpoch : member.epoch,
    state: isComplete ? MEMBER_STATE.stable : MEMBER_STATE.unreleased,
    assigned: kept,
    revoking: new Map()
  }
}

/** True when something that this member waits for is held by another still. */
export function waitsForOthers(group: ConsumerGroup, member: ConsumerMember): boolean {
  const taken = heldByOthers(group, member)
  for (const [topicId, partitions] of group.targets.get(member.id) ?? []) {
    const mine = member.assigned.get(topicId)
    // One that is free is worth coming for, even if another is not yet.
    if (partitions.some(partition => !mine?.has(partition) && !taken.get(topicId)?.has(partition))) return false
  }
  return true
}

function heldByOthers(group: ConsumerGroup, member: ConsumerMember): ReadonlyMap<string, ReadonlySet<number>> {
  const taken = new Map<string, Set<number>>()
  for (const [topicId, partition, holder] of holders(group)) {
    if (holder.id === member.id) continue
    const partitions = taken.get(topicId)
    if (partitions === undefined) taken.set(topicId, new Set([partition]))
    else partitions.add(partition)
  }
  return taken
}

function ownsAny(owned: Partitions | null, revoking: Held): boolean {
  if (owned === null) return true
  for (const [topicId, partitions] of owned) {
    const asked = revoking.get(topicId)
    if (asked !== undefined && partitions.some(partition => asked.has(partition))) return true
  }
  return false
}

function put(into: Map<string, Map<number, number>>, topicId: string, partition: number, epoch: number): void {
  const partitions = into.get(topicId)
  if (partitions === undefined) into.set(topicId, new Map([[partition, epoch]]))
  else partitions.set(partition, epoch)
}

export function sameHeld(left: Held, right: Held): boolean {
  if (left.size !== right.size) return false
  for (const [topicId, partitions] of left) {
    const others = right.get(topicId)
    if (others?.size !== partitions.size) return false
    for (const [partition, epoch] of partitions) if (others.get(partition) !== epoch) return false
  }
  return true
}

/** True when each partition of `owned` is among the assigned. */
export function isWithin(owned: Partitions | null, assigned: Held): boolean {
  if (owned === null) return false
  for (const [topicId, partitions] of owned) {
    const held = assigned.get(topicId)
    if (partitions.some(partition => !held?.has(partition))) return false
  }
  return true
}
