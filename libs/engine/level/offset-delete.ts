/** OffsetDelete: forgets committed offsets of partitions; of a topic that the group still reads it forgets none. */
import { errorCode, type offsetDelete } from '@assay/protocol'
import { isSubscribed } from './consumer-groups/group.ts'
import type { Handler } from './context.ts'
import type { GroupView } from './groups/coordinator.ts'
import { subscribedByClassic } from './groups/expiry.ts'
import type { GroupError } from './groups/group.ts'

export const answerOffsetDelete: Handler<typeof offsetDelete> = async (level, { body }) => {
  const view = level.groups.get(body.groupId)
  const refused = (error: GroupError) => ({ errorCode: errorCode(error), throttleTimeMs: 0, topics: [] })
  if (view === undefined || view.group.state === 'Dead') return refused('GROUP_ID_NOT_FOUND')
  const reads = readsOf(view)
  if (reads === undefined) return refused('NON_EMPTY_GROUP')
  const partitions: { topic: string; partition: number }[] = []
  const topics = body.topics.map(({ name, partitions: asked }) => ({
    name,
    partitions: asked.map(({ partitionIndex }) => {
      if (reads(name)) return { partitionIndex, errorCode: errorCode('GROUP_SUBSCRIBED_TO_TOPIC') }
      const topic = level.topics.get({ name })
      if (topic === undefined || level.topics.partition(topic, partitionIndex) === undefined) {
        return { partitionIndex, errorCode: errorCode('UNKNOWN_TOPIC_OR_PARTITION') }
      }
      partitions.push({ topic: name, partition: partitionIndex })
      return { partitionIndex, errorCode: 0 }
    })
  }))
  const error = await level.groups.deleteOffsets(body.groupId, partitions)
  return error === 'NONE' ? { errorCode: 0, throttleTimeMs: 0, topics } : refused(error)
}

/** Undefined when the group has members of whom nobody can tell what they read. */
function readsOf({ group, consumer }: GroupView): ((topic: string) => boolean) | undefined {
  if (consumer !== undefined) return topic => isSubscribed(consumer.group, topic)
  if (group.state === 'Empty') return () => false
  if (group.protocolType !== 'consumer') return undefined
  // While members are joining anew it is not known what they will want.
  const topics = subscribedByClassic(group)
  return topic => topics === undefined || topics.has(topic)
}
