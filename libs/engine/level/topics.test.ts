import {
  createPartitions,
  createTopics,
  deleteTopics,
  describeCluster,
  describeConfigs,
  incrementalAlterConfigs,
  metadata
} from '@assay/protocol'
import { describe, expect, test } from 'vitest'
import { openEngine, type TestEngine } from './engine.fixture.ts'

type Wish = {
  name: string
  numPartitions?: number
  replicationFactor?: number
  configs?: { name: string; value: string | null }[]
}

const create = async (on: TestEngine, wish: Wish, { version = 7, validateOnly = false } = {}) => {
  const whole = { numPartitions: 1, replicationFactor: 1, ...wish }
  const { topics } = await on.ask(createTopics, { topics: [whole], validateOnly }, { version })
  return topics[0]!
}
const named = async (on: TestEngine, name: string) => on.engine.topic({ name })
const CLUSTER = 4
const TOPIC = 2

describe('creating', () => {
  test.each([2, 3, 5, 7])('by v%i', async version => {
    const on = await openEngine()
    const configs = [{ name: 'retention.ms', value: '1000' }]
    const answer = await create(on, { name: 'orders', numPartitions: 3, configs }, { version })
    expect(answer).toMatchObject({ name: 'orders', errorCode: 0 })
    if (version >= 5) expect(answer).toMatchObject({ numPartitions: 3, replicationFactor: 1 })
    if (version >= 5)
      expect(answer.configs).toContainEqual(expect.objectContaining({ name: 'retention.ms', value: '1000', configSource: 1 }))
    const topic = await named(on, 'orders')
    expect(topic).toMatchObject({ partitionCount: 3, configs: new Map([['retention.ms', '1000']]) })
    if (version >= 7) expect(answer.topicId).toBe(topic!.id)
  })

  const refused: [string, Wish, number][] = [
    ['an empty name', { name: '' }, 17],
    ['a dot', { name: '.' }, 17],
    ['two dots', { name: '..' }, 17],
    ['a slash', { name: 'a/b' }, 17],
    ['a letter beyond ASCII', { name: 'ä' }, 17],
    ['a name of 250 characters', { name: 'x'.repeat(250) }, 17],
    ['a name that is there', { name: '_schemas' }, 36],
    ['no partitions', { name: 't', numPartitions: 0 }, 37],
    ['fewer than none', { name: 't', numPartitions: -2 }, 37],
    ['more partitions than all topics may have', { name: 't', numPartitions: 100 }, 37],
    ['two replicas', { name: 't', replicationFactor: 2 }, 38],
    ['an unknown setting', { name: 't', configs: [{ name: 'retention.sm', value: '1' }] }, 40],
    ['a bad value', { name: 't', configs: [{ name: 'retention.ms', value: 'x' }] }, 40],
    ['no value', { name: 't', configs: [{ name: 'retention.ms', value: null }] }, 40]
  ]
  test.each(refused)('%s is refused', async (_name, wish, code) => {
    const on = await openEngine({ partitionsMax: 50 })
    const answer = await create(on, wish)
    expect(answer.errorCode).toBe(code)
    expect(answer.errorMessage).toBeTruthy()
    expect(on.engine.topic({ name: 't' })).toBeUndefined()
  })

  test('the longest name and every allowed kind of character', async () => {
    const on = await openEngine()
    expect((await create(on, { name: 'x'.repeat(249) })).errorCode).toBe(0)
    expect((await create(on, { name: 'aZ0._-' })).errorCode).toBe(0)
  })

  test('validate only answers the same and makes nothing', async () => {
    const on = await openEngine()
    expect((await create(on, { name: 't' }, { validateOnly: true })).errorCode).toBe(0)
    expect((await create(on, { name: '_schemas' }, { validateOnly: true })).errorCode).toBe(36)
    expect(on.engine.topic({ name: 't' })).toBeUndefined()
  })

  test('-1 stands for the defaults', async () => {
    const on = await openEngine({ defaultPartitions: 4 })
    expect(await create(on, { name: 't', numPartitions: -1, replicationFactor: -1 })).toMatchObject({ numPartitions: 4 })
  })

  test('an assignment by hand must be complete and name this broker', async () => {
    const on = await openEngine()
    const assigned = async (assignments: { partitionIndex: number; brokerIds: number[] }[], more = {}) => {
      const wish = { name: 't', numPartitions: -1, replicationFactor: -1, assignments, ...more }
      const { topics } = await on.ask(createTopics, { topics: [wish] })
      return topics[0]!
    }
    expect((await assigned([{ partitionIndex: 1, brokerIds: [0] }])).errorCode).toBe(39)
    expect((await assigned([{ partitionIndex: 0, brokerIds: [0, 1] }])).errorCode).toBe(39)
    expect((await assigned([{ partitionIndex: 0, brokerIds: [0] }], { numPartitions: 1 })).errorCode).toBe(42)
    const both = [
      { partitionIndex: 0, brokerIds: [0] },
      { partitionIndex: 1, brokerIds: [0] }
    ]
    expect(await assigned(both)).toMatchObject({ errorCode: 0, numPartitions: 2 })
  })

  test('a name twice in one request makes neither; the same name at the same time makes one', async () => {
    const on = await openEngine()
    const wish = { name: 't', numPartitions: 1, replicationFactor: 1 }
    const { topics } = await on.ask(createTopics, { topics: [wish, wish] })
    expect(topics.map(({ errorCode }) => errorCode)).toEqual([42])
    const both = await Promise.all([create(on, wish), create(on, wish)])
    expect(both.map(({ errorCode }) => errorCode).sort()).toEqual([0, 36])
  })
})

