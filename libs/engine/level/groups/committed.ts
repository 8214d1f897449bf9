/** The committed offsets of one group: what was appended last for each partition. */
import type { OffsetKey, OffsetValue } from './offset-records.ts'

export interface Committed extends OffsetValue {
  /** Where its record lies in `__consumer_offsets`: of two commits the later record stands, however their answers arrive. */
  readonly recordOffset: number
}

export interface CommittedOffsets {
  get(topic: string, partition: number): Committed | undefined
  set(topic: string, partition: number, committed: Committed): void
  delete(topic: string, partition: number): void
  /** Forgets the offsets of one topic incarnation and gives their keys back. */
  deleteTopic(name: string, topicId: string): number[]
  entries(): Iterable<readonly [topic: string, partition: number, committed: Committed]>
  keys(group: string): OffsetKey[]
  readonly size: number
}

export function committedOffsets(): CommittedOffsets {
  const topics = new Map<string, Map<number, Committed>>()
  let size = 0

  function* entries(): Iterable<readonly [string, number, Committed]> {
    for (const [topic, partitions] of topics) for (const [partition, committed] of partitions) yield [topic, partition, committed]
  }
  function remove(topic: string, partition: number): void {
    const partitions = topics.get(topic)
    if (partitions?.delete(partition) !== true) return
    size--
    if (partitions.size === 0) topics.delete(topic)
  }
  return {
    get: (topic, partition) => topics.get(topic)?.get(partition),
    set(topic, partition, committed) {
      let partitions = topics.get(topic)
      if (partitions === undefined) {
        partitions = new Map()
        topics.set(topic, partitions)
      }
      const earlier = partitions.get(partition)
      if (earlier === undefined) size++
      if (earlier === undefined || earlier.recordOffset < committed.recordOffset) partitions.set(partition, committed)
    },
    delete: remove,
    deleteTopic(name, topicId) {
      const gone = [...(topics.get(name) ?? [])].filter(([, { topicId: id }]) => id === null || id === topicId)
      for (const [partition] of gone) remove(name, partition)
      return gone.map(([partition]) => partition)
    },
    entries,
    keys: group => [...entries()].map(([topic, partition]) => ({ group, topic, partition })),
    get size() {
      return size
    }
  }
}
