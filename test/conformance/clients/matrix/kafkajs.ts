/** kafkajs, with the one codec that it brings along. */
import { type Consumer, default as kafkajs } from 'kafkajs'
import { check, exactly, inOrder, numbers, run, until } from './program.ts'

// A CommonJS module whose names Node does not see.
const { CompressionTypes, Kafka, logLevel } = kafkajs
/** Kafka's number for settings of a topic. */
const TOPIC = 2
const [bootstrap, prefix] = process.argv.slice(2) as [string, string]
const kafka = new Kafka({
  clientId: 'matrix-kafkajs',
  brokers: [bootstrap],
  logLevel: logLevel.NOTHING,
  retry: { retries: 5, initialRetryTime: 100 }
})
const admin = kafka.admin()
await admin.connect()

async function create(topic: string, numPartitions: number): Promise<void> {
  await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1 }], waitForLeaders: true })
  // A Kafka broker tells of a topic a little before it takes records for it.
  await new Promise(resolve => setTimeout(resolve, 300))
}

interface Got {
  readonly key: string
  readonly value: string
  readonly partition: number
}

async function produce(
  topic: string,
  messages: { key?: string; value: string; timestamp?: string }[],
  compression = CompressionTypes.None,
  idempotent = false
) {
  const producer = kafka.producer({ idempotent, ...(idempotent && { maxInFlightRequests: 1 }) })
  await producer.connect()
  await producer.send({ topic, acks: -1, compression, messages })
  await producer.disconnect()
}

async function member(topic: string, groupId: string, got: Got[]): Promise<Consumer> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, sessionTimeout: 10_000, heartbeatInterval: 300 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommitInterval: 100,
    eachMessage: async ({ message, partition }) => {
      got.push({ key: String(message.key), value: String(message.value), partition })
    }
  })
  return consumer
}

async function readAll(topic: string, count: number): Promise<Got[]> {
  const got: Got[] = []
  const consumer = await member(topic, `${topic}-readers-${Math.random()}`, got)
  await until(() => got.length >= count)
  await consumer.disconnect()
  return got
}

await run({
  async topics() {
    const topic = `${prefix}-topics`
    await create(topic, 3)
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    check(topics[0]!.partitions.length === 3, 'three partitions')
    await admin.deleteTopics({ topics: [topic] })
    await until(async () => !(await admin.listTopics()).includes(topic))
  },
  async codecs() {
    const topic = `${prefix}-codecs`
    await create(topic, 1)
    await produce(topic, [{ value: 'none' }])
    await produce(topic, [{ value: 'gzip' }], CompressionTypes.GZIP)
    exactly(
      (await readAll(topic, 2)).map(({ value }) => value),
      ['none', 'gzip']
    )
  },
  async order() {
    const topic = `${prefix}-order`
    await create(topic, 3)
    await produce(
      topic,
      numbers(200).map(n => ({ key: `k${n % 10}`, value: String(n) }))
    )
    inOrder(await readAll(topic, 200), 200)
  },
  async groups() {
    const [topic, group] = [`${prefix}-groups`, `${prefix}-group`]
    await create(topic, 4)
    const [first, second]: [Got[], Got[]] = [[], []]
    const members = [await member(topic, group, first), await member(topic, group, second)]
    const assigned = async (): Promise<number> => {
      const { groups } = await admin.describeGroups([group])
      return groups[0]!.state === 'Stable' ? groups[0]!.members.length : 0
    }
    await until(async () => (await assigned()) === 2)
    await produce(
      topic,
      numbers(200).map(n => ({ key: `k${n % 20}`, value: String(n) }))
    )
    await until(() => first.length + second.length >= 200)
    for (const one of members) await one.disconnect()
    check(first.length > 0 && second.length > 0, `shares ${first.length} and ${second.length}`)
    exactly([...first, ...second].map(({ value }) => value).sort(), numbers(200).map(String).sort())
    await produce(
      topic,
      numbers(50).map(n => ({ key: `k${n}`, value: `late ${n}` }))
    )
    const third: Got[] = []
    const last = await member(topic, group, third)
    await until(() => third.length >= 50)
    await last.disconnect()
    exactly(
      third.map(({ value }) => value).sort(),
      numbers(50)
        .map(n => `late ${n}`)
        .sort()
    )
  },
  async time() {
    const topic = `${prefix}-time`
    await create(topic, 1)
    for (const n of [1000, 2000, 3000]) await produce(topic, [{ value: String(n), timestamp: String(n) }])
    const [found] = await admin.fetchTopicOffsetsByTimestamp(topic, 1500)
    exactly([found!.offset], ['1'])
    const got: Got[] = []
    const consumer = await member(topic, `${topic}-readers`, got)
    consumer.seek({ topic, partition: 0, offset: found!.offset })
    await until(() => got.some(({ value }) => value === '3000'))
    await consumer.disconnect()
    check(
      got.some(({ value }) => value === '2000'),
      'the second record'
    )
  },
  async idempotence() {
    const topic = `${prefix}-idempotence`
    await create(topic, 1)
    await produce(
      topic,
      numbers(100).map(n => ({ value: String(n) })),
      CompressionTypes.None,
      true
    )
    exactly(
      (await readAll(topic, 100)).map(({ value }) => value),
      numbers(100).map(String)
    )
  },
  async admin() {
    const topic = `${prefix}-admin`
    await create(topic, 1)
    await produce(topic, [{ value: 'a' }, { value: 'b' }])
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: TOPIC, name: topic, configEntries: [{ name: 'retention.ms', value: '600000' }] }]
    })
    const told = async (): Promise<string> => {
      const resources = [{ type: TOPIC, name: topic, configNames: ['retention.ms'] }]
      return (await admin.describeConfigs({ includeSynonyms: false, resources })).resources[0]!.configEntries[0]!.configValue
    }
    await until(async () => (await told()) === '600000')
    // An admin that has looked at another topic since finds no leader for this one: a fault of the client.
    const fresh = kafka.admin()
    await fresh.connect()
    await fresh.fetchTopicMetadata({ topics: [topic] })
    await fresh.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] })
    await fresh.disconnect()
    exactly([(await admin.fetchTopicOffsets(topic))[0]!.low], ['1'])
    const got: Got[] = []
    const consumer = await member(topic, `${topic}-group`, got)
    await until(() => got.length === 1)
    await consumer.disconnect()
    check(
      (await admin.listGroups()).groups.some(({ groupId }) => groupId === `${topic}-group`),
      'the group is listed'
    )
    await admin.deleteGroups([`${topic}-group`])
    await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] })
    await until(async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]!.partitions.length === 2)
  },
  async transactions() {
    const topic = `${prefix}-transactions`
    await create(topic, 1)
    const producer = kafka.producer({ transactionalId: `${prefix}-id`, idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    for (const [value, isCommitted] of [
      ['a', true],
      ['b', false],
      ['c', true]
    ] as const) {
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages: [{ value }] })
      if (value === 'c') {
        const offsets = { topics: [{ topic, partitions: [{ partition: 0, offset: '1' }] }] }
        await transaction.sendOffsets({ consumerGroupId: `${topic}-group`, ...offsets })
      }
      await (isCommitted ? transaction.commit() : transaction.abort())
    }
    await producer.disconnect()
    exactly(
      (await readAll(topic, 2)).map(({ value }) => value),
      ['a', 'c']
    )
    const [told] = await admin.fetchOffsets({ groupId: `${topic}-group`, topics: [topic] })
    exactly([told!.partitions[0]!.offset], ['1'])
  }
})
await admin.disconnect()
