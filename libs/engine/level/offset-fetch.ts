/** OffsetFetch: how far groups have come; one group up to version 7, any number of them since. */
import { errorCode, type offsetFetch } from '@assay/protocol'
import type { Topic } from '../engine.ts'
import type { Handler, Level } from './context.ts'
import type { Committed } from './groups/committed.ts'
import type { GroupView } from './groups/coordinator.ts'
import type { GroupError } from './groups/group.ts'

/** What both shapes of the request ask of one topic. */
interface AskedTopic {
  readonly ref: { readonly name: string } | { readonly id: string }
  readonly partitionIndexes: readonly number[]
}

interface PartitionAnswer {
  partitionIndex: number
  committedOffset: bigint
  committedLeaderEpoch: number
  metadata: string | null
  errorCode: number
}

interface TopicAnswer {
  name: string
  topicId: string
  partitions: PartitionAnswer[]
}

export const answerOffsetFetch: Handler<typeof offsetFetch> = (level, { version, body }) => {
  const throttleTimeMs = 0
  if (version < 8) {
    const asked = body.topics?.map(({ name, partitionIndexes }) => ({ ref: { name }, partitionIndexes })) ?? null
    const topics = groupOffsets(level, body.groupId, asked, body.requireStable).map(({ name, partitions }) => ({
      name,
      partitions
    }))
    return { throttleTimeMs, topics, errorCode: 0, groups: [] }
  }
  const groups = body.groups.map(({ groupId, memberId, memberEpoch, topics }) => {
    const asked =
      topics?.map(({ name, topicId, partitionIndexes }) => ({
        ref: version >= 10 ? { id: topicId } : { name },
        partitionIndexes
      })) ?? null
    const error = refusal(level.groups.get(groupId), memberId, memberEpoch)
    if (error !== undefined) return { groupId, topics: [], errorCode: errorCode(error) }
    return { groupId, topics: groupOffsets(level, groupId, asked, body.requireStable), errorCode: 0 }
  })
  return { throttleTimeMs, topics: [], errorCode: 0, groups }
}

/** A member of a consumer group says who it is, so that one that was put out does not start from what others have done since. */
function refusal(view: GroupView | undefined, memberId: string | null, memberEpoch: number): GroupError | undefined {
  if (view?.consumer === undefined || (memberId === null && memberEpoch < 0)) return undefined
  const member = view.consumer.group.members.get(memberId ?? '')
  if (member === undefined) return 'UNKNOWN_MEMBER_ID'
  return member.epoch === memberEpoch ? undefined : 'STALE_MEMBER_EPOCH'
}

/**
 * The offsets of a group that was never heard of are simply not there. `asked` null asks for all there are. Who requires stable ones is not
 * given those that a transaction under way may change (KIP-447).
 */
function groupOffsets(level: Level, groupId: string, asked: readonly AskedTopic[] | null, requireStable: boolean): TopicAnswer[] {
  const isUnstable = (topic: string, partition: number): boolean =>
    requireStable && level.groups.isPending(groupId, topic, partition)
  const view = level.groups.get(groupId)
  if (asked === null) return allOffsets(level, view, isUnstable)
  return asked.map(({ ref, partitionIndexes }) => {
    const topic = level.topics.get(ref)
    const name = topic?.name ?? ('name' in ref ? ref.name : '')
    const unknownId = topic === undefined && 'id' in ref
    return {
      name,
      topicId: topic?.id ?? ('id' in ref ? ref.id : ''.padEnd(32, '0')),
      partitions: partitionIndexes.map(index =>
        isUnstable(name, index)
          ? unstable(index)
          : partitionAnswer(index, current(topic, view?.offsets.get(name, index)), unknownId ? errorCode('UNKNOWN_TOPIC_ID') : 0)
      )
    }
  })
}

function allOffsets(
  level: Level,
  view: GroupView | undefined,
  isUnstable: (topic: string, partition: number) => boolean
): TopicAnswer[] {
  const answers = new Map<string, TopicAnswer>()
  for (const [name, partition, committed] of view?.offsets.entries() ?? []) {
    const topic = level.topics.get({ name })
    const mine = current(topic, committed)
    if (topic === undefined || mine === undefined) continue
    const answer = answers.get(name) ?? { name, topicId: topic.id, partitions: [] }
    answers.set(name, answer)
    answer.partitions.push(isUnstable(name, partition) ? unstable(partition) : partitionAnswer(partition, mine, 0))
  }
  return [...answers.values()]
}

/** An offset of a topic that was deleted says nothing of the one that has its name now. */
function current(topic: Topic | undefined, committed: Committed | undefined): Committed | undefined {
  return topic !== undefined && (committed?.topicId === null || committed?.topicId === topic.id) ? committed : undefined
}

const unstable = (partition: number): PartitionAnswer =>
  partitionAnswer(partition, undefined, errorCode('UNSTABLE_OFFSET_COMMIT'))

const partitionAnswer = (partitionIndex: number, committed: Committed | undefined, code: number): PartitionAnswer => ({
  partitionIndex,
  committedOffset: committed?.offset ?? -1n,
  committedLeaderEpoch: committed?.leaderEpoch ?? -1,
  metadata: committed?.metadata ?? '',
  errorCode: code
})
