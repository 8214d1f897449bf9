import { parseSchema } from '@assay/avro'
import { type AssayError, isAssayError } from '@assay/errors'
import avsc from 'avsc'
import { describe, expect, test } from 'vitest'
import { type AvroTypeParts, avroType } from './avro-type.ts'

type Options = Pick<AvroTypeParts, 'long' | 'time'>

const typeOf = (schema: unknown, options: Partial<Options> = {}) =>
  avroType<unknown, unknown>({
    name: 'test',
    schema: JSON.stringify(schema),
    fingerprint: '0',
    long: 'bigint',
    time: 'temporal',
    ...options
  })

/** A value with the types of everything in it, for comparison: toEqual finds all Temporal values equal. */
function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Date) return `Date ${value.toISOString()}`
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const prototype: object | null = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) return `${prototype.constructor.name} ${String(value)}`
  return `{ ${Object.entries(value)
    .map(([key, item]) => `${key}: ${show(item)}`)
    .join(', ')} }`
}

const logical = (type: string, logicalType: string, more: object = {}) => ({ type, logicalType, ...more })
const day = '2026-11-23T01:02:03.004'
const dayMs = Date.parse(`${day}Z`)
const money = logical('bytes', 'decimal', { precision: 6, scale: 2 })
const card = { type: 'record', name: 'shop.Card', fields: [{ name: 'last4', type: 'string' }] }
const transfer = { type: 'record', name: 'shop.Transfer', fields: [{ name: 'days', type: 'int', default: 3 }] }

interface Row {
  readonly name: string
  readonly schema: unknown
  readonly options?: Partial<Options>
  /** What a program writes. */
  readonly init: unknown
  /** What a program reads, as `show` prints it. */
  readonly read: string
  /** The same for avsc, which knows no logical types here. */
  readonly avsc: unknown
}

const rows: Row[] = [
  { name: 'a long from a number', schema: 'long', init: 5, read: '5n', avsc: 5 },
  { name: 'a long as a number', schema: 'long', options: { long: 'number' }, init: 5n, read: '5', avsc: 5 },
  { name: 'a decimal from text', schema: money, init: '12.5', read: 'Decimal 12.50', avsc: Buffer.from('04e2', 'hex') },
  { name: 'a decimal from a whole number', schema: money, init: -1n, read: 'Decimal -1.00', avsc: Buffer.from('9c', 'hex') },
  {
    name: 'an instant from a Date',
    schema: logical('long', 'timestamp-millis'),
    init: new Date(dayMs),
    read: `Instant ${day}Z`,
    avsc: dayMs
  },
  {
    name: 'an instant from a raw number',
    schema: logical('long', 'timestamp-micros'),
    init: dayMs * 1000 + 5,
    read: `Instant ${day}005Z`,
    avsc: dayMs * 1000 + 5
  },
  {
    name: 'a Date where one is read',
    schema: logical('long', 'timestamp-millis'),
    options: { time: 'date' },
    init: dayMs,
    read: `Date ${day}Z`,
    avsc: dayMs
  },
  {
    name: 'raw microseconds from a Date',
    schema: logical('long', 'timestamp-micros'),
    options: { time: 'raw' },
    init: new Date(dayMs),
    read: `${dayMs}000n`,
    avsc: dayMs * 1000
  },
  { name: 'a day from its number', schema: logical('int', 'date'), init: 1, read: 'PlainDate 1970-01-02', avsc: 1 },
  {
    name: 'a time from its number',
    schema: logical('int', 'time-millis'),
    init: 61_001,
    read: 'PlainTime 00:01:01.001',
    avsc: 61_001
  },
  {
    name: 'a local time from its number',
    schema: logical('long', 'local-timestamp-millis'),
    init: dayMs,
    read: `PlainDateTime ${day}`,
    avsc: dayMs
  },
  {
    name: 'a map from a Map',
    schema: { type: 'map', values: 'long' },
    init: new Map([['a', 1]]),
    read: '{ a: 1n }',
    avsc: { a: 1 }
  },
  { name: 'longs inside an array', schema: { type: 'array', items: 'long' }, init: [1, 2n], read: '[1n, 2n]', avsc: [1, 2] },
  {
    name: 'a nullable decimal',
    schema: ['null', money],
    init: '7',
    read: 'Decimal 7.00',
    avsc: { bytes: Buffer.from('02bc', 'hex') }
  },
  { name: 'a nullable that is null', schema: ['null', money], init: null, read: 'null', avsc: null },
  { name: 'a union told apart by kind', schema: ['null', 'string', 'long'], init: 7, read: '7n', avsc: { long: 7 } },
  {
    name: 'a union that JavaScript cannot tell apart',
    schema: ['null', 'int', 'long'],
    init: { $type: 'long', value: 7 },
    read: '{ $type: "long", value: 7n }',
    avsc: { long: 7 }
  },
  {
    name: 'a union of records, a default inside',
    schema: [card, transfer],
    init: { $type: 'shop.Transfer' },
    read: '{ $type: "shop.Transfer", days: 3 }',
    avsc: { 'shop.Transfer': { days: 3 } }
  },
  {
    name: 'defaults of all kinds',
    schema: {
      type: 'record',
      name: 'D',
      fields: [
        { name: 'long', type: 'long', default: 9 },
        { name: 'money', type: money, default: '\u0001\u0000' },
        { name: 'day', type: logical('int', 'date'), default: 0 },
        { name: 'list', type: { type: 'array', items: transfer }, default: [{}] },
        { name: 'nothing', type: ['null', 'string'], default: null },
        { name: '__proto__', type: 'string', default: 'p' }
      ]
    },
    init: {},
    read: '{ long: 9n, money: Decimal 2.56, day: PlainDate 1970-01-01, list: [{ days: 3 }], nothing: null, __proto__: "p" }',
    avsc: undefined
  }
]

