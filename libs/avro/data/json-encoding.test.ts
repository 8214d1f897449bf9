import { describe, expect, test } from 'vitest'
import { parseSchema } from '../parse.ts'
import { EncodeFault } from './faults.ts'
import { decodeJson, encodeJson } from './json-encoding.ts'
import { compileValidator } from './validate.ts'

const logical = (type: unknown, logicalType: string, more: object = {}) => ({
  ...(typeof type === 'object' ? type : { type }),
  logicalType,
  ...more
})
const fixed = (name: string, size: number) => ({ type: 'fixed', name, size })
const record = (name: string, ...fields: unknown[]) => ({ type: 'record', name, fields })
const money = logical('bytes', 'decimal', { precision: 6, scale: 2 })
const card = record('shop.Card', { name: 'last4', type: 'string' })
const transfer = record('shop.Transfer', { name: 'days', type: 'int', default: 3 })
const colour = { type: 'enum', name: 'Colour', symbols: ['RED', 'toString'] }
const uuid = '123e4567-e89b-12d3-a456-426614174000'

/** `shown` is what comes back where it is not what was sent. */
interface Row {
  readonly name: string
  readonly schema: unknown
  readonly sent: unknown
  readonly hex: string
  readonly shown?: unknown
}

const rows: Row[] = [
  { name: 'null', schema: 'null', sent: null, hex: '' },
  { name: 'an int', schema: 'int', sent: -2147483648, hex: 'ffffffff0f' },
  { name: 'a long as a number', schema: 'long', sent: 5, hex: '0a' },
  { name: 'a small long as a text', schema: 'long', sent: '5', hex: '0a', shown: 5 },
  { name: 'a long beyond 2^53', schema: 'long', sent: '9007199254740993', hex: '8280808080808020' },
  { name: 'the smallest long', schema: 'long', sent: '-9223372036854775808', hex: 'ffffffffffffffffff01' },
  { name: 'NaN', schema: 'double', sent: 'NaN', hex: '000000000000f87f' },
  { name: 'minus infinity', schema: 'float', sent: '-Infinity', hex: '000080ff' },
  { name: 'minus zero', schema: 'double', sent: '-0', hex: '0000000000000080' },
  { name: 'a short float', schema: 'float', sent: 0.1, hex: 'cdcccc3d' },
  { name: 'bytes', schema: 'bytes', sent: '\u0000ÿ', hex: '0400ff' },
  { name: 'a fixed', schema: fixed('F', 2), sent: 'ab', hex: '6162' },
  { name: 'a symbol', schema: colour, sent: 'toString', hex: '02' },
  { name: 'a field with a default left out', schema: transfer, sent: {}, hex: '06', shown: { days: 3 } },
  {
    name: 'a map key __proto__',
    schema: { type: 'map', values: 'int' },
    sent: JSON.parse('{"__proto__":1}'),
    hex: '02125f5f70726f746f5f5f0200'
  },

  { name: 'a decimal', schema: money, sent: '12.50', hex: '0404e2' },
  { name: 'a decimal with fewer digits', schema: money, sent: '-1', hex: '029c', shown: '-1.00' },
  {
    name: 'a decimal in a fixed',
    schema: logical(fixed('M', 4), 'decimal', { precision: 6, scale: 2 }),
    sent: '-0.01',
    hex: 'ffffffff'
  },
  { name: 'a decimal in more bytes than it needs', schema: money, sent: { $raw: '\u0000\u0001' }, hex: '040001' },
  { name: 'a big-decimal', schema: logical('bytes', 'big-decimal'), sent: '-12.345', hex: '0804cfc706' },
  { name: 'a uuid', schema: logical('string', 'uuid'), sent: uuid, hex: `48${Buffer.from(uuid).toString('hex')}` },
  { name: 'a uuid in a fixed', schema: logical(fixed('U', 16), 'uuid'), sent: uuid, hex: uuid.replaceAll('-', '') },
  { name: 'a stored uuid that is none', schema: logical('string', 'uuid'), sent: { $raw: 'x' }, hex: '0278' },
  { name: 'a date', schema: logical('int', 'date'), sent: '1969-12-31', hex: '01' },
  { name: 'a date as its number', schema: logical('int', 'date'), sent: 1, hex: '02', shown: '1970-01-02' },
  { name: 'a leap day', schema: logical('int', 'date'), sent: '2024-02-29', hex: '8cb502' },
  { name: 'a time', schema: logical('int', 'time-millis'), sent: '00:01:01.001', hex: '92b907' },
  { name: 'a time beyond a day', schema: logical('int', 'time-millis'), sent: { $raw: -1 }, hex: '01' },
  { name: 'a timestamp', schema: logical('long', 'timestamp-millis'), sent: '1970-01-01T00:00:01.001Z', hex: 'd20f' },
  {
    name: 'a timestamp with an offset and no digits',
    schema: logical('long', 'timestamp-micros'),
    sent: '1970-01-01T01:00:01+01:00',
    hex: '80897a',
    shown: '1970-01-01T00:00:01.000000Z'
  },
  {
    name: 'a nanosecond before 1970',
    schema: logical('long', 'timestamp-nanos'),
    sent: '1969-12-31T23:59:59.999999999Z',
    hex: '01'
  },
  { name: 'a local timestamp', schema: logical('long', 'local-timestamp-millis'), sent: '1970-01-01T00:00:00.001', hex: '02' },
  {
    name: 'a year of five digits',
    schema: logical('long', 'timestamp-millis'),
    sent: '+012026-11-23T01:02:03.004Z',
    hex: 'f8eb86f188a99001'
  },
  {
    name: 'a duration',
    schema: logical(fixed('D', 12), 'duration'),
    sent: { months: 1, days: 2, millis: 3 },
    hex: '010000000200000003000000'
  },

  { name: 'null in a union', schema: ['string', 'null'], sent: null, hex: '02' },
  { name: 'a nullable', schema: ['null', 'string'], sent: 'a', hex: '020261' },
  { name: 'a nullable wrapped by hand', schema: ['null', 'string'], sent: { string: 'a' }, hex: '020261', shown: 'a' },
  { name: 'a number beside a text', schema: ['null', 'string', 'long'], sent: 5, hex: '040a' },
  { name: 'digits beside a long', schema: ['null', 'string', 'long'], sent: '5', hex: '020235' },
  {
    name: 'a big long beside a string',
    schema: ['string', 'long'],
    sent: { long: '9007199254740993' },
    hex: '028280808080808020'
  },
  { name: 'int and long', schema: ['int', 'long'], sent: { long: 5 }, hex: '020a' },
  {
    name: 'a fraction where only double takes it',
    schema: ['long', 'double'],
    sent: 0.5,
    hex: '02000000000000e03f',
    shown: { double: 0.5 }
  },
  {
    name: 'a record told by its fields',
    schema: [card, transfer],
    sent: { days: 4 },
    hex: '0208',
    shown: { 'shop.Transfer': { days: 4 } }
  },
  {
    name: 'a map that looks wrapped',
    schema: ['null', { type: 'map', values: 'int' }],
    sent: { map: { map: 1 } },
    hex: '0202066d61700200'
  },
  {
    name: 'a record that looks wrapped',
    schema: ['null', record('Box', { name: 'Box', type: 'int' })],
    sent: { Box: { Box: 1 } },
    hex: '0202'
  },
  { name: 'an enum beside an array', schema: [colour, { type: 'array', items: 'int' }], sent: [1], hex: '02020200' }
]

