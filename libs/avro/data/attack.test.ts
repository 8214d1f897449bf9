/** Schemas and bytes made to harm: each must be answered quickly, in little memory, and without running anything of what they say. */
import { describe, expect, test } from 'vitest'
import { parseSchema } from '../parse.ts'
import type { Field, Json, RecordSchema, Schema } from '../schema.ts'
import { decodeJson, encodeJson } from './json-encoding.ts'
import { compileCodec } from './typed.ts'
import { compileValidator } from './validate.ts'

const parse = (schema: unknown): Schema => parseSchema(JSON.stringify(schema))
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const faultOf = (schema: Schema, bytes: Buffer) => compileValidator(schema)(bytes, 0, bytes.length)
const array = (items: unknown): object => ({ type: 'array', items })

/** Generous, for machines that do other work at the same time: what these tests guard against takes many seconds, or for ever. */
const QUICK_MS = 2_000

function quickly<T>(act: () => T): T {
  const start = performance.now()
  try {
    return act()
  } finally {
    expect(performance.now() - start).toBeLessThan(QUICK_MS)
  }
}

/** Records of records, each twice in the next: 2^levels leaves. */
function doubling(levels: number, leaf: unknown, defaults = false): object {
  let type: unknown = leaf
  for (let level = 0; level < levels; level++) {
    const more = defaults ? { default: level === 0 ? 0 : {} } : {}
    const again = typeof type === 'object' && type !== null && 'name' in type ? type.name : type
    const fields = [
      { name: 'a', type, ...more },
      { name: 'b', type: again, ...more }
    ]
    type = { type: 'record', name: `R${level}`, fields }
  }
  return type as object
}

describe('bytes', () => {
  const deep = { type: 'record', name: 'N', fields: [{ name: 'next', type: ['null', 'N'] }] }
  const tree = { type: 'record', name: 'T', fields: [{ name: 'kids', type: array('T') }] }
  test.each<[string, unknown, Buffer, RegExp]>([
    ['an array of a billion ints that are not there', array('int'), hex('80a8d6b907'), /1000000000 items, 0 bytes left/],
    ['a billion nulls', array('null'), hex('80a8d6b90700'), /take no bytes/],
    ['a billion empty records', array({ type: 'record', name: 'E', fields: [] }), hex('80a8d6b90700'), /take no bytes/],
    [
      'many arrays of a thousand nulls',
      array(array('null')),
      hex(`06 ${'d00f00'.repeat(3)} 00`),
      /2000 items that take no bytes/
    ],
    ['two blocks of a thousand nulls', array('null'), hex('d00f d00f 00'), /2000 items that take no bytes/],
    ['a record that unfolds to 2^60 nulls', doubling(60, 'null'), hex(''), /more than 1000 values that take no bytes/],
    ['2^60 booleans', doubling(60, 'boolean'), hex('00'.repeat(1000)), /expected boolean, 0 bytes left/],
    ['a map of a billion', { type: 'map', values: 'int' }, hex('80a8d6b907'), /1000000000 items/],
    ['a negative count of a billion', array('int'), hex('ffa7d6b90700'), /1000000000 items/],
    ['a block of a huge size', array('int'), hex('01 feffffffffffffff7f'), /beyond 2\^53|a block of/],
    ['the least of all counts', array('int'), hex('ffffffffffffffffff01'), /beyond 2\^53/],
    ['a string of the greatest length', 'string', hex('feffffffffffffffff01'), /beyond 2\^53/],
    ['20,000 records inside each other', deep, Buffer.alloc(20_001, 2), /nested deeper than 64/],
    ['20,000 arrays of records inside each other', tree, Buffer.alloc(20_001, 2), /nested deeper than 64/],
    ['a thousand continuation bytes', 'long', Buffer.alloc(1000, 0x80), /expected long/],
    ['a megabyte of bad text', 'string', Buffer.concat([hex('80808001'), Buffer.alloc(1 << 20, 0xff)]), /not UTF-8/],
    ['a fixed of 2 GiB', { type: 'fixed', name: 'F', size: 2 ** 31 - 9 }, hex('00'), /1 byte left/]
  ])('%s', (_name, schema, bytes, reason) => {
    const parsed = parse(schema)
    expect(quickly(() => faultOf(parsed, bytes))?.reason).toMatch(reason)
    expect(quickly(() => refusalOf(() => decodeJson(parsed, bytes)))).toMatch(reason)
    expect(quickly(() => refusalOf(() => compileCodec(parsed).decode(bytes)))).toMatch(reason)
  })

  test('what takes no bytes is counted over the whole value, and again for the next', () => {
    const validate = compileValidator(parse(array(array('null'))))
    const bytes = hex('02 d00f00 00')
    expect(validate(bytes, 0, bytes.length)).toBeUndefined()
    expect(validate(bytes, 0, bytes.length)).toBeUndefined()
  })

  test('a map key __proto__ hides nothing', () => {
    const parsed = parse({ type: 'map', values: 'string' })
    const bytes = hex('02 12 5f5f70726f746f5f5f 06 626164 00')
    expect(JSON.stringify(decodeJson(parsed, bytes))).toBe('{"__proto__":"bad"}')
    expect(encodeJson(parsed, JSON.parse('{"__proto__":"bad"}'))).toEqual(bytes)
  })
})

function refusalOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'not refused'
}

describe('schemas', () => {
  test('defaults that unfold without an end of their own are refused, at their place', () => {
    const reader = parse({
      type: 'record',
      name: 'R',
      fields: [{ name: 'x', type: doubling(40, 'int', true), default: {} }]
    })
    const writer = parse({ type: 'record', name: 'R', fields: [] })
    const says = /x: the default holds more than 100000 values/
    expect(quickly(() => refusalOf(() => decodeJson(writer, hex(''), reader)))).toMatch(says)
    expect(quickly(() => refusalOf(() => encodeJson(reader, {})))).toMatch(says)
    expect(quickly(() => refusalOf(() => compileCodec(reader).encode({})))).toMatch(/the default holds more than 100000 values/)
  })

  test('a few bytes do not fill in millions of defaults', () => {
    const items = { type: 'record', name: 'I', fields: [{ name: 'a', type: 'int' }] }
    const long = Array.from({ length: 5000 }, (_, index) => index)
    const wide = { ...items, fields: [...items.fields, { name: 'list', type: array('int'), default: long }] }
    const bytes = Buffer.concat([hex('d00f'), Buffer.alloc(1000, 2), hex('00')])
    expect(refusalOf(() => decodeJson(parse(array(items)), bytes, parse(array(wide))))).toMatch(
      /more than 2000000 values would be filled in/
    )
  })

  test('unions of 500 records are resolved, compiled and used', () => {
    const records = Array.from({ length: 500 }, (_, index) => ({
      type: 'record',
      name: `R${index}`,
      fields: [{ name: `f${index}`, type: 'int' }]
    }))
    const [writer, reader] = [parse(records), parse([...records].reverse())]
    const bytes = hex('e607 0e')
    expect(faultOf(writer, bytes)).toBeUndefined()
    expect(quickly(() => decodeJson(writer, bytes, reader))).toEqual({ R499: { f499: 7 } })
    expect(quickly(() => encodeJson(reader, { f499: 7 })).toString('hex')).toBe('000e')
    expect(quickly(() => compileCodec(reader).encode({ $type: 'R499', f499: 7 })).toString('hex')).toBe('000e')
  })

  test('a record of 1,000 fields, an enum of 10,000 symbols and 5,000 types are compiled and used', () => {
    const symbols = Array.from({ length: 10_000 }, (_, index) => `S${index}`)
    const large = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'e', type: { type: 'enum', name: 'E', symbols } },
        ...Array.from({ length: 999 }, (_, index) => ({
          name: `f${index}`,
          type: ['null', { type: 'map', values: array('string') }],
          default: null
        }))
      ]
    }
    const many = Array.from({ length: 4_900 }, (_, index) => ({
      type: 'record',
      name: `T${index}`,
      fields: [{ name: 'a', type: ['null', 'int'] }]
    }))
    const groups = Array.from({ length: 10 }, (_, group) => ({
      name: `g${group}`,
      type: many.slice(group * 490, group * 490 + 490)
    }))
    for (const schema of [parse(large), parse({ type: 'record', name: 'Many', fields: groups })]) {
      const zeros = Buffer.alloc(schema === undefined ? 0 : (schema as RecordSchema).name === 'R' ? 1000 : 20)
      expect(quickly(() => faultOf(schema, zeros))).toBeUndefined()
      expect(quickly(() => encodeJson(schema, decodeJson(schema, zeros)))).toEqual(zeros)
      const codec = compileCodec(schema)
      expect(quickly(() => codec.encode(codec.decode(zeros)))).toEqual(zeros)
    }
  })

  test('arrays inside arrays, as deep as a schema may be', () => {
    let schema: unknown = 'int'
    for (let depth = 0; depth < 60; depth++) schema = array(schema)
    const bytes = hex(`${'02'.repeat(60)} 02 ${'00'.repeat(60)}`)
    const codec = compileCodec(parse(schema))
    expect(codec.encode(codec.decode(bytes))).toEqual(bytes)
  })
})

