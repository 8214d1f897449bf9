/** Offsets committed in transactions that have not ended: they count once theirs is committed, and are forgotten when it is aborted (KIP-98). */
import type { Committed } from './committed.ts'
import type { OffsetKey } from './offset-records.ts'

export interface PendingOffset extends OffsetKey {
  readonly committed: Committed
}

export interface PendingOffsets {
  add(producerId: number, offset: PendingOffset): void
  has(group: string, topic: string, partition: number): boolean
  hasGroup(group: string): boolean
  /** Takes out what a producer's transaction holds, in the order in which it was committed. */
  take(producerId: number): PendingOffset[]
  /** Somebody has taken the offset away, or the whole group: what a transaction holds of it goes too. Gives the keys. */
  forget(group: string, key?: { readonly topic: string; readonly partition: number }): OffsetKey[]
  forgetTopic(topicId: string): void
}

export function pendingOffsets(): PendingOffsets {
  const byProducer = new Map<number, PendingOffset[]>()
  /** How many transactions hold an offset, by group and by topic and partition. */
  const counts = new Map<string, Map<string, number>>()
  const nameOf = (topic: string, partition: number): string => `${topic}-${partition}`

  function count({ group, topic, partition }: OffsetKey, by: number): void {
    const ofGroup = counts.get(group) ?? new Map<string, number>()
    counts.set(group, ofGroup)
    const name = nameOf(topic, partition)
    const now = (ofGroup.get(name) ?? 0) + by
    if (now > 0) ofGroup.set(name, now)
    else ofGroup.delete(name)
    if (ofGroup.size === 0) counts.delete(group)
  }

  function drop(isGone: (offset: PendingOffset) => boolean): OffsetKey[] {
    const gone: OffsetKey[] = []
    for (const [producerId, offsets] of byProducer) {
      const kept = offsets.filter(offset => !isGone(offset))
      if (kept.length === offsets.length) continue
      for (const offset of offsets) {
        if (!isGone(offset)) continue
        count(offset, -1)
        gone.push({ group: offset.group, topic: offset.topic, partition: offset.partition })
      }
      if (kept.length === 0) byProducer.delete(producerId)
      else byProducer.set(producerId, kept)
    }
    return gone
  }

  return {
    add(producerId, offset) {
      const offsets = byProducer.get(producerId) ?? []
      byProducer.set(producerId, offsets)
      offsets.push(offset)
      count(offset, 1)
    },
    has: (group, topic, partition) => counts.get(group)?.has(nameOf(topic, partition)) ?? false,
    hasGroup: group => counts.has(group),
    take(producerId) {
      const offsets = byProducer.get(producerId) ?? []
      byProducer.delete(producerId)
      for (const offset of offsets) count(offset, -1)
      return offsets
    },
    forget: (group, key) =>
      drop(
        offset =>
          offset.group === group && (key === undefined || (offset.topic === key.topic && offset.partition === key.partition))
      ),
    forgetTopic: topicId => void drop(({ committed }) => committed.topicId === topicId)
  }
}
