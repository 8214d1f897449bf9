/** @platformatic/kafka with avsc as its users have it, and its own Confluent registry support where that exists. */
import { Consumer, ProduceAcks, Producer, stringDeserializer, stringSerializer } from '@platformatic/kafka'
import avsc from 'avsc'
import type { Doors, Driver, Visit } from './driver.ts'

async function latest({ http }: Doors, subject: string): Promise<{ id: number; type: avsc.Type }> {
  const answer = (await (await fetch(`${http}/subjects/${subject}/versions/latest`)).json()) as { id: number; schema: string }
  return { id: answer.id, type: avsc.Type.forSchema(JSON.parse(answer.schema) as avsc.Schema) }
}

function framed(id: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeInt32BE(id, 1)
  return Buffer.concat([head, payload])
}

export const platformatic: Driver = {
  name: '@platformatic/kafka',
  prepare: async () => undefined,

  async register({ http }, subject, schema) {
    const answer = await fetch(`${http}/subjects/${subject}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema })
    })
    return ((await answer.json()) as { id: number }).id
  },

  async produce(doors, topic, visits) {
    const { id, type } = await latest(doors, `${topic}-value`)
    const producer = new Producer({
      clientId: 'conformance-platformatic',
      bootstrapBrokers: [doors.kafka],
      idempotent: true,
      serializers: { key: stringSerializer, value: (value?: Buffer) => value }
    })
    try {
      for (let at = 0; at < visits.length; at += 20) {
        const messages = visits
          .slice(at, at + 20)
          .map(visit => ({ topic, key: visit.user, value: framed(id, type.toBuffer(visit)) }))
        await producer.send({ messages, acks: ProduceAcks.ALL, compression: 'zstd' })
      }
    } finally {
      await producer.close()
    }
  },

  async sendRaw(doors, topic, value) {
    const producer = new Producer({
      clientId: 'conformance-platformatic',
      bootstrapBrokers: [doors.kafka],
      retries: 0,
      serializers: { key: stringSerializer, value: (bytes?: Buffer) => bytes }
    })
    try {
      await producer.send({ messages: [{ topic, key: 'raw', value }], acks: ProduceAcks.ALL })
      return undefined
    } catch (error) {
      return describe(error)
    } finally {
      await producer.close()
    }
  },

  async join(doors, group, topic, onVisit) {
    const types = new Map<number, avsc.Type>()
    const consumer = new Consumer({
      clientId: 'conformance-platformatic',
      groupId: group,
      bootstrapBrokers: [doors.kafka],
      deserializers: { key: stringDeserializer, value: (bytes?: Buffer) => bytes },
      sessionTimeout: 10_000,
      heartbeatInterval: 500
    })
    // A member that is closed while the others' leaving makes it join again says that its own connection is gone.
    let stopping = false
    consumer.on('error', (error: Error) => {
      if (!stopping) throw error
    })
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: 200,
      maxWaitTime: 200
    })
    const reading = (async () => {
      for await (const message of stream) {
        const value = message.value!
        const id = value.readInt32BE(1)
        let type = types.get(id)
        if (!type) {
          const answer = (await (await fetch(`${doors.http}/schemas/ids/${id}`)).json()) as { schema: string }
          type = avsc.Type.forSchema(JSON.parse(answer.schema) as avsc.Schema)
          types.set(id, type)
        }
        const visit = { ...(type.fromBuffer(value.subarray(5)) as Visit) }
        onVisit({ key: message.key!, value: visit, partition: message.partition, offset: Number(message.offset) })
      }
    })()
    return {
      async stop() {
        stopping = true
        await stream.close()
        await reading
        await consumer.close(true)
      }
    }
  }
}

/** The library wraps what the broker said in layers; the innermost ones bear the protocol's names. */
function describe(error: unknown): string {
  const { errors = [], apiId, message } = error as { errors?: unknown[]; apiId?: string; message?: string }
  return [apiId ?? message, ...errors.map(describe)].join(' | ')
}
