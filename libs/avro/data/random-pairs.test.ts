import avsc from 'avsc'
import { expect, test } from 'vitest'
import { compatibility } from '../compatibility.ts'
import { parseSchema } from '../parse.ts'
import { branchName } from '../schema.ts'
import { compileDecoder, type Mapping } from './decoder-code.ts'
import { DecodeFault } from './faults.ts'
import { decodeJson, encodeJson } from './json-encoding.ts'
import {
  type Names,
  type PlainSchema,
  pick,
  type Random,
  randomFrom,
  randomRecord,
  randomSchema,
  randomValue
} from './test/random-data.ts'
import { compileCodec } from './typed.ts'
import type { CodecOptions } from './typed-form.ts'
import { compileValidator } from './validate.ts'

const seed = Number(process.env['ASSAY_SEED'] ?? 20261123)
console.log(`seed ${seed}`)

const oracleOf = (schema: PlainSchema): avsc.Type =>
  avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: true, logicalTypes: {} })

/** Values as avsc makes them: every branch of a union that is not null is wrapped. */
const wrapped: Mapping = {
  scalar: () => undefined,
  branch: (union, index) => {
    const branch = union.branches[index]!
    return branch.kind === 'null' ? undefined : value => ({ [branchName(branch)]: value })
  }
}

/** Comparable: byte arrays of both kinds alike, prototypes away, -0 and 0 apart. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

test('what avsc writes is valid, is decoded to the same values, and as JSON comes back to the same bytes', () => {
  const random = randomFrom(seed)
  for (let round = 0; round < 200; round++) {
    const schema = randomSchema(random, { next: 0 })
    const [type, parsed] = [oracleOf(schema), parseSchema(JSON.stringify(schema))]
    const validator = compileValidator(parsed)
    const decode = compileDecoder(parsed, parsed, wrapped)
    for (let each = 0; each < 5; each++) {
      const bytes = type.toBuffer(randomValue(schema, random))
      const says = `round ${round}.${each}: ${JSON.stringify(schema)} ${bytes.toString('hex')}`
      expect(validator(bytes, 0, bytes.length), says).toBeUndefined()
      expect(plain(decode(bytes)), says).toEqual(plain(type.fromBuffer(bytes)))
      const json = JSON.stringify(decodeJson(parsed, bytes))
      expect(encodeJson(parsed, JSON.parse(json)).toString('hex'), `${says} ${json}`).toBe(bytes.toString('hex'))
    }
  }
})

const logicalTypes: Readonly<Record<string, readonly object[]>> = {
  int: [{ logicalType: 'date' }, { logicalType: 'time-millis' }],
  long: [
    'time-micros',
    'timestamp-millis',
    'timestamp-micros',
    'timestamp-nanos',
    'local-timestamp-millis',
    'local-timestamp-micros',
    'local-timestamp-nanos'
  ].map(logicalType => ({ logicalType })),
  bytes: [{ logicalType: 'decimal', precision: 30, scale: 3 }, { logicalType: 'big-decimal' }],
  string: [{ logicalType: 'uuid' }]
}

/** The same schema with logical types here and there. */
function meaningful(schema: PlainSchema, random: Random): PlainSchema {
  if (typeof schema === 'string') {
    const meanings = logicalTypes[schema]
    return meanings === undefined || random(2) === 0 ? schema : { type: schema, ...pick(random, meanings) }
  }
  if (Array.isArray(schema)) return schema.map(branch => meaningful(branch, random))
  return {
    ...schema,
    ...(schema.items === undefined ? {} : { items: meaningful(schema.items, random) }),
    ...(schema.values === undefined ? {} : { values: meaningful(schema.values, random) }),
    ...(schema.fields === undefined
      ? {}
      : { fields: schema.fields.map(field => ({ ...field, type: meaningful(field.type, random) })) })
  }
}

test('bytes that are no sense as a logical type come back the same from JSON', () => {
  const random = randomFrom(seed + 2)
  for (let round = 0; round < 200; round++) {
    const schema = randomSchema(random, { next: 0 })
    const type = oracleOf(schema)
    const parsed = parseSchema(JSON.stringify(meaningful(schema, random)))
    for (let each = 0; each < 5; each++) {
      const bytes = type.toBuffer(randomValue(schema, random))
      const json = JSON.stringify(decodeJson(parsed, bytes))
      expect(encodeJson(parsed, JSON.parse(json)).toString('hex'), `round ${round}.${each}: ${json}`).toBe(bytes.toString('hex'))
    }
  }
})

