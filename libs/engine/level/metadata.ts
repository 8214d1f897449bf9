/** Metadata: which topics there are and where their partitions live. Makes a topic that is asked for when the server may. */
import { AssayError } from '@assay/errors'
import { errorCode, type metadata, type RequestOf, type ResponseOf } from '@assay/protocol'
import type { Topic } from '../engine.ts'
import { type Handler, type Level, NO_TOPIC_ID, OPERATIONS_NOT_TOLD } from './context.ts'
import { LEADER_EPOCH } from './leader-epoch.ts'
import { refusalOf } from './refusal.ts'
import { isInternalTopic } from './topic-name.ts'

type TopicAnswer = ResponseOf<typeof metadata>['topics'][number]
type AskedTopic = NonNullable<RequestOf<typeof metadata>['topics']>[number]

export const answerMetadata: Handler<typeof metadata> = async (level, request, session) => {
  const { version, body } = request
  const { host, port } = level.advertised()
  // Version 0 has no null: there an empty list asks for all.
  const all = body.topics === null || (version === 0 && body.topics.length === 0)
  // Whoever has topics made by asking for them cannot be told of a quota: he is served, and waits.
  const quota = level.mutations.of(request, session)
  const topics = all
    ? level.topics.all().map(topic => found(level, topic))
    : await askedTopics(level, version, body.topics ?? [], {
        mayCreate: body.allowAutoTopicCreation && level.options.autoCreateTopics,
        spend: quota.spend
      })
  return {
    throttleTimeMs: quota.waitMs,
    brokers: [{ nodeId: level.nodeId, host, port, rack: null }],
    clusterId: level.clusterId,
    controllerId: level.nodeId,
    topics,
    clusterAuthorizedOperations: OPERATIONS_NOT_TOLD,
    errorCode: 0
  }
}

async function askedTopics(
  level: Level,
  version: number,
  asked: readonly AskedTopic[],
  { mayCreate, spend }: { readonly mayCreate: boolean; readonly spend: (partitions: number) => void }
): Promise<TopicAnswer[]> {
  // Java's consumer asks for an ID beside an empty name: the ID is what it means.
  const isById = ({ name, topicId }: AskedTopic): boolean => name === null || topicId !== NO_TOPIC_ID
  const missing = new Set(
    asked.flatMap(one => (isById(one) || level.topics.get({ name: one.name! }) !== undefined ? [] : [one.name!]))
  )
  const failures = new Map<string, AssayError>()
  if (mayCreate && missing.size > 0) {
    const names = [...missing]
    const wanted = names.map(name => ({ name, partitionCount: level.options.defaultPartitions, configs: new Map() }))
    const outcomes = await level.topics.create(wanted, { validateOnly: false, spend })
    for (const [at, outcome] of outcomes.entries()) {
      // Somebody else may have made it in the meantime: then it is there now.
      if (outcome instanceof AssayError && outcome.code !== 'TOPIC_EXISTS') failures.set(names[at]!, outcome)
    }
  }
  return asked.map(one => {
    const { name, topicId } = one
    if (name === null || isById(one)) {
      const topic = level.topics.get({ id: topicId })
      if (topic !== undefined) return found(level, topic)
      // Only version 12 and later have a null name to answer with.
      return failing({ topicId, name: version >= 12 ? null : '' }, errorCode('UNKNOWN_TOPIC_ID'))
    }
    const topic = level.topics.get({ name })
    if (topic !== undefined) return found(level, topic)
    const failure = failures.get(name)
    return failing(
      { topicId: NO_TOPIC_ID, name },
      failure === undefined ? errorCode('UNKNOWN_TOPIC_OR_PARTITION') : refusalOf(failure).errorCode
    )
  })
}

const failing = (ref: { topicId: string; name: string | null }, code: number): TopicAnswer => ({
  ...ref,
  errorCode: code,
  isInternal: false,
  partitions: [],
  topicAuthorizedOperations: OPERATIONS_NOT_TOLD
})

const found = (level: Level, topic: Topic): TopicAnswer => ({
  errorCode: 0,
  name: topic.name,
  topicId: topic.id,
  isInternal: isInternalTopic(topic.name),
  partitions: Array.from({ length: topic.partitionCount }, (_, partitionIndex) => ({
    errorCode: 0,
    partitionIndex,
    leaderId: level.nodeId,
    leaderEpoch: LEADER_EPOCH,
    replicaNodes: [level.nodeId],
    isrNodes: [level.nodeId],
    offlineReplicas: []
  })),
  topicAuthorizedOperations: OPERATIONS_NOT_TOLD
})
