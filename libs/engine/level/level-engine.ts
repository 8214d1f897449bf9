/** The engine that does the work itself: composes catalog, groups and handlers over one log, and answers requests from them. */

import { AssayError } from '@assay/errors'
import type { Log, PartitionLog } from '@assay/log'
import {
  type AnyApi,
  addOffsetsToTxn,
  addPartitionsToTxn,
  alterClientQuotas,
  alterConfigs,
  alterPartitionReassignments,
  consumerGroupDescribe,
  consumerGroupHeartbeat,
  createPartitions,
  createTopics,
  deleteGroups,
  deleteRecords,
  deleteTopics,
  describeClientQuotas,
  describeCluster,
  describeConfigs,
  describeGroups,
  describeLogDirs,
  describeProducers,
  describeQuorum,
  describeTopicPartitions,
  describeTransactions,
  electLeaders,
  endTxn,
  fetch,
  findCoordinator,
  heartbeat,
  incrementalAlterConfigs,
  initProducerId,
  joinGroup,
  leaveGroup,
  listConfigResources,
  listGroups,
  listOffsets,
  listPartitionReassignments,
  listTransactions,
  metadata,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  offsetForLeaderEpoch,
  produce,
  syncGroup,
  txnOffsetCommit,
  updateFeatures,
  writeTxnMarkers
} from '@assay/protocol'
import { assert, type Clock, type Logger, lentMemory } from '@assay/std'
import type { Engine, Request, Session, Topic } from '../engine.ts'
import { featuresOf } from '../features.ts'
import { answerAddOffsetsToTxn } from './add-offsets-to-txn.ts'
import { answerAddPartitionsToTxn } from './add-partitions-to-txn.ts'
import { answerAlterClientQuotas } from './alter-client-quotas.ts'
import { answerAlterConfigs } from './alter-configs.ts'
import { brokerDefaults, withDynamic } from './broker-defaults.ts'
import { type ClientQuotas, clientQuotas } from './client-quotas.ts'
import { answerConsumerGroupDescribe } from './consumer-group-describe.ts'
import { answerConsumerGroupHeartbeat } from './consumer-group-heartbeat.ts'
import type { Catalog } from './consumer-groups/change.ts'
import type { Handler, Level, LogDirectory } from './context.ts'
import { answerCreatePartitions } from './create-partitions.ts'
import { answerCreateTopics } from './create-topics.ts'
import { answerDeleteGroups } from './delete-groups.ts'
import { answerDeleteRecords } from './delete-records.ts'
import { answerDeleteTopics } from './delete-topics.ts'
import { answerDescribeClientQuotas } from './describe-client-quotas.ts'
import { answerDescribeCluster } from './describe-cluster.ts'
import { answerDescribeConfigs } from './describe-configs.ts'
import { answerDescribeGroups } from './describe-groups.ts'
import { answerDescribeProducers } from './describe-producers.ts'
import { answerDescribeTransactions } from './describe-transactions.ts'
import { answerEndTxn } from './end-txn.ts'
import { answerFetch } from './fetch.ts'
import { fetchBudget } from './fetch-budget.ts'
import { fetchSessions } from './fetch-sessions.ts'
import { answerFindCoordinator } from './find-coordinator.ts'
import { groupTiming, openGroupConfigs } from './group-configs.ts'
import { type Coordinator, openCoordinator } from './groups/coordinator.ts'
import { answerHeartbeat } from './heartbeat.ts'
import { answerIncrementalAlterConfigs } from './incremental-alter-configs.ts'
import { answerInitProducerId } from './init-producer-id.ts'
import { answerJoinGroup } from './join-group.ts'
import { answerLeaveGroup } from './leave-group.ts'
import { answerListGroups } from './list-groups.ts'
import { answerListOffsets } from './list-offsets.ts'
import { answerListTransactions } from './list-transactions.ts'
import { answerMetadata } from './metadata.ts'
import { METADATA_TOPIC_ID, type MetadataLog, openMetadataLog } from './metadata-log.ts'
import { mutationQuotas } from './mutation-quotas.ts'
import { answerOffsetCommit } from './offset-commit.ts'
import { answerOffsetDelete } from './offset-delete.ts'
import { answerOffsetFetch } from './offset-fetch.ts'
import { answerOffsetForLeaderEpoch } from './offset-for-leader-epoch.ts'
import { type LevelOptions, levelDefaults } from './options.ts'
import { answerProduce } from './produce.ts'
import { producerIds } from './producer-ids.ts'
import { retentionOf } from './retention.ts'
import { answerSyncGroup } from './sync-group.ts'
import { isOwnTopic, OFFSETS_TOPIC, SCHEMAS_TOPIC, TRANSACTIONS_TOPIC } from './topic-name.ts'
import { openTopics, type TopicRef, type Topics } from './topics.ts'
import { openTransactions } from './transactions/coordinator.ts'
import { answerTxnOffsetCommit } from './txn-offset-commit.ts'
import { answerWriteTxnMarkers } from './write-txn-markers.ts'

