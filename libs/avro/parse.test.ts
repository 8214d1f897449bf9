import { AssayError } from '@assay/errors'
import { describe, expect, test } from 'vitest'
import { canonicalText } from './canonical.ts'
import { type ParseSchemaOptions, parseSchema } from './parse.ts'
import type { RecordSchema } from './schema.ts'

const record = (...fields: string[]): string => `{"type":"record","name":"R","fields":[${fields.join(',')}]}`
const colour = '{"type":"enum","name":"E","symbols":["A"]}'

function refusalOf(text: string, options?: ParseSchemaOptions): string {
  try {
    parseSchema(text, options)
  } catch (error) {
    if (error instanceof AssayError) {
      expect(error.code).toBe('INVALID_SCHEMA')
      return error.message
    }
    throw error
  }
  throw new Error(`accepted: ${text.slice(0, 200)}`)
}

describe('accepts what Java accepts', () => {
  test.each([
    ['a letter beyond ASCII in a name', '{"type":"record","name":"é","fields":[]}'],
    ['1 as the default of a float', record('{"name":"a","type":"float","default":1}')],
    ['a text as the default of a double', record('{"name":"a","type":"double","default":"NaN"}')],
    ['a default that is no symbol of the enum', record(`{"name":"a","type":${colour},"default":"Z"}`)],
    ['a fixed default of the wrong length', record('{"name":"a","type":{"type":"fixed","name":"F","size":4},"default":"Z"}')],
    ['a union default of a later branch', record('{"name":"a","type":["null","int"],"default":5}')],
    ['an empty union', '[]'],
    ['a fixed of size 0', '{"type":"fixed","name":"F","size":0}'],
    ['an enum without symbols', '{"type":"enum","name":"E","symbols":[]}'],
    ['a record directly in itself', record('{"name":"a","type":"R"}')],
    ['a name used before its definition', record('{"name":"a","type":"E"}', `{"name":"b","type":${colour}}`)],
    ['an equal second definition', record(`{"name":"a","type":${colour}}`, `{"name":"b","type":${colour}}`)],
    ['the largest long', record('{"name":"a","type":"long","default":9223372036854775807}')],
    ['comments', '/* why */ {"type": "int" /* here */}'],
    ['names that are keys of every object', record('{"name":"__proto__","type":"int"}', '{"name":"constructor","type":"int"}')],
    ['a default of a recursive record that ends', record('{"name":"next","type":["null","R"],"default":null}')]
  ])('%s', (_name, text) => {
    const schema = parseSchema(text)
    expect(canonicalText(parseSchema(canonicalText(schema)))).toBe(canonicalText(schema))
  })
})

