/** What the requests about topics and their records ask of the caller; the refusals as Kafka's broker shapes them. */
import { AssayError } from '@assay/errors'
import {
  alterConfigs,
  createPartitions,
  createTopics,
  deleteRecords,
  deleteTopics,
  describeConfigs,
  fetch,
  incrementalAlterConfigs,
  listOffsets,
  metadata,
  offsetForLeaderEpoch,
  produce,
  type RequestOf,
  type ResponseOf,
  ZERO_UUID
} from '@assay/protocol'
import { CLUSTER, type Operation, type ResourceType } from '@assay/security'
import {
  type Asked,
  blankAt,
  codeOf,
  joined,
  type Row,
  row,
  split,
  TOPIC_REFUSED,
  TRANSACTION_REFUSED,
  tellingRow
} from './access.ts'
import { OPERATIONS_NOT_TOLD, operationsMask } from './kafka-acl.ts'

/** Bit 4 of a batch's attributes, in the last of their two bytes: docs of record batch v2. */
const TRANSACTIONAL = 0x10
const ATTRIBUTES_LAST_AT = 22

type ProduceAsked = Asked<RequestOf<typeof produce>, ResponseOf<typeof produce>>
type ProduceTopic = ResponseOf<typeof produce>['responses'][number]

const produceRow = row<RequestOf<typeof produce>, ResponseOf<typeof produce>>(produce.key, produce.name, async asked => {
  const { body } = asked
  const refusalOf = (topic: (typeof body.topicData)[number], code: number): ProduceTopic => ({
    name: topic.name,
    topicId: topic.topicId,
    partitionResponses: topic.partitionData.map(({ index }) =>
      blankAt<ProduceTopic['partitionResponses'][number]>(asked.api, ['responses', 'partitionResponses'], {
        index,
        errorCode: code,
        baseOffset: -1n
      })
    )
  })
  const transactionRefused = !mayTransact(asked)
  const parts = await split(body.topicData, async topic => {
    if (transactionRefused) return refusalOf(topic, TRANSACTION_REFUSED)
    const name = topic.name === '' ? await asked.topicName(topic.topicId) : topic.name
    return name === undefined || asked.may('write', 'topic', name) ? undefined : refusalOf(topic, TOPIC_REFUSED)
  })
  if (parts.refused.length === 0) return asked.pass()
  const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...body, topicData: parts.allowed })
  // Nobody reads an answer; a closed connection is all that tells the producer, as Kafka does it.
  if (body.acks === 0) throw new AssayError('NOT_AUTHENTICATED', { reason: 'he may not write, and asks for no answer' })
  return { ...answer, responses: joined(parts, answer.responses) }
})

function mayTransact({ body, may }: ProduceAsked): boolean {
  if (body.transactionalId !== null) return may('write', 'transactional-id', body.transactionalId)
  return !body.topicData.some(({ partitionData }) =>
    partitionData.some(({ records }) => ((records?.[ATTRIBUTES_LAST_AT] ?? 0) & TRANSACTIONAL) !== 0)
  )
}

type FetchTopic = ResponseOf<typeof fetch>['responses'][number]
/** The epoch of a request that is in no session (KIP-227). */
const NO_SESSION = -1

const fetchRow = row<RequestOf<typeof fetch>, ResponseOf<typeof fetch>>(fetch.key, fetch.name, async asked => {
  const { body } = asked
  const nameOf = async ({ topic, topicId }: { topic: string; topicId: string }): Promise<string | undefined> =>
    topic === '' ? asked.topicName(topicId) : topic
  const refusalOf = ({ topic, topicId }: { topic: string; topicId: string }, partitions: readonly number[]): FetchTopic => ({
    topic,
    topicId,
    partitions: partitions.map(partitionIndex =>
      blankAt<FetchTopic['partitions'][number]>(asked.api, ['responses', 'partitions'], {
        partitionIndex,
        errorCode: TOPIC_REFUSED,
        highWatermark: -1n,
        abortedTransactions: null,
        records: null
      })
    )
  })
  const parts = await split(body.topics, async topic => {
    const name = await nameOf(topic)
    if (name === undefined || asked.may('read', 'topic', name)) return undefined
    return refusalOf(
      topic,
      topic.partitions.map(({ partition }) => partition)
    )
  })
  if (body.sessionEpoch === NO_SESSION) {
    if (parts.refused.length === 0) return asked.pass()
    const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...body, topics: parts.allowed })
    // The answer may own memory that its writer gives back: it is filled, not copied.
    answer.responses = joined(parts, answer.responses)
    return answer
  }
  // A session holds what earlier requests have named, so the answer is what counts: what he may not read (any more) is taken out of it, and
  // the partition stays in the session for when he may.
  const answer = await asked.pass(parts.refused.length === 0 ? body : { ...body, maxWaitMs: 0 })
  for (const [at, topic] of answer.responses.entries()) {
    const name = await nameOf(topic)
    if (name === undefined || asked.may('read', 'topic', name)) continue
    answer.responses[at] = refusalOf(
      topic,
      topic.partitions.map(({ partitionIndex }) => partitionIndex)
    )
  }
  return answer
})

