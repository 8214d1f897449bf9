import { isAssayError } from '@assay/errors'
import avsc from 'avsc'
import { describe, expect, test } from 'vitest'
import { parseSchema } from '../parse.ts'
import type { Schema, UnionSchema } from '../schema.ts'
import { Decimal } from './decimal.ts'
import { DecodeFault } from './faults.ts'
import { pick, randomFrom, randomSchema, randomValue } from './test/random-data.ts'
import { compileCodec } from './typed.ts'
import type { CodecOptions } from './typed-form.ts'
import { unionShape } from './union-shape.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? 20261123)
console.log(`seed ${seed}`)

const parse = (schema: unknown): Schema => parseSchema(JSON.stringify(schema))
const codecOf = (schema: unknown, options?: CodecOptions) => compileCodec<unknown>(parse(schema), options)
const record = (...fields: unknown[]): object => ({ type: 'record', name: 'R', fields })
const logical = (type: string, logicalType: string, more: object = {}): object => ({ type, logicalType, ...more })
const node = record({ name: 'next', type: ['null', 'R'], default: null })
const money = logical('bytes', 'decimal', { precision: 6, scale: 2 })
const card = { type: 'record', name: 'shop.Card', fields: [{ name: 'last4', type: 'string' }] }
const cash = { type: 'record', name: 'shop.Cash', fields: [] }

/** What `encode` throws, in words. */
function refusal(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (isAssayError(error, 'EVENT_NOT_ENCODABLE')) return `${error.facts.path}: ${error.facts.reason}`
    if (error instanceof DecodeFault) return `${error.path}: ${error.reason}`
    throw error
  }
  return 'not refused'
}

