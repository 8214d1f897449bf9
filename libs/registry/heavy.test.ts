import { systemClock } from '@assay/std'
import { afterEach, describe, expect, test } from 'vitest'
import { openOffLoop, withHeavyWork } from './off-loop.ts'
import { openRegistry, type Registry, type RegistryParts } from './registry.ts'
import { openTestLog } from './test/log.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})

async function open(limits: RegistryParts['limits'] = {}): Promise<Registry> {
  const registry = await openRegistry({ log: await openTestLog(), clock: systemClock, limits })
  opened.push(registry)
  return registry
}

const record = (name: string, count: number, type: unknown = ['null', 'string']): string =>
  JSON.stringify({
    type: 'record',
    name,
    fields: Array.from({ length: count }, (_, at) => ({ name: `f${at}`, type, ...(Array.isArray(type) && { default: null }) }))
  })

const largeType = { type: 'map', values: ['null', { type: 'array', items: 'string' }, 'int'] }

/** Every text and every comparison is heavy. */
const everything = { heavyTextChars: 0, heavyUnreadChars: 0, heavyComparedChars: 0 }

describe('beside the event loop the answers are the same', () => {
  test.each([
    ['plainly', {}],
    ['beside', everything]
  ])('%s', async (_name, limits) => {
    const registry = await open(limits)
    await registry.setConfig('r', { compatibility: 'FULL_TRANSITIVE' })
    await registry.register('money', { schema: '{"type":"fixed","name":"shop.Money","size":8}' })
    const references = [{ name: 'shop.Money', subject: 'money', version: 1 }]
    const schema = (extra: string) =>
      `{"type":"record","name":"R","namespace":"shop","fields":[ {"name":"sum","type":"Money"}${extra} ]}`
    const first = await registry.register('r', { schema: schema(''), references })
    expect(first.content.text).toBe('{"type":"record","name":"R","namespace":"shop","fields":[{"name":"sum","type":"Money"}]}')
    const second = await registry.register('r', { schema: schema(',{"name":"a","type":"int","default":0}'), references })
    expect(second).toMatchObject({ id: 3, version: 2 })
    expect(await registry.register('r', { schema: schema(''), references })).toMatchObject({ id: 2, version: 1 })
    expect(await registry.lookUp('r', { schema: schema(''), references })).toMatchObject({ version: 1 })
    const candidate = { schema: schema(',{"name":"b","type":"int"}'), references }
    const checked = await registry.checkCompatibility('r', 'all', candidate)
    expect(checked.findings.map(({ type, version, direction, place }) => [type, version, direction, place])).toEqual([
      ['READER_FIELD_MISSING_DEFAULT_VALUE', 2, 'BACKWARD', 'value.b'],
      ['READER_FIELD_MISSING_DEFAULT_VALUE', 1, 'BACKWARD', 'value.b']
    ])
    await expect(registry.register('r', candidate)).rejects.toThrow('READER_FIELD_MISSING_DEFAULT_VALUE')
    await expect(registry.register('r', { schema: '{"type":"fixed"}' })).rejects.toMatchObject({ code: 'INVALID_SCHEMA' })
    await expect(registry.register('r', { schema: '"Unknown"' })).rejects.toMatchObject({ code: 'INVALID_SCHEMA' })
    const normal = await registry.register('n', { schema: schema(''), references }, { normalize: true })
    expect(normal.content.text).toBe(first.content.text)
  })
})

test('large schemas do not keep the others waiting', async () => {
  const registry = await open()
  const answered: string[] = []
  const register = async (subject: string, schema: string): Promise<void> => {
    await registry.register(subject, { schema })
    answered.push(subject)
  }
  await Promise.all([
    register('large', record('Large', 900, largeType)),
    register('small', '"int"'),
    register('smaller', '"long"')
  ])
  expect(answered).toEqual(['small', 'smaller', 'large'])
})

test('too many at once, and what takes too long, are refused; the next is served', async () => {
  const offLoop = openOffLoop({ heavyJobsMax: 2, heavyTimeMaxMs: 2_000 })
  opened.push(offLoop)
  const job = { schemaType: 'AVRO', candidate: { text: '"int"', scope: [] }, normalize: false }
  const answers = await Promise.allSettled(Array.from({ length: 4 }, () => offLoop.work(job)))
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected'])
  const hurried = openOffLoop({ heavyJobsMax: 2, heavyTimeMaxMs: 1 })
  opened.push(hurried)
  await expect(hurried.work(job)).rejects.toMatchObject({ code: 'INVALID_SCHEMA' })
})

test('what always asks for more is given up', async () => {
  const offLoop = openOffLoop({ heavyJobsMax: 2, heavyTimeMaxMs: 2_000 })
  opened.push(offLoop)
  const { HeavyWork } = await import('./off-loop.ts')
  const job = { schemaType: 'AVRO', candidate: { text: '"int"', scope: [] }, normalize: false }
  const ask = (): never => {
    throw new HeavyWork(job, () => {})
  }
  await expect(withHeavyWork(offLoop, ask)).rejects.toMatchObject({ code: 'REGISTRY_BUSY' })
})