export interface LevelParts {
  readonly log: Log
  /** What DescribeLogDirs tells; without it the log is taken to be in memory. */
  readonly logDirectory?: LogDirectory
  readonly clock: Clock
  readonly logger: Logger
  /** As many random bytes as asked for: topic IDs and member IDs are made of them. */
  readonly random: (byteCount: number) => Buffer
  /** Where Kafka clients are told to connect to; asked anew for each answer, for a port may be known late. */
  readonly advertised: () => { readonly host: string; readonly port: number }
  readonly clusterId: string
  /** Default 0. */
  readonly nodeId?: number
  readonly options?: Partial<LevelOptions>
}

export interface LevelEngine extends Engine {
  /** A partition by name, also of the topics that clients may not write; undefined when there is none. */
  partition(topicName: string, index: number): PartitionLog | undefined
  topic(ref: { readonly name: string } | { readonly id: string }): Topic | undefined
  /** For the door, which obeys them. */
  readonly quotas: ClientQuotas
}

/** Kept for answers to come. */
const FETCH_MEMORY_BYTES = 16 << 20

interface Served {
  readonly api: AnyApi
  readonly versions: readonly [number, number]
  readonly handler: Handler<AnyApi>
}

const serve = <A extends AnyApi>(api: A, handler: Handler<A>): Served => ({
  api,
  versions: api.versions,
  // The pair was made here, so a request of this API never meets another's handler.
  handler: handler as unknown as Handler<AnyApi>
})

/** For what only operators ask, and seldom: the handler is loaded when somebody does (docs/decisions/013-a-lean-start.md). */
function onFirstUse<A extends AnyApi>(load: () => Promise<Handler<A>>): Handler<A> {
  let loading: Promise<Handler<A>> | undefined
  return async (level, request, session) => {
    loading ??= load()
    return (await loading)(level, request, session)
  }
}