describe('describing', () => {
  test.each([0, 1, 4, 8, 9, 10, 12, 13])('by Metadata v%i', async version => {
    const on = await openEngine()
    const { topicId } = await create(on, { name: 'orders', numPartitions: 2 })
    const answer = await on.ask(metadata, { topics: [{ name: 'orders' }] }, { version })
    expect(answer.brokers).toMatchObject([{ nodeId: 0, host: 'broker.test', port: 9092 }])
    expect(answer.topics).toHaveLength(1)
    expect(answer.topics[0]).toMatchObject({
      errorCode: 0,
      name: 'orders',
      isInternal: false,
      partitions: [
        { partitionIndex: 0, leaderId: 0, replicaNodes: [0], isrNodes: [0] },
        { partitionIndex: 1, leaderId: 0 }
      ]
    })
    if (version >= 10) expect(answer.topics[0]!.topicId).toBe(topicId)
    if (version >= 2) expect(answer.clusterId).toBe('cluster')
  })

  test('all topics, and none', async () => {
    const on = await openEngine()
    const all = await on.ask(metadata, { topics: null })
    expect(all.topics.map(({ name, isInternal }) => [name, isInternal])).toEqual([
      ['__consumer_offsets', true],
      ['_schemas', false]
    ])
    expect((await on.ask(metadata, { topics: [] }, { version: 0 })).topics).toHaveLength(2)
    expect((await on.ask(metadata, { topics: [] }, { version: 1 })).topics).toEqual([])
  })

  test('by ID, known and unknown', async () => {
    const on = await openEngine()
    const { topicId } = await create(on, { name: 't' })
    const ids = [topicId, 'f'.repeat(32)].map(id => ({ topicId: id, name: null }))
    const answer = await on.ask(metadata, { topics: ids })
    expect(answer.topics.map(({ errorCode, name }) => [errorCode, name])).toEqual([
      [0, 't'],
      [100, null]
    ])
  })

  test('a topic that is not there is made when client and server allow it, once', async () => {
    const on = await openEngine({ defaultPartitions: 2 })
    const ask = (allowAutoTopicCreation: boolean, name = 'fresh') =>
      on.ask(metadata, { topics: [{ name }], allowAutoTopicCreation })
    expect((await ask(false)).topics[0]!.errorCode).toBe(3)
    const answers = await Promise.all([ask(true), ask(true)])
    for (const { topics } of answers) expect(topics[0]).toMatchObject({ errorCode: 0, partitions: [{}, {}] })
    expect((await ask(true, 'a b')).topics[0]!.errorCode).toBe(17)
    const closed = await openEngine({ autoCreateTopics: false })
    expect((await closed.ask(metadata, { topics: [{ name: 'x' }], allowAutoTopicCreation: true })).topics[0]!.errorCode).toBe(3)
  })

  test('the cluster', async () => {
    const on = await openEngine()
    const answer = await on.ask(describeCluster, { endpointType: 1 })
    expect(answer).toMatchObject({ errorCode: 0, clusterId: 'cluster', controllerId: 0, brokers: [{ brokerId: 0, port: 9092 }] })
    expect((await on.ask(describeCluster, { endpointType: 2 })).errorCode).toBe(115)
  })
})