describe('refuses what Java refuses, with place and mend', () => {
  test.each([
    ['a bare word', 'int', 'line 1, column 1: the text is not JSON'],
    ['text behind', '"int" x', 'line 1, column 7: the text is not JSON: text after the end'],
    [
      '1.0 for an int',
      record('\n{"name":"a","type":"int","default":1.0}'),
      '$.fields[0].default (line 2, column 36): the default of a: 1.0 is no int; write 1'
    ],
    ['2^31 for an int', record('{"name":"a","type":"int","default":2147483648}'), 'outside the range of int; make the type long'],
    ['2^63 for a long', record('{"name":"a","type":"long","default":9223372036854775808}'), 'outside the range of long'],
    ['null for an int', record('{"name":"a","type":"int","default":null}'), 'null is no int'],
    [
      'a default that fits no branch',
      record('{"name":"a","type":["null","int"],"default":"x"}'),
      '"x" fits no branch of the union [null, int]'
    ],
    [
      'a nested default',
      record('{"name":"a","type":{"type":"array","items":"int"},"default":[1,"x"]}'),
      '$.fields[0].default[1]'
    ],
    [
      'a default with a field missing',
      record('{"name":"a","type":{"type":"record","name":"S","fields":[{"name":"x","type":"int"}]},"default":{}}'),
      'the field x of S is missing and has no default'
    ],
    ['a default of the record being defined', record('{"name":"a","type":"R","default":{}}'), 'still being defined'],
    [
      'a text default for an enum defined later',
      record('{"name":"a","type":"E","default":"A"}', `{"name":"b","type":${colour}}`),
      'is no record'
    ],
    [
      'an enum default that is no symbol',
      '{"type":"enum","name":"E","symbols":["A"],"default":"Z"}',
      'is no symbol of E; add it'
    ],
    [
      'a symbol twice',
      '{"type":"enum","name":"E","symbols":["A","A"]}',
      '$.symbols[1] (line 1, column 42): the symbol A stands twice'
    ],
    ['a hyphen in a name', '{"type":"record","name":"a-b","fields":[]}', 'write "a_b"'],
    ['a digit first', '{"type":"record","name":"1a","fields":[]}', 'write "_1a"'],
    ['a hyphen in a namespace', '{"type":"record","name":"a-b.c","fields":[]}', 'the part "a-b" of the namespace'],
    ['an empty part of a namespace', '{"type":"record","name":"a..c","fields":[]}', 'is empty'],
    ['a letter beyond U+FFFF', '{"type":"record","name":"𝒜","fields":[]}', 'write "__"'],
    ['a name of a primitive', '{"type":"record","name":"int","fields":[]}', 'the name of a primitive type'],
    [
      'two arrays in a union',
      '[{"type":"array","items":"int"},{"type":"array","items":"long"}]',
      '$[1] (line 1, column 33): the union has two branches array'
    ],
    [
      'two equal names in a union, defined later',
      record('{"name":"a","type":["E","E"]}', `{"name":"b","type":${colour}}`),
      'two branches E'
    ],
    ['a union in a union', '[["int"]]', 'a union stands directly in a union'],
    ['a field twice', record('{"name":"a","type":"int"}', '{"name":"a","type":"int"}'), 'the field a stands twice in R'],
    [
      'another second definition',
      record(`{"name":"a","type":${colour}}`, '{"name":"b","type":{"type":"enum","name":"E","symbols":["B"]}}'),
      'E is defined a second time'
    ],
    [
      'an unknown name',
      record('{"name":"a","type":"Foo"}'),
      '$.fields[0].type (line 1, column 58): the type Foo is not defined; define it'
    ],
    ['a name in another namespace', '[{"type":"fixed","name":"x.F","size":1},"F"]', 'did you mean x.F?'],
    ['no type', '{"name":"x"}', 'has no "type"'],
    ['a type that is no text', '{"type":{"type":"int"}}', '"type" must be a text here'],
    ['a record without fields', '{"type":"record","name":"R"}', 'no array "fields"'],
    ['an unknown order', record('{"name":"a","type":"int","order":"up"}'), '"order" must be'],
    ['aliases that are no array', record('{"name":"a","type":"int","aliases":"b"}'), 'the aliases are no array'],
    ['a negative size', '{"type":"fixed","name":"F","size":-1}', 'outside 0..'],
    ['a size with a fraction', '{"type":"fixed","name":"F","size":1.0}', 'no whole number "size"'],
    [
      'an integer beyond 64 bits in a property of an array',
      '{"type":"array","items":"int","x":99999999999999999999}',
      'beyond 64 bits'
    ]
  ])('%s', (_name, text, reason) => {
    expect(refusalOf(text)).toContain(reason)
  })
})

