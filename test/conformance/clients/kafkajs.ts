/** kafkajs with @kafkajs/confluent-schema-registry. */
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { CompressionTypes, Kafka, logLevel, Partitioners } from 'kafkajs'
import type { Doors, Driver, Visit } from './driver.ts'

const client = ({ kafka }: Doors): Kafka =>
  new Kafka({
    clientId: 'conformance-kafkajs',
    brokers: [kafka],
    logLevel: logLevel.NOTHING,
    retry: { retries: 8, initialRetryTime: 100 }
  })

const registryOf = ({ http }: Doors): SchemaRegistry => new SchemaRegistry({ host: http })

export const kafkajs: Driver = {
  name: 'kafkajs',
  prepare: async () => undefined,

  async register(doors, subject, schema) {
    const { id } = await registryOf(doors).register({ type: SchemaType.AVRO, schema }, { subject })
    return id
  },

  async produce(doors, topic, visits) {
    const registry = registryOf(doors)
    const id = await registry.getLatestSchemaId(`${topic}-value`)
    const messages = await Promise.all(visits.map(async visit => ({ key: visit.user, value: await registry.encode(id, visit) })))
    const producer = client(doors).producer({ idempotent: true, createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    try {
      for (let at = 0; at < messages.length; at += 20) {
        await producer.send({ topic, acks: -1, compression: CompressionTypes.GZIP, messages: messages.slice(at, at + 20) })
      }
    } finally {
      await producer.disconnect()
    }
  },

  async sendRaw(doors, topic, value) {
    const producer = client(doors).producer({ createPartitioner: Partitioners.DefaultPartitioner, retry: { retries: 0 } })
    await producer.connect()
    try {
      await producer.send({ topic, acks: -1, messages: [{ key: 'raw', value }] })
      return undefined
    } catch (error) {
      return String((error as { type?: string }).type ?? error)
    } finally {
      await producer.disconnect()
    }
  },

  async join(doors, group, topic, onVisit) {
    const registry = registryOf(doors)
    const consumer = client(doors).consumer({
      groupId: group,
      sessionTimeout: 10_000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 200
    })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      autoCommitThreshold: 20,
      async eachMessage({ partition, message }) {
        const value = (await registry.decode(message.value!)) as Visit
        onVisit({ key: message.key!.toString(), value: { ...value }, partition, offset: Number(message.offset) })
      }
    })
    return { stop: () => consumer.disconnect() }
  }
}