describe('values and their bytes', () => {
  const instant = Temporal.Instant.from('2026-11-23T01:02:03.004005006Z')
  test.each<[string, unknown, CodecOptions, unknown, string]>([
    ['null', 'null', {}, null, ''],
    ['a long is a bigint', 'long', {}, 3n, '06'],
    ['the largest long', 'long', {}, 2n ** 63n - 1n, 'feffffffffffffffff01'],
    ['the smallest long', 'long', {}, -(2n ** 63n), 'ffffffffffffffffff01'],
    ['a long as a number', 'long', { long: 'number' }, Number.MIN_SAFE_INTEGER, 'fdffffffffffff1f'],
    ['bytes', 'bytes', {}, new Uint8Array([1, 255]), '0401ff'],
    ['a fixed', { type: 'fixed', name: 'F', size: 2 }, {}, new Uint8Array([1, 2]), '0102'],
    ['an enum', { type: 'enum', name: 'E', symbols: ['A', 'constructor'] }, {}, 'constructor', '02'],
    ['an array', { type: 'array', items: 'int' }, {}, [1, 2], '04020400'],
    ['a nullable', ['null', 'string'], {}, 'a', '020261'],
    ['a plain union', ['string', 'boolean', 'int'], {}, true, '0201'],
    ['a tagged union', [card, cash], {}, { $type: 'shop.Card', last4: '1' }, '000231'],
    ['a tagged union with another branch', [card, cash, 'string'], {}, 'x', '040278'],
    ['a boxed union', ['null', 'int', 'long'], {}, { $type: 'long', value: 1n }, '0402'],
    ['a decimal', money, {}, new Decimal(-128n, 2), '0280'],
    ['a decimal of zero', money, {}, new Decimal(0n, 2), '0200'],
    ['a decimal in a fixed', { ...money, type: 'fixed', name: 'F', size: 3 }, {}, new Decimal(-1n, 2), 'ffffff'],
    ['a big-decimal', logical('bytes', 'big-decimal'), {}, new Decimal(1250n, 3), '080404e206'],
    [
      'a UUID',
      logical('string', 'uuid'),
      {},
      '123e4567-e89b-12d3-a456-426614174000',
      `48${Buffer.from('123e4567-e89b-12d3-a456-426614174000').toString('hex')}`
    ],
    [
      'a UUID in a fixed',
      { ...logical('fixed', 'uuid'), name: 'U', size: 16 },
      {},
      '123e4567-e89b-12d3-a456-426614174000',
      '123e4567e89b12d3a456426614174000'
    ],
    [
      'a duration',
      { ...logical('fixed', 'duration'), name: 'D', size: 12 },
      {},
      { months: 1, days: 2, millis: 2 ** 32 - 1 },
      '0100000002000000ffffffff'
    ],
    ['a date', logical('int', 'date'), {}, new Temporal.PlainDate(1969, 12, 31), '01'],
    ['a date as a Date', logical('int', 'date'), { time: 'date' }, new Date(86_400_000), '02'],
    ['a raw date', logical('int', 'date'), { time: 'raw' }, 1, '02'],
    ['a time of day', logical('long', 'time-micros'), {}, new Temporal.PlainTime(0, 0, 1), '80897a'],
    ['a timestamp-millis', logical('long', 'timestamp-millis'), {}, Temporal.Instant.fromEpochMilliseconds(-1), '01'],
    ['a timestamp-millis as a Date', logical('long', 'timestamp-millis'), { time: 'date' }, new Date(1), '02'],
    ['a timestamp-micros where a Date is not exact', logical('long', 'timestamp-micros'), { time: 'date' }, 1n, '02'],
    ['a timestamp-nanos', logical('long', 'timestamp-nanos'), {}, instant, '9caac6ceb9b9c3ea31'],
    ['a local timestamp', logical('long', 'local-timestamp-millis'), {}, new Temporal.PlainDateTime(1970, 1, 1, 0, 0, 0, 2), '04']
  ])('%s', (_name, schema, options, value, hex) => {
    const codec = codecOf(schema, options)
    const bytes = codec.encode(value)
    expect(bytes.toString('hex')).toBe(hex)
    const read = codec.decode(bytes)
    expect(codec.is(read)).toBe(true)
    expect(codec.is(value)).toBe(true)
    expect(String(read)).toBe(String(value))
    expect(read).toEqual(value)
  })

  test('what may be written besides what is read', () => {
    const millis = codecOf(logical('long', 'timestamp-millis'))
    expect(millis.encode(instant)).toEqual(millis.encode(Temporal.Instant.from('2026-11-23T01:02:03.004Z')))
    expect(codecOf('long').encode(3)).toEqual(codecOf('long').encode(3n))
    expect(codecOf('long', { long: 'number' }).encode(3n)).toEqual(codecOf('long').encode(3n))
    expect(codecOf(money).encode('-12.5')).toEqual(codecOf(money).encode(new Decimal(-1250n, 2)))
    expect(codecOf(['null', money]).encode('1')).toEqual(codecOf(['null', money]).encode(new Decimal(100n, 2)))
    expect(codecOf(money).is('-12.5')).toBe(false)
    const map = codecOf({ type: 'map', values: 'int' })
    expect(map.encode(new Map([['__proto__', 1]]))).toEqual(map.encode(JSON.parse('{"__proto__":1}')))
    expect(codecOf(node).encode({})).toEqual(codecOf(node).encode({ next: null }))
  })

  test('maps have no prototype, and no key is lost', () => {
    const codec = codecOf({ type: 'map', values: 'int' })
    const map = codec.decode(codec.encode(JSON.parse('{"__proto__":1,"constructor":2}'))) as object
    expect(Object.getPrototypeOf(map)).toBeNull()
    expect(Object.entries(map)).toEqual([
      ['__proto__', 1],
      ['constructor', 2]
    ])
  })

  test('bytes that are read are a copy', () => {
    const codec = codecOf('bytes')
    const bytes = codec.encode(new Uint8Array([1]))
    const read = codec.decode(bytes) as Uint8Array
    bytes.fill(9)
    expect(read).toEqual(new Uint8Array([1]))
    expect(Buffer.isBuffer(read)).toBe(false)
  })

  test('an encoding inside an encoding, through a getter, leaves both whole', () => {
    const codec = codecOf(record({ name: 'a', type: 'string' }, { name: 'b', type: 'string' }))
    const value = {
      a: 'outer',
      get b() {
        return codec.encode({ a: 'inner', b: 'x'.repeat(5000) }).length.toString()
      }
    }
    expect(codec.decode(codec.encode(value))).toEqual({ a: 'outer', b: '5008' })
  })
})

