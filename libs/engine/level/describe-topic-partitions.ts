/** DescribeTopicPartitions: topics by name, in the order of their names, a page of partitions at a time (KIP-966). */
import { type describeTopicPartitions, errorCode, type RequestOf, type ResponseOf } from '@assay/protocol'
import { type Handler, type Level, NO_TOPIC_ID, OPERATIONS_NOT_TOLD } from './context.ts'
import { LEADER_EPOCH } from './leader-epoch.ts'
import { refusalOf } from './refusal.ts'
import { checkTopicName, isInternalTopic } from './topic-name.ts'

type TopicAnswer = ResponseOf<typeof describeTopicPartitions>['topics'][number]
type Cursor = NonNullable<RequestOf<typeof describeTopicPartitions>['cursor']>

/** Most partitions in one answer, whatever is asked for (Kafka's `max.request.partition.size.limit`). */
const PARTITIONS_MAX = 2000

export const answerDescribeTopicPartitions: Handler<typeof describeTopicPartitions> = (level, { body }) => {
  const { cursor } = body
  const all = body.topics.length === 0
  const asked = all ? level.topics.all().map(({ name }) => name) : body.topics.map(({ name }) => name)
  const names = [...new Set(asked)].sort().filter(name => cursor === null || name >= cursor.topicName)
  const isAstray = cursor !== null && (cursor.partitionIndex < 0 || (!all && !names.includes(cursor.topicName)))
  if (isAstray) {
    return { throttleTimeMs: 0, topics: asked.map(name => failing(name, errorCode('INVALID_REQUEST'))), nextCursor: null }
  }
  const topics: TopicAnswer[] = []
  let left = Math.max(1, Math.min(PARTITIONS_MAX, body.responsePartitionLimit))
  for (const name of names) {
    if (left === 0) return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: 0 } }
    const page = pageOf(level, name, { from: startOf(cursor, name), left })
    topics.push(page.topic)
    left -= page.topic.partitions.length
    if (page.next !== undefined) return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: page.next } }
  }
  return { throttleTimeMs: 0, topics, nextCursor: null }
}

const startOf = (cursor: Cursor | null, name: string): number => (cursor?.topicName === name ? cursor.partitionIndex : 0)

interface Page {
  readonly topic: TopicAnswer
  /** The first partition that had no room. */
  readonly next?: number
}

function pageOf(level: Level, name: string, { from, left }: { readonly from: number; readonly left: number }): Page {
  const topic = level.topics.get({ name })
  if (topic === undefined) return { topic: failing(name, codeOfMissing(name)) }
  const end = Math.min(topic.partitionCount, from + left)
  const replicas = [level.nodeId]
  const partitions = Array.from({ length: Math.max(0, end - from) }, (_, at) => ({
    errorCode: 0,
    partitionIndex: from + at,
    leaderId: level.nodeId,
    leaderEpoch: LEADER_EPOCH,
    replicaNodes: replicas,
    isrNodes: replicas,
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    offlineReplicas: []
  }))
  return {
    topic: {
      errorCode: 0,
      name,
      topicId: topic.id,
      isInternal: isInternalTopic(name),
      partitions,
      topicAuthorizedOperations: OPERATIONS_NOT_TOLD
    },
    ...(end < topic.partitionCount && { next: end })
  }
}

function codeOfMissing(name: string): number {
  try {
    checkTopicName(name)
    return errorCode('UNKNOWN_TOPIC_OR_PARTITION')
  } catch (error) {
    return refusalOf(error).errorCode
  }
}

const failing = (name: string, code: number): TopicAnswer => ({
  errorCode: code,
  name,
  topicId: NO_TOPIC_ID,
  isInternal: false,
  partitions: [],
  topicAuthorizedOperations: OPERATIONS_NOT_TOLD
})
