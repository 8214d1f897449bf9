/** CreateTopics: new topics on this one node, all of a request in one durable write. */
import { AssayError } from '@assay/errors'
import type { createTopics, RequestOf, ResponseOf } from '@assay/protocol'
import { readTopicConfigs } from './config-names.ts'
import { type Handler, type Level, NO_TOPIC_ID } from './context.ts'
import { configEntries } from './describe-configs.ts'
import { refusalOf } from './refusal.ts'
import type { NewTopic } from './topics.ts'

type Wish = RequestOf<typeof createTopics>['topics'][number]
type TopicAnswer = ResponseOf<typeof createTopics>['topics'][number]

export const answerCreateTopics: Handler<typeof createTopics> = async (level, request, session) => {
  const { body } = request
  const quota = level.mutations.of(request, session, { strictSince: 6 })
  const seen = new Map<string, number>()
  for (const { name } of body.topics) seen.set(name, (seen.get(name) ?? 0) + 1)

  const answers = new Map<string, TopicAnswer>()
  const wanted: NewTopic[] = []
  for (const wish of body.topics) {
    try {
      if (seen.get(wish.name)! > 1) throw new AssayError('INVALID_REQUEST', { reason: `Topic '${wish.name}' is named twice.` })
      wanted.push({
        name: wish.name,
        partitionCount: partitionCountOf(level, wish),
        configs: readTopicConfigs(wish.configs)
      })
    } catch (error) {
      answers.set(wish.name, failing(wish.name, error))
    }
  }
  const outcomes = await level.topics.create(wanted, { validateOnly: body.validateOnly, spend: quota.spend })
  for (const [at, outcome] of outcomes.entries()) {
    const { name } = wanted[at]!
    if (outcome instanceof AssayError) {
      answers.set(name, failing(name, outcome))
      continue
    }
    answers.set(name, {
      name,
      topicId: body.validateOnly ? NO_TOPIC_ID : outcome.id,
      errorCode: 0,
      errorMessage: null,
      topicConfigErrorCode: 0,
      numPartitions: outcome.partitionCount,
      replicationFactor: 1,
      configs: configEntries(level, outcome).map(({ name, value, readOnly, configSource, isSensitive }) => ({
        name,
        value,
        readOnly,
        configSource,
        isSensitive
      }))
    })
  }
  return { throttleTimeMs: quota.waitMs, topics: [...answers.values()] }
}

function partitionCountOf(level: Level, wish: Wish): number {
  if (wish.assignments.length > 0) {
    if (wish.numPartitions !== -1 || wish.replicationFactor !== -1) {
      throw new AssayError('INVALID_REQUEST', {
        reason: 'Partitions and replication factor must both be -1 when the assignment is given by hand.'
      })
    }
    const indexes = new Set(wish.assignments.map(({ partitionIndex }) => partitionIndex))
    for (let index = 0; index < wish.assignments.length; index++) {
      if (!indexes.has(index)) throw new AssayError('INVALID_REPLICA_ASSIGNMENT', { reason: `partition ${index} is missing` })
    }
    for (const { brokerIds } of wish.assignments) checkBrokers(level, brokerIds)
    return wish.assignments.length
  }
  if (wish.replicationFactor !== 1 && wish.replicationFactor !== -1) {
    throw new AssayError('INVALID_REPLICATION_FACTOR', { factor: wish.replicationFactor })
  }
  return wish.numPartitions === -1 ? level.options.defaultPartitions : wish.numPartitions
}

/** A partition assigned by hand can only be given to this node. */
export function checkBrokers(level: Level, brokerIds: readonly number[]): void {
  if (brokerIds.length === 1 && brokerIds[0] === level.nodeId) return
  throw new AssayError('INVALID_REPLICA_ASSIGNMENT', {
    reason: `replicas on [${brokerIds.join(', ')}], but the only broker is ${level.nodeId}`
  })
}

const failing = (name: string, error: unknown): TopicAnswer => ({
  name,
  topicId: NO_TOPIC_ID,
  ...refusalOf(error),
  topicConfigErrorCode: 0,
  numPartitions: -1,
  replicationFactor: -1,
  configs: null
})
