/** What a client must be able to do with a topic, and see of it: asked of our served process, and of Apache Kafka. */
import { hasLogAppendTime, readHeader, splitBatches } from '@assay/records'
import { describe, expect, test } from 'vitest'
import { rawClient } from '../../../raw-client.ts'
import { kitOf } from '../../topics/case.ts'
import { type Batch, codecs, type TopicClient, type TopicDriver } from './driver.ts'
import { kafkajs } from './kafkajs.ts'
import { platformatic } from './platformatic.ts'
import { pythonConfluent } from './python.ts'

export interface Broker {
  readonly kafka: string
  /** Why there is none. */
  readonly missing?: string
  readonly isPeer: boolean
}

const drivers: readonly TopicDriver[] = [kafkajs, platformatic, pythonConfluent]
const TIMEOUT_MS = 60_000

/** `broker` is asked when the tests run. */
export function topicScenario(broker: () => Broker): void {
  let topics = 0
  const run = Date.now().toString(36)

  describe.each(drivers.map(driver => ({ name: driver.name, driver })))('$name', ({ driver }) => {
    const scenario = (name: string, steps: (client: TopicClient, topic: string) => Promise<void>): void =>
      test(name, { timeout: TIMEOUT_MS }, async context => {
        const { kafka, missing } = broker()
        const lacking = missing ?? (await driver.prepare())
        if (lacking !== undefined) return context.skip(lacking)
        const client = await driver.open(kafka)
        try {
          await steps(client, `clients-${run}-${++topics}`)
        } finally {
          await client.close()
        }
      })

    scenario('sets and reads a setting, and is told what is wrong with one', async (client, topic) => {
      await client.create(topic, { 'segment.ms': '7000' })
      await eventually(client, topic, 'segment.ms', { value: '7000', isDefault: false })
      expect(await client.configOf(topic, 'retention.ms')).toEqual({ value: '604800000', isDefault: true })
      expect(await client.configure(topic, 'retention.ms', '5000')).toBeUndefined()
      await eventually(client, topic, 'retention.ms', { value: '5000', isDefault: false })
      expect(await client.configure(topic, 'retention.mss', '1')).toMatch(/INVALID_CONFIG/i)
      expect(await client.configure(topic, 'retention.ms', 'soon')).toMatch(/INVALID_CONFIG/i)
      await eventually(client, topic, 'retention.ms', { value: '5000', isDefault: false })
    })

    scenario('deletes records, and finds offsets by time', async (client, topic) => {
      await client.create(topic, {})
      for (let at = 0; at < 4; at++) {
        expect(await client.produce(topic, { codec: 'none', values: [`v${at}`], timestampsMs: [1000 + at * 10] })).toBeUndefined()
      }
      expect(await client.offsets(topic)).toEqual([0, 4])
      expect(await client.offsetAt(topic, 1015)).toBe(2)
      expect(await client.offsetAt(topic, 9999)).toBe(4)
      expect(await client.deleteRecords(topic, 3)).toBeUndefined()
      expect(await client.offsets(topic)).toEqual([3, 4])
      expect(await client.offsetAt(topic, 1000)).toBe(3)
      expect(await client.deleteRecords(topic, 9)).toMatch(/OFFSET_OUT_OF_RANGE/i)
      expect(await client.consume(topic, 1)).toEqual([{ offset: 3, timestampMs: 1030, value: 'v3' }])
    })

    scenario('is told why a record is refused', async (client, topic) => {
      const now = Date.now()
      await client.create(topic, { 'max.message.bytes': '300', 'message.timestamp.before.max.ms': '60000' })
      const large: Batch = { codec: 'none', values: ['x'.repeat(1000)], timestampsMs: [now] }
      expect(await client.produce(topic, large)).toMatch(/MESSAGE_TOO_LARGE|MSG_SIZE_TOO_LARGE/i)
      const old: Batch = { codec: 'none', values: ['a', 'b'], timestampsMs: [now, now - 120_000] }
      expect(await client.produce(topic, old)).toMatch(/INVALID_TIMESTAMP/i)
      expect(await client.produce(topic, { codec: 'none', values: ['a'], timestampsMs: [now] })).toBeUndefined()
      expect(await client.offsets(topic)).toEqual([0, 1])
    })

    for (const type of ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      scenario(`writes with ${driver.codecs.join(', ')} and reads under compression.type ${type}`, async (client, topic) => {
        const now = Date.now()
        await client.create(topic, { 'compression.type': type })
        // Times that do not rise, so that the largest is not that of the last record.
        const batches = driver.codecs.map(
          (codec, at): Batch => ({
            codec,
            values: [0, 1, 2].map(n => `${codec} ${n} ${'x'.repeat(400)}`),
            timestampsMs: [now + at, now + at + 500, now + at - 500]
          })
        )
        for (const batch of batches) expect(await client.produce(topic, batch)).toBeUndefined()
        const stored = await storedBatches(broker().kafka, topic)
        expect(stored.map(({ attributes }) => codecs[attributes & 7])).toEqual(
          driver.codecs.map(codec => (type === 'producer' ? codec : type === 'uncompressed' ? 'none' : type))
        )
        expect(stored.map(({ maxTimestamp }) => maxTimestamp)).toEqual(batches.map(({ timestampsMs }) => timestampsMs[1]))
        // A client reads what it has a codec for.
        if (type !== 'producer' && type !== 'uncompressed' && !driver.codecs.includes(type)) return
        const sent = batches.flatMap(({ values, timestampsMs }) =>
          values.map((value, at) => ({ value, timestampMs: timestampsMs[at]! }))
        )
        expect(await client.consume(topic, sent.length)).toEqual(sent.map((record, offset) => ({ offset, ...record })))
      })
    }

    scenario('reads the time of the append', async (client, topic) => {
      await client.create(topic, { 'message.timestamp.type': 'LogAppendTime' })
      const start = Date.now()
      for (const codec of driver.codecs) {
        expect(await client.produce(topic, { codec, values: ['a', 'b'], timestampsMs: [1000, 2000] })).toBeUndefined()
      }
      const stored = await storedBatches(broker().kafka, topic)
      expect(stored.every(hasLogAppendTime)).toBe(true)
      const read = await client.consume(topic, 2 * driver.codecs.length)
      expect(read.every(({ timestampMs }) => timestampMs >= start && timestampMs <= Date.now())).toBe(driver.readsAppendTime)
    })
  })

  /** A peer tells a change a moment later. */
  async function eventually(client: TopicClient, topic: string, name: string, wanted: object): Promise<void> {
    for (let left = broker().isPeer ? 50 : 0; ; left--) {
      const told = await client.configOf(topic, name)
      if (left === 0 || JSON.stringify(told) === JSON.stringify(wanted)) return expect(told).toEqual(wanted)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}

async function storedBatches(kafka: string, topic: string) {
  const client = await rawClient(kafka)
  try {
    const stored = await kitOf(client, { nodeId: '', settleMs: 0 }).stored(topic)
    return stored.flatMap(bytes => splitBatches(bytes)).map(bytes => readHeader(bytes))
  } finally {
    client.close()
  }
}
