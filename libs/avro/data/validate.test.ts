import avsc from 'avsc'
import { describe, expect, test } from 'vitest'
import { parseSchema } from '../parse.ts'
import { explain } from './explain.ts'
import { compileValidator } from './validate.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? 20261123)
console.log(`seed ${seed}`)

const record = (...fields: unknown[]): object => ({ type: 'record', name: 'R', fields })
const validate = (schema: unknown, hex: string) => {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  return compileValidator(parseSchema(JSON.stringify(schema)))(bytes, 0, bytes.length)
}

describe('accepted', () => {
  test.each<[string, unknown, string]>([
    ['null', 'null', ''],
    ['true', 'boolean', '01'],
    ['largest int', 'int', 'fe ff ff ff 0f'],
    ['smallest int', 'int', 'ff ff ff ff 0f'],
    ['largest long', 'long', 'fe ff ff ff ff ff ff ff ff 01'],
    ['empty string', 'string', '00'],
    ['text beyond ASCII', 'string', '06 e2 82 ac'],
    ['empty array', { type: 'array', items: 'int' }, '00'],
    ['array in two blocks', { type: 'array', items: 'int' }, '02 02 02 04 00'],
    ['array block with its size', { type: 'array', items: 'int' }, '03 04 02 04 00'],
    ['1,000 items that take no bytes', { type: 'array', items: 'null' }, 'd0 0f 00'],
    ['map with a key twice', { type: 'map', values: 'int' }, '04 02 61 02 02 61 04 00'],
    ['map key __proto__', { type: 'map', values: 'int' }, '02 12 5f5f70726f746f5f5f 02 00'],
    ['union branch', ['null', 'int'], '02 06'],
    ['recursive record', record({ name: 'next', type: ['null', 'R'] }), '02 02 00'],
    ['enum', { type: 'enum', name: 'E', symbols: ['toString', 'B'] }, '02']
  ])('%s', (_name, schema, hex) => {
    expect(validate(schema, hex)).toBeUndefined()
  })
})

describe('refused, with place and reason', () => {
  test.each<[string, unknown, string, string, RegExp]>([
    [
      'a truncated double',
      record({ name: 'a', type: 'int' }, { name: 'b', type: 'double' }),
      '02 000000',
      'b',
      /expected double, 3 bytes left/
    ],
    ['bytes left over', 'int', '02 02 02', '', /2 bytes left over/],
    ['a boolean of 2', 'boolean', '02', '', /got byte 2/],
    ['an int beyond 32 bits', 'int', 'fe ff ff ff 1f', '', /beyond 32 bits/],
    ['a long of eleven bytes', 'long', '8080808080808080808001', '', /varint of 11 bytes/],
    ['a long beyond 64 bits', 'long', 'ff ff ff ff ff ff ff ff ff 02', '', /beyond 64 bits/],
    ['a varint longer than needed', 'long', '82 00', '', /longer than it needs/],
    ['an endless varint', 'long', '8080', '', /expected long/],
    ['a count of a billion without items', { type: 'array', items: 'int' }, '80a8d6b907', '', /1000000000 items, 0 bytes left/],
    ['a billion items that take no bytes', { type: 'array', items: 'null' }, '80a8d6b907 00', '', /at most 1000/],
    ['a map count of a billion', { type: 'map', values: 'int' }, '80a8d6b907', '', /1000000000 items/],
    ['a huge string length', 'string', 'fe ff ff ff 0f 61', '', /expected string of 2147483647 bytes, 1 byte left/],
    ['a negative string length', 'string', '01', '', /length of -1/],
    ['a wrong block size', { type: 'array', items: 'int' }, '03 06 02 04 00', '', /block/],
    ['a negative block size', { type: 'array', items: 'int' }, '03 01 02 04 00', '', /block of -1/],
    ['a union index out of range', ['null', 'int'], '04', '', /union index 2 is outside 0..1/],
    ['a negative enum index', { type: 'enum', name: 'E', symbols: ['A'] }, '01', '', /enum index -1/],
    ['bad UTF-8', 'string', '02 ff', '', /not UTF-8/],
    ['a lone surrogate', 'string', '06 eda080', '', /not UTF-8/],
    ['an overlong slash', 'string', '04 c0af', '', /not UTF-8/],
    [
      'depth 65',
      record({ name: 'next', type: ['null', 'R'] }),
      `${'02'.repeat(65)}00`,
      `${'next.'.repeat(63)}next`,
      /nested deeper than 64/
    ],
    [
      'the fourth item of a list',
      record({
        name: 'items',
        type: { type: 'array', items: { type: 'record', name: 'I', fields: [{ name: 'price', type: 'double' }] } }
      }),
      `08 ${'0000000000000000'.repeat(3)} 000000`,
      'items[3].price',
      /expected double, 3 bytes left/
    ],
    ['a map value', { type: 'map', values: 'boolean' }, '02 02 61 05 00', 'a', /got byte 5/]
  ])('%s', (_name, schema, hex, path, reason) => {
    const fault = validate(schema, hex)
    expect(fault?.reason).toMatch(reason)
    expect(fault?.path).toBe(path)
  })

  test('a record that contains itself without an end has no values', () => {
    expect(validate(record({ name: 'self', type: 'R' }), '')?.reason).toMatch(/deeper than 64/)
  })
})

