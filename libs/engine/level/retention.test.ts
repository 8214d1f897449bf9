import { createTopics, incrementalAlterConfigs } from '@assay/protocol'
import { decodeBatch } from '@assay/records'
import { expect, test } from 'vitest'
import { openEngine, records, type TestEngine } from './engine.fixture.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

async function create({ ask }: TestEngine, name: string, configs: Record<string, string> = {}): Promise<void> {
  const settings = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
  const { topics } = await ask(createTopics, { topics: [{ name, numPartitions: 1, replicationFactor: 1, configs: settings }] })
  expect(topics[0]).toMatchObject({ errorCode: 0 })
}

const append = async (
  { engine, clock }: TestEngine,
  topic: string,
  ...entries: [key: string, value: string | null][]
): Promise<void> => {
  const made = entries.map(([key, value]) => ({ key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }))
  await engine.partition(topic, 0)!.append(records(clock, ...made))
}

async function kept({ engine }: TestEngine, topic: string): Promise<string[]> {
  const log = engine.partition(topic, 0)!
  const batches = await log.read(log.startOffset, { bytesMax: 1 << 20 })
  return batches.flatMap(batch => decodeBatch(batch, 1 << 20).map(({ key, value }) => `${key}=${value}`))
}

test('records go by the settings of their topic, and a change of them counts from then on', async () => {
  const broker = await openEngine()
  await create(broker, 'week')
  await create(broker, 'day', { 'retention.ms': String(DAY_MS) })
  await create(broker, 'small', { 'retention.ms': '-1', 'retention.bytes': '10' })
  await create(broker, 'ever', { 'cleanup.policy': '' })
  const topics = ['week', 'day', 'small', 'ever']
  for (const topic of topics) await append(broker, topic, ['a', '1'])
  broker.clock.advance(2 * DAY_MS)
  for (const topic of topics) await append(broker, topic, ['b', '2'])
  await broker.log.upkeep()
  expect(await Promise.all(topics.map(topic => kept(broker, topic)))).toEqual([['a=1', 'b=2'], ['b=2'], ['b=2'], ['a=1', 'b=2']])
  await broker.ask(incrementalAlterConfigs, {
    resources: [
      { resourceType: 2, resourceName: 'week', configs: [{ name: 'retention.ms', configOperation: 0, value: String(HOUR_MS) }] }
    ]
  })
  await broker.log.upkeep()
  expect(await kept(broker, 'week')).toEqual(['b=2'])
  broker.clock.advance(365 * DAY_MS)
  await broker.log.upkeep()
  expect(await Promise.all(topics.map(topic => kept(broker, topic)))).toEqual([[], [], ['b=2'], ['a=1', 'b=2']])
})

test('a compacted topic keeps the last record of each key, and tombstones for their time', async () => {
  const broker = await openEngine()
  await create(broker, 'table', {
    'cleanup.policy': 'compact',
    'min.cleanable.dirty.ratio': '0',
    'delete.retention.ms': String(HOUR_MS)
  })
  await append(broker, 'table', ['a', '1'], ['b', '1'])
  await append(broker, 'table', ['a', '2'])
  await append(broker, 'table', ['b', null])
  await broker.log.upkeep()
  expect(await kept(broker, 'table')).toEqual(['a=2', 'b=null'])
  broker.clock.advance(HOUR_MS)
  await broker.log.upkeep()
  expect(await kept(broker, 'table')).toEqual(['a=2'])
})

test('schemas are kept, whatever is deleted: their IDs are never given again', async () => {
  const broker = await openEngine()
  await append(broker, '_schemas', ['{"subject":"s","version":1}', 'x'])
  await append(broker, '_schemas', ['{"subject":"s","version":1}', null])
  broker.clock.advance(30 * DAY_MS)
  await broker.log.upkeep()
  expect(await kept(broker, '_schemas')).toHaveLength(2)
})