describe('text never becomes code', () => {
  const canary = globalThis as { assayCanary?: boolean }
  const set = 'globalThis.assayCanary = true'
  const evil = [
    `"]; ${set}; //`,
    `'; ${set}; '`,
    `\`\${${set}}\``,
    `\n${set}\n`,
    `\u2028${set}\u2029`,
    `*/ ${set} /*`,
    `\\"; ${set}; //`,
    '__proto__',
    'constructor'
  ]
  const properties: ReadonlyMap<string, Json> = new Map(evil.map(text => [text, text]))
  const int: Schema = { kind: 'int', properties }
  const field = (name: string, type: Schema, value?: Json): Field => ({
    name,
    aliases: evil,
    doc: name,
    type,
    order: 'ascending',
    properties,
    ...(value === undefined ? {} : { default: value })
  })
  /** No parser would let these names through: the code must be safe without one. */
  const hostile: RecordSchema = {
    kind: 'record',
    name: evil[0]!,
    aliases: evil,
    isError: false,
    properties,
    fields: [
      ...evil.map(name => field(name, int)),
      field('enum', { kind: 'enum', name: evil[1]!, aliases: [], symbols: evil, properties }),
      field('fixed', { kind: 'fixed', name: evil[2]!, aliases: [], size: 1, properties }),
      field('one', {
        kind: 'union',
        branches: [
          { kind: 'record', name: evil[3]!, aliases: [], isError: false, fields: [field(evil[4]!, int)], properties },
          { kind: 'record', name: evil[5]!, aliases: [], isError: false, fields: [], properties }
        ]
      }),
      field('map', { kind: 'map', values: int, properties }),
      field(`${evil[0]} default`, { kind: 'string', properties }, evil[1]!)
    ]
  }

  test('of a schema whose every name is an attack', () => {
    const bytes = Buffer.concat([
      Buffer.alloc(evil.length, 4),
      hex('02 61 00 06 02'),
      Buffer.from([evil[1]!.length * 2]),
      Buffer.from(evil[1]!),
      hex('02 00 0261')
    ])
    expect(faultOf(hostile, bytes)).toBeUndefined()
    expect(faultOf(hostile, bytes.subarray(0, 4))?.path).toContain('assayCanary')
    const json = JSON.parse(JSON.stringify(decodeJson(hostile, bytes)))
    expect(encodeJson(hostile, json)).toEqual(bytes)
    const codec = compileCodec<Record<string, unknown>>(hostile)
    const value = codec.decode(bytes)
    expect(Object.keys(value)).toEqual(hostile.fields.map(({ name }) => name))
    expect(codec.is(value)).toBe(true)
    expect(codec.encode(value)).toEqual(bytes)
    const less: RecordSchema = { ...hostile, fields: hostile.fields.slice(0, -1) }
    expect(codec.decode(bytes.subarray(0, -2), less)[`${evil[0]} default`]).toBe(evil[1])
    for (const wrong of evil) {
      expect(refusalOf(() => codec.encode({ ...value, [wrong]: wrong }))).toMatch(/expected/)
      expect(refusalOf(() => encodeJson(hostile, { ...json, [wrong]: wrong }))).toMatch(/expected/)
    }
    expect(canary.assayCanary).toBeUndefined()
  })
})