const listOffsetsRow = row<RequestOf<typeof listOffsets>, ResponseOf<typeof listOffsets>>(
  listOffsets.key,
  listOffsets.name,
  async asked => {
    type Topic = ResponseOf<typeof listOffsets>['topics'][number]
    const parts = await split(asked.body.topics, ({ name, partitions }): Topic | undefined => {
      if (asked.may('describe', 'topic', name)) return undefined
      const refused = partitions.map(({ partitionIndex }) =>
        blankAt<Topic['partitions'][number]>(asked.api, ['topics', 'partitions'], { partitionIndex, errorCode: TOPIC_REFUSED })
      )
      return { name, partitions: refused }
    })
    if (parts.refused.length === 0) return asked.pass()
    const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...asked.body, topics: parts.allowed })
    return { ...answer, topics: joined(parts, answer.topics) }
  }
)

const epochsRow = row<RequestOf<typeof offsetForLeaderEpoch>, ResponseOf<typeof offsetForLeaderEpoch>>(
  offsetForLeaderEpoch.key,
  offsetForLeaderEpoch.name,
  async asked => {
    type Topic = ResponseOf<typeof offsetForLeaderEpoch>['topics'][number]
    const parts = await split(asked.body.topics, ({ topic, partitions }): Topic | undefined => {
      if (asked.may('describe', 'topic', topic)) return undefined
      const refused = partitions.map(({ partition }) =>
        blankAt<Topic['partitions'][number]>(asked.api, ['topics', 'partitions'], { partition, errorCode: TOPIC_REFUSED })
      )
      return { topic, partitions: refused }
    })
    if (parts.refused.length === 0) return asked.pass()
    const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...asked.body, topics: parts.allowed })
    return { ...answer, topics: joined(parts, answer.topics) }
  }
)

type MetadataTopic = ResponseOf<typeof metadata>['topics'][number]

const metadataRow = tellingRow<RequestOf<typeof metadata>, ResponseOf<typeof metadata>>(
  metadata.key,
  metadata.name,
  async asked => {
    const { body, version } = asked
    // Version 0 has no null: there an empty list asks for all.
    const all = body.topics === null || (version === 0 && body.topics.length === 0)
    const refusalOf = (topicId: string, name: string | null): MetadataTopic =>
      blankAt<MetadataTopic>(asked.api, ['topics'], { name, topicId, errorCode: TOPIC_REFUSED })
    const parts = await split(all ? [] : (body.topics ?? []), async ({ name, topicId }) => {
      const known = name ?? (await asked.topicName(topicId))
      if (known === undefined) return undefined
      // A name that he may not see is answered alike whether it is there or not; an ID is no secret.
      const refused = name === null ? refusalOf(topicId, version >= 12 ? null : '') : refusalOf(ZERO_UUID, name)
      if (!asked.may('describe', 'topic', known)) return refused
      if (name === null || !body.allowAutoTopicCreation || (await asked.hasTopic(name))) return undefined
      // Asking would make it.
      const mayMake = asked.sees('create', CLUSTER.type, CLUSTER.name) || asked.may('create', 'topic', name)
      return mayMake ? undefined : refused
    })
    const answer = await asked.pass(parts.refused.length === 0 ? body : { ...body, topics: parts.allowed })
    const seen = all ? answer.topics.filter(({ name }) => name === null || asked.sees('describe', 'topic', name)) : answer.topics
    const topics = joined(parts, seen).map(topic => {
      if (!body.includeTopicAuthorizedOperations || topic.errorCode !== 0 || topic.name === null) return topic
      return { ...topic, topicAuthorizedOperations: operationsMask('topic', topic.name, asked.sees) }
    })
    const clusterAuthorizedOperations = body.includeClusterAuthorizedOperations ? clusterMask(asked) : OPERATIONS_NOT_TOLD
    return { ...answer, topics, clusterAuthorizedOperations }
  }
)

