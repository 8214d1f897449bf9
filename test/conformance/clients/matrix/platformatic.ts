/**
 * @platformatic/kafka takes the steps of the matrix. Not that of transactions: its reader of committed records hands out aborted ones as well.
 * What it can do of them is in ../transactions.
 */
import {
  Admin,
  type CompressionAlgorithmValue,
  ConfigResourceTypes,
  Consumer,
  IncrementalAlterConfigOperationTypes,
  type Message,
  ProduceAcks,
  Producer,
  stringDeserializers,
  stringSerializers
} from '@platformatic/kafka'
import { check, exactly, inOrder, numbers, run, until } from './program.ts'

const [bootstrap, prefix] = process.argv.slice(2) as [string, string]
const base = { clientId: 'matrix-platformatic', bootstrapBrokers: [bootstrap], retries: 5, retryDelay: 200 }
const admin = new Admin(base)

type Text = Message<string, string, string, string>
interface Got {
  readonly key: string
  readonly value: string
  readonly partition: number
}
interface Sent {
  readonly key?: string
  readonly value: string
  readonly timestamp?: bigint
}

async function create(topic: string, partitions: number): Promise<void> {
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
  await until(async () => (await partitionsOf(topic)) === partitions)
  // A Kafka broker tells of a topic a little before it takes records for it.
  await new Promise(resolve => setTimeout(resolve, 300))
}

async function partitionsOf(topic: string): Promise<number> {
  const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true })
  return topics.get(topic)?.partitionsCount ?? 0
}

async function produce(
  topic: string,
  records: readonly Sent[],
  compression: CompressionAlgorithmValue = 'none',
  idempotent = false
): Promise<void> {
  const producer = new Producer({ ...base, serializers: stringSerializers, ...(idempotent && { idempotent }) })
  try {
    await producer.send({ messages: records.map(record => ({ topic, ...record })), acks: ProduceAcks.ALL, compression })
  } finally {
    await producer.close()
  }
}

interface Member {
  readonly got: Got[]
  readonly consumer: Consumer<string, string, string, string>
  stop(): Promise<void>
}

async function join(topic: string, groupId: string, more: object = {}): Promise<Member> {
  const options = {
    ...base,
    groupId,
    deserializers: stringDeserializers,
    sessionTimeout: 10_000,
    heartbeatInterval: 300,
    ...more
  }
  const consumer = new Consumer(options)
  let isStopping = false
  consumer.on('error', (error: Error) => {
    if (!isStopping) throw error
  })
  const got: Got[] = []
  const stream = await consumer.consume({
    topics: [topic],
    mode: 'committed',
    fallbackMode: 'earliest',
    autocommit: 200,
    maxWaitTime: 200
  })
  const reading = (async () => {
    for await (const { key, value, partition } of stream as AsyncIterable<Text>) got.push({ key, value, partition })
  })()
  return {
    got,
    consumer,
    async stop() {
      isStopping = true
      await stream.close()
      await reading
      await consumer.close(true)
    }
  }
}

async function readAll(topic: string, count: number, more: object = {}): Promise<Got[]> {
  const member = await join(topic, `${topic}-readers-${Math.random()}`, more)
  try {
    await until(() => member.got.length >= count)
  } finally {
    await member.stop()
  }
  return member.got
}

async function share(name: string, more: object = {}): Promise<void> {
  const [topic, group] = [`${prefix}-${name}`, `${prefix}-${name}-group`]
  await create(topic, 4)
  const members = await Promise.all([join(topic, group, more), join(topic, group, more)])
  try {
    await until(() => members.every(({ consumer }) => (consumer.assignments?.[0]?.partitions.length ?? 0) === 2))
    await produce(
      topic,
      numbers(200).map(n => ({ key: `k${n % 20}`, value: String(n) }))
    )
    await until(() => members.reduce((sum, { got }) => sum + got.length, 0) >= 200)
  } finally {
    for (const member of members) await member.stop()
  }
  check(
    members.every(({ got }) => got.length > 0),
    'each has a share'
  )
  exactly(members.flatMap(({ got }) => got.map(({ value }) => value)).sort(), numbers(200).map(String).sort())
  await produce(
    topic,
    numbers(50).map(n => ({ key: `k${n}`, value: `late ${n}` }))
  )
  const third = await join(topic, group, more)
  try {
    await until(() => third.got.length >= 50)
  } finally {
    await third.stop()
  }
  exactly(
    third.got.map(({ value }) => value).sort(),
    numbers(50)
      .map(n => `late ${n}`)
      .sort()
  )
}

await run({
  async topics() {
    const topic = `${prefix}-topics`
    await create(topic, 3)
    await admin.deleteTopics({ topics: [topic] })
    await until(async () => !(await admin.listTopics()).includes(topic))
  },
  async codecs() {
    const topic = `${prefix}-codecs`
    const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
    await create(topic, 1)
    for (const name of names) await produce(topic, [{ value: name }], name)
    exactly(
      (await readAll(topic, names.length)).map(({ value }) => value),
      names
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
  groups: () => share('groups'),
  async time() {
    const topic = `${prefix}-time`
    await create(topic, 1)
    for (const at of [1000n, 2000n, 3000n]) await produce(topic, [{ value: String(at), timestamp: at }])
    const [listed] = await admin.listOffsets({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: 1500n }] }] })
    const { offset } = listed!.partitions[0]!
    exactly([Number(offset)], [1])
    const consumer = new Consumer({ ...base, groupId: `${topic}-readers`, deserializers: stringDeserializers })
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'manual',
      offsets: [{ topic, partition: 0, offset }],
      maxWaitTime: 200
    })
    for await (const { value } of stream as AsyncIterable<Text>) {
      exactly([value], ['2000'])
      break
    }
    await stream.close()
    await consumer.close(true)
  },
  async idempotence() {
    const topic = `${prefix}-idempotence`
    await create(topic, 1)
    await produce(
      topic,
      numbers(100).map(n => ({ value: String(n) })),
      'none',
      true
    )
    exactly(
      (await readAll(topic, 100)).map(({ value }) => value),
      numbers(100).map(String)
    )
  },
  async admin() {
    const [topic, group] = [`${prefix}-admin`, `${prefix}-admin-group`]
    await create(topic, 1)
    await produce(topic, [{ value: 'a' }, { value: 'b' }])
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }
    const configs = [{ name: 'retention.ms', configOperation: IncrementalAlterConfigOperationTypes.SET, value: '600000' }]
    await admin.incrementalAlterConfigs({ resources: [{ ...resource, configs }] })
    const told = async () => (await admin.describeConfigs({ resources: [resource] }))[0]!.configs
    await until(async () => (await told()).some(({ name, value }) => name === 'retention.ms' && value === '600000'))
    await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 1n }] }] })
    const member = await join(topic, group)
    await until(() => member.got.length === 1)
    await member.stop()
    check([...(await admin.listGroups()).keys()].includes(group), 'the group is listed')
    await admin.deleteGroups({ groups: [group] })
    await admin.createPartitions({ topics: [{ name: topic, count: 2, assignments: null }] })
    await until(async () => (await partitionsOf(topic)) === 2)
  },
  kip848: () => share('kip848', { groupProtocol: 'consumer' })
})
await admin.close()
process.exit()