describe('logical types', () => {
  test.each([
    ['{"type":"int","logicalType":"date"}', 'date'],
    ['{"type":"long","logicalType":"date"}', undefined],
    ['{"type":"string","logicalType":"uuid"}', 'uuid'],
    ['{"type":"string","logicalType":"uuid","avro.java.string":"String"}', undefined],
    ['{"type":"fixed","name":"F","size":12,"logicalType":"duration"}', 'duration'],
    ['{"type":"fixed","name":"F","size":11,"logicalType":"duration"}', undefined],
    ['{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}', 'decimal'],
    ['{"type":"bytes","logicalType":"decimal","precision":0}', undefined],
    ['{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}', undefined],
    ['{"type":"bytes","logicalType":"decimal","precision":2.0}', undefined],
    ['{"type":"fixed","name":"F","size":4,"logicalType":"decimal","precision":9}', 'decimal'],
    ['{"type":"fixed","name":"F","size":4,"logicalType":"decimal","precision":10}', undefined],
    ['{"type":"int","logicalType":"toString"}', undefined]
  ])('%s is %s', (text, name) => {
    const schema = parseSchema(text)
    expect('logicalType' in schema ? schema.logicalType?.name : undefined).toBe(name)
    expect(canonicalText(schema)).toContain('"logicalType"')
  })
})

describe('names that every object has', () => {
  const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype']

  test.each(keys)('%s is no type of its own', key => {
    for (const text of [`"${key}"`, `["null","${key}"]`, `{"type":"${key}"}`, record(`{"name":"a","type":"${key}"}`)]) {
      expect(refusalOf(text)).toContain(`the type ${key} is not defined`)
    }
  })

  test.each(keys)('%s is a name, a symbol, a key like others', key => {
    const symbols = `{"type":"enum","name":"x.${key}","symbols":["${key}"],"default":"${key}","${key}":{"${key}":1},"aliases":["y.${key}"]}`
    const text = `{"type":"record","name":"${key}","fields":[{"name":"${key}","type":${symbols},"default":"${key}"},{"name":"m","type":{"type":"map","values":"int"},"default":{"${key}":1}}]}`
    const schema = parseSchema(text) as RecordSchema
    expect(canonicalText(parseSchema(canonicalText(schema)))).toBe(canonicalText(schema))
    expect(schema.fields[1]!.default).toEqual(new Map([[key, { text: '1' }]]))
    expect(canonicalText(schema)).toContain(`"default":{"${key}":1}`)
    expect(canonicalText(schema)).toContain(`"${key}":{"${key}":1}`)
    expect(({} as Record<string, unknown>)['name']).toBeUndefined()
    const other = key === 'valueOf' ? 'toString' : 'valueOf'
    expect(refusalOf(text.replace(`"default":"${key}","${key}"`, `"default":"${other}","${key}"`))).toContain('is no symbol')
  })
})

test('references bring their named types, nested ones too', () => {
  const reference = parseSchema(
    '{"type":"record","name":"x.A","fields":[{"name":"e","type":{"type":"enum","name":"E","symbols":["S"]}}]}'
  )
  const schema = parseSchema('{"type":"record","name":"x.B","fields":[{"name":"a","type":"A"},{"name":"e","type":"x.E"}]}', {
    references: [reference]
  }) as RecordSchema
  expect(schema.fields[0]!.type).toBe(reference)
  expect(canonicalText(schema, [reference])).toBe(
    '{"type":"record","name":"B","namespace":"x","fields":[{"name":"a","type":"A"},{"name":"e","type":{"type":"enum","name":"E","symbols":["S"]}}]}'
  )
  expect(refusalOf('{"type":"fixed","name":"x.A","size":1}', { references: [reference] })).toContain('defined a second time')
})

test('without validateDefaults an old text with a wrong default is read', () => {
  const text = record('{"name":"a","type":"int","default":"x"}')
  expect(refusalOf(text)).toContain('is no int')
  expect(canonicalText(parseSchema(text, { validateDefaults: false }))).toBe(text)
})

