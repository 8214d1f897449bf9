/** @platformatic/kafka. */
import {
  Admin,
  ConfigResourceTypes,
  Consumer,
  IncrementalAlterConfigOperationTypes,
  ProduceAcks,
  Producer
} from '@platformatic/kafka'
import { codecs, type Read, type TopicClient, type TopicDriver } from './driver.ts'

export const platformatic: TopicDriver = {
  name: '@platformatic/kafka',
  codecs,
  readsAppendTime: false,
  prepare: async () => undefined,

  async open(kafka): Promise<TopicClient> {
    const options = { clientId: 'topics-platformatic', bootstrapBrokers: [kafka], retries: 3, retryDelay: 100 }
    const admin = new Admin(options)
    const producer = new Producer({ ...options, idempotent: true })
    let groups = 0
    const offset = async (topic: string, timestamp: bigint): Promise<number> => {
      const [listed] = await admin.listOffsets({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }] })
      return Number(listed!.partitions[0]!.offset)
    }
    const resource = (topic: string) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic })
    return {
      async create(topic, configs) {
        const entries = Object.entries(configs).map(([name, value]) => ({ name, value }))
        await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1, configs: entries })
      },
      configure: (topic, name, value) =>
        attempt(() =>
          admin.incrementalAlterConfigs({
            resources: [
              { ...resource(topic), configs: [{ name, configOperation: IncrementalAlterConfigOperationTypes.SET, value }] }
            ]
          })
        ),
      async configOf(topic, name) {
        const [described] = await admin.describeConfigs({ resources: [{ ...resource(topic), configurationKeys: [name] }] })
        const [config] = described!.configs
        return { value: config!.value!, isDefault: config!.configSource === 5 }
      },
      deleteRecords: (topic, before) =>
        attempt(() => admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: BigInt(before) }] }] })),
      offsets: async topic => [await offset(topic, -2n), await offset(topic, -1n)],
      async offsetAt(topic, timestampMs) {
        const found = await offset(topic, BigInt(timestampMs))
        return found < 0 ? offset(topic, -1n) : found
      },
      produce: (topic, { codec, values, timestampsMs }) =>
        attempt(() =>
          producer.send({
            acks: ProduceAcks.ALL,
            compression: codec,
            messages: values.map((value, index) => ({
              topic,
              partition: 0,
              value: Buffer.from(value),
              timestamp: BigInt(timestampsMs[index]!)
            }))
          })
        ),
      async consume(topic, count) {
        const consumer = new Consumer({ ...options, groupId: `${topic}-platformatic-${++groups}` })
        const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxWaitTime: 100 })
        const read: Read[] = []
        for await (const message of stream) {
          const { timestamp, value } = message
          read.push({ offset: Number(message.offset), timestampMs: Number(timestamp), value: value!.toString() })
          if (read.length === count) break
        }
        await consumer.close(true)
        return read
      },
      async close() {
        await Promise.all([admin.close(), producer.close()])
      }
    }
  }
}

async function attempt(action: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await action()
    return undefined
  } catch (error) {
    return describe(error)
  }
}

/** The library wraps what the broker said in layers; the innermost ones bear the protocol's names. */
function describe(error: unknown): string {
  const { errors = [], apiId, message } = error as { errors?: unknown[]; apiId?: string; message?: string }
  return [apiId ?? message, ...errors.map(describe)].join(' | ')
}
