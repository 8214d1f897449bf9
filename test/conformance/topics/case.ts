/**
 * One question about topics over the wire, and its answer: the same for Apache Kafka 4.4 and for us, unless the case says why not.
 * `table.test.ts` asks us, `table.slow.test.ts` asks Kafka, so that what is expected is never only our own opinion.
 */
import {
  type AnyApi,
  alterConfigs,
  createTopics,
  deleteRecords,
  describeConfigs,
  errorName,
  type Fields,
  fetch,
  incrementalAlterConfigs,
  initProducerId,
  listOffsets,
  offsetForLeaderEpoch,
  produce,
  type RequestOf,
  type ResponseOf
} from '@assay/protocol'
import { encodeBatch, type NewBatch, splitBatches } from '@assay/records'
import type { RawClient } from '../../raw-client.ts'

export interface Case {
  readonly name: string
  readonly ask: (kit: Kit) => Promise<unknown>
  /** Given to `toEqual`. */
  readonly answer: unknown
  /** What Apache Kafka answers instead, and why we do not. */
  readonly kafka?: { readonly answer: unknown; readonly why: string }
}

export type Configs = Readonly<Record<string, string | null>>
/** Name, operation, value. */
export type Edit = readonly [name: string, operation: 'set' | 'delete' | 'append' | 'subtract', value: string | null]
export type Resource = { readonly topic: string } | { readonly broker: string }

export interface Kit {
  readonly client: RawClient
  /** Of the broker that is asked. */
  readonly nodeId: string
  /** Makes a topic of one partition and gives its name. */
  topic(configs?: Configs): Promise<string>
  /** As `topic`, but gives the name of the error, or the value that a setting has afterwards. */
  tryTopic(configs: Configs, shown?: string): Promise<string>
  alter(resource: Resource, edits: readonly Edit[], options?: { validateOnly?: boolean }): Promise<string>
  /** By the older API: all that is not named goes. */
  replace(resource: Resource, configs: Configs, options?: { validateOnly?: boolean }): Promise<string>
  /** The value in force with its source, such as `5 by topic`, or the name of the error. */
  value(resource: Resource, name: string): Promise<string>
  describe(resource: Resource, names?: readonly string[]): Promise<ResponseOf<typeof describeConfigs>['results'][number]>
  /** Sends to partition 0; what it came to. */
  send(topic: string, batch: Buffer | Partial<NewBatch>, version?: number): Promise<Sent>
  /** The batches from an offset on, as they are stored. */
  stored(topic: string): Promise<Buffer[]>
  fetch(topic: string, from: Partial<FetchFrom>): Promise<Fetched>
  /** `offset`, `offset@time`, `none` or the name of the error. */
  offsetAt(topic: string, timestamp: number, options?: OffsetOptions): Promise<string>
  deleteRecords(topic: string, before: number, options?: { version?: number; partition?: number }): Promise<string>
  /** `epoch ends at offset`, or the name of the error. */
  epochEnd(topic: string, epoch: number, options?: { current?: number; version?: number; partition?: number }): Promise<string>
  producerId(): Promise<number>
}

export interface Sent {
  readonly error: string
  readonly baseOffset: number
  readonly logStartOffset: number
  readonly hasAppendTime: boolean
  /** Indexes of the records that were found fault with. */
  readonly records: readonly number[]
}

export interface FetchFrom {
  readonly offset: number
  readonly currentEpoch: number
  readonly lastEpoch: number
}

export interface Fetched {
  readonly error: string
  readonly batches: number
  /** `epoch/offset` where what was read and what is there part. */
  readonly diverging?: string
}

export interface OffsetOptions {
  readonly version?: number
  readonly epoch?: number
  readonly partition?: number
  readonly committed?: boolean
}

const OPERATION = { set: 0, delete: 1, append: 2, subtract: 3 } as const
const SOURCE: Readonly<Record<number, string>> = { 1: 'topic', 2: 'broker', 3: 'all brokers', 4: 'start', 5: 'default' }
const resourceOf = (resource: Resource) =>
  'topic' in resource ? { resourceType: 2, resourceName: resource.topic } : { resourceType: 4, resourceName: resource.broker }

