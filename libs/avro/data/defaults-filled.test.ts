import { describe, expect, test } from 'vitest'
import { parseSchema } from '../parse.ts'
import { decodeJson, encodeJson } from './json-encoding.ts'
import { compileCodec } from './typed.ts'
import { compileValidator } from './validate.ts'

const parse = (schema: unknown) => parseSchema(JSON.stringify(schema))
const record = (name: string, ...fields: unknown[]) => ({ type: 'record', name, fields })

/** As many records of the first kind inside each other, `inner` the last. */
const nested = (depth: number, inner: object): object => (depth === 1 ? inner : { next: nested(depth - 1, inner) })

describe('a default that is filled in keeps the bounds of the whole', () => {
  const holder = record('H', { name: 'value', type: record('L', { name: 'end', type: record('E') }), default: { end: {} } })
  const schema = parse(
    record('N', { name: 'next', type: ['null', 'N'], default: null }, { name: 'held', type: ['null', holder], default: null })
  )

  test.each<[string, (value: object) => Buffer]>([
    ['from JSON', value => encodeJson(schema, value)],
    ['from a program', value => compileCodec<object>(schema).encode(value)]
  ])('%s', (_name, encode) => {
    // The record H, in it the two of its default, make three more.
    const bytes = encode(nested(61, { held: {} }))
    expect(compileValidator(schema)(bytes, 0, bytes.length)).toBeUndefined()
    expect(() => encode(nested(62, { held: {} }))).toThrow(/deeper than 64/)
  })

  test('items that take no bytes are counted over all defaults', () => {
    const nulls = parse({
      type: 'array',
      items: record('R', { name: 'n', type: { type: 'array', items: 'null' }, default: Array(300).fill(null) })
    })
    const bytes = encodeJson(nulls, [{}, {}, {}])
    expect(compileValidator(nulls)(bytes, 0, bytes.length)).toBeUndefined()
    expect(() => encodeJson(nulls, [{}, {}, {}, {}])).toThrow(/items that take no bytes/)
    expect(() => compileCodec<unknown>(nulls).encode([{}, {}, {}, {}])).toThrow(/items that take no bytes/)
  })
})

describe('few bytes do not become much memory', () => {
  const writer = parse({ type: 'array', items: record('R', { name: 'a', type: 'boolean' }) })
  const items = encodeJson(writer, Array(50_000).fill({ a: true }))

  test.each<[string, unknown, unknown]>([
    ['many values', { type: 'array', items: 'int' }, Array(1000).fill(1)],
    ['a long text', 'string', 'x'.repeat(100_000)]
  ])('a default of %s in each item is refused', (_name, type, value) => {
    const reader = parse({
      type: 'array',
      items: record('R', { name: 'a', type: 'boolean' }, { name: 'b', type, default: value })
    })
    expect(() => decodeJson(writer, items, reader)).toThrow(/would be filled in from defaults/)
  })

  test('a long default in each item is not written without a bound', () => {
    const schema = parse({ type: 'array', items: record('R', { name: 'b', type: 'string', default: 'x'.repeat(500_000) }) })
    expect(() => encodeJson(schema, Array(1000).fill({}))).toThrow(/takes more than \d+ bytes/)
  })
})
