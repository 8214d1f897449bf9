/** What settings do beside being told: they outlive restarts, stand in for topics, and decide what is appended. */
import {
  alterConfigs,
  createTopics,
  deleteRecords,
  describeConfigs,
  incrementalAlterConfigs,
  listOffsets,
  produce
} from '@assay/protocol'
import { CODEC, encodeBatch, FIELD_AT, type NewBatch, setLogAppendTime, signBatch } from '@assay/records'
import { describe, expect, test } from 'vitest'
import { openEngine, type TestEngine } from './engine.fixture.ts'

const [TOPIC, BROKER] = [2, 4]
const SET = 0

async function withTopic(on: TestEngine, configs: Record<string, string> = {}, name = 't'): Promise<void> {
  const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
  const { topics } = await on.ask(createTopics, {
    topics: [{ name, numPartitions: 1, replicationFactor: 1, configs: entries }]
  })
  expect(topics[0]).toMatchObject({ errorCode: 0 })
}

async function setBroker(on: TestEngine, name: string, value: string, scope = ''): Promise<number> {
  const configs = [{ name, configOperation: SET, value }]
  const { responses } = await on.ask(incrementalAlterConfigs, {
    resources: [{ resourceType: BROKER, resourceName: scope, configs }]
  })
  return responses[0]!.errorCode
}

async function inForce(on: TestEngine, name: string): Promise<string | null> {
  const { results } = await on.ask(describeConfigs, {
    resources: [{ resourceType: TOPIC, resourceName: 't', configurationKeys: [name] }]
  })
  return results[0]!.configs[0]!.value
}

async function send(on: TestEngine, batch: Partial<NewBatch> = {}) {
  const records = encodeBatch({
    baseTimestampMs: on.clock.now(),
    records: [{ key: null, value: Buffer.from('a') }],
    ...batch
  })
  const answer = await on.ask(
    produce,
    { acks: -1, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] },
    { version: 9 }
  )
  return answer.responses[0]!.partitionResponses[0]!
}

describe('defaults set while the server runs', () => {
  test('outlive a restart and a crash, and go where they were taken away', async () => {
    let on = await openEngine()
    await withTopic(on)
    expect(await setBroker(on, 'log.retention.ms', '1111')).toBe(0)
    expect(await setBroker(on, 'log.segment.bytes', '2000000', '0')).toBe(0)
    for (const again of ['restart', 'crash'] as const) {
      on = await on[again]()
      expect(await inForce(on, 'retention.ms')).toBe('1111')
      expect(await inForce(on, 'segment.bytes')).toBe('2000000')
    }
    const resources = ['', '0'].map(resourceName => ({ resourceType: BROKER, resourceName, configs: [] }))
    expect((await on.ask(alterConfigs, { resources })).responses.map(({ errorCode }) => errorCode)).toEqual([0, 0])
    on = await on.crash()
    expect(await inForce(on, 'retention.ms')).toBe('604800000')
    expect(await inForce(on, 'segment.bytes')).toBe('1073741824')
  })

  test('are seen by whoever asks the engine for a topic, beneath its own', async () => {
    const on = await openEngine()
    await withTopic(on, { 'retention.ms': '7' })
    const before = on.engine.topic({ name: 't' })
    expect(on.engine.topic({ name: 't' })).toBe(before)
    await setBroker(on, 'log.cleanup.policy', 'compact')
    await setBroker(on, 'log.retention.ms', '1111')
    const topic = on.engine.topic({ name: 't' })!
    expect(topic.configs).toEqual(
      new Map([
        ['cleanup.policy', 'compact'],
        ['retention.ms', '7']
      ])
    )
    expect(on.engine.topic({ name: 't' })).toBe(topic)
  })

  test('are refused when what is there already cannot be stored', async () => {
    const on = await openEngine()
    await withTopic(on)
    on.failNextWrite()
    expect(await setBroker(on, 'log.retention.ms', '1111')).toBe(56)
    expect(await inForce(on, 'retention.ms')).toBe('604800000')
  })

  test('a value at the start is told as such, and stands behind one set later', async () => {
    const on = await openEngine({ messageBytesMax: 5000 })
    await withTopic(on)
    await setBroker(on, 'message.max.bytes', '6000')
    const { results } = await on.ask(describeConfigs, {
      resources: [{ resourceType: TOPIC, resourceName: 't', configurationKeys: ['max.message.bytes'] }],
      includeSynonyms: true
    })
    expect(results[0]!.configs[0]).toMatchObject({
      value: '6000',
      synonyms: [
        { name: 'message.max.bytes', value: '6000', source: 3 },
        { name: 'message.max.bytes', value: '5000', source: 4 },
        { name: 'message.max.bytes', value: '1048588', source: 5 }
      ]
    })
  })
})

test('resources named twice are refused, and those beside them are not', async () => {
  const on = await openEngine()
  await withTopic(on)
  await withTopic(on, {}, 'u')
  const configs = [{ name: 'retention.ms', value: '5' }]
  const resource = (resourceName: string) => ({ resourceType: TOPIC, resourceName, configs })
  const { responses } = await on.ask(alterConfigs, { resources: [resource('t'), resource('u'), resource('t')] })
  expect(responses.map(({ errorCode }) => errorCode)).toEqual([42, 0, 42])
  expect(await inForce(on, 'retention.ms')).toBe('604800000')
})