describe('JSON to Avro and back', () => {
  test.each(rows)('$name', ({ schema, sent, hex, shown }) => {
    const parsed = parseSchema(JSON.stringify(schema))
    const bytes = encodeJson(parsed, sent)
    expect(bytes.toString('hex')).toBe(hex)
    expect(compileValidator(parsed)(bytes, 0, bytes.length)).toBeUndefined()
    expect(JSON.parse(JSON.stringify(decodeJson(parsed, bytes)))).toEqual(shown === undefined ? sent : shown)
    expect(encodeJson(parsed, JSON.parse(JSON.stringify(decodeJson(parsed, bytes)))).toString('hex')).toBe(hex)
  })
})

const order = record(
  'Order',
  { name: 'customer_id', type: 'string' },
  { name: 'items', type: { type: 'array', items: record('Item', { name: 'price', type: 'double' }) }, default: [] }
)

describe('refused', () => {
  test.each<[string, unknown, unknown, string, RegExp]>([
    [
      'a text for a number',
      order,
      { customer_id: 'c', items: [{ price: 1 }, { price: 'two' }] },
      'items[1].price',
      /expected double.* got "two"/
    ],
    ['a field that is mistyped', order, { customerId: 'c' }, 'customerId', /no field of Order, did you mean customer_id\?/],
    ['a field that is like none', order, { customer_id: 'c', zzz: 1 }, 'zzz', /no field of Order, which has customer_id, items/],
    ['a missing field', order, {}, 'customer_id', /missing and has no default/],
    ['an inherited member is none', record('R', { name: 'toString', type: 'string' }), {}, 'toString', /missing/],
    ['an array for a record', order, [], '', /expected an object with the fields of Order, got an array/],
    ['a number beyond 2^53', 'long', 9007199254740992, '', /beyond 2\^53.*write it as a text/],
    ['a text beyond 64 bits', 'long', '9223372036854775808', '', /64 bits/],
    ['a fraction for an int', 'int', 1.5, '', /expected int, got 1.5/],
    ['an int beyond 32 bits', 'int', 2147483648, '', /32 bits/],
    ['a double for a float', 'float', 1e300, '', /32 bits/],
    ['a symbol that is none', colour, 'constructor', '', /symbol of Colour \(RED, toString\), got "constructor"/],
    ['a character that is no byte', 'bytes', '€', '', /U\+00FF/],
    ['a fixed of another size', fixed('F', 2), 'abc', '', /expected 2 bytes for F, got 3/],
    ['half of a surrogate pair', 'string', '\ud800', '', /surrogate/],
    ['half of a surrogate pair as a key', { type: 'map', values: 'int' }, { '\udc00': 1 }, '"\\udc00"', /surrogate/],
    ['too many digits of a decimal', money, '12345.67', '', /at most 6 digits/],
    ['a decimal that would be rounded', money, '1.005', '', /more digits behind the point/],
    ['a decimal as a number', money, 12.5, '', /decimal number as a text.*got 12.5/],
    ['a uuid that is none', logical('string', 'uuid'), 'x', '', /UUID/],
    ['the 30th of February', logical('int', 'date'), '2026-02-30', '', /expected a date/],
    ['a timestamp without an offset', logical('long', 'timestamp-millis'), '2026-11-23T01:02:03', '', /offset/],
    ['a local timestamp with one', logical('long', 'local-timestamp-millis'), '2026-11-23T01:02:03Z', '', /without an offset/],
    [
      'a timestamp that would be rounded',
      logical('long', 'timestamp-millis'),
      '2026-11-23T01:02:03.0004Z',
      '',
      /at most 3 digits/
    ],
    ['what two branches take', ['int', 'long'], 5, '', /more than one branch: int, long; say which/],
    ['what no branch takes', ['null', 'int', 'string'], true, '', /one of null, int, string, got true/],
    [
      'trouble inside a wrapped value',
      ['null', card],
      { 'shop.Card': { last4: 1 } },
      '"shop.Card".last4',
      /expected string, got 1/
    ],
    ['1,001 items without bytes', { type: 'array', items: 'null' }, Array(1001).fill(null), '', /take no bytes/]
  ])('%s', (_name, schema, json, path, reason) => {
    let fault: unknown
    try {
      encodeJson(parseSchema(JSON.stringify(schema)), json)
    } catch (error) {
      fault = error
    }
    expect(fault).toBeInstanceOf(EncodeFault)
    expect((fault as EncodeFault).reason).toMatch(reason)
    expect((fault as EncodeFault).path).toBe(path)
  })
})

test('records are as deep as the wire format allows, and no deeper', () => {
  const parsed = parseSchema(JSON.stringify(record('N', { name: 'next', type: ['null', 'N'], default: null })))
  const nested = (depth: number): object => (depth === 1 ? {} : { next: nested(depth - 1) })
  const bytes = encodeJson(parsed, nested(64))
  expect(compileValidator(parsed)(bytes, 0, bytes.length)).toBeUndefined()
  expect(() => encodeJson(parsed, nested(65))).toThrow(/nested deeper than 64/)
})

test('unions inside unions are told apart in time that grows with the value, not with its depth', () => {
  const field = { name: 'next', type: ['null', 'A', 'B'], default: null }
  const a = record('A', { name: 'next', type: ['null', 'A', record('B', field)], default: null })
  const parsed = parseSchema(JSON.stringify([a, 'B']))
  let value: object = { A: {} }
  for (let depth = 0; depth < 60; depth++) value = { next: value }
  const start = performance.now()
  expect(() => encodeJson(parsed, value)).toThrow(/more than one branch/)
  expect(performance.now() - start).toBeLessThan(1000)
})
