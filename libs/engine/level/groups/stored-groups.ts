/** What `__consumer_offsets` says of all groups: read once, by a start. */
import type { PartitionLog } from '@assay/log'
import { isTransactional } from '@assay/records'
import { apply, type ConsumerGroup, emptyConsumerGroup } from '../consumer-groups/group.ts'
import { replay, type Visitor } from '../keyed-log.ts'
import { type CommittedOffsets, committedOffsets } from './committed.ts'
import type { RestorableGroup, StoredGroup } from './group.ts'
import { readOffsetsRecord } from './offset-records.ts'
import type { PendingOffsets } from './pending-offsets.ts'

/** A group of which there is a record: of the classic protocol, of the consumer protocol, or of neither, with offsets alone. */
export interface FoundGroup {
  readonly id: string
  readonly classic: RestorableGroup | undefined
  readonly consumer: ConsumerGroup | undefined
  readonly offsets: CommittedOffsets
}

export interface FoundGroups {
  readonly groups: readonly FoundGroup[]
  /** Starts of the server that found groups, as far as they are written down. */
  readonly starts: number
}

export interface StoredGroupsParts {
  /** False for the ID of a topic that was deleted: its offsets mean nothing any more. */
  readonly topicLives: (topicId: string) => boolean
  /** Empty; what transactions hold that have not ended is in it afterwards. */
  readonly pending: PendingOffsets
}

/** Fails with STORE_CORRUPT, STORE_FAILED. */
export async function readStoredGroups(log: PartitionLog, { topicLives, pending }: StoredGroupsParts): Promise<FoundGroups> {
  /** With the starts before each was written. Compaction takes away all but the last start, which makes that number smaller, never larger. */
  const classicGroups = new Map<string, { readonly value: StoredGroup; readonly starts: number }>()
  const consumerGroups = new Map<string, ConsumerGroup>()
  const offsetsOf = new Map<string, CommittedOffsets>()
  let starts = 0

  const visit: Visitor['record'] = (record, recordOffset, header) => {
    const read = readOffsetsRecord(record)
    if (read.type === 'group') {
      if (read.value === null) classicGroups.delete(read.group)
      else classicGroups.set(read.group, { value: read.value, starts })
    } else if (read.type === 'start') {
      starts = read.start
    } else if (read.type === 'offset') {
      const { group, topic, partition } = read.key
      const offsets = offsetsOf.get(group) ?? committedOffsets()
      offsetsOf.set(group, offsets)
      const lives = read.value !== null && (read.value.topicId === null || topicLives(read.value.topicId))
      if (isTransactional(header)) {
        if (lives) pending.add(header.producerId, { ...read.key, committed: { ...read.value!, recordOffset } })
        return
      }
      if (read.value === null) pending.forget(group, read.key)
      if (lives) offsets.set(topic, partition, { ...read.value!, recordOffset })
      else offsets.delete(topic, partition)
    } else if (read.type !== 'unknown') {
      let group = consumerGroups.get(read.group)
      if (read.type === 'consumer-group' && read.value === null) consumerGroups.delete(read.group)
      else if (group !== undefined || read.value !== null) {
        // What is left of the tombstones of a group makes no group.
        group ??= emptyConsumerGroup(read.group)
        consumerGroups.set(read.group, group)
        apply(group, read)
      }
    }
  }
  await replay(log, visit, (producerId, end) => {
    for (const { group, topic, partition, committed } of pending.take(producerId)) {
      if (end === 'commit') offsetsOf.get(group)!.set(topic, partition, committed)
    }
  })

  const ids = new Set([...classicGroups.keys(), ...consumerGroups.keys(), ...offsetsOf.keys()])
  const groups = [...ids].flatMap(id => {
    const [stored, consumer] = [classicGroups.get(id), consumerGroups.get(id)]
    const classic = stored && { ...stored.value, startsSince: starts - stored.starts }
    const offsets = offsetsOf.get(id) ?? committedOffsets()
    const isThere = classic !== undefined || consumer !== undefined || offsets.size > 0 || pending.hasGroup(id)
    return isThere ? [{ id, classic, consumer, offsets }] : []
  })
  return { groups, starts }
}