describe('appends', () => {
  test('a batch that would have to be compressed anew and inflates beyond the bound is refused', async () => {
    const on = await openEngine({ recompressBytesMax: 1000 })
    await withTopic(on, { 'compression.type': 'zstd' })
    const records = [{ key: null, value: Buffer.alloc(5000) }]
    expect((await send(on, { codec: CODEC.gzip, records })).errorCode).toBe(10)
    expect((await send(on, { codec: CODEC.zstd, records })).errorCode).toBe(0)
  })

  test('the first hundred records at fault are named', async () => {
    const on = await openEngine()
    await withTopic(on, { 'message.timestamp.before.max.ms': '1000' })
    const timestampMs = on.clock.now() - 2000
    const records = Array.from({ length: 150 }, () => ({ key: null, value: null, timestampMs }))
    const { errorCode, recordErrors, errorMessage } = await send(on, { records })
    expect(errorCode).toBe(32)
    expect(recordErrors.map(({ batchIndex }) => batchIndex)).toEqual(Array.from({ length: 100 }, (_, index) => index))
    expect(errorMessage).toMatch(/^Record 0: timestamp \d+ is more than 1000 ms behind the clock of the server and 99 more$/)
  })

  test('a header that tells a time that no record has is refused', async () => {
    const on = await openEngine()
    await withTopic(on)
    const bytes = encodeBatch({ baseTimestampMs: on.clock.now(), records: [{ key: null, value: null }] })
    setLogAppendTime(bytes, on.clock.now() + 7_200_000)
    bytes.writeInt16BE(0, FIELD_AT.attributes)
    signBatch(bytes)
    const answer = await on.ask(
      produce,
      { acks: -1, topicData: [{ name: 't', partitionData: [{ index: 0, records: bytes }] }] },
      { version: 9 }
    )
    expect(answer.responses[0]!.partitionResponses[0]).toMatchObject({
      errorCode: 32,
      errorMessage: expect.stringContaining('which no record of the batch has')
    })
  })
})

describe('records that are deleted', () => {
  const startOf = async (on: TestEngine): Promise<number> => {
    const { topics } = await on.ask(listOffsets, { topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -2n }] }] })
    return Number(topics[0]!.partitions[0]!.offset)
  }
  const remove = async (on: TestEngine, name: string, offset: number) => {
    const { topics } = await on.ask(deleteRecords, {
      topics: [{ name, partitions: [{ partitionIndex: 0, offset: BigInt(offset) }] }]
    })
    return topics[0]!.partitions[0]!
  }

  test('stay so after a crash', async () => {
    let on = await openEngine()
    await withTopic(on)
    for (let count = 0; count < 5; count++) await send(on)
    expect(await remove(on, 't', 3)).toMatchObject({ lowWatermark: 3n, errorCode: 0 })
    on = await on.crash()
    expect(await startOf(on)).toBe(3)
    expect(await send(on)).toMatchObject({ baseOffset: 5n, logStartOffset: 3n })
  })

  test('are never those of the server', async () => {
    const on = await openEngine()
    for (const name of ['_schemas', '__consumer_offsets']) {
      expect(await remove(on, name, 0)).toMatchObject({ lowWatermark: -1n, errorCode: 17 })
    }
  })
})

describe('an idempotent producer', () => {
  const numbered = (on: TestEngine, baseSequence: number, producerEpoch = 0) =>
    send(on, { producerId: 40, producerEpoch, baseSequence })
  const outOfOrder = 45

  test.each(['restart', 'crash'] as const)('is known after its records were deleted and a %s', async again => {
    let on = await openEngine()
    await withTopic(on)
    for (let sequence = 0; sequence < 7; sequence++) await numbered(on, sequence)
    await on.ask(deleteRecords, { topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: -1n }] }] })
    on = await on[again]()
    // The last five are known, with their first places.
    for (let sequence = 2; sequence < 7; sequence++) {
      expect(await numbered(on, sequence)).toMatchObject({ errorCode: 0, baseOffset: BigInt(sequence), logStartOffset: 7n })
    }
    expect((await numbered(on, 1)).errorCode).toBe(outOfOrder)
    expect((await numbered(on, 8)).errorCode).toBe(outOfOrder)
    expect(await numbered(on, 7)).toMatchObject({ errorCode: 0, baseOffset: 7n })
  })

  test('that is silent for longer than producer.id.expiration.ms is a new one', async () => {
    const on = await openEngine()
    await withTopic(on)
    await numbered(on, 0)
    on.clock.advance(86_400_000 - 1)
    expect((await numbered(on, 5)).errorCode).toBe(outOfOrder)
    on.clock.advance(86_400_000)
    expect(await numbered(on, 5)).toMatchObject({ errorCode: 0, baseOffset: 1n })
  })

  test('the sequence of a refused batch is free', async () => {
    const on = await openEngine()
    await withTopic(on, { 'max.message.bytes': '200' })
    await numbered(on, 0)
    const large = { records: [{ key: null, value: Buffer.alloc(500) }], producerId: 40, producerEpoch: 0, baseSequence: 1 }
    expect((await send(on, large)).errorCode).toBe(10)
    expect(await numbered(on, 1)).toMatchObject({ errorCode: 0, baseOffset: 1n })
  })

  test('a new epoch begins at 0, and the one before is over, also after a crash', async () => {
    let on = await openEngine()
    await withTopic(on)
    await numbered(on, 0)
    expect(await numbered(on, 0, 1)).toMatchObject({ errorCode: 0, baseOffset: 1n })
    on = await on.crash()
    expect((await numbered(on, 1, 0)).errorCode).toBe(47)
    expect(await numbered(on, 0, 1)).toMatchObject({ errorCode: 0, baseOffset: 1n })
    expect(await numbered(on, 1, 1)).toMatchObject({ errorCode: 0, baseOffset: 2n })
  })
})