describe('what does not fit is refused with its path, and is not of the type', () => {
  const self: { next: unknown } = { next: null }
  self.next = self
  test.each<[string, unknown, unknown, string]>([
    [
      'a text for an int',
      record({ name: 'items', type: { type: 'array', items: 'int' } }),
      { items: [1, '2'] },
      'items[1]: expected int, got "2"'
    ],
    ['an int of 33 bits', 'int', 2 ** 31, ': expected int, got 2147483648'],
    ['NaN for an int', 'int', Number.NaN, ': expected int, got NaN'],
    ['an unsafe number for a long', 'long', 2 ** 53, ': expected long, got 9007199254740992'],
    ['a bigint of 65 bits', 'long', 2n ** 63n, ': expected long, which has 64 bits, got 9223372036854775808n'],
    [
      'an inherited name for a symbol',
      { type: 'enum', name: 'E', symbols: ['A'] },
      'toString',
      ': expected a symbol of E (A), got "toString"'
    ],
    [
      'an inherited method for a field',
      record({ name: 'toString', type: 'string' }),
      {},
      'toString: expected string, got nothing'
    ],
    [
      'half a surrogate pair',
      { type: 'map', values: 'string' },
      { a: '\ud800' },
      'a: the text holds half of a surrogate pair, which UTF-8 cannot'
    ],
    [
      'a fixed of the wrong length',
      { type: 'fixed', name: 'F', size: 2 },
      new Uint8Array(3),
      ': expected a Uint8Array of 2 bytes, got 3 bytes'
    ],
    ['undefined for a nullable', record({ name: 'a', type: ['null', 'int'] }), {}, 'a: expected one of null, int, got nothing'],
    ['a union without a branch for it', ['null', 'int', 'string'], true, ': expected one of null, int, string, got true'],
    [
      'a tag that is no branch',
      [card, cash],
      { $type: 'Card' },
      ': expected one of shop.Card, shop.Cash, records with their $type, got $type "Card"'
    ],
    ['a box with the wrong content', ['int', 'long'], { $type: 'int', value: 1n }, 'value: expected int, got 1n'],
    ['a hole in an array', { type: 'array', items: 'int' }, new Array(1), '[0]: expected int, got nothing'],
    ['a Map for a record', node, new Map(), ': expected an object with the fields of R, got a Map'],
    ['a Date for a map', { type: 'map', values: 'int' }, new Date(), ': expected an object as a map, got a Date'],
    ['a decimal of another scale', money, new Decimal(1n, 1), ': expected a Decimal of scale 2, got one of scale 1'],
    ['a decimal with too many digits', money, new Decimal(1234567n, 2), ': expected a Decimal of at most 6 digits, got 12345.67'],
    [
      'a decimal too large for its fixed',
      { ...money, type: 'fixed', name: 'F', size: 3 },
      new Decimal(2n ** 23n, 2),
      ': expected a Decimal of at most 6 digits, got 83886.08'
    ],
    ['a text that is no number', money, '1e3', ': "1e3" is no decimal number'],
    ['a text that would be rounded', money, '0.001', ': "0.001" has more digits behind the point than the scale of 2'],
    ['a text that is no UUID', logical('string', 'uuid'), 'x', ': expected a UUID, got "x"'],
    ['a Date that is none', logical('long', 'timestamp-millis'), new Date(0), ': expected a Temporal.Instant, got a Date'],
    ['a value that contains itself', node, self, `${'next.'.repeat(63)}next: records are nested deeper than 64`],
    [
      'a thousand and one nulls',
      { type: 'array', items: 'null' },
      new Array(1001).fill(null),
      ': more than 1000 items that take no bytes'
    ]
  ])('%s', (_name, schema, value, says) => {
    const codec = codecOf(schema)
    expect(refusal(() => codec.encode(value))).toBe(says)
    expect(codec.is(value)).toBe(false)
  })

  test('a value is only of the type when it is complete and has the chosen types', () => {
    expect(codecOf(node).is({})).toBe(false)
    expect(codecOf('long').is(1)).toBe(false)
    expect(codecOf('long', { long: 'number' }).is(1n)).toBe(false)
    expect(codecOf(logical('long', 'timestamp-micros'), { time: 'raw' }).is(1)).toBe(false)
    expect(codecOf({ type: 'map', values: 'int' }).is(new Map())).toBe(false)
  })
})