const served: readonly Served[] = [
  serve(produce, answerProduce),
  serve(fetch, answerFetch),
  serve(listOffsets, answerListOffsets),
  serve(offsetForLeaderEpoch, answerOffsetForLeaderEpoch),
  serve(metadata, answerMetadata),
  serve(offsetCommit, answerOffsetCommit),
  serve(offsetFetch, answerOffsetFetch),
  serve(findCoordinator, answerFindCoordinator),
  serve(joinGroup, answerJoinGroup),
  serve(heartbeat, answerHeartbeat),
  serve(leaveGroup, answerLeaveGroup),
  serve(syncGroup, answerSyncGroup),
  serve(describeGroups, answerDescribeGroups),
  serve(listGroups, answerListGroups),
  serve(deleteGroups, answerDeleteGroups),
  serve(offsetDelete, answerOffsetDelete),
  serve(consumerGroupHeartbeat, answerConsumerGroupHeartbeat),
  serve(consumerGroupDescribe, answerConsumerGroupDescribe),
  serve(createTopics, answerCreateTopics),
  serve(deleteTopics, answerDeleteTopics),
  serve(deleteRecords, answerDeleteRecords),
  serve(createPartitions, answerCreatePartitions),
  serve(initProducerId, answerInitProducerId),
  serve(addPartitionsToTxn, answerAddPartitionsToTxn),
  serve(addOffsetsToTxn, answerAddOffsetsToTxn),
  serve(endTxn, answerEndTxn),
  serve(writeTxnMarkers, answerWriteTxnMarkers),
  serve(txnOffsetCommit, answerTxnOffsetCommit),
  serve(describeProducers, answerDescribeProducers),
  serve(describeTransactions, answerDescribeTransactions),
  serve(listTransactions, answerListTransactions),
  serve(describeConfigs, answerDescribeConfigs),
  serve(describeClientQuotas, answerDescribeClientQuotas),
  serve(alterClientQuotas, answerAlterClientQuotas),
  serve(alterConfigs, answerAlterConfigs),
  serve(incrementalAlterConfigs, answerIncrementalAlterConfigs),
  serve(describeCluster, answerDescribeCluster),
  serve(
    describeLogDirs,
    onFirstUse(async () => (await import('./describe-log-dirs.ts')).answerDescribeLogDirs)
  ),
  serve(
    electLeaders,
    onFirstUse(async () => (await import('./elect-leaders.ts')).answerElectLeaders)
  ),
  serve(
    alterPartitionReassignments,
    onFirstUse(async () => (await import('./alter-partition-reassignments.ts')).answerAlterPartitionReassignments)
  ),
  serve(
    listPartitionReassignments,
    onFirstUse(async () => (await import('./list-partition-reassignments.ts')).answerListPartitionReassignments)
  ),
  serve(
    describeQuorum,
    onFirstUse(async () => (await import('./describe-quorum.ts')).answerDescribeQuorum)
  ),
  serve(
    updateFeatures,
    onFirstUse(async () => (await import('./update-features.ts')).answerUpdateFeatures)
  ),
  serve(
    listConfigResources,
    onFirstUse(async () => (await import('./list-config-resources.ts')).answerListConfigResources)
  ),
  serve(
    describeTopicPartitions,
    onFirstUse(async () => (await import('./describe-topic-partitions.ts')).answerDescribeTopicPartitions)
  )
]

const inMemory: LogDirectory = { path: 'memory', volume: async () => ({ totalBytes: -1, usableBytes: -1 }) }

/**
 * Opens the engine on a log: replays the catalog and the groups, makes the topics that the server itself needs, and forgets
 * partitions of topics that are no more. The log stays its owner's to close, after the engine. Fails with STORE_CORRUPT, STORE_FAILED.
 */
