import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type GeneratedFile, generateTypeScript, type SchemaInput, staleFiles } from './generate.ts'
import { topicPartOf } from './subject-path.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const inputOf = (file: string): SchemaInput => ({ file, text: read(file), ...topicPartOf(file) })
const textOf = (files: readonly GeneratedFile[], path: string): string => files.find(file => file.path === path)!.text
const record = (name: string, fields: object[], more: object = {}): string =>
  JSON.stringify({ type: 'record', name, fields, ...more })

test('the hard schema gives the files in golden.txt', async () => {
  const files = generateTypeScript([{ ...inputOf('libs/codegen/test/hard/value.avsc'), file: 'hard/value.avsc' }])
  const text = files.map(file => `======== ${file.path}\n${file.text}`).join('\n')
  await expect(text).toMatchFileSnapshot('test/hard/golden.txt')
})

test('the files of the examples are up to date: npm run generate', () => {
  const inputs = globSync('schemas/*/{key,value}.avsc', { cwd: root }).map(file => inputOf(file.replaceAll('\\', '/')))
  const existing = new Map(
    globSync('examples/generated/**/*.ts', { cwd: root }).map(file => {
      const path = file.replaceAll('\\', '/')
      return [path.slice('examples/generated/'.length), read(path)]
    })
  )
  expect(staleFiles(generateTypeScript(inputs), existing)).toEqual({ missing: [], changed: [], extra: [] })
})

describe('files and names', () => {
  test('the order of the inputs does not matter', () => {
    const inputs = ['orders', 'user-activity', 'service-metrics'].map(topic => inputOf(`schemas/${topic}/value.avsc`))
    expect(generateTypeScript(inputs.toReversed())).toEqual(generateTypeScript(inputs))
  })

  test('a type may stand in another file, whichever comes first', () => {
    const address = { file: 'b.avsc', text: record('shop.Address', [{ name: 'city', type: 'string' }]) }
    const customer = { file: 'a.avsc', text: record('crm.Customer', [{ name: 'home', type: 'shop.Address' }]) }
    const text = textOf(generateTypeScript([customer, address]), 'crm/Customer.ts')
    expect(text).toContain(`import type { Address, AddressInit } from '../shop/Address.ts'`)
    expect(text).toContain('readonly home: AddressInit')
  })

  test('one name with two definitions is refused', () => {
    const one = { file: 'a.avsc', text: record('x.A', [{ name: 'a', type: 'int' }]) }
    const two = { file: 'b.avsc', text: record('x.A', [{ name: 'a', type: 'long' }]) }
    expect(() => generateTypeScript([one, two])).toThrow('b.avsc: the type x.A is defined differently in a.avsc')
  })

  test('a text that is no schema is refused with its file', () => {
    expect(() => generateTypeScript([{ file: 'a.avsc', text: '{"type":"nothing"}' }])).toThrow('Invalid schema: a.avsc: ')
  })

  test('two types with one short name are told apart in a third file', () => {
    const fields = ['a.Status', 'b.Status'].map((name, index) => ({
      name: `s${index}`,
      type: { type: 'enum', name, symbols: ['X'] }
    }))
    const text = textOf(generateTypeScript([{ file: 'a.avsc', text: record('c.Status', fields) }]), 'c/Status.ts')
    expect(text).toContain(`import type { Status as Status_2 } from '../a/Status.ts'`)
    expect(text).toContain(`import type { Status as Status_3 } from '../b/Status.ts'`)
    expect(text).toContain('readonly s0: Status_2\n  readonly s1: Status_3\n')
  })

  test('a topic with a key schema alone is refused', () => {
    const input = { file: 'key.avsc', text: '"string"', topic: 't', subject: 't-key' }
    expect(() => generateTypeScript([input])).toThrow('the topic t has a key schema and no value schema')
  })
})

describe('options', () => {
  const text = record('a.A', [
    { name: 'n', type: 'long' },
    { name: 'day', type: { type: 'int', logicalType: 'date' } },
    { name: 'ms', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'us', type: { type: 'long', logicalType: 'timestamp-micros' } }
  ])
  const cases = [
    { name: 'by default', options: {}, types: ['bigint', 'Temporal.PlainDate', 'Temporal.Instant', 'Temporal.Instant'] },
    { name: 'Dates where nothing is lost', options: { time: 'date' as const }, types: ['bigint', 'Date', 'Date', 'bigint'] },
    {
      name: 'numbers',
      options: { time: 'raw' as const, long: 'number' as const },
      types: ['number', 'number', 'number', 'number']
    }
  ]
  test.each(cases)('$name', ({ options, types }) => {
    const [read = ''] = textOf(generateTypeScript([{ file: 'a', text }], options), 'a/A.ts').split('What {@link A}')
    expect([...read.matchAll(/readonly \w+: (.*)/g)].map(match => match[1])).toEqual(types)
  })
})

test('what differs from the folder is told by its kind, and files of other origin are left alone', () => {
  const generated = generateTypeScript([{ file: 'a', text: record('a.A', []) }])
  const existing = new Map(generated.map(({ path, text }) => [path, text]))
  expect(staleFiles(generated, existing)).toEqual({ missing: [], changed: [], extra: [] })
  existing.delete('topics.ts')
  existing.set('a/A.ts', 'changed')
  existing.set('a/B.ts', '// Generated by Assay from b. Do not edit\n')
  existing.set('mine.ts', 'export {}\n')
  expect(staleFiles(generated, existing)).toEqual({ missing: ['topics.ts'], changed: ['a/A.ts'], extra: ['a/B.ts'] })
})