describe('what is written is read back whole, and avsc agrees', () => {
  test.each(rows)('$name', ({ schema, options, init, read, avsc: plain }) => {
    const type = typeOf(schema, options)
    const created = type.create(init)
    expect(show(created)).toBe(read)
    expect(type.is(created)).toBe(true)
    const bytes = type.encode(init)
    expect(type.encode(created).equals(bytes)).toBe(true)
    expect(show(type.decode(bytes))).toBe(read)
    if (plain === undefined) return
    const oracle = avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: true, logicalTypes: {} })
    expect(bytes.toString('hex')).toBe(oracle.toBuffer(plain).toString('hex'))
  })
})

test('a long beyond 2^53 is exact', () => {
  const type = typeOf('long')
  const value = 9_007_199_254_740_993n
  expect(type.decode(type.encode(value))).toBe(value)
  expect(() => type.encode(2 ** 53)).toThrow()
})

test('a default is made anew each time, so that nobody changes that of another', () => {
  const type = typeOf({ type: 'record', name: 'B', fields: [{ name: 'bytes', type: 'bytes', default: 'a' }] })
  const [one, other] = [type.create({}), type.create({})] as { bytes: Uint8Array }[]
  one!.bytes[0] = 0
  expect(other!.bytes[0]).toBe(97)
})

test('what does not fit is refused with its path', () => {
  const type = typeOf({ type: 'record', name: 'R', fields: [{ name: 'items', type: { type: 'array', items: 'int' } }] })
  for (const write of [type.create, type.encode]) {
    let failure: unknown
    try {
      write({ items: [1, 'two'] })
    } catch (error) {
      failure = error
    }
    expect(isAssayError(failure, 'EVENT_NOT_ENCODABLE')).toBe(true)
    expect((failure as AssayError<'EVENT_NOT_ENCODABLE'>).facts.path).toBe('items[1]')
  }
})

test('what another version wrote is resolved to this one', () => {
  const writer = {
    type: 'record',
    name: 'P',
    fields: [
      { name: 'x', type: 'int' },
      { name: 'gone', type: 'string' }
    ]
  }
  const reader = {
    type: 'record',
    name: 'P',
    fields: [
      { name: 'x', type: 'long' },
      { name: 'y', type: 'string', default: 'new' }
    ]
  }
  const bytes = typeOf(writer).encode({ x: 1, gone: 'g' })
  expect(show(typeOf(reader).decode(bytes, parseSchema(JSON.stringify(writer))))).toBe('{ x: 1n, y: "new" }')
})

test('a recursive value is completed to its end', () => {
  const fields = [
    { name: 'n', type: 'long' },
    { name: 'next', type: ['null', 'Node'], default: null }
  ]
  const type = typeOf({ type: 'record', name: 'Node', fields })
  expect(show(type.create({ n: 1, next: { n: 2 } }))).toBe('{ n: 1n, next: { n: 2n, next: null } }')
})