export async function levelEngine(parts: LevelParts): Promise<LevelEngine> {
  const { log, clock, logger } = parts
  const options: LevelOptions = { ...levelDefaults, ...parts.options }
  const randomId = (): Buffer => parts.random(16)
  const metadataLog = await openMetadataLog({ log, clock })

  const nodeId = parts.nodeId ?? 0
  const defaults = brokerDefaults({ metadataLog, nodeId, options })

  let groups: Coordinator | undefined
  const topics = openTopics({
    log,
    metadataLog,
    logger,
    randomId,
    partitionsMax: options.partitionsMax,
    serverDefaults: defaults,
    onDelete: topic => {
      assert(groups !== undefined, 'no topic is deleted before the groups are open')
      return groups.deleteTopic(topic)
    }
  })
  // An empty metadata log in a directory with partitions would be a loss, and not a reason to throw more away.
  if (!metadataLog.wasEmpty) await log.keepOnly(new Set([METADATA_TOPIC_ID, ...topics.all().map(({ id }) => id)]))
  log.retainBy(topicId => retentionOf(topics, topicId))
  await makeOwnTopics(topics)
  const opened = await openCoordinator({
    log: ownPartition(topics, OFFSETS_TOPIC),
    clock,
    logger,
    options,
    topicLives: id => topics.get({ id }) !== undefined,
    catalog: catalogOf(metadataLog, topics),
    timingOf: groupId => groupTiming(metadataLog, options, groupId)
  })
  groups = opened
  const ids = producerIds(metadataLog)
  const transactions = await openTransactions({
    log,
    own: ownPartition(topics, TRANSACTIONS_TOPIC),
    clock,
    logger,
    options,
    freshProducerId: () => ids.next(),
    partition: (name, index) => {
      const topic = topics.get({ name })
      return topic === undefined ? undefined : topics.partition(topic, index)
    },
    onEnd: (producerId, end) => opened.endTransaction(producerId, end)
  })

  const quotas = clientQuotas(metadataLog)
  const closing = new AbortController()
  const level: Level = {
    options,
    clock,
    logger,
    nodeId,
    clusterId: parts.clusterId,
    advertised: parts.advertised,
    log,
    logDirectory: parts.logDirectory ?? inMemory,
    features: featuresOf(served),
    topics,
    defaults,
    quotas,
    mutations: mutationQuotas(quotas, clock),
    groups: opened,
    producerIds: ids,
    transactions,
    groupConfigs: openGroupConfigs(metadataLog, options),
    fetchBudget: fetchBudget(options.fetchBytesUnderWayMax),
    fetchMemory: lentMemory(FETCH_MEMORY_BYTES),
    fetchSessions: fetchSessions({
      nowMs: () => clock.now(),
      randomId,
      sessionsMax: options.fetchSessionsMax,
      partitionsMax: options.fetchSessionPartitionsMax
    }),
    randomId,
    closing: closing.signal
  }
  const handlers = new Map(served.map(({ api, handler }) => [api.key, handler]))
  const underWay = new Set<Promise<unknown>>()
  let closed: Promise<void> | undefined

  async function answer(request: Request, session: Session): Promise<object | null> {
    const handler = handlers.get(request.api.key)
    if (handler === undefined) {
      throw new AssayError('UNSUPPORTED_VERSION', { what: request.api.name, reason: 'this engine does not serve it' })
    }
    return handler(level, request, session)
  }

  /** A topic with what is set for all topics while the server runs; the same object until either changes. */
  const inForce = new WeakMap<Topic, { readonly dynamic: ReadonlyMap<string, string>; readonly topic: Topic }>()
  function topicInForce(ref: TopicRef): Topic | undefined {
    const topic = topics.get(ref)
    const dynamic = defaults.dynamic()
    if (topic === undefined || dynamic.size === 0) return topic
    let known = inForce.get(topic)
    if (known?.dynamic !== dynamic) {
      known = { dynamic, topic: { ...topic, configs: withDynamic(topic.configs, defaults) } }
      inForce.set(topic, known)
    }
    return known.topic
  }

  async function close(): Promise<void> {
    closing.abort()
    await opened.close()
    await transactions.close()
    await Promise.allSettled(underWay)
    await metadataLog.settled()
  }

  return {
    apis: served.map(({ api, versions }) => ({ api, versions })),
    answer(request, session) {
      if (closed !== undefined) return Promise.reject(new AssayError('INVALID_REQUEST', { reason: 'The server is stopping.' }))
      const done = answer(request, session)
      underWay.add(done)
      const settled = (): void => void underWay.delete(done)
      done.then(settled, settled)
      return done
    },
    topic: topicInForce,
    quotas,
    partition(topicName, index) {
      const topic = topics.get({ name: topicName })
      return topic === undefined ? undefined : topics.partition(topic, index)
    },
    close() {
      closed ??= close()
      return closed
    }
  }
}

/** Topics as consumer groups see them: a pattern does not match those that belong to the server. */
function catalogOf({ metadata }: MetadataLog, topics: Topics): Catalog {
  return {
    get version() {
      return metadata.topicsVersion
    },
    byName: name => topics.get({ name }),
    byId: id => topics.get({ id }),
    names: () => [...metadata.idsByName.keys()].filter(name => !isOwnTopic(name))
  }
}

async function makeOwnTopics(topics: Topics): Promise<void> {
  const compact = new Map([['cleanup.policy', 'compact']])
  const missing = [OFFSETS_TOPIC, TRANSACTIONS_TOPIC, SCHEMAS_TOPIC].filter(name => topics.get({ name }) === undefined)
  if (missing.length === 0) return
  const outcomes = await topics.create(missing.map(name => ({ name, partitionCount: 1, configs: compact })))
  for (const outcome of outcomes) if (outcome instanceof AssayError) throw outcome
}

function ownPartition(topics: Topics, name: string): PartitionLog {
  const topic = topics.get({ name })
  const partition = topic === undefined ? undefined : topics.partition(topic, 0)
  assert(partition !== undefined, `${name} is made at the start`)
  return partition
}