test.each<CodecOptions>([{}, { long: 'number', time: 'raw' }, { time: 'date' }, { time: 'raw' }])(
  'a codec with %j writes what it has read as the same bytes',
  options => {
    const random = randomFrom(seed + 3)
    let read = 0
    for (let round = 0; round < 120; round++) {
      const schema = randomSchema(random, { next: 0 })
      const type = oracleOf(schema)
      const codec = compileCodec(parseSchema(JSON.stringify(meaningful(schema, random))), options)
      const plainCodec = compileCodec(parseSchema(JSON.stringify(schema)), options)
      for (let each = 0; each < 4; each++) {
        const bytes = type.toBuffer(randomValue(schema, random))
        const says = `round ${round}.${each}: ${JSON.stringify(schema)} ${bytes.toString('hex')}`
        const value = plainCodec.decode(bytes)
        expect(plainCodec.encode(value).toString('hex'), says).toBe(bytes.toString('hex'))
        expect(plainCodec.is(value), says).toBe(true)
        let meant: unknown
        try {
          meant = codec.decode(bytes)
        } catch (error) {
          // Random longs may be beyond the years of a Date, random bytes no big-decimal.
          expect(error, says).toBeInstanceOf(DecodeFault)
          continue
        }
        read++
        if (codec.is(meant)) expect(codec.decode(codec.encode(meant)), says).toEqual(meant)
      }
    }
    expect(read).toBeGreaterThan(150)
  }
)

const promoted: Readonly<Record<string, readonly string[]>> = {
  int: ['int', 'long', 'double'],
  long: ['long', 'double'],
  float: ['float', 'double'],
  string: ['string', 'bytes']
}

/** A schema that can read what `schema` wrote: wider types, other fields, more symbols, unions around. */
function evolved(schema: PlainSchema, random: Random, names: Names): PlainSchema {
  if (typeof schema === 'string') {
    const wider = pick(random, promoted[schema] ?? [schema])
    return random(6) === 0 && schema !== 'null' && /^[a-z]/.test(schema) ? ['null', wider] : wider
  }
  if (Array.isArray(schema)) {
    // Names may have been used before; a second definition would be refused.
    return random(3) === 0 ? schema.toReversed() : schema
  }
  switch (schema.type) {
    case 'array':
      return { ...schema, items: evolved(schema.items!, random, names) }
    case 'map':
      return { ...schema, values: evolved(schema['values'] as PlainSchema, random, names) }
    case 'enum':
      return random(2) === 0
        ? { ...schema, symbols: ['NEW', ...schema.symbols!] }
        : { ...schema, symbols: ['ONLY'], default: 'ONLY' }
    case 'record': {
      const kept = schema.fields!.filter(({ name }) => name === 'next' || random(4) > 0)
      const fields = kept.map(field => {
        const type = field.name === 'next' ? field.type : evolved(field.type, random, names)
        return random(4) === 0 ? { name: `new_${field.name}`, aliases: [field.name], type } : { ...field, type }
      })
      const added = [
        { name: 'added', type: 'int', default: 7 },
        { name: 'tags', type: { type: 'map', values: { type: 'array', items: 'string' } }, default: { a: ['b'] } },
        { name: 'maybe', type: ['null', 'string'], default: null }
      ].filter(() => random(3) === 0)
      return { ...schema, fields: [...fields, ...added].sort(() => random(3) - 1) }
    }
    default:
      return schema
  }
}

test('what one schema wrote is read with another as avsc reads it', () => {
  const random = randomFrom(seed + 1)
  let compared = 0
  for (let round = 0; round < 200; round++) {
    const names = { next: 0, apart: true }
    const schema = randomRecord(random, names)
    const reader = evolved(schema, random, names)
    const [parsed, parsedReader] = [schema, reader].map(each => parseSchema(JSON.stringify(each)))
    if (compatibility(parsedReader!, parsed!).length > 0) continue
    const [type, readerType] = [oracleOf(schema), oracleOf(reader)]
    const resolver = readerType.createResolver(type)
    const decode = compileDecoder(parsed!, parsedReader!, wrapped)
    for (let each = 0; each < 4; each++) {
      const bytes = type.toBuffer(randomValue(schema, random))
      const says = `round ${round}.${each}: ${JSON.stringify(schema)} read as ${JSON.stringify(reader)} ${bytes.toString('hex')}`
      expect(plain(decode(bytes)), says).toEqual(plain(readerType.fromBuffer(bytes, resolver)))
      expect(() => decodeJson(parsed!, bytes, parsedReader), says).not.toThrow()
      compared++
    }
  }
  expect(compared).toBeGreaterThan(400)
})
