/** How many partitions may come and go: who is refused, who is made to wait, and who shares a quota (KIP-599). */
import {
  alterClientQuotas,
  createPartitions,
  createTopics,
  deleteTopics,
  errorName,
  listOffsets,
  metadata
} from '@assay/protocol'
import { describe, expect, test } from 'vitest'
import type { Session } from '../engine.ts'
import { openEngine, session, type TestEngine } from './engine.fixture.ts'

/** What a request came to: the error of each topic, and how long the client is to wait. */
type Told = [errors: string, waitMs: number]

async function bound(on: TestEngine, perSecond: number, entity: Record<string, string | null> = { user: null }): Promise<void> {
  const ops = [{ key: 'controller_mutation_rate', value: perSecond, remove: false }]
  const parts = Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName }))
  const { entries } = await on.ask(alterClientQuotas, { entries: [{ entity: parts, ops }] })
  expect(entries[0]!.errorCode).toBe(0)
}

const names = (results: readonly { readonly errorCode: number }[]): string =>
  results.map(({ errorCode }) => errorName(errorCode)).join(' ')

async function create(
  on: TestEngine,
  wishes: Readonly<Record<string, number>>,
  options: { version?: number; validateOnly?: boolean; session?: Session } = {}
): Promise<Told> {
  const { version = 7, validateOnly = false, session: by = on.session } = options
  const topics = Object.entries(wishes).map(([name, numPartitions]) => ({ name, numPartitions, replicationFactor: 1 }))
  const answer = await on.ask(createTopics, { topics, validateOnly }, { version, session: by })
  return [names(answer.topics), answer.throttleTimeMs]
}

async function remove(on: TestEngine, topics: readonly string[], version = 6): Promise<Told> {
  const body = version >= 6 ? { topics: topics.map(name => ({ name })) } : { topicNames: topics }
  const answer = await on.ask(deleteTopics, body, { version })
  return [names(answer.responses), answer.throttleTimeMs]
}

async function grow(on: TestEngine, name: string, count: number, version = 3): Promise<Told> {
  const answer = await on.ask(createPartitions, { topics: [{ name, count, assignments: null }] }, { version })
  return [names(answer.results), answer.throttleTimeMs]
}

const REFUSED = 'THROTTLING_QUOTA_EXCEEDED'

describe('a quota of two partitions in a second', () => {
  async function open(): Promise<TestEngine> {
    const on = await openEngine()
    await bound(on, 2)
    return on
  }

  test('lets eleven seconds of it through at once; what leads into debt is done, what comes then is refused', async () => {
    const on = await open()
    expect(await create(on, { a: 20 })).toEqual(['NONE', 0])
    expect(await create(on, { b: 10 })).toEqual(['NONE', 0])
    expect(await create(on, { c: 1 })).toEqual([REFUSED, 4000])
    on.clock.advance(3999)
    expect(await create(on, { c: 1 })).toEqual([REFUSED, 1])
    on.clock.advance(1)
    expect(await create(on, { c: 1 })).toEqual(['NONE', 0])
    expect(await create(on, { d: 1 })).toEqual([REFUSED, 500])
  })

  test('is looked at for each topic of a request; those that were refused are not there', async () => {
    const on = await open()
    expect(await create(on, { a: 22, b: 4, c: 1, d: 1 })).toEqual([`NONE NONE ${REFUSED} ${REFUSED}`, 2000])
    const { topics } = await on.ask(metadata, { topics: ['a', 'b', 'c'].map(name => ({ name })), allowAutoTopicCreation: false })
    expect(names(topics)).toBe('NONE NONE UNKNOWN_TOPIC_OR_PARTITION')
  })

  test('holds for what is only tried, and not for what cannot be', async () => {
    const on = await open()
    expect(await create(on, { 'no name': 100, a: 0 })).toEqual(['INVALID_TOPIC_EXCEPTION INVALID_PARTITIONS', 0])
    expect(await create(on, { a: 24 }, { validateOnly: true })).toEqual(['NONE', 0])
    expect(await create(on, { a: 1 }, { validateOnly: true })).toEqual([REFUSED, 1000])
  })

  test('is used by partitions that are added, and by those that are deleted', async () => {
    const on = await open()
    expect(await create(on, { a: 2, b: 3 })).toEqual(['NONE NONE', 0])
    expect(await grow(on, 'a', 21)).toEqual(['NONE', 0])
    expect(await grow(on, 'a', 22)).toEqual([REFUSED, 1000])
    on.clock.advance(1000)
    expect(await remove(on, ['a', 'b'])).toEqual([`NONE ${REFUSED}`, 10_500])
    on.clock.advance(11_000)
    expect(await remove(on, ['b', 'missing'])).toEqual(['NONE UNKNOWN_TOPIC_OR_PARTITION', 0])
  })

  test.each<[string, (on: TestEngine) => Promise<Told>, (on: TestEngine) => Promise<Told>]>([
    ['CreateTopics 5', on => create(on, { x: 2 }, { version: 5 }), on => create(on, { y: 2 }, { version: 6 })],
    ['DeleteTopics 4', on => remove(on, ['two'], 4), on => remove(on, ['deux'], 5)],
    ['CreatePartitions 2', on => grow(on, 'one', 3, 2), on => grow(on, 'un', 3, 3)]
  ])('has a client wait that does not know the error: %s', async (_, older, newer) => {
    const on = await openEngine()
    expect(await create(on, { one: 1, un: 1, two: 2, deux: 2 })).toEqual(['NONE NONE NONE NONE', 0])
    await bound(on, 2)
    expect(await create(on, { a: 24 })).toEqual(['NONE', 0])
    expect(await older(on)).toEqual(['NONE', 2000])
    expect(await newer(on)).toEqual([REFUSED, 2000])
  })

  test('has those wait who have topics made by asking for them', async () => {
    const on = await open()
    expect(await create(on, { a: 22 })).toEqual(['NONE', 0])
    const asked = await on.ask(metadata, { topics: [{ name: 'b' }], allowAutoTopicCreation: true })
    expect([names(asked.topics), asked.throttleTimeMs]).toEqual(['NONE', 500])
    const again = await on.ask(metadata, { topics: [{ name: 'b' }], allowAutoTopicCreation: true })
    expect([names(again.topics), again.throttleTimeMs]).toEqual(['NONE', 0])
    expect((await on.ask(listOffsets, { topics: [] })).throttleTimeMs).toBe(0)
  })
})

test('the quota of the most particular entity is in force, each with an account of its own', async () => {
  const on = await openEngine()
  await bound(on, 1)
  await bound(on, 100, { user: 'anna' })
  const by = (principal: string): Session => ({ ...session(), principal })
  const [anna, bert, carl] = [by('User:anna'), by('User:bert'), by('User:carl')]
  expect(await create(on, { a: 12 }, { session: bert })).toEqual(['NONE', 0])
  expect(await create(on, { b: 1 }, { session: bert })).toEqual([REFUSED, 1000])
  expect(await create(on, { b: 1 }, { session: carl })).toEqual(['NONE', 0])
  expect(await create(on, { c: 500, d: 500 }, { session: anna })).toEqual(['NONE NONE', 0])
  expect(await create(on, { e: 101 }, { session: anna })).toEqual(['NONE', 0])
  expect(await create(on, { f: 1 }, { session: anna })).toEqual([REFUSED, 10])
})