/** Who may not look at the cluster is told that he may nothing. */
export const clusterMask = ({ sees }: Pick<Asked<object, object>, 'sees'>): number =>
  sees('describe', CLUSTER.type, CLUSTER.name) ? operationsMask(CLUSTER.type, CLUSTER.name, sees) : 0

type Created = ResponseOf<typeof createTopics>['topics'][number]

const createTopicsRow = row<RequestOf<typeof createTopics>, ResponseOf<typeof createTopics>>(
  createTopics.key,
  createTopics.name,
  async asked => {
    const mayAll = asked.sees('create', CLUSTER.type, CLUSTER.name)
    const parts = await split(asked.body.topics, ({ name }): Created | undefined => {
      if (mayAll || asked.may('create', 'topic', name)) return undefined
      return blankAt<Created>(asked.api, ['topics'], { name, errorCode: TOPIC_REFUSED, errorMessage: REFUSED, configs: null })
    })
    const answer =
      parts.allowed.length === 0 && parts.refused.length > 0
        ? asked.blank()
        : await asked.pass({ ...asked.body, topics: parts.allowed })
    const topics = joined(parts, answer.topics).map(topic => {
      if (topic.errorCode !== 0 || asked.sees('describe-configs', 'topic', topic.name)) return topic
      return { ...topic, topicConfigErrorCode: TOPIC_REFUSED, numPartitions: -1, replicationFactor: -1, configs: null }
    })
    return { ...answer, topics }
  }
)

/** Kafka's own words beside the code. */
export const REFUSED = 'Authorization failed.'

type Deleted = ResponseOf<typeof deleteTopics>['responses'][number]

const deleteTopicsRow = row<RequestOf<typeof deleteTopics>, ResponseOf<typeof deleteTopics>>(
  deleteTopics.key,
  deleteTopics.name,
  async asked => {
    const { body, version } = asked
    const refusalOf = (given: Partial<Deleted>): Deleted =>
      blankAt<Deleted>(asked.api, ['responses'], { errorCode: TOPIC_REFUSED, errorMessage: REFUSED, ...given })
    if (version < 6) {
      const parts = await split(body.topicNames, name => (asked.may('delete', 'topic', name) ? undefined : refusalOf({ name })))
      if (parts.refused.length === 0) return asked.pass()
      const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...body, topicNames: parts.allowed })
      return { ...answer, responses: joined(parts, answer.responses) }
    }
    const parts = await split(body.topics, async ({ name, topicId }) => {
      const known = name ?? (await asked.topicName(topicId))
      if (known === undefined || asked.may('delete', 'topic', known)) return undefined
      return refusalOf({ topicId, name: name ?? (asked.sees('describe', 'topic', known) ? known : null) })
    })
    if (parts.refused.length === 0) return asked.pass()
    const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...body, topics: parts.allowed })
    return { ...answer, responses: joined(parts, answer.responses) }
  }
)

const deleteRecordsRow = row<RequestOf<typeof deleteRecords>, ResponseOf<typeof deleteRecords>>(
  deleteRecords.key,
  deleteRecords.name,
  async asked => {
    type Topic = ResponseOf<typeof deleteRecords>['topics'][number]
    const parts = await split(asked.body.topics, ({ name, partitions }): Topic | undefined => {
      if (asked.may('delete', 'topic', name)) return undefined
      return {
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1n, errorCode: TOPIC_REFUSED }))
      }
    })
    if (parts.refused.length === 0) return asked.pass()
    const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...asked.body, topics: parts.allowed })
    return { ...answer, topics: joined(parts, answer.topics) }
  }
)

const createPartitionsRow = row<RequestOf<typeof createPartitions>, ResponseOf<typeof createPartitions>>(
  createPartitions.key,
  createPartitions.name,
  async asked => {
    const parts = await split(asked.body.topics, ({ name }) =>
      asked.may('alter', 'topic', name) ? undefined : { name, errorCode: TOPIC_REFUSED, errorMessage: REFUSED }
    )
    if (parts.refused.length === 0) return asked.pass()
    const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...asked.body, topics: parts.allowed })
    return { ...answer, results: joined(parts, answer.results) }
  }
)

/** ConfigResource.Type of Kafka: settings of a topic, of a group; all others are the cluster's. */
const CONFIG_TOPIC = 2
const CONFIG_GROUP = 32