/** Kafka's answers while a topic is not known everywhere yet, and before it has producer IDs to give. */
const NOT_YET = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS'
])
const TRIES = 50
const BYTES_MAX = 1 << 22

/** What is left out of a body has its default. */
function filled(fields: Fields, given: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { shape }]) => {
      const value = given[name] === undefined ? shape.fallback : given[name]
      const structs = shape.kind === 'array' && Array.isArray(value) && shape.of !== undefined && !('shape' in shape.of)
      return [name, structs ? value.map(element => filled(shape.of as Fields, element)) : value]
    })
  )
}

export interface KitOptions {
  readonly nodeId: string
  /** How long the peer takes until it tells of a setting that was changed. */
  readonly settleMs: number
}

export function kitOf(client: RawClient, { nodeId, settleMs }: KitOptions): Kit {
  const run = Date.now().toString(36)
  let topics = 0

  const ask = <A extends AnyApi>(api: A, body: object, version: number = api.versions[1]): Promise<ResponseOf<A>> =>
    client.ask(api, version, filled(api.request, body as Record<string, unknown>) as RequestOf<A>)

  async function create(configs: Configs): Promise<ResponseOf<typeof createTopics>['topics'][number]> {
    const name = `topic-${run}-${++topics}`
    const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
    const wish = { name, numPartitions: 1, replicationFactor: 1, configs: entries }
    return (await ask(createTopics, { topics: [wish], timeoutMs: 10_000 })).topics[0]!
  }

  async function once(topic: string, records: Buffer, version: number) {
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
    const { responses } = await ask(produce, { acks: -1, timeoutMs: 10_000, topicData }, version)
    return responses[0]!.partitionResponses[0]!
  }

  async function fetchOnce(topic: string, { offset = 0, currentEpoch = -1, lastEpoch = -1 }: Partial<FetchFrom>) {
    const wanted = {
      partition: 0,
      currentLeaderEpoch: currentEpoch,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: lastEpoch,
      partitionMaxBytes: BYTES_MAX
    }
    const topicsAsked = [{ topic, partitions: [wanted] }]
    const body = { replicaId: -1, maxWaitMs: 0, maxBytes: BYTES_MAX, sessionEpoch: -1, topics: topicsAsked }
    return (await ask(fetch, body, 12)).responses[0]!.partitions[0]!
  }

  /** Asks again while Kafka is not that far yet. */
  async function settled<T>(ask: () => Promise<T>, errorOf: (answer: T) => string): Promise<T> {
    for (let left = TRIES; ; left--) {
      const answer = await ask()
      if (!NOT_YET.has(errorOf(answer)) || left === 0) return answer
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  const kit: Kit = {
    client,
    nodeId,
    async topic(configs = {}) {
      const { name, errorCode, errorMessage } = await create(configs)
      if (errorCode !== 0) throw new Error(`${errorName(errorCode)}: ${errorMessage}`)
      await settled(
        () => fetchOnce(name, {}),
        answer => errorName(answer.errorCode)
      )
      return name
    },
    async tryTopic(configs, shown) {
      const { errorCode, configs: made } = await create(configs)
      if (errorCode !== 0) return errorName(errorCode)
      return made!.find(({ name }) => name === (shown ?? Object.keys(configs)[0]))!.value!
    },
    async alter(resource, edits, { validateOnly = false } = {}) {
      const configs = edits.map(([name, operation, value]) => ({ name, configOperation: OPERATION[operation], value }))
      const { responses } = await ask(incrementalAlterConfigs, {
        resources: [{ ...resourceOf(resource), configs }],
        validateOnly
      })
      return errorName(responses[0]!.errorCode)
    },
    async replace(resource, given, { validateOnly = false } = {}) {
      const configs = Object.entries(given).map(([name, value]) => ({ name, value }))
      const { responses } = await ask(alterConfigs, { resources: [{ ...resourceOf(resource), configs }], validateOnly })
      return errorName(responses[0]!.errorCode)
    },
    async value(resource, name) {
      const { errorCode, configs } = await kit.describe(resource, [name])
      if (errorCode !== 0) return errorName(errorCode)
      const [config] = configs
      return config === undefined ? 'not told' : `${config.value} by ${SOURCE[config.configSource]}`
    },
    async describe(resource, names) {
      if (settleMs > 0) await new Promise(resolve => setTimeout(resolve, settleMs))
      const asked = { ...resourceOf(resource), configurationKeys: names ?? null }
      return (await ask(describeConfigs, { resources: [asked], includeSynonyms: true, includeDocumentation: true })).results[0]!
    },
    async send(topic, batch, version = 9) {
      const bytes = (): Buffer =>
        Buffer.isBuffer(batch)
          ? Buffer.from(batch)
          : encodeBatch({ baseTimestampMs: Date.now(), records: [{ key: null, value: Buffer.from('a') }], ...batch })
      const answer = await settled(
        () => once(topic, bytes(), version),
        ({ errorCode }) => errorName(errorCode)
      )
      return {
        error: errorName(answer.errorCode),
        baseOffset: Number(answer.baseOffset),
        logStartOffset: Number(answer.logStartOffset),
        hasAppendTime: answer.logAppendTimeMs >= 0n,
        records: answer.recordErrors.map(({ batchIndex }) => batchIndex)
      }
    },
    async stored(topic) {
      return splitBatches(Buffer.concat((await fetchOnce(topic, {})).records ?? []))
    },
    async fetch(topic, from) {
      const { errorCode, records, divergingEpoch } = await fetchOnce(topic, from)
      const batches = splitBatches(Buffer.concat(records ?? [])).length
      const diverging = `${divergingEpoch.epoch}/${divergingEpoch.endOffset}`
      return { error: errorName(errorCode), batches, ...(diverging !== '-1/-1' && { diverging }) }
    },
    async offsetAt(topic, timestamp, { version = 11, epoch = -1, partition = 0, committed = false } = {}) {
      const partitions = [{ partitionIndex: partition, currentLeaderEpoch: epoch, timestamp: BigInt(timestamp) }]
      const body = { replicaId: -1, isolationLevel: committed ? 1 : 0, topics: [{ name: topic, partitions }], timeoutMs: 5000 }
      const found = (await ask(listOffsets, body, version)).topics[0]!.partitions[0]!
      if (found.errorCode !== 0) return errorName(found.errorCode)
      if (found.offset < 0n) return 'none'
      return found.timestamp < 0n ? `${found.offset}` : `${found.offset}@${found.timestamp}`
    },
    async deleteRecords(topic, before, { version = 2, partition = 0 } = {}) {
      const partitions = [{ partitionIndex: partition, offset: BigInt(before) }]
      const { topics: answers } = await ask(deleteRecords, { topics: [{ name: topic, partitions }], timeoutMs: 10_000 }, version)
      const { errorCode, lowWatermark } = answers[0]!.partitions[0]!
      return errorCode === 0 ? `begins at ${lowWatermark}` : errorName(errorCode)
    },
    async epochEnd(topic, epoch, { current = -1, version = 4, partition = 0 } = {}) {
      const partitions = [{ partition, currentLeaderEpoch: current, leaderEpoch: epoch }]
      const { topics: answers } = await ask(offsetForLeaderEpoch, { replicaId: -1, topics: [{ topic, partitions }] }, version)
      const { errorCode, leaderEpoch, endOffset } = answers[0]!.partitions[0]!
      return errorCode === 0 ? `${leaderEpoch} ends at ${endOffset}` : errorName(errorCode)
    },
    async producerId() {
      const body = { transactionalId: null, transactionTimeoutMs: 60_000, producerId: -1n, producerEpoch: -1 }
      const { errorCode, producerId } = await settled(
        () => ask(initProducerId, body, 4),
        answer => errorName(answer.errorCode)
      )
      if (errorCode !== 0) throw new Error(`InitProducerId: ${errorName(errorCode)}`)
      return Number(producerId)
    }
  }
  return kit
}
