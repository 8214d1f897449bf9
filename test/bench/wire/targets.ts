/** The brokers that are measured, and the topics and values that they are measured with. */
import { encodeJson, frame, parseSchema } from '@assay/avro'
import { registryClient, topicAdmin } from '@assay/client'
import type { Peer } from '../../peers/apache-kafka.ts'
import type { Served } from '../../served.ts'

export interface Target {
  readonly name: string
  readonly isPeer: boolean
  readonly kafka: string
  readonly pid: number
  /** Makes the topic and answers the value to send there. */
  readonly prepare: (topic: string, recordBytes: number) => Promise<Buffer>
}

const schemaText = JSON.stringify({
  type: 'record',
  name: 'Measured',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'user', type: 'string' },
    { name: 'state', type: { type: 'enum', name: 'State', symbols: ['NEW', 'PAID', 'SENT'] } },
    { name: 'sum', type: 'double' },
    { name: 'count', type: 'int' },
    { name: 'paid', type: 'boolean' },
    { name: 'coupon', type: ['null', 'string'] },
    { name: 'at', type: 'long' },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'note', type: 'string' }
  ]
})
const schema = parseSchema(schemaText)

export function assayTarget(served: Served, validation: 'off' | 'deep'): Target {
  return {
    name: `Assay, validation ${validation}`,
    isPeer: false,
    kafka: served.kafka,
    pid: served.pid,
    prepare: async (topic, recordBytes) => {
      await createTopic(served.kafka, topic, { 'assay.value.validation': validation })
      return payloadOf(recordBytes, await registerSchema(served, topic))
    }
  }
}

/** Kafka looks into no value; the schema is registered with Assay all the same, so that both get the same bytes. */
export function kafkaTarget(peer: Peer, served: Served): Target {
  return {
    name: peer.name,
    isPeer: true,
    kafka: peer.kafka,
    pid: peer.pid,
    prepare: async (topic, recordBytes) => {
      await createTopic(peer.kafka, topic, {})
      return payloadOf(recordBytes, await registerSchema(served, topic))
    }
  }
}

const registerSchema = (served: Served, topic: string): Promise<number> =>
  registryClient({ url: served.http }).register(`${topic}-value`, { schema: schemaText })

async function createTopic(bootstrap: string, name: string, configs: Record<string, string>): Promise<void> {
  const admin = topicAdmin({ bootstrap, timeoutMs: 20_000 })
  try {
    await admin.create({ name, partitions: 1, configs })
  } finally {
    await admin.close()
  }
}

/** A record of ten fields in wire format, of exactly `bytes` bytes unless the length of its note takes a byte more or less there. */
export function payloadOf(bytes: number, schemaId: number): Buffer {
  const of = (note: string): Buffer =>
    frame(
      schemaId,
      encodeJson(schema, {
        id: 123_456_789,
        user: 'user-4711',
        state: 'PAID',
        sum: 12.5,
        count: 3,
        paid: true,
        coupon: 'SPRING',
        at: 1_790_000_000_000,
        tags: ['a', 'bc'],
        note
      })
    )
  let note = 'x'.repeat(Math.max(0, bytes - of('').length))
  while (note.length > 0 && of(note).length > bytes) note = note.slice(1)
  return of(note)
}
