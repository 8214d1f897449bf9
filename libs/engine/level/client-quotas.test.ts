/** Quotas as they are set and found: Kafka's order of entities, filters, what is refused, and that they outlive a restart. */
import { alterClientQuotas, describeClientQuotas, errorName } from '@assay/protocol'
import { describe, expect, test } from 'vitest'
import { openEngine } from './engine.fixture.ts'

type Bench = Awaited<ReturnType<typeof openEngine>>
type Entity = Record<string, string | null>

const partsOf = (entity: Entity) => Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName }))

async function set(bench: Bench, entity: Entity, values: Record<string, number | null>, validateOnly = false): Promise<string> {
  const ops = Object.entries(values).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null }))
  const { entries } = await bench.ask(alterClientQuotas, { entries: [{ entity: partsOf(entity), ops }], validateOnly })
  return `${errorName(entries[0]!.errorCode)} ${entries[0]!.errorMessage ?? ''}`.trim()
}

const rate = (value: number | null) => ({ producer_byte_rate: value })

describe('a quota', () => {
  test('of the most particular entity is in force', async () => {
    const bench = await openEngine()
    const order: [Entity, number][] = [
      [{ 'client-id': null }, 1],
      [{ 'client-id': 'c' }, 2],
      [{ user: null }, 3],
      [{ user: null, 'client-id': null }, 4],
      [{ user: null, 'client-id': 'c' }, 5],
      [{ user: 'u' }, 6],
      [{ user: 'u', 'client-id': null }, 7],
      [{ user: 'u', 'client-id': 'c' }, 8]
    ]
    const limit = () => bench.engine.quotas.limit('producer_byte_rate', { principal: 'User:u', clientId: 'c' })
    expect([bench.engine.quotas.isEmpty, limit()]).toEqual([true, undefined])
    for (const [entity, value] of order) {
      expect(await set(bench, entity, rate(value))).toBe('NONE')
      expect(limit()?.bound).toBe(value)
    }
    for (const [entity, value] of order.toReversed()) {
      expect(limit()?.bound).toBe(value)
      await set(bench, entity, rate(null))
    }
    expect(bench.engine.quotas.isEmpty).toBe(true)
  })

  test('is told to be there while somebody has one', async () => {
    const bench = await openEngine()
    const { quotas } = bench.engine
    const who = { principal: 'User:u', clientId: null }
    expect(await set(bench, { user: 'u' }, { request_percentage: 0.5, controller_mutation_rate: 0.1 })).toBe('NONE')
    expect([quotas.isSet('request_percentage'), quotas.isSet('producer_byte_rate')]).toEqual([true, false])
    expect(quotas.limit('controller_mutation_rate', who)?.bound).toBe(0.1)
    await set(bench, { user: 'u' }, { request_percentage: null })
    expect([quotas.isSet('request_percentage'), quotas.isSet('controller_mutation_rate')]).toEqual([false, true])
    const again = (await bench.restart()).engine.quotas
    expect([again.isSet('request_percentage'), again.limit('controller_mutation_rate', who)?.bound]).toEqual([false, 0.1])
  })

  test('of a user is shared by his clients, one of a user and client is not', async () => {
    const bench = await openEngine()
    const sharedBy = (user: string, client: string) =>
      bench.engine.quotas.limit('producer_byte_rate', { principal: `User:${user}`, clientId: client })?.sharedBy
    await set(bench, { user: null }, rate(9))
    expect(sharedBy('u', 'a')).toBe(sharedBy('u', 'b'))
    expect(sharedBy('u', 'a')).not.toBe(sharedBy('v', 'a'))
    await set(bench, { user: 'u', 'client-id': null }, rate(9))
    expect(sharedBy('u', 'a')).not.toBe(sharedBy('u', 'b'))
  })

  test.each<[string, Entity, Record<string, number | null>, RegExp]>([
    [
      'of a kind that is not obeyed',
      { user: 'u' },
      { connection_creation_rate: 50 },
      /^INVALID_REQUEST connection_creation_rate cannot be set: connections/
    ],
    ['of a kind that there is not', { user: 'u' }, { pace: 1 }, /there is no such quota/],
    ['of nothing', { user: 'u' }, rate(0), /whole number of bytes, at least 1/],
    ['of parts of a byte', { user: 'u' }, rate(1.5), /whole number of bytes/],
    ['of no time', { user: 'u' }, { request_percentage: 0 }, /must be more than 0/],
    ['of no partitions', { user: 'u' }, { controller_mutation_rate: -1 }, /must be more than 0/],
    ['of no number', { user: 'u' }, rate(Number.NaN), /whole number of bytes/],
    ['of an address', { ip: '10.0.0.1' }, rate(1), /ip is not taken here/],
    ['of nobody', {}, rate(1), /for nobody/],
    ['of an empty name', { user: '' }, rate(1), /cannot be empty/]
  ])('%s is refused and not kept', async (_name, entity, values, says) => {
    const bench = await openEngine()
    expect(await set(bench, entity, values)).toMatch(says)
    expect(bench.engine.quotas.isEmpty).toBe(true)
  })

  test('outlives a crash', async () => {
    const bench = await openEngine()
    await set(bench, { user: 'u' }, rate(5))
    await set(bench, { user: 'v' }, rate(5))
    await set(bench, { user: 'v' }, rate(null))
    const after = await bench.crash()
    expect(after.engine.quotas.entries().map(({ entity, values }) => [entity, [...values]])).toEqual([
      [{ user: 'u' }, [['producer_byte_rate', 5]]]
    ])
  })

  test('that is only checked is not kept', async () => {
    const bench = await openEngine()
    expect(await set(bench, { user: 'u' }, rate(5), true)).toBe('NONE')
    expect(bench.engine.quotas.isEmpty).toBe(true)
  })

  test('is listed by filters', async () => {
    const bench = await openEngine()
    await set(bench, { user: 'u' }, { producer_byte_rate: 1, consumer_byte_rate: 2 })
    await set(bench, { user: null }, rate(3))
    await set(bench, { user: 'u', 'client-id': 'c' }, rate(4))
    const list = async (components: [string, number, string | null][], strict = false): Promise<string[]> => {
      const { entries } = await bench.ask(describeClientQuotas, {
        components: components.map(([entityType, matchType, match]) => ({ entityType, matchType, match })),
        strict
      })
      return (entries ?? []).map(({ entity, values }) =>
        [...entity.map(({ entityType, entityName }) => `${entityType}=${entityName}`), ...values.map(({ value }) => value)].join(
          ' '
        )
      )
    }
    expect(await list([])).toEqual(['user=u 1 2', 'user=null 3', 'user=u client-id=c 4'])
    expect(await list([['user', 0, 'u']])).toEqual(['user=u 1 2', 'user=u client-id=c 4'])
    expect(await list([['user', 0, 'u']], true)).toEqual(['user=u 1 2'])
    expect(await list([['user', 1, null]])).toEqual(['user=null 3'])
    expect(await list([['client-id', 2, null]])).toEqual(['user=u client-id=c 4'])
    const wrong = await bench.ask(describeClientQuotas, {
      components: [{ entityType: 'x', matchType: 0, match: null }],
      strict: false
    })
    expect([errorName(wrong.errorCode), wrong.entries]).toEqual(['INVALID_REQUEST', null])
  })
})
