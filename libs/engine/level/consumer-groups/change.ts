/** One change of a consumer group: records are applied to a draft as they are made, so that each step sees the one before. */
import { createHash } from 'node:crypto'
import { ASSIGNORS, type Assignor, assign } from './assignors.ts'
import { apply, type ConsumerGroup, type ConsumerMember, draftOf, NO_PARTITIONS, type Sees, subscribedTopics } from './group.ts'
import { compilePattern, type Pattern } from './pattern.ts'
import type { ConsumerGroupRecord, Partitions } from './records.ts'

/** The topics that members may be given. */
export interface Catalog {
  /** Grows with every change of a topic. */
  readonly version: number
  byName(name: string): { readonly id: string; readonly partitionCount: number } | undefined
  byId(id: string): { readonly name: string; readonly partitionCount: number } | undefined
  /** Those that a pattern may match. */
  names(): Iterable<string>
}

export interface Surroundings {
  readonly nowMs: number
  readonly catalog: Catalog
  readonly membersMax: number
  /** False when no topic changed since this was last true for the group, a short while ago. */
  readonly topicsChanged: boolean
  readonly sees: Sees
}

export interface Change {
  readonly records: readonly ConsumerGroupRecord[]
  /** The group as the records make it. */
  readonly group: ConsumerGroup
  emit(record: ConsumerGroupRecord): void
}

export function changeOf(group: ConsumerGroup): Change {
  const records: ConsumerGroupRecord[] = []
  let draft = group
  return {
    records,
    get group() {
      return draft
    },
    emit(record) {
      if (draft === group) draft = draftOf(group)
      apply(draft, record)
      records.push(record)
    }
  }
}

/** Raises the group epoch when the subscriptions or their topics changed, and computes a new target for a new epoch. */
export function bringUpToDate(change: Change, around: Surroundings, { bump }: { readonly bump: boolean }): void {
  if (bump || around.topicsChanged) {
    resolvePatterns(change, around)
    const metadataHash = hashOf(change.group, around.catalog)
    if (bump || metadataHash !== change.group.metadataHash) raise(change, metadataHash)
  }
  if (change.group.epoch > change.group.assignmentEpoch && change.group.members.size > 0) retarget(change, around)
}

/** A new group epoch. */
export function raise(change: Change, metadataHash: bigint): void {
  const { id, epoch } = change.group
  change.emit({ type: 'consumer-group', group: id, value: { epoch: epoch + 1, metadataHash } })
}

/** Takes members out with all that is theirs. What they held is free then. */
export function removeMember(change: Change, member: ConsumerMember): void {
  const of = { group: change.group.id, memberId: member.id, value: null }
  change.emit({ type: 'current', ...of })
  if (change.group.targets.has(member.id)) change.emit({ type: 'target-member', ...of })
  change.emit({ type: 'member', ...of })
  dropUnusedPatterns(change)
}

function dropUnusedPatterns(change: Change): void {
  const used = new Set([...change.group.members.values()].map(({ topicPattern }) => topicPattern))
  for (const pattern of [...change.group.patterns.keys()]) {
    if (!used.has(pattern)) change.emit({ type: 'pattern', group: change.group.id, pattern, value: null })
  }
}

function resolvePatterns(change: Change, { catalog, nowMs, sees }: Surroundings): void {
  dropUnusedPatterns(change)
  for (const [pattern, members] of Map.groupBy(change.group.members.values(), ({ topicPattern }) => topicPattern)) {
    if (pattern === '') continue
    const compiled: Pattern = compilePattern(pattern)
    const before = change.group.patterns.get(pattern)?.topics
    // Of who has not been heard from yet is known only what was found for him before.
    const isSeen = (name: string): boolean => members.some(({ id }) => sees(id, name) ?? before?.includes(name))
    const topics = [...catalog.names()].filter(name => compiled.matches(name) && isSeen(name)).sort()
    if (before?.length === topics.length && before.every((topic, at) => topic === topics[at])) continue
    const value = { topics, version: catalog.version, resolvedMs: nowMs }
    change.emit({ type: 'pattern', group: change.group.id, pattern, value })
  }
}

/** Of the topics that the group wants and that exist: which they are and how many partitions they have. */
function hashOf(group: ConsumerGroup, catalog: Catalog): bigint {
  const names = new Set<string>()
  for (const member of group.members.values()) for (const name of subscribedTopics(group, member)) names.add(name)
  const hash = createHash('sha256')
  for (const name of [...names].sort()) {
    const topic = catalog.byName(name)
    if (topic !== undefined) hash.update(`${topic.id}/${topic.partitionCount}\n`)
  }
  return hash.digest().readBigInt64BE()
}

/** The assignor that most members name, and the first of ours where none is named. */
export function assignorOf(group: ConsumerGroup): Assignor {
  const votes = new Map<string, number>()
  for (const { assignor } of group.members.values()) {
    if (assignor !== null) votes.set(assignor, (votes.get(assignor) ?? 0) + 1)
  }
  return ASSIGNORS.reduce((best, one) => ((votes.get(one) ?? 0) > (votes.get(best) ?? 0) ? one : best))
}

function retarget(change: Change, { catalog, nowMs, sees }: Surroundings): void {
  const { group } = change
  const partitionCounts = new Map<string, number>()
  const candidates = [...group.members.values()].map(member => {
    const topics = new Set<string>()
    for (const name of subscribedTopics(group, member, sees)) {
      const topic = catalog.byName(name)
      if (topic === undefined) continue
      topics.add(topic.id)
      partitionCounts.set(topic.id, topic.partitionCount)
    }
    return { id: member.id, instanceId: member.instanceId, topics, before: group.targets.get(member.id) ?? NO_PARTITIONS }
  })
  for (const [memberId, value] of assign(assignorOf(group), { candidates, partitionCounts })) {
    const before = group.targets.get(memberId)
    if (!samePartitions(before ?? NO_PARTITIONS, value)) change.emit({ type: 'target-member', group: group.id, memberId, value })
  }
  change.emit({ type: 'target-metadata', group: group.id, value: { epoch: group.epoch, assignedMs: nowMs } })
}

function samePartitions(left: Partitions, right: Partitions): boolean {
  if (left.size !== right.size) return false
  for (const [topicId, partitions] of left) {
    const others = right.get(topicId)
    if (others?.length !== partitions.length || !partitions.every((partition, at) => partition === others[at])) return false
  }
  return true
}