describe('deleting and growing', () => {
  test.each([1, 4, 6])('by DeleteTopics v%i', async version => {
    const on = await openEngine()
    const { topicId } = await create(on, { name: 't' })
    const body = version >= 6 ? { topics: [{ name: 't' }, { name: 'x' }] } : { topicNames: ['t', 'x'] }
    const { responses } = await on.ask(deleteTopics, body, { version })
    expect(responses.map(({ errorCode }) => errorCode)).toEqual([0, 3])
    if (version >= 6) expect(responses[0]!.topicId).toBe(topicId)
    expect(on.engine.topic({ name: 't' })).toBeUndefined()
    expect((await on.restart()).engine.topic({ name: 't' })).toBeUndefined()
  })

  test('by ID, and never what the server owns', async () => {
    const on = await openEngine()
    const { topicId } = await create(on, { name: 't' })
    const topics = [
      { name: null, topicId },
      { name: null, topicId: 'f'.repeat(32) },
      { name: '_schemas' },
      { name: '__consumer_offsets' }
    ]
    const { responses } = await on.ask(deleteTopics, { topics })
    expect(responses.map(({ errorCode, name }) => [errorCode, name])).toEqual([
      [0, 't'],
      [100, null],
      [17, '_schemas'],
      [17, '__consumer_offsets']
    ])
  })

  test('more partitions, never fewer, and each topic is echoed', async () => {
    const on = await openEngine()
    await create(on, { name: 't', numPartitions: 2 })
    const grow = async (name: string, count: number, more: object = {}) => {
      const { results } = await on.ask(createPartitions, { topics: [{ name, count, assignments: null, ...more }] })
      expect(results.map(result => result.name)).toEqual([name])
      return results[0]!.errorCode
    }
    expect(await grow('t', 4)).toBe(0)
    expect(on.engine.topic({ name: 't' })!.partitionCount).toBe(4)
    expect(await grow('t', 4)).toBe(37)
    expect(await grow('t', 3)).toBe(37)
    expect(await grow('x', 3)).toBe(3)
    expect(await grow('_schemas', 2)).toBe(17)
    expect(await grow('t', 5, { assignments: [{ brokerIds: [7] }] })).toBe(39)
    expect(await grow('t', 5, { assignments: [{ brokerIds: [0] }] })).toBe(0)
    expect((await on.restart()).engine.topic({ name: 't' })!.partitionCount).toBe(5)
  })
})

test('a change that cannot be stored is told so for each topic, and is not there', async () => {
  const on = await openEngine()
  await create(on, { name: 'kept' })
  on.failNextWrite()
  expect((await create(on, { name: 't' })).errorCode).toBe(56)
  const { responses } = await on.ask(deleteTopics, { topics: [{ name: 'kept' }, { name: 'nowhere' }] })
  expect(responses.map(({ errorCode }) => errorCode)).toEqual([56, 56])
  expect((await on.ask(metadata, { topics: [{ name: 'u' }], allowAutoTopicCreation: true })).topics[0]!.errorCode).toBe(56)
  for (const engine of [on.engine, (await on.crash()).engine]) {
    expect(engine.topic({ name: 't' })).toBeUndefined()
    expect(engine.topic({ name: 'kept' })).toBeDefined()
  }
})

