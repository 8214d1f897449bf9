/** Where clients and brokers have come to grief with one another: bytes and answers that real clients depend on. */
import {
  apis,
  apiVersions,
  createPartitions,
  deleteTopics,
  describeConfigs,
  encodeRequest,
  errorName,
  fetch,
  findCoordinator,
  initProducerId,
  metadata,
  offsetCommit,
  offsetFetch,
  produce,
  requestFrame
} from '@assay/protocol'
import { decodeBatch, encodeBatch, splitBatches } from '@assay/records'
import { requestOf } from '../../filled.ts'
import type { Case, Kit } from './case.ts'

const about = { clientSoftwareName: 'table', clientSoftwareVersion: '1' }
/** Topic IDs as the wire has them. */
const NO_ID = '0'.repeat(32)
const BYTES_MAX = 1 << 20

const head = (key: number, version: number): string => {
  const header = Buffer.alloc(8)
  header.writeInt16BE(key, 0)
  header.writeInt16BE(version, 2)
  header.writeInt32BE(1, 4)
  return header.toString('hex')
}

const advertised = async (kit: Kit): Promise<Map<number, readonly [number, number]>> => {
  const { apiKeys } = await kit.ask(apiVersions, about, 4)
  return new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]))
}

const topicId = async (kit: Kit, name: string): Promise<string> =>
  (await kit.ask(metadata, { topics: [{ name }] })).topics[0]!.topicId

const batchOf = (...values: string[]): Buffer =>
  encodeBatch({ baseTimestampMs: 1000, records: values.map(value => ({ key: null, value: Buffer.from(value) })) })

async function send(kit: Kit, topic: string, records: Buffer, version = 12): Promise<string> {
  const ref = version >= 13 ? { topicId: topic } : { name: topic }
  const topicData = [{ ...ref, partitionData: [{ index: 0, records }] }]
  return settled(async () => {
    const { responses } = await kit.ask(produce, { acks: -1, timeoutMs: 5000, topicData }, version)
    return errorName(responses[0]!.partitionResponses[0]!.errorCode)
  })
}

/** What Kafka says of a topic that was made a moment ago, and of a group whose coordinator is coming up. */
const NOT_YET = ['UNKNOWN_TOPIC_OR_PARTITION', 'NOT_LEADER_OR_FOLLOWER', 'NOT_COORDINATOR', 'COORDINATOR_LOAD_IN_PROGRESS']

