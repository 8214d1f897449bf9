import { describe, expect, test } from 'vitest'
import { bodyCheck, parseBody, textReader } from './input.ts'
import { t } from './json-schema.ts'

const schema = t.Object({
  text: t.Optional(t.String()),
  nullable: t.Optional(t.Union([t.String(), t.Null()])),
  anything: t.Optional(t.Unknown()),
  list: t.Optional(t.Array(t.Object({ name: t.Optional(t.String()), value: t.Unknown() }))),
  inner: t.Optional(t.Union([t.Object({ tags: t.Optional(t.Array(t.String())) }), t.Null()])),
  map: t.Optional(t.Record(t.String(), t.String()))
})

describe('null in a body', () => {
  const rows: { name: string; body: string; read: unknown }[] = [
    { name: 'is nothing where a text is wanted', body: '{"text":null}', read: {} },
    { name: 'stays where it has a meaning', body: '{"nullable":null,"anything":null}', read: { nullable: null, anything: null } },
    { name: 'in a list', body: '{"list":[{"name":null,"value":null}]}', read: { list: [{ value: null }] } },
    { name: 'in a part that may be null itself', body: '{"inner":{"tags":null}}', read: { inner: {} } },
    { name: 'that part', body: '{"inner":null}', read: { inner: null } },
    { name: 'in a field that nobody knows', body: '{"other":null}', read: { other: null } }
  ]
  test.each(rows)('$name', ({ body, read }) => expect(bodyCheck(schema)(parseBody(Buffer.from(body)))).toEqual(read))

  test('is refused as a value of a map and as an item', () => {
    expect(() => bodyCheck(schema)({ map: { a: null } })).toThrow('/map/a must be string')
    expect(() => bodyCheck(schema)({ list: [null] })).toThrow('/list/0 must be object')
  })

  test('beside a key __proto__, which stays a key', () => {
    const read = bodyCheck(schema)(parseBody(Buffer.from('{"__proto__":{"text":"x"},"text":null}'))) as object
    expect(Object.keys(read)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
  })
})

test.each([
  [{}, { keys: [], limit: -1 }],
  [
    { keys: 'a', limit: '5' },
    { keys: ['a'], limit: 5 }
  ],
  [
    { keys: ['a', 'b'], limit: ['5', '6'], flag: 'TRUE' },
    { keys: ['a', 'b'], limit: 5, flag: true }
  ]
])('texts of a query: %j', (texts, read) => {
  const reader = textReader(
    t.Object({ keys: t.Array(t.String(), { default: [] }), limit: t.Integer({ default: -1 }), flag: t.Optional(t.Boolean()) }),
    name => {
      throw new Error(name)
    }
  )
  expect(reader(texts)).toEqual(read)
})