describe('settings', () => {
  const describeTopic = async (on: TestEngine, keys: string[] | null = null, version = 4) => {
    const { results } = await on.ask(
      describeConfigs,
      {
        resources: [{ resourceType: TOPIC, resourceName: 't', configurationKeys: keys }],
        includeSynonyms: true,
        includeDocumentation: true
      },
      { version }
    )
    return results[0]!
  }
  const alter = async (
    on: TestEngine,
    configs: { name: string; configOperation: number; value?: string | null }[],
    more = {}
  ) => {
    const { responses } = await on.ask(incrementalAlterConfigs, {
      resources: [{ resourceType: TOPIC, resourceName: 't', configs, ...more }],
      ...more
    })
    return responses[0]!.errorCode
  }

  test.each([1, 2, 3, 4])('every setting of a topic has a value and where it comes from, v%i', async version => {
    const on = await openEngine({ messageBytesMax: 5000 })
    await create(on, { name: 't', configs: [{ name: 'retention.ms', value: '1000' }] })
    const { configs } = await describeTopic(on, null, version)
    const entry = (name: string) => configs.find(config => config.name === name)
    expect(configs.length).toBeGreaterThan(40)
    for (const config of configs) expect(config.value, config.name).not.toBeNull()
    expect(entry('retention.ms')).toMatchObject({ value: '1000', configSource: 1 })
    expect(entry('max.message.bytes')).toMatchObject({ value: '5000', configSource: 4 })
    expect(entry('cleanup.policy')).toMatchObject({ value: 'delete', configSource: 5 })
    expect(entry('assay.value.validation')).toMatchObject({ value: 'auto', configSource: 5 })
    expect(entry('retention.ms')!.synonyms).toEqual([
      { name: 'retention.ms', value: '1000', source: 1 },
      { name: 'log.retention.ms', value: '604800000', source: 5 }
    ])
    if (version >= 3)
      expect(entry('cleanup.policy')).toMatchObject({ configType: 7, documentation: expect.stringMatching(/\.$/) })
  })

  test('only the keys that are asked for', async () => {
    const on = await openEngine()
    await create(on, { name: 't' })
    const { configs } = await describeTopic(on, ['retention.ms', 'confluent.value.schema.validation', 'no.such'])
    expect(configs.map(({ name }) => name)).toEqual(['retention.ms', 'confluent.value.schema.validation'])
  })

  test('of the broker, and of nobody', async () => {
    const on = await openEngine({ defaultPartitions: 3 })
    const ask = async (resourceType: number, resourceName: string) => {
      const { results } = await on.ask(describeConfigs, { resources: [{ resourceType, resourceName, configurationKeys: null }] })
      return results[0]!
    }
    const broker = await ask(CLUSTER, '0')
    expect(broker.configs).toContainEqual(expect.objectContaining({ name: 'num.partitions', value: '3', readOnly: true }))
    expect(broker.configs).toContainEqual(expect.objectContaining({ name: 'auto.create.topics.enable', value: 'true' }))
    expect((await ask(CLUSTER, '1')).errorCode).toBe(42)
    expect((await ask(TOPIC, 'nowhere')).errorCode).toBe(3)
    expect((await ask(8, 'x')).errorCode).toBe(42)
  })

  test('are set, unset and edited one by one, and stay so', async () => {
    const on = await openEngine()
    await create(on, { name: 't', configs: [{ name: 'retention.ms', value: '1000' }] })
    const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3]
    const changes = [
      { name: 'retention.ms', configOperation: DELETE, value: null },
      { name: 'cleanup.policy', configOperation: APPEND, value: 'compact' },
      { name: 'confluent.value.schema.validation', configOperation: SET, value: 'true' }
    ]
    expect(await alter(on, changes)).toBe(0)
    const expected = new Map([
      ['cleanup.policy', 'delete,compact'],
      ['assay.value.validation', 'id']
    ])
    expect(on.engine.topic({ name: 't' })!.configs).toEqual(expected)
    const again = await on.restart()
    expect(again.engine.topic({ name: 't' })!.configs).toEqual(expected)
    expect(await alter(again, [{ name: 'cleanup.policy', configOperation: SUBTRACT, value: 'delete' }])).toBe(0)
    expect(again.engine.topic({ name: 't' })!.configs.get('cleanup.policy')).toBe('compact')
    const { configs } = await describeTopic(again, ['redpanda.value.schema.id.validation'])
    expect(configs).toMatchObject([{ value: 'true', configSource: 1 }])
  })

  test('all of a topic’s changes or none; validate only changes nothing', async () => {
    const on = await openEngine()
    await create(on, { name: 't' })
    const bad = [
      { name: 'retention.ms', configOperation: 0, value: '5' },
      { name: 'max.message.bytes', configOperation: 0, value: 'x' }
    ]
    expect(await alter(on, bad)).toBe(40)
    expect(await alter(on, [{ name: 'retention.ms', configOperation: 2, value: '5' }])).toBe(40)
    expect(await alter(on, [{ name: 'retention.ms', configOperation: 9, value: '5' }])).toBe(42)
    expect(await alter(on, [bad[0]!, bad[0]!])).toBe(42)
    const { responses } = await on.ask(incrementalAlterConfigs, {
      resources: [{ resourceType: TOPIC, resourceName: 't', configs: [bad[0]!] }],
      validateOnly: true
    })
    expect(responses[0]!.errorCode).toBe(0)
    expect(on.engine.topic({ name: 't' })!.configs.size).toBe(0)
    const others = await on.ask(incrementalAlterConfigs, {
      resources: [
        { resourceType: TOPIC, resourceName: '_schemas', configs: [bad[0]!] },
        { resourceType: TOPIC, resourceName: 'nowhere', configs: [bad[0]!] },
        { resourceType: CLUSTER, resourceName: '0', configs: [bad[0]!] },
        { resourceType: 8, resourceName: 't', configs: [bad[0]!] }
      ]
    })
    expect(others.responses.map(({ errorCode }) => errorCode)).toEqual([17, 3, 40, 42])
    expect(others.responses[2]!.errorMessage).toMatch(/Did you mean log.retention.ms/)
  })
})