/** Asks again while Kafka is not that far yet. */
async function settled(ask: () => Promise<string>): Promise<string> {
  for (let left = 100; ; left--) {
    const error = await ask()
    if (!NOT_YET.includes(error) || left === 0) return error
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

interface FetchOf {
  readonly offset?: number
  readonly version?: number
  readonly isolationLevel?: number
  readonly sessionId?: number
  readonly sessionEpoch?: number
}

async function fetchFrom(kit: Kit, topic: string, { offset = 0, version = 12, ...rest }: FetchOf = {}) {
  const ref = version >= 13 ? { topicId: topic } : { topic }
  const partitions = [{ partition: 0, fetchOffset: BigInt(offset), partitionMaxBytes: BYTES_MAX }]
  return kit.ask(fetch, { maxWaitMs: 0, maxBytes: BYTES_MAX, topics: [{ ...ref, partitions }], ...rest }, version)
}

const MEMBERLESS = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null }

/** Kafka's coordinators come up after the first question for them. */
async function coordinator(kit: Kit, group: string): Promise<void> {
  for (let left = 100; left > 0; left--) {
    const { coordinators } = await kit.ask(findCoordinator, { keyType: 0, coordinatorKeys: [group] }, 4)
    if (coordinators[0]!.errorCode === 0) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

export const trapCases: readonly Case[] = [
  {
    name: 'ApiVersions above the maximum is answered in the form of version 0, with error 35 and its own versions alone',
    ask: kit => kit.exchange(`${head(18, 99)} ffff 00`),
    answer: '0000001000000001002300000001001200000005'
  },
  {
    name: 'the response header of ApiVersions has no tagged fields, at flexible versions either',
    ask: async kit => {
      const answers: string[] = []
      for (const version of [0, 1, 2, 3, 4]) {
        const frame = Buffer.concat(
          requestFrame(apiVersions, version, 1, 'table', encodeRequest(apiVersions, version, requestOf(apiVersions, about)))
        )
        // Behind the length and the correlation ID comes the error code at once, not the count of tagged fields.
        answers.push((await kit.exchange(frame.subarray(4))).slice(8, 20))
      }
      return answers
    },
    answer: Array.from({ length: 5 }, () => '000000010000')
  },
  {
    name: 'a client that names itself otherwise than KIP-511 allows is refused with INVALID_REQUEST',
    ask: async kit => {
      const names = ['', '-a', 'a-', 'a b', 'a_b', 'a', 'a.b-c', '9']
      const codes: string[] = []
      for (const clientSoftwareName of names) {
        codes.push(errorName((await kit.ask(apiVersions, { ...about, clientSoftwareName }, 3)).errorCode))
      }
      return codes
    },
    answer: [...Array.from({ length: 5 }, () => 'INVALID_REQUEST'), 'NONE', 'NONE', 'NONE']
  },
  {
    name: 'a version that was removed, a version to come and an unknown key close the connection without an answer',
    ask: async kit => {
      const frames = [
        `${head(0, 2)} ffff 0001 00000bb8 00000000`,
        `${head(0, 99)} ffff 00`,
        `${head(1, 3)} ffff`,
        `${head(999, 0)} ffff`,
        `${head(-1, 0)} ffff`,
        `${head(3, -1)} ffff`
      ]
      return Promise.all(frames.map(frame => kit.exchange(frame)))
    },
    answer: Array.from({ length: 6 }, () => 'closed')
  },
  {
    name: 'Produce is advertised from version 0 on, for librdkafka (KAFKA-18659)',
    ask: async kit => (await advertised(kit)).get(produce.key),
    answer: [0, 13]
  },
  {
    name: 'what is advertised are the versions that Kafka 4.4 has',
    ask: async kit => {
      const told = await advertised(kit)
      return apis.filter(({ key, versions, advertised: shown }) => {
        const range = told.get(key)
        // Those that are not served are not advertised.
        return range !== undefined && String(range) !== String(shown ?? versions)
      })
    },
    answer: []
  },
  {
    name: 'telemetry is not advertised: no receiver is configured',
    ask: async kit => {
      const told = await advertised(kit)
      return [71, 72].filter(key => told.has(key))
    },
    answer: []
  },
  {
    name: 'share groups are not advertised',
    ask: async kit => {
      const told = await advertised(kit)
      return [76, 77, 78, 79, 90, 91, 92].filter(key => told.has(key))
    },
    answer: [],
    kafka: { answer: [76, 77, 78, 79, 90, 91, 92], why: 'there are no share groups here' }
  },
  {
    name: 'features are told from version 3 on, with an epoch that clients take notice of',
    ask: async kit => {
      const { finalizedFeatures, finalizedFeaturesEpoch } = await kit.ask(apiVersions, about, 4)
      const told = new Map(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]))
      const served = await advertised(kit)
      // A feature without the APIs that it promises would send clients into the void.
      const holds = [
        (told.get('transaction.version') === 2) === (served.get(26)?.[1] ?? 0) >= 5,
        (told.get('group.version') === 1) === served.has(68)
      ]
      return [finalizedFeaturesEpoch >= 0n, ...holds]
    },
    answer: [true, true, true]
  },
  {
    name: 'a flexible request has tagged fields in its header, and a client ID that is a plain string',
    ask: async kit => {
      const body = encodeRequest(metadata, 12, requestOf(metadata, { topics: [] }))
      // Tag 9 of two bytes, which nobody knows.
      const header = Buffer.from(`${head(3, 12)}000361626301090200ff`, 'hex')
      return (await kit.exchange(Buffer.concat([header, ...body]))).slice(8, 18)
    },
    answer: '0000000100'
  },
  {
    name: 'unknown tagged fields of a body are skipped',
    ask: async kit => {
      const [body] = [Buffer.concat(encodeRequest(metadata, 12, requestOf(metadata, { topics: [] })))]
      const tagged = Buffer.concat([body.subarray(0, -1), Buffer.from('01400361626300'.slice(0, 12), 'hex')])
      return (await kit.exchange(Buffer.concat([Buffer.from(`${head(3, 12)}ffff00`, 'hex'), tagged]))).slice(8, 18)
    },
    answer: '0000000100'
  },
  {
    name: 'bytes behind a request are not looked at: librdkafka 2.16 sends three with Metadata 13 for all topics',
    ask: async kit => (await kit.exchange(`${head(3, 13)} ffff 00 00000000 010000`)).slice(8, 18),
    answer: '0000000100'
  },
  {
    name: 'Produce 13 and Fetch 13 name topics by ID; an ID that is none is UNKNOWN_TOPIC_ID',
    ask: async kit => {
      const name = await kit.topic()
      const id = await topicId(kit, name)
      const sent = await send(kit, id, batchOf('a'), 13)
      const { responses } = await fetchFrom(kit, id, { version: 13 })
      const strange = 'f'.repeat(32)
      const unknown = await fetchFrom(kit, strange, { version: 13 })
      return [
        sent,
        responses[0]!.topicId === id,
        errorName(responses[0]!.partitions[0]!.errorCode),
        await send(kit, strange, batchOf('a'), 13),
        errorName(unknown.responses[0]!.partitions[0]!.errorCode)
      ]
    },
    answer: ['NONE', true, 'NONE', 'UNKNOWN_TOPIC_ID', 'UNKNOWN_TOPIC_ID']
  },
  {
    name: 'a topic ID is stable, and another after the topic was deleted and made again',
    ask: async kit => {
      const name = await kit.topic()
      const [first, second] = [await topicId(kit, name), await topicId(kit, name)]
      await kit.ask(deleteTopics, { topics: [{ name, topicId: NO_ID }], timeoutMs: 5000 })
      const old = await kit.ask(metadata, { topics: [{ topicId: first, name: null }], allowAutoTopicCreation: false })
      return [first === second, first !== NO_ID, errorName(old.topics[0]!.errorCode)]
    },
    answer: [true, true, 'UNKNOWN_TOPIC_ID']
  },
  {
    name: 'whoever asks for no fetch session gets none, and a full answer each time',
    ask: async kit => {
      const topic = await kit.topic()
      await send(kit, topic, batchOf('a'))
      const answers = [await fetchFrom(kit, topic), await fetchFrom(kit, topic)]
      return answers.map(({ errorCode, sessionId, responses }) => [errorCode, sessionId, responses.length])
    },
    answer: [
      [0, 0, 1],
      [0, 0, 1]
    ]
  },
  {
    name: 'a fetch session tells only what has changed, and refuses another epoch, another ID, another way of naming topics',
    ask: async kit => {
      const topic = await kit.topic()
      await send(kit, topic, batchOf('a'))
      const first = await fetchFrom(kit, topic, { sessionEpoch: 0, offset: 1 })
      const { sessionId } = first
      const next = async (ask: FetchOf, version = 12) => {
        const partitions: object[] = []
        const answer = await kit.ask(fetch, { maxWaitMs: 0, maxBytes: BYTES_MAX, topics: partitions, sessionId, ...ask }, version)
        return `${errorName(answer.errorCode)} ${answer.responses.length} ${answer.sessionId === sessionId}`
      }
      const quiet = await next({ sessionEpoch: 1 })
      await send(kit, topic, batchOf('a'))
      return [
        sessionId > 0 && first.responses.length === 1,
        quiet,
        await next({ sessionEpoch: 2 }),
        await next({ sessionEpoch: 2 }),
        await next({ sessionEpoch: 1, sessionId: sessionId === 1 ? 2 : sessionId - 1 }),
        await next({ sessionEpoch: 3 }, 13)
      ]
    },
    answer: [
      true,
      'NONE 0 true',
      'NONE 1 true',
      'INVALID_FETCH_SESSION_EPOCH 0 false',
      'FETCH_SESSION_ID_NOT_FOUND 0 false',
      'FETCH_SESSION_TOPIC_ID_ERROR 0 false'
    ]
  },
  {
    name: 'a fetch from within a batch answers the whole batch',
    ask: async kit => {
      const topic = await kit.topic()
      await send(kit, topic, batchOf('a', 'b', 'c'))
      const { responses } = await fetchFrom(kit, topic, { offset: 2 })
      const stored = splitBatches(Buffer.concat(responses[0]!.partitions[0]!.records ?? []))
      return stored.flatMap(batch => decodeBatch(batch, BYTES_MAX).map(({ offset, value }) => `${offset} ${value}`))
    },
    answer: ['0 a', '1 b', '2 c']
  },
  {
    name: 'isolation level 1 has the last stable offset and a list of aborted transactions, level 0 has null for it',
    ask: async kit => {
      const topic = await kit.topic()
      await send(kit, topic, batchOf('a'))
      const answers = [await fetchFrom(kit, topic, { isolationLevel: 1 }), await fetchFrom(kit, topic)]
      return answers.map(({ responses }) => {
        const { lastStableOffset, abortedTransactions } = responses[0]!.partitions[0]!
        return [Number(lastStableOffset), abortedTransactions]
      })
    },
    answer: [
      [1, []],
      [1, null]
    ]
  },
  {
    name: 'Metadata makes a topic that is asked for, unless the client says no',
    ask: async kit => {
      const run = Date.now().toString(36)
      const names = [`refused-${run}`, `made-${run}`]
      const codes: string[] = []
      for (const [at, name] of names.entries()) {
        const asked = { topics: [{ name }], allowAutoTopicCreation: at === 1 }
        let answer = await kit.ask(metadata, asked)
        // Kafka says UNKNOWN or LEADER_NOT_AVAILABLE while it is being made.
        for (let left = 50; at === 1 && answer.topics[0]!.errorCode !== 0 && left > 0; left--) {
          await new Promise(resolve => setTimeout(resolve, 50))
          answer = await kit.ask(metadata, asked)
        }
        codes.push(errorName(answer.topics[0]!.errorCode))
      }
      return codes
    },
    answer: ['UNKNOWN_TOPIC_OR_PARTITION', 'NONE']
  },
  {
    name: 'the metadata of a committed offset comes back',
    ask: async kit => {
      const topic = await kit.topic()
      const group = `group-of-${topic}`
      await coordinator(kit, group)
      const commit = async (partitionIndex: number, committedMetadata: string | null): Promise<string> => {
        const partitions = [{ partitionIndex, committedOffset: 5n, committedLeaderEpoch: -1, committedMetadata }]
        const answer = await kit.ask(offsetCommit, { groupId: group, ...MEMBERLESS, topics: [{ name: topic, partitions }] }, 9)
        return errorName(answer.topics[0]!.partitions[0]!.errorCode)
      }
      const committed = [await settled(() => commit(0, 'ñandú, 🙂'))]
      const { groups } = await kit.ask(
        offsetFetch,
        { groups: [{ groupId: group, memberId: null, memberEpoch: -1, topics: [{ name: topic, partitionIndexes: [0] }] }] },
        9
      )
      const { committedOffset, metadata: told } = groups[0]!.topics[0]!.partitions[0]!
      return [...committed, Number(committedOffset), told]
    },
    answer: ['NONE', 5, 'ñandú, 🙂']
  },
  {
    name: 'InitProducerId refuses a timeout above transaction.max.timeout.ms',
    // EndTxn: without transactions there is no timeout of one.
    needs: 26,
    ask: async kit => {
      const transactionalId = `trap-${Date.now()}`
      for (let left = 100; left > 0; left--) {
        const asked = { transactionalId, transactionTimeoutMs: 900_001, producerId: -1n, producerEpoch: -1 }
        const { errorCode } = await kit.ask(initProducerId, asked, 5)
        const error = errorName(errorCode)
        if (!['COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR', 'COORDINATOR_LOAD_IN_PROGRESS'].includes(error)) return error
        await kit.ask(findCoordinator, { keyType: 1, coordinatorKeys: [transactionalId] }, 4)
        await new Promise(resolve => setTimeout(resolve, 100))
      }
      return 'no coordinator'
    },
    answer: 'INVALID_TRANSACTION_TIMEOUT'
  },
  {
    name: 'DescribeConfigs lists every setting of a topic with its default and its source',
    ask: async kit => {
      const topic = await kit.topic({ configs: { 'max.message.bytes': '60000' } })
      const resources = [{ resourceType: 2, resourceName: topic, configurationKeys: null }]
      const { results } = await kit.ask(describeConfigs, { resources, includeSynonyms: true }, 4)
      const configs = new Map(results[0]!.configs.map(config => [config.name, config]))
      const own = configs.get('max.message.bytes')
      return [
        ['cleanup.policy', 'max.message.bytes', 'segment.bytes', 'retention.bytes', 'compression.type'].every(name =>
          configs.has(name)
        ),
        [...configs.values()].every(({ value, configSource }) => value !== undefined && configSource > 0),
        [own?.value, own?.configSource, own?.synonyms.map(({ source }) => source)]
      ]
    },
    answer: [true, true, ['60000', 1, [1, 5]]]
  },
  {
    name: 'CreatePartitions echoes the topics',
    ask: async kit => {
      const name = await kit.topic()
      const { results } = await kit.ask(createPartitions, { topics: [{ name, count: 3, assignments: null }], timeoutMs: 5000 })
      return results.map(result => [result.name === name, errorName(result.errorCode)])
    },
    answer: [[true, 'NONE']]
  }
]