describe('limits', () => {
  const many = (count: number, one: (index: number) => string): string =>
    Array.from({ length: count }, (_, i) => one(i)).join(',')
  test.each([
    ['text', `{"type":"int","x":"${'a'.repeat(1024 * 1024)}"}`, 'larger than 1048576 bytes'],
    ['depth', `${'{"type":"array","items":'.repeat(64)}"int"${'}'.repeat(64)}`, 'nested deeper than 64'],
    [
      'depth after names are replaced',
      `[${many(70, i => `{"type":"record","name":"R${i}","fields":[{"name":"n","type":${i === 69 ? '"int"' : `"R${i + 1}"`}}]}`)}]`,
      'when each name is replaced'
    ],
    [
      'names',
      `[${many(499, i => `{"type":"array","items":[${many(11, k => `{"type":"fixed","name":"F${i}_${k}","size":1}`)}]}`)}]`,
      'more than 5000 named types'
    ],
    ['fields', record(many(1001, i => `{"name":"f${i}","type":"int"}`)), 'has 1001 fields; the limit is 1000'],
    ['symbols', `{"type":"enum","name":"E","symbols":[${many(10_001, i => `"S${i}"`)}]}`, 'the limit is 10000'],
    ['branches', `[${many(501, i => `{"type":"fixed","name":"F${i}","size":1}`)}]`, 'the limit is 500'],
    ['depth of a value', `{"type":"int","x":${'['.repeat(65)}${']'.repeat(65)}}`, 'nested deeper than 64']
  ])('%s', (_name, text, reason) => {
    expect(refusalOf(text)).toContain(reason)
  })
})

describe('stays quick under attack', () => {
  const quick = (text: string): string => {
    const start = performance.now()
    let outcome = 'accepted'
    try {
      parseSchema(text)
    } catch (error) {
      if (!(error instanceof AssayError)) throw error
      outcome = error.message
    }
    expect(performance.now() - start).toBeLessThan(2_000)
    return outcome
  }

  test('defaults that fill in nested records do not multiply', () => {
    let type = '{"type":"record","name":"R0","fields":[{"name":"x","type":"int","default":1}]}'
    for (let i = 1; i <= 30; i++) {
      type = `{"type":"record","name":"R${i}","fields":[{"name":"a","type":${type},"default":{}},{"name":"b","type":"R${i - 1}","default":{}}]}`
    }
    expect(quick(type)).toBe('accepted')
  })

  test('a default that fits only deep inside many branches is decided once for each pair', () => {
    const union = `[${Array.from({ length: 40 }, (_, i) => `"R${i}"`).join(',')}]`
    const records = Array.from(
      { length: 40 },
      (_, i) => `{"type":"record","name":"R${i}","fields":[{"name":"a","type":${union}}]}`
    )
    const value = `${'{"a":'.repeat(50)}1${'}'.repeat(50)}`
    const text = record(`{"name":"types","type":[${records.join(',')}]}`, `{"name":"d","type":${union},"default":${value}}`)
    expect(quick(text)).toContain('fits no branch')
  })

  test('thousands of names that all use each other', () => {
    const names = Array.from({ length: 499 }, (_, i) => i)
    const records = names.map(
      i =>
        `{"type":"record","name":"R${i}","fields":[{"name":"a","type":"R${(i * 7 + 1) % 499}"},{"name":"b","type":"R${(i * 13 + 5) % 499}"}]}`
    )
    expect(quick(`[${records.join(',')}]`)).toMatch(/accepted|nested deeper/)
  })

  test('a megabyte of fields, of branches, of brackets', () => {
    expect(
      quick(
        `{"type":"enum","name":"E","symbols":[${Array.from({ length: 9_999 }, (_, i) => `"${'S'.repeat(90)}${i}"`).join(',')}]}`
      )
    ).toBe('accepted')
    expect(quick('['.repeat(1_000_000))).toContain('nested deeper')
    expect(quick(`{"type":"int","x":${'[['.repeat(10)}${'{},'.repeat(300_000)}{}${']]'.repeat(10)}}`)).toContain(
      'more than 100000 objects and arrays'
    )
    expect(quick(`{"type":"int","x":${'[['.repeat(10)}${'{},'.repeat(99_000)}{}${']]'.repeat(10)}}`)).toBe('accepted')
    expect(quick(`{"type":"fixed","name":"${'a-'.repeat(200_000)}","size":1}`).length).toBeLessThan(2_200)
  })
})