describe('bytes that a program cannot hold are refused with their path', () => {
  const old = { type: 'enum', name: 'E', symbols: ['A', 'B'] }
  test.each<[string, unknown, unknown, CodecOptions, string, string]>([
    ['cut short', record({ name: 'a', type: 'double' }), undefined, {}, '00', 'a: expected double, 1 byte left'],
    ['left over', 'int', undefined, {}, '0202', ': 1 byte left over behind the int'],
    [
      'a long beyond 2^53 as a number',
      { type: 'array', items: 'long' },
      undefined,
      { long: 'number' },
      '0280808080808080 2000',
      '[0]: 9007199254740992 is beyond 2^53 and is no exact number; read longs as bigint'
    ],
    [
      'a date beyond Temporal',
      record({ name: 'd', type: logical('int', 'date') }),
      undefined,
      {},
      'feffffff0f',
      'd: is beyond the years that Temporal holds; read times as raw'
    ],
    [
      'a symbol that the reader lacks',
      { type: 'map', values: old },
      { type: 'map', values: { ...old, symbols: ['A'] } },
      {},
      '02026b0200',
      "k: B is no symbol of the reader's E, which has no default"
    ],
    [
      'a branch that the reader lacks',
      record({ name: 'u', type: ['null', 'string'] }),
      record({ name: 'u', type: ['null', 'int'] }),
      {},
      '020261',
      "u: was written as string, which is no branch of the reader's [null, int]"
    ],
    [
      'a field without a default',
      record(),
      record({ name: 'a', type: 'int' }),
      {},
      '',
      "a: is not in the writer's R and has no default in the reader's"
    ],
    ['bytes that are no text', 'bytes', 'string', {}, '02ff', ': the bytes are not UTF-8, so they cannot be read as a string'],
    [
      'milliseconds as microseconds',
      logical('long', 'timestamp-millis'),
      logical('long', 'timestamp-micros'),
      {},
      '02',
      ': was written as timestamp-millis and cannot be read as timestamp-micros'
    ],
    [
      'a decimal of another scale',
      money,
      { ...money, scale: 3 },
      {},
      '0201',
      ': was written as a decimal of scale 2 and cannot be read with scale 3'
    ]
  ])('%s', (_name, writer, reader, options, hex, says) => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    expect(refusal(() => codecOf(reader ?? writer, options).decode(bytes, parse(writer)))).toBe(says)
  })
})

