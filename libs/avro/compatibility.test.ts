import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compatibility, incompatibilitiesMax } from './compatibility.ts'
import { compatibilityRules } from './compatibility-rules.ts'
import { parseSchema } from './parse.ts'

const cases = join(import.meta.dirname, '..', '..', 'schemas', 'cases')
const rows = readdirSync(cases).flatMap(rule => readdirSync(join(cases, rule)).map(name => [rule, name] as const))
const read = (rule: string, name: string, file: string): string => readFileSync(join(cases, rule, name, file), 'utf8')

describe('the pairs in schemas/cases', () => {
  test.each(rows)('%s: %s', (rule, name) => {
    const found = compatibility(parseSchema(read(rule, name, 'reader.avsc')), parseSchema(read(rule, name, 'writer.avsc')))
    const told = found.map(({ type, path, place, message, mend }) => ({ type, path, place, message, mend }))
    expect(told).toEqual(JSON.parse(read(rule, name, 'expect.json')))
  })

  test('every rule has a pair that breaks it and one that does not', () => {
    for (const rule of Object.keys(compatibilityRules)) {
      const folder = rule.toLowerCase().replaceAll('_', '-')
      const own = rows
        .filter(([of]) => of === folder)
        .map(([of, name]) => JSON.parse(read(of, name, 'expect.json')) as { type: string }[])
      expect(own.some(found => found.some(({ type }) => type === rule))).toBe(true)
      expect(own.some(found => found.length === 0)).toBe(true)
    }
  })
})

const recordOf = (fields: unknown[]): string => JSON.stringify({ type: 'record', name: 'R', fields })

test.each<[string, unknown[], unknown[], string, string]>([
  [
    'a field that moved',
    [{ name: 'a', type: 'int' }],
    [
      { name: 'b', type: 'int' },
      { name: 'a', type: 'string' }
    ],
    '/fields/0/type',
    '/fields/1/type'
  ],
  ['a field that is missing', [{ name: 'a', type: 'int' }], [], '/fields/0', '/'],
  [
    'items of a map',
    [{ name: 'm', type: { type: 'map', values: { type: 'array', items: 'int' } } }],
    [{ name: 'm', type: { type: 'map', values: { type: 'array', items: 'string' } } }],
    '/fields/0/type/values/items',
    '/fields/0/type/values/items'
  ],
  [
    'a branch of the writer',
    [{ name: 'u', type: 'int' }],
    [{ name: 'u', type: ['null', 'int'] }],
    '/fields/0/type',
    '/fields/0/type/0'
  ]
])('pointers into both schemas: %s', (_name, reader, writer, readerPath, writerPath) => {
  const [found] = compatibility(parseSchema(recordOf(reader)), parseSchema(recordOf(writer)))
  expect(found).toMatchObject({ readerPath, writerPath })
})

test('the mend of a forward break speaks of the writer, and the place begins as asked', () => {
  const reader = parseSchema('{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}')
  const writer = parseSchema('{"type":"record","name":"R","fields":[]}')
  const [found] = compatibility(reader, writer, { changing: 'writer', root: 'key' })
  expect(found).toMatchObject({
    place: 'key.a',
    mend: 'Keep the field a in R: those who read it need it and have no default for it.'
  })
  expect(compatibility(writer, reader)).toEqual([])
})

test('a recursive type is compared once', () => {
  const list = (type: string): string =>
    `{"type":"record","name":"L","fields":[{"name":"v","type":"${type}"},{"name":"next","type":["null","L"],"default":null}]}`
  expect(compatibility(parseSchema(list('long')), parseSchema(list('int')))).toEqual([])
  expect(compatibility(parseSchema(list('int')), parseSchema(list('long'))).map(({ path }) => path)).toEqual(['/fields/0/type'])
})

describe('bounds', () => {
  const seconds = (run: () => void): number => {
    const start = performance.now()
    run()
    return (performance.now() - start) / 1000
  }
  const record = (name: string, fields: string[]): string => `{"type":"record","name":"${name}","fields":[${fields.join(',')}]}`

  test('shared types do not multiply the findings', () => {
    const chain = (leaf: string): string => {
      let type = record('R0', [`{"name":"x","type":"${leaf}"}`])
      for (let i = 1; i <= 25; i++) type = record(`R${i}`, [`{"name":"a","type":${type}}`, `{"name":"b","type":"R${i - 1}"}`])
      return type
    }
    const reader = parseSchema(chain('int'))
    const writer = parseSchema(chain('string'))
    expect(seconds(() => expect(compatibility(reader, writer)).toHaveLength(incompatibilitiesMax))).toBeLessThan(1)
  })

  test('two unions of 500 records each', () => {
    const union = (more: string): string =>
      `[${Array.from({ length: 500 }, (_, i) => record(`R${i}`, ['{"name":"a","type":"int"}', `{"name":"${more}","type":"string","default":""}`])).join(',')}]`
    expect(seconds(() => expect(compatibility(parseSchema(union('b')), parseSchema(union('c')))).toEqual([]))).toBeLessThan(3)
  })

  test('more work than the bound is refused, not done', () => {
    // A type that all of them share makes each pair worth a full comparison.
    const shared = (i: number): string => (i === 0 ? '{"type":"enum","name":"E","symbols":["A"]}' : '"E"')
    const fields = (prefix: string): string[] => Array.from({ length: 50 }, (_, i) => `{"name":"${prefix}${i}","type":"int"}`)
    const union = (name: string, prefix: string): string =>
      `[${Array.from({ length: 400 }, (_, i) => record(`${name}${i}`, [...fields(prefix), `{"name":"e","type":${shared(i)}}`])).join(',')}]`
    const reader = parseSchema(union('R', 'a'))
    const writer = parseSchema(union('W', 'b'))
    expect(seconds(() => expect(() => compatibility(reader, writer)).toThrow('too many steps'))).toBeLessThan(1)
  })
})