function configResource({ resourceType, resourceName }: { resourceType: number; resourceName: string }): [ResourceType, string] {
  if (resourceType === CONFIG_TOPIC) return ['topic', resourceName]
  return resourceType === CONFIG_GROUP ? ['group', resourceName] : [CLUSTER.type, CLUSTER.name]
}

interface ConfigAnswer {
  resourceType: number
  resourceName: string
  errorCode: number
  errorMessage: string | null
}

/** One row for the three requests: they differ in the operation and in the name of the list of answers. */
function configsRow<Q extends { resources: { resourceType: number; resourceName: string }[] }>(
  { key, name }: { readonly key: number; readonly name: string },
  operation: Operation,
  list: 'results' | 'responses'
): Row {
  type Response = Record<typeof list, ConfigAnswer[]>
  return row<Q, Response>(key, name, async asked => {
    const parts = await split(asked.body.resources, ({ resourceType, resourceName }): ConfigAnswer | undefined => {
      const [type, resource] = configResource({ resourceType, resourceName })
      if (asked.may(operation, type, resource)) return undefined
      const refused = { resourceType, resourceName, errorCode: codeOf(type), errorMessage: REFUSED }
      return blankAt<ConfigAnswer>(asked.api, [list], refused)
    })
    if (parts.refused.length === 0) return asked.pass()
    const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...asked.body, resources: parts.allowed })
    return { ...answer, [list]: joined(parts, answer[list]) }
  })
}

interface PartitionsRequest {
  readonly topics: readonly { readonly name: string }[]
}
interface PartitionsTopic {
  errorCode: number
  name: string | null
  topicAuthorizedOperations: number
}
interface PartitionsResponse {
  readonly topics: PartitionsTopic[]
}

/** DescribeTopicPartitions (KIP-966): without names it lists all topics. */
const topicPartitionsRow = tellingRow<PartitionsRequest, PartitionsResponse>(75, 'DescribeTopicPartitions', async asked => {
  const parts = await split(asked.body.topics, ({ name }) =>
    asked.may('describe', 'topic', name)
      ? undefined
      : blankAt<PartitionsTopic>(asked.api, ['topics'], { name, errorCode: TOPIC_REFUSED })
  )
  const all = asked.body.topics.length === 0
  const answer = parts.allowed.length === 0 && !all ? asked.blank() : await asked.pass({ ...asked.body, topics: parts.allowed })
  const seen = all ? answer.topics.filter(({ name }) => name === null || asked.sees('describe', 'topic', name)) : answer.topics
  const topics = joined(parts, seen).map(topic =>
    topic.errorCode === 0 && topic.name !== null
      ? { ...topic, topicAuthorizedOperations: operationsMask('topic', topic.name, asked.sees) }
      : topic
  )
  return { ...answer, topics }
})

interface ProducersRequest {
  readonly topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[]
}
interface ProducersTopic {
  name: string
  partitions: { partitionIndex: number; errorCode: number }[]
}

const producersRow = row<ProducersRequest, { topics: ProducersTopic[] }>(61, 'DescribeProducers', async asked => {
  const parts = await split(asked.body.topics, ({ name, partitionIndexes }): ProducersTopic | undefined => {
    if (asked.may('read', 'topic', name)) return undefined
    const partitions = partitionIndexes.map(partitionIndex =>
      blankAt<ProducersTopic['partitions'][number]>(asked.api, ['topics', 'partitions'], {
        partitionIndex,
        errorCode: TOPIC_REFUSED
      })
    )
    return { name, partitions }
  })
  if (parts.refused.length === 0) return asked.pass()
  const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...asked.body, topics: parts.allowed })
  return { ...answer, topics: joined(parts, answer.topics) }
})

export const topicRows: readonly Row[] = [
  produceRow,
  fetchRow,
  listOffsetsRow,
  metadataRow,
  createTopicsRow,
  deleteTopicsRow,
  deleteRecordsRow,
  epochsRow,
  configsRow<RequestOf<typeof describeConfigs>>(describeConfigs, 'describe-configs', 'results'),
  configsRow<RequestOf<typeof alterConfigs>>(alterConfigs, 'alter-configs', 'responses'),
  configsRow<RequestOf<typeof incrementalAlterConfigs>>(incrementalAlterConfigs, 'alter-configs', 'responses'),
  createPartitionsRow,
  producersRow,
  topicPartitionsRow
]
