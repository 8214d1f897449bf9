/** MirrorMaker 2, unmodified, copies a topic from Assay to Apache Kafka: every record, as it was. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { topicAdmin } from '@assay/client'
import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { startApacheKafka } from '../../peers/apache-kafka.ts'
import { kafkaFrameworks } from '../../peers/kafka-frameworks.ts'
import { serve, temporaryDirectory } from '../../served.ts'

const PARTITIONS = 3
const RECORDS = 2000
const TIMEOUT_MS = 180_000

interface Seen {
  readonly offset: string
  readonly key: string | null
  readonly value: string | null
  readonly time: string
  readonly headers: Readonly<Record<string, string>>
}

test(`a topic of ${RECORDS} records in ${PARTITIONS} partitions is the same in Apache Kafka`, async ({ skip }) => {
  const frameworks = kafkaFrameworks()
  if ('missing' in frameworks) return skip(frameworks.missing)
  const peer = await startApacheKafka()
  if ('missing' in peer) return skip(peer.missing)
  const served = await serve()
  const config = join(temporaryDirectory(), 'mirror.properties')
  writeFileSync(config, properties(served.kafka, peer.kafka))
  await fill(served.kafka)
  const mirror = frameworks.start('org.apache.kafka.connect.mirror.MirrorMaker', [config])
  try {
    const wanted = await read(served.kafka, 'orders')
    expect(wanted.flat()).toHaveLength(RECORDS)
    const copied = await read(peer.kafka, 'assay.orders').catch((error: Error) => {
      throw new Error(`${error.message}\n${mirror.output().slice(-8000)}`)
    })
    expect(copied).toEqual(wanted)
  } finally {
    await mirror.stop()
    await peer.stop()
    expect(await served.stop()).toBe(0)
  }
}, 600_000)

function properties(assay: string, kafka: string): string {
  return Object.entries({
    clusters: 'assay, kafka',
    'assay.bootstrap.servers': assay,
    'kafka.bootstrap.servers': kafka,
    'assay->kafka.enabled': true,
    'kafka->assay.enabled': false,
    'assay->kafka.topics': 'orders',
    'assay->kafka.emit.checkpoints.enabled': true,
    'replication.factor': 1,
    ...{ 'checkpoints.topic.replication.factor': 1, 'heartbeats.topic.replication.factor': 1 },
    'offset-syncs.topic.replication.factor': 1,
    ...{ 'offset.storage.replication.factor': 1, 'status.storage.replication.factor': 1, 'config.storage.replication.factor': 1 },
    'refresh.topics.interval.seconds': 2,
    'consumer.auto.offset.reset': 'earliest'
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

const clientOf = (kafka: string): Kafka =>
  new Kafka({ brokers: [kafka], clientId: 'mirror-test', logLevel: logLevel.NOTHING, retry: { retries: 10 } })

async function fill(kafka: string): Promise<void> {
  const admin = topicAdmin({ bootstrap: kafka, timeoutMs: 10_000 })
  await admin.create({ name: 'orders', partitions: PARTITIONS, configs: {} })
  await admin.close()
  const producer = clientOf(kafka).producer({ idempotent: true })
  await producer.connect()
  const messages = Array.from({ length: RECORDS }, (_, at) => ({
    partition: at % PARTITIONS,
    key: at % 7 === 0 ? null : `key ${at % 50}`,
    value: at % 11 === 0 ? null : `value ${at}`,
    timestamp: String(1_700_000_000_000 + at),
    headers: { number: String(at) }
  }))
  for (let at = 0; at < RECORDS; at += 100)
    await producer.send({ topic: 'orders', acks: -1, messages: messages.slice(at, at + 100) })
  await producer.disconnect()
}

/** What each partition holds, once there are as many records as were written. */
async function read(kafka: string, topic: string): Promise<Seen[][]> {
  const admin = clientOf(kafka).admin()
  await admin.connect()
  for (const deadline = Date.now() + TIMEOUT_MS; ; await new Promise(resolve => setTimeout(resolve, 300))) {
    const ends = await admin.fetchTopicOffsets(topic).catch(() => [])
    if (ends.reduce((sum, { high }) => sum + Number(high), 0) >= RECORDS) break
    if (Date.now() > deadline) throw new Error(`${topic}: ${JSON.stringify(ends)} after ${TIMEOUT_MS} ms`)
  }
  await admin.disconnect()
  const seen: Seen[][] = Array.from({ length: PARTITIONS }, () => [])
  const consumer = clientOf(kafka).consumer({ groupId: `reader of ${topic}` })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    async eachMessage({ partition, message: { offset, key, value, timestamp, headers = {} } }) {
      seen[partition]!.push({
        ...{ offset, key: key?.toString() ?? null, value: value?.toString() ?? null, time: timestamp },
        headers: Object.fromEntries(Object.entries(headers).map(([name, content]) => [name, String(content)]))
      })
    }
  })
  for (const deadline = Date.now() + TIMEOUT_MS; seen.flat().length < RECORDS && Date.now() < deadline; )
    await new Promise(resolve => setTimeout(resolve, 100))
  await consumer.disconnect()
  return seen
}
