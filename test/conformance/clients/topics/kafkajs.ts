/** kafkajs, with the one codec that it brings along. */
import { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } from 'kafkajs'
import type { Read, TopicClient, TopicDriver } from './driver.ts'

export const kafkajs: TopicDriver = {
  name: 'kafkajs',
  codecs: ['none', 'gzip'],
  readsAppendTime: true,
  prepare: async () => undefined,

  async open(kafka): Promise<TopicClient> {
    const client = new Kafka({
      clientId: 'topics-kafkajs',
      brokers: [kafka],
      logLevel: logLevel.NOTHING,
      retry: { retries: 3, initialRetryTime: 100 }
    })
    const admin = client.admin()
    const producer = client.producer({ idempotent: true, retry: { retries: 3 } })
    await Promise.all([admin.connect(), producer.connect()])
    let groups = 0
    const at = async (offsets: Promise<readonly { partition: number; offset: string }[]>): Promise<number> =>
      Number((await offsets).find(({ partition }) => partition === 0)!.offset)
    return {
      async create(topic, configs) {
        const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
        await admin.createTopics({
          topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }],
          waitForLeaders: true
        })
      },
      configure: (topic, name, value) =>
        attempt(() =>
          admin.alterConfigs({
            validateOnly: false,
            resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name, value }] }]
          })
        ),
      async configOf(topic, name) {
        const { resources } = await admin.describeConfigs({
          includeSynonyms: false,
          resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [name] }]
        })
        const [config] = resources[0]!.configEntries
        return { value: config!.configValue, isDefault: config!.configSource === 5 }
      },
      deleteRecords: (topic, before) =>
        attempt(() => admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(before) }] })),
      async offsets(topic) {
        const found = (await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === 0)!
        return [Number(found.low), Number(found.high)]
      },
      offsetAt: (topic, timestampMs) => at(admin.fetchTopicOffsetsByTimestamp(topic, timestampMs)),
      produce: (topic, { codec, values, timestampsMs }) =>
        attempt(() =>
          producer.send({
            topic,
            acks: -1,
            compression: codec === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None,
            messages: values.map((value, index) => ({ value, partition: 0, timestamp: String(timestampsMs[index]) }))
          })
        ),
      async consume(topic, count) {
        const consumer = client.consumer({ groupId: `${topic}-kafkajs-${++groups}`, maxWaitTimeInMs: 100 })
        await consumer.connect()
        await consumer.subscribe({ topic, fromBeginning: true })
        const read: Read[] = []
        const { promise: done, resolve } = Promise.withResolvers<void>()
        await consumer.run({
          eachMessage: async ({ message }) => {
            read.push({
              offset: Number(message.offset),
              timestampMs: Number(message.timestamp),
              value: message.value!.toString()
            })
            if (read.length === count) resolve()
          }
        })
        await done
        await consumer.disconnect()
        return read
      },
      async close() {
        await Promise.all([admin.disconnect(), producer.disconnect()])
      }
    }
  }
}

interface KafkaJSFailure {
  readonly type?: string
  readonly cause?: KafkaJSFailure
  readonly partitions?: readonly { readonly error: { readonly type?: string } }[]
}

/** kafkajs names the protocol's error in `type`; for deletions in the partitions of the error, or of its cause. */
async function attempt(action: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await action()
    return undefined
  } catch (error) {
    const { type, cause, partitions = cause?.partitions ?? [] } = error as KafkaJSFailure
    return [type, ...partitions.map(partition => partition.error.type)].filter(Boolean).join(' ') || String(error)
  }
}