test('a view into a larger buffer is judged by its own bounds', () => {
  const validator = compileValidator(parseSchema('"string"'))
  const bytes = Buffer.from('ffff04616202', 'hex')
  expect(validator(bytes, 2, 5)).toBeUndefined()
  expect(validator(bytes, 2, 4)?.reason).toMatch(/1 byte left/)
})

test('text of the schema never becomes code', () => {
  const canary = globalThis as { assayCanary?: boolean }
  const evil = '"]; globalThis.assayCanary = true; //'
  const schema = {
    type: 'record',
    name: 'R',
    doc: evil,
    [evil]: evil,
    fields: [{ name: 'a', type: 'int', doc: evil, default: 1, [evil]: 1 }]
  }
  compileValidator(parseSchema(JSON.stringify(schema)))(Buffer.from('02', 'hex'), 0, 1)
  expect(canary.assayCanary).toBeUndefined()
})

test('accepts what avsc encodes; whatever it accepts of damaged bytes encodes back to the same bytes', () => {
  const schema = {
    type: 'record',
    name: 'Order',
    fields: [
      { name: 'id', type: 'long' },
      { name: 'name', type: 'string' },
      { name: 'paid', type: 'boolean' },
      { name: 'sum', type: 'double' },
      { name: 'tags', type: { type: 'array', items: 'string' } },
      { name: 'more', type: { type: 'map', values: ['null', 'int', 'string'] } },
      { name: 'state', type: { type: 'enum', name: 'State', symbols: ['A', 'B', 'C'] } },
      { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 4 } },
      { name: 'raw', type: 'bytes' },
      { name: 'next', type: ['null', 'Order'] }
    ]
  }
  const type = avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: true })
  const parsed = parseSchema(JSON.stringify(schema))
  const validator = compileValidator(parsed)
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  /** avsc draws values of a recursive type without a bound; now and then one is deeper than the stack. */
  const someValue = (): unknown => {
    for (;;) {
      try {
        return type.random()
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
      }
    }
  }
  let accepted = 0
  for (let round = 0; round < 400; round++) {
    const bytes = type.toBuffer(someValue())
    expect(validator(bytes, 0, bytes.length)).toBeUndefined()
    for (let flip = 0; flip < 8; flip++) {
      const damaged = Buffer.from(bytes.subarray(0, bytes.length - (random(4) === 0 ? random(3) : 0)))
      if (damaged.length > 0) damaged[random(damaged.length)] = random(256)
      const fault = validator(damaged, 0, damaged.length)
      expect(explain(parsed, damaged, 0, damaged.length) === undefined).toBe(fault === undefined)
      if (fault !== undefined) continue
      accepted++
      let value: unknown
      try {
        value = type.fromBuffer(damaged)
      } catch (error) {
        // avsc reads no long beyond 2^53, which is legal Avro.
        expect(String(error)).toMatch(/potential precision loss/)
        continue
      }
      // Map keys may stand twice and blocks be split, so only the length of what is read again is the same or shorter.
      expect(type.toBuffer(value).length).toBeLessThanOrEqual(damaged.length)
    }
  }
  expect(accepted).toBeGreaterThan(100)
})