describe('resolution', () => {
  const read = (writer: unknown, reader: unknown, value: unknown): unknown =>
    codecOf(reader).decode(codecOf(writer).encode(value), parse(writer))
  test.each<[string, unknown, unknown, unknown, unknown]>([
    [
      'a field by its alias',
      record({ name: 'a', type: 'int' }),
      record({ name: 'b', aliases: ['a'], type: 'int' }),
      { a: 1 },
      { b: 1 }
    ],
    [
      'a name before an alias',
      record({ name: 'a', type: 'int' }),
      record({ name: 'b', aliases: ['a'], type: 'int', default: 5 }, { name: 'a', type: 'int' }),
      { a: 1 },
      { b: 5, a: 1 }
    ],
    ['a record of another namespace', { ...card, name: 'old.Card' }, card, { last4: 'x' }, { last4: 'x' }],
    [
      'a record by its alias in a union',
      ['null', { ...cash, name: 'old.Coins' }],
      ['null', { ...cash, aliases: ['old.Coins'] }, card],
      {},
      { $type: 'shop.Cash' }
    ],
    ['a value as a branch', 'int', ['null', 'string', 'long'], 1, 1n],
    ['the same kind before a promotion', 'bytes', ['null', 'string', 'bytes'], new Uint8Array([1]), new Uint8Array([1])],
    ['a branch as a value', ['int', 'string'], 'string', 'x', 'x'],
    ['an int as a double', 'int', 'double', 3, 3],
    ['a long as a float, rounded', 'long', 'float', 2n ** 60n + 1n, 2 ** 60],
    ['a text as bytes', 'string', 'bytes', 'é', new Uint8Array([0xc3, 0xa9])],
    [
      'an unknown symbol by the default',
      { type: 'enum', name: 'E', symbols: ['A', 'B'] },
      { type: 'enum', name: 'E', symbols: ['X', 'A'], default: 'X' },
      'B',
      'X'
    ],
    [
      'fields that are passed over',
      record(
        { name: 'x', type: { type: 'map', values: ['null', card, { type: 'array', items: 'double' }] } },
        { name: 'a', type: 'int' }
      ),
      record({ name: 'a', type: 'int' }),
      { x: { p: null, q: { last4: 'y' }, r: [1, 2] }, a: 7 },
      { a: 7 }
    ],
    [
      'defaults of every kind',
      record(),
      record(
        { name: 'u', type: ['string', 'null'], default: 'd' },
        { name: 'r', type: card, default: { last4: 'z' } },
        { name: 'm', type: { type: 'map', values: 'long' }, default: { a: 9007199254740991 } },
        { name: '__proto__', type: 'float', default: 'NaN' }
      ),
      {},
      { u: 'd', r: { last4: 'z' }, m: { a: 9007199254740991n }, ['__proto__']: Number.NaN }
    ]
  ])('%s', (_name, writer, reader, value, expected) => {
    expect(read(writer, reader, value)).toEqual(expected)
  })

  test('blocks with their size are passed over and read', () => {
    const writer = record({ name: 'x', type: { type: 'array', items: 'int' } }, { name: 'a', type: 'int' })
    const bytes = Buffer.from('0304020400 02'.replace(' ', ''), 'hex')
    expect(codecOf(writer).decode(bytes)).toEqual({ x: [1, 2], a: 1 })
    expect(codecOf(record({ name: 'a', type: 'int' })).decode(bytes, parse(writer))).toEqual({ a: 1 })
  })
})

test('the shape of a union', () => {
  const shapes: [unknown[], string][] = [
    [['null', 'string'], 'plain'],
    [['null', 'string', 'int', 'boolean', 'bytes', { type: 'array', items: 'int' }, card], 'plain'],
    [[card, cash], 'tagged'],
    [['null', card, cash, 'string'], 'tagged'],
    [['int', 'long'], 'boxed'],
    [[card, { type: 'map', values: 'int' }], 'boxed'],
    [[card, cash, { type: 'map', values: 'int' }], 'boxed'],
    [['string', { type: 'enum', name: 'E', symbols: ['A'] }], 'boxed'],
    [['bytes', { type: 'fixed', name: 'F', size: 1 }], 'boxed'],
    [[card, money], 'boxed'],
    [[card, logical('long', 'timestamp-millis')], 'boxed'],
    [['string', logical('int', 'date')], 'plain'],
    [['string', { ...logical('fixed', 'uuid'), name: 'U', size: 16 }], 'boxed']
  ]
  for (const [branches, shape] of shapes) expect(unionShape(parse(branches) as UnionSchema), JSON.stringify(branches)).toBe(shape)
})

test('what avsc writes comes back to the same bytes through the values of a program', () => {
  const random = randomFrom(seed)
  for (let round = 0; round < 300; round++) {
    const schema = randomSchema(random, { next: 0 })
    const type = avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: true, logicalTypes: {} })
    const codec = codecOf(schema, { long: pick(random, ['bigint', 'number'] as const) })
    for (let each = 0; each < 4; each++) {
      const bytes = type.toBuffer(randomValue(schema, random))
      const value = codec.decode(bytes)
      const says = `round ${round}.${each}: ${JSON.stringify(schema)}`
      expect(codec.is(value), says).toBe(true)
      expect(codec.encode(value).toString('hex'), says).toBe(bytes.toString('hex'))
    }
  }
})
