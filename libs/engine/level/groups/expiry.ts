/** Which committed offsets are too old to be kept (KIP-211): those of groups that nobody is in, and of topics that a group reads no more. */
import { readSubscription } from '../consumer-groups/classic-member.ts'
import { type ConsumerGroup, isSubscribed } from '../consumer-groups/group.ts'
import type { CommittedOffsets } from './committed.ts'
import { type Group, metadataUnder } from './group.ts'

/** What is looked at of a group; `group` counts while there is no `consumer`. */
export interface Aging {
  readonly group: Readonly<Group>
  readonly consumer: { readonly group: Readonly<ConsumerGroup> } | undefined
  readonly offsets: Pick<CommittedOffsets, 'entries'>
}

export interface Age {
  readonly nowMs: number
  readonly retentionMs: number
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export function expiredOffsets(view: Aging, { nowMs, retentionMs }: Age): TopicPartition[] {
  const expired: TopicPartition[] = []
  for (const [topic, partition, { committedMs }] of view.offsets.entries()) {
    const sinceMs = idleSinceMs(view, topic, committedMs)
    if (sinceMs !== undefined && nowMs - sinceMs >= retentionMs) expired.push({ topic, partition })
  }
  return expired
}

/** Since when nobody reads the topic under this group; undefined while somebody does. */
function idleSinceMs({ group, consumer }: Aging, topic: string, committedMs: number): number | undefined {
  if (consumer !== undefined) return isSubscribed(consumer.group, topic) ? undefined : committedMs
  // A consumer that assigns itself is never a member: only its commits show that it lives.
  if (group.protocolType === null) return committedMs
  if (group.state === 'Empty') return Math.max(group.stateSinceMs, committedMs)
  const subscribed = subscribedByClassic(group)
  return subscribed === undefined || subscribed.has(topic) ? undefined : committedMs
}

/** The topics that the members of a stable group of consumers want; undefined where that cannot be told. */
export function subscribedByClassic(group: Readonly<Group>): ReadonlySet<string> | undefined {
  if (group.protocolType !== 'consumer' || group.state !== 'Stable') return undefined
  const topics = new Set<string>()
  for (const member of group.members.values()) {
    const subscription = readSubscription(metadataUnder(member, group.protocolName))
    if (subscription === undefined) return undefined
    for (const topic of subscription.topics) topics.add(topic)
  }
  return topics
}
