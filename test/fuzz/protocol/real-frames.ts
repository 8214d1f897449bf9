/**
 * One frame of every API at every version that is served. Where real clients send the API, its body is theirs, written anew at each
 * version; where they do not, it is made from the declaration.
 */
import {
  type AnyApi,
  type AnyField,
  apiByKey,
  decodeRequest,
  encodeRequest,
  Field,
  type Fields,
  readRequestHeader,
  readRequestStart,
  requestFrame
} from '@assay/protocol'
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'

export interface Frame {
  readonly api: AnyApi
  readonly version: number
  /** Without its length. */
  readonly bytes: Buffer
  readonly isRecorded: boolean
}

const GROUP_TIMEOUT_MS = 10_000

/** What two clients do in a day: topics, records, groups, settings. */
export async function useClients(kafka: string): Promise<void> {
  await useKafkajs(kafka)
  await usePlatformatic(kafka)
}

async function useKafkajs(kafka: string): Promise<void> {
  const client = new Kafka({ clientId: 'kafkajs', brokers: [kafka], logLevel: logLevel.NOTHING })
  const [admin, producer] = [client.admin(), client.producer()]
  await Promise.all([admin.connect(), producer.connect()])
  await admin.createTopics({
    topics: [{ topic: 'recorded', numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '1' }] }]
  })
  await producer.send({ topic: 'recorded', messages: [{ key: 'k', value: 'v', headers: { h: 'x' } }] })
  const consumer = client.consumer({ groupId: 'recorded', maxWaitTimeInMs: 50 })
  await consumer.connect()
  await consumer.subscribe({ topic: 'recorded', fromBeginning: true })
  const received = Promise.withResolvers<void>()
  await consumer.run({ eachMessage: async () => received.resolve() })
  const timer = setTimeout(() => received.reject(new Error('kafkajs received nothing')), GROUP_TIMEOUT_MS)
  await received.promise
  clearTimeout(timer)
  await admin.describeGroups(['recorded'])
  await admin.listGroups()
  await consumer.disconnect()
  await admin.fetchOffsets({ groupId: 'recorded', topics: ['recorded'] })
  await admin.deleteGroups(['recorded'])
  const resources = [
    { type: 2, name: 'recorded', configNames: ['retention.ms'], configEntries: [{ name: 'retention.ms', value: '2' }] }
  ]
  await admin.describeConfigs({ resources, includeSynonyms: true })
  await admin.alterConfigs({ resources, validateOnly: true })
  await admin.createPartitions({ topicPartitions: [{ topic: 'recorded', count: 3 }] })
  await admin.deleteTopicRecords({ topic: 'recorded', partitions: [{ partition: 0, offset: '0' }] })
  await admin.deleteTopics({ topics: ['recorded'] })
  await Promise.all([admin.disconnect(), producer.disconnect()])
}

async function usePlatformatic(kafka: string): Promise<void> {
  const base = { clientId: 'platformatic', bootstrapBrokers: [kafka] }
  const admin = new Admin(base)
  await admin.createTopics({ topics: ['recorded-2'], partitions: 2, replicas: 1 })
  const producer = new Producer({ ...base, serializers: stringSerializers, idempotent: true })
  await producer.send({ messages: [{ topic: 'recorded-2', key: 'k', value: 'v', headers: { h: 'x' } }] })
  const consumer = new Consumer({ ...base, groupId: 'recorded-2', deserializers: stringDeserializers, maxWaitTime: 50 })
  const stream = await consumer.consume({ topics: ['recorded-2'], mode: 'earliest' })
  for await (const _ of stream) break
  await stream.close()
  await consumer.close()
  await admin.listGroups()
  await admin.describeGroups({ groups: ['recorded-2'] })
  await Promise.all([admin.close(), producer.close()])
}

/** `served`: keys with their versions, as ApiVersions tells them. */
export function framesOf(
  recorded: readonly Buffer[],
  served: readonly { key: number; versions: readonly [number, number] }[]
): Frame[] {
  const bodies = new Map<number, { readonly body: object; readonly version: number }>()
  for (const frame of recorded) {
    const { key, version } = readRequestStart(frame)
    const api = apiByKey(key)
    if (api === undefined || version < api.versions[0] || version > api.versions[1]) continue
    const body = decodeRequest(api, version, frame, readRequestHeader(frame, api).bodyAt) as object
    // The richest of them: an empty list says little.
    const known = bodies.get(key)
    if (known === undefined || sizeOf(body) > sizeOf(known.body)) bodies.set(key, { body, version })
  }
  return served.flatMap(({ key, versions: [told, max] }) => {
    const api = apiByKey(key)!
    // Produce is told from 0 on, and refused below what has a codec.
    const min = Math.max(told, api.versions[0])
    const from = bodies.get(key)
    return Array.from({ length: max - min + 1 }, (_, at): Frame => {
      const version = min + at
      const made = madeOf(api.request, version)
      const body = from === undefined ? made : carried(api.request, version, from.body, made)
      const [, ...parts] = requestFrame(api, version, 7, 'fuzz', encodeRequest(api, version, body as never))
      return { api, version, bytes: Buffer.concat(parts), isRecorded: from !== undefined }
    })
  })
}

const sizeOf = (body: object): number =>
  JSON.stringify(body, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).length

/** The recorded value where there is one; a field that its version did not carry is made, so that each version is filled. */
function carried(fields: Fields, version: number, from: object, made: object): object {
  const given = from as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => {
      const value = given[name]
      const fits = value !== undefined && (value !== null || field.shape.nullableSince <= version)
      const isBare = value === field.shape.fallback || (Array.isArray(value) && value.length === 0)
      return [name, fits && !isBare ? inner(field, version, value) : (made as Record<string, unknown>)[name]]
    })
  )
}

function inner({ shape }: AnyField, version: number, value: unknown): unknown {
  if (shape.of === undefined || shape.of instanceof Field || value === null) return value
  const fields = shape.of
  const one = (element: object): object => carried(fields, version, element, madeOf(fields, version))
  return shape.kind === 'array' ? (value as object[]).map(one) : one(value as object)
}

const madeOf = (fields: Fields, version: number): object =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, madeValue(field, version)]))

function madeValue({ shape }: AnyField, version: number): unknown {
  switch (shape.kind) {
    case 'array':
      return shape.of instanceof Field ? [madeValue(shape.of, version)] : [madeOf(shape.of!, version)]
    case 'struct':
      return madeOf(shape.of as Fields, version)
    case 'string':
      return 'fuzz'
    case 'bytes':
    case 'records':
      return Buffer.from('fuzz')
    case 'batches':
      return []
    case 'int64':
      return 1n
    case 'bool':
      return true
    case 'uuid':
      return 'ab'.repeat(16)
    default:
      return 1
  }
}
