/** What transactional clients rely on: asked of our served process, and of Apache Kafka. */
import { createTopics, describeTransactions, offsetFetch, ZERO_UUID } from '@assay/protocol'
import { describe, expect, test } from 'vitest'
import { type RawClient, rawClient } from '../../../raw-client.ts'
import type { TransactionClient, TransactionDriver } from './driver.ts'
import { java } from './java.ts'
import { kafkajs } from './kafkajs.ts'
import { platformatic } from './platformatic.ts'
import { pythonConfluent } from './python.ts'

export interface Broker {
  readonly kafka: string
  /** Why there is none. */
  readonly missing?: string
}

const drivers: readonly TransactionDriver[] = [kafkajs, platformatic, pythonConfluent]
export const withJava: readonly TransactionDriver[] = [...drivers, java]
const TIMEOUT_MS = 90_000
/** How the clients word it that they have been replaced, or that their time was over. */
const FENCED = /fenced|INVALID_PRODUCER_EPOCH|epoch|INVALID_TXN_STATE|InvalidTxnState|ProducerFenced/i

interface Scene {
  readonly client: TransactionClient
  readonly raw: RawClient
  /** Names that nobody else uses. */
  readonly topic: string
  readonly other: string
  readonly id: string
  readonly group: string
}

/** `broker` is asked when the tests run. */
export function transactionScenario(broker: () => Broker, those: readonly TransactionDriver[] = drivers): void {
  let scenes = 0
  const run = Date.now().toString(36)

  describe.each(those.map(driver => ({ name: driver.name, driver })))('$name', ({ driver }) => {
    const scenario = (name: string, steps: (scene: Scene) => Promise<void>): void =>
      test(name, { timeout: TIMEOUT_MS }, async context => {
        const { kafka, missing } = broker()
        const lacking = missing ?? (await driver.prepare())
        if (lacking !== undefined) return context.skip(lacking)
        const raw = await rawClient(kafka)
        const client = await driver.open(kafka)
        const own = `txn-${run}-${++scenes}`
        try {
          const [topic, other] = [`${own}-a`, `${own}-b`]
          for (const one of [topic, other]) await createTopic(raw, one)
          await steps({ client, raw, topic, other, id: own, group: `${own}-group` })
        } finally {
          await client.close()
          raw.close()
        }
      })

    scenario('commits and aborts; only what was committed is read', async ({ client, topic, other, id }) => {
      const producer = await client.producer(id)
      for (const [value, end] of [
        ['a', 'commit'],
        ['b', 'abort'],
        ['c', 'commit'],
        ['d', 'abort'],
        ['e', 'commit']
      ] as const) {
        expect(await producer.begin()).toBeUndefined()
        expect(await producer.send(topic, value)).toBeUndefined()
        expect(await producer.send(other, `${value}!`)).toBeUndefined()
        expect(await producer[end]()).toBeUndefined()
      }
      const committedOf = async (name: string): Promise<string[]> => {
        const values = await client.read(name, 3, { committed: true })
        return driver.passesOverAborted ? values : values.filter(value => /[ace]/.test(value))
      }
      expect(await committedOf(topic)).toEqual(['a', 'c', 'e'])
      expect(await committedOf(other)).toEqual(['a!', 'c!', 'e!'])
      expect(await client.read(topic, 5, { committed: false })).toEqual(['a', 'b', 'c', 'd', 'e'])
      await producer.close()
    })

    scenario('is not read before it is committed', async ({ client, topic, id, raw }) => {
      const producer = await client.producer(id)
      await producer.begin()
      expect(await producer.send(topic, 'a')).toBeUndefined()
      expect(await client.read(topic, 0, { committed: true })).toEqual([])
      expect(await client.read(topic, 1, { committed: false })).toEqual(['a'])
      expect(await stateOf(raw, id)).toBe('Ongoing')
      expect(await producer.commit()).toBeUndefined()
      expect(await client.read(topic, 1, { committed: true })).toEqual(['a'])
      expect(await stateOf(raw, id)).toBe('CompleteCommit')
      await producer.close()
    })

    if (driver.fences)
      scenario('a second producer fences the first', async ({ client, topic, id }) => {
        const first = await client.producer(id)
        await first.begin()
        expect(await first.send(topic, 'from the first')).toBeUndefined()
        const second = await client.producer(id)
        const refused = (await first.send(topic, 'too late')) ?? (await first.commit())
        expect(refused).toMatch(FENCED)
        expect(await second.begin()).toBeUndefined()
        expect(await second.send(topic, 'from the second')).toBeUndefined()
        expect(await second.commit()).toBeUndefined()
        expect(await client.read(topic, 1, { committed: true })).toEqual(['from the second'])
        await second.close()
        await first.close()
      })

    scenario('is aborted when it takes too long, and told so', async ({ client, raw, topic, id }) => {
      const producer = await client.producer(id, { timeoutMs: 1500 })
      await producer.begin()
      expect(await producer.send(topic, 'a')).toBeUndefined()
      const until = Date.now() + 30_000
      while ((await stateOf(raw, id)) === 'Ongoing' && Date.now() < until) await new Promise(resolve => setTimeout(resolve, 100))
      expect(await stateOf(raw, id)).toBe('CompleteAbort')
      expect(await producer.commit()).toMatch(FENCED)
      expect(await client.read(topic, 1, { committed: false })).toEqual(['a'])
      if (driver.passesOverAborted) expect(await client.read(topic, 0, { committed: true })).toEqual([])
      await producer.close()
    })

    scenario('reads, transforms and writes, with its offsets, exactly once', async ({ client, raw, topic, other, id, group }) => {
      const producer = await client.producer(`${id}-input`)
      await producer.begin()
      for (const value of ['a', 'b', 'c', 'd']) expect(await producer.send(topic, value)).toBeUndefined()
      expect(await producer.commit()).toBeUndefined()
      await producer.close()
      const transformer = await client.producer(id)
      const work = { group, from: topic, to: other }
      expect(await transformer.transform({ ...work, count: 2, end: 'commit' })).toBeUndefined()
      expect(await committed(raw, group, topic)).toBe(2)
      expect(await transformer.transform({ ...work, count: 1, end: 'abort' })).toBeUndefined()
      expect(await committed(raw, group, topic)).toBe(2)
      expect(await transformer.transform({ ...work, count: 2, end: 'commit' })).toBeUndefined()
      expect(await committed(raw, group, topic)).toBe(4)
      expect(await client.read(other, 4, { committed: true })).toEqual(['A', 'B', 'C', 'D'])
      expect(await client.read(other, 5, { committed: false })).toEqual(['A', 'B', 'C', 'C', 'D'])
      await transformer.close()
    })
  })
}

async function createTopic(raw: RawClient, name: string): Promise<void> {
  const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  const { topics } = await raw.ask(createTopics, 5, { topics: [topic], timeoutMs: 10_000, validateOnly: false })
  expect(topics[0]!.errorCode).toBe(0)
}

async function stateOf(raw: RawClient, id: string): Promise<string> {
  // A peer writes the end in two steps.
  for (let left = 50; ; left--) {
    const { transactionStates } = await raw.ask(describeTransactions, 0, { transactionalIds: [id] })
    const { transactionState } = transactionStates[0]!
    if (!transactionState.startsWith('Prepare') || left === 0) return transactionState
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** The stable committed offset. */
async function committed(raw: RawClient, group: string, name: string): Promise<number> {
  for (let left = 50; ; left--) {
    const asked = {
      groupId: group,
      memberId: null,
      memberEpoch: -1,
      topics: [{ name, topicId: ZERO_UUID, partitionIndexes: [0] }]
    }
    const { groups } = await raw.ask(offsetFetch, 8, { groupId: '', topics: null, groups: [asked], requireStable: true })
    const { errorCode, committedOffset } = groups[0]!.topics[0]!.partitions[0]!
    if (errorCode === 0 || left === 0) return Number(committedOffset)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
