import { describe, expect, test } from 'vitest'
import { compatibility } from './compatibility.ts'
import { compatibilityWarnings } from './compatibility-warnings.ts'
import { type CompatibilityLevel, checkLevel, levelWarnings } from './levels.ts'
import { parseSchema } from './parse.ts'
import { schemaWarnings, warningsMax } from './schema-warnings.ts'
import { warningRules } from './warning-rules.ts'

const record = (...fields: string[]): string => `{"type":"record","name":"x.R","fields":[${fields.join(',')}]}`
const field = (name: string, type: string, more = ''): string => `{"name":"${name}","type":${type}${more}}`
const logical = (type: string, name: string, more = ''): string => `{"type":"${type}","logicalType":"${name}"${more}}`
const decimal = (precision: number, scale: number): string =>
  logical('bytes', 'decimal', `,"precision":${precision},"scale":${scale}`)
const told = (reader: string, writer: string) =>
  compatibilityWarnings(parseSchema(reader), parseSchema(writer)).map(({ type, path, place, reason, mend }) => ({
    type,
    path,
    place,
    reason,
    mend
  }))

describe('warns of what Java lets through', () => {
  test.each([
    [
      'a logical type added',
      record(field('d', logical('int', 'date'))),
      record(field('d', '"int"')),
      {
        type: 'LOGICAL_TYPE_CHANGED',
        path: '/fields/0/type',
        place: 'value.d',
        reason: 'what was written as plain int is read as date, with no conversion',
        mend: 'Leave the logical type away, or put the date into a new field of another name.'
      }
    ],
    [
      'a logical type removed, inside a union',
      record(field('d', '["null","int"]')),
      record(field('d', `["null",${logical('int', 'date')}]`)),
      {
        type: 'LOGICAL_TYPE_CHANGED',
        path: '/fields/0/type/1',
        place: 'value.d',
        reason: 'what was written as date is read as plain int, with no conversion',
        mend: 'Keep the logical type date, or put the plain int into a new field of another name.'
      }
    ],
    [
      'millis to micros, in the items of an array',
      record(field('a', `{"type":"array","items":${logical('long', 'timestamp-micros')}}`)),
      record(field('a', `{"type":"array","items":${logical('long', 'timestamp-millis')}}`)),
      {
        type: 'LOGICAL_TYPE_CHANGED',
        path: '/fields/0/type/items',
        place: 'value.a[]',
        reason: 'what was written as timestamp-millis is read as timestamp-micros, with no conversion',
        mend: 'Keep the logical type timestamp-millis, or put the timestamp-micros into a new field of another name.'
      }
    ],
    [
      'a date promoted to a time',
      logical('long', 'timestamp-millis'),
      logical('int', 'date'),
      {
        type: 'LOGICAL_TYPE_CHANGED',
        path: '/',
        place: 'value',
        reason: 'what was written as date is read as timestamp-millis, with no conversion',
        mend: 'Keep the logical type date, or put the timestamp-millis into a new field of another name.'
      }
    ],
    [
      'a logical type that only programs know',
      record(field('m', logical('long', 'x-cents'))),
      record(field('m', logical('long', 'x-euros'))),
      {
        type: 'LOGICAL_TYPE_CHANGED',
        path: '/fields/0/type',
        place: 'value.m',
        reason: 'what was written as x-euros is read as x-cents, with no conversion',
        mend: 'Keep the logical type x-euros, or put the x-cents into a new field of another name.'
      }
    ],
    [
      'another scale',
      record(field('p', decimal(9, 4))),
      record(field('p', decimal(9, 2))),
      {
        type: 'DECIMAL_CHANGED',
        path: '/fields/0/type',
        place: 'value.p',
        reason: 'the digits were written with scale 2 and are read with scale 4: 1 becomes 0.01',
        mend: 'Keep "precision": 9 and "scale": 2, or put the new decimal into a new field of another name.'
      }
    ],
    [
      'another precision',
      record(field('p', decimal(7, 2))),
      record(field('p', decimal(9, 2))),
      {
        type: 'DECIMAL_CHANGED',
        path: '/fields/0/type',
        place: 'value.p',
        reason: "the writer's numbers have up to 9 digits, the reader expects 7",
        mend: 'Keep "precision": 9 and "scale": 2, or put the new decimal into a new field of another name.'
      }
    ],
    [
      'a namespace that moved, in the values of a map in a union',
      record(field('m', '["null",{"type":"map","values":{"type":"fixed","name":"b.F","size":1}}]')),
      record(field('m', '["null",{"type":"map","values":{"type":"fixed","name":"a.F","size":1}}]')),
      {
        type: 'NAMESPACE_CHANGED',
        path: '/fields/0/type/1/values',
        place: 'value.m{}',
        reason: "the writer's fixed is a.F, the reader's b.F; only the short name F is the same",
        mend: 'Keep the name a.F, or add "aliases": ["a.F"] to b.F.'
      }
    ],
    [
      'out of the null namespace, where no alias leads back',
      '{"type":"enum","name":"b.E","symbols":["A"]}',
      '{"type":"enum","name":"E","symbols":["A"]}',
      {
        type: 'NAMESPACE_CHANGED',
        path: '/',
        place: 'value',
        reason: "the writer's enum is E, the reader's b.E; only the short name E is the same",
        mend: 'Keep the name E.'
      }
    ],
    [
      'a field found by its alias',
      record(field('new', logical('int', 'date'), ',"aliases":["old"]')),
      record(field('old', '"int"')),
      {
        type: 'LOGICAL_TYPE_CHANGED',
        path: '/fields/0/type',
        place: 'value.new',
        reason: 'what was written as plain int is read as date, with no conversion',
        mend: 'Leave the logical type away, or put the date into a new field of another name.'
      }
    ]
  ])('%s', (_name, reader, writer, expected) => {
    expect(told(reader, writer)).toEqual([expected])
    expect(compatibility(parseSchema(reader), parseSchema(writer))).toEqual([])
  })

  test('a record that moved is told once, what is inside it as well', () => {
    const tree = (namespace: string, type: string): string =>
      `{"type":"record","name":"T","namespace":"${namespace}","fields":[${field('v', type)},${field('l', '["null","T"]')},${field('r', '["null","T"]')}]}`
    const found = told(tree('b', '"int"'), tree('a', logical('int', 'date')))
    expect(found.map(({ type, place }) => `${type} ${place}`)).toEqual([
      'NAMESPACE_CHANGED value',
      'LOGICAL_TYPE_CHANGED value.v'
    ])
  })
})

describe('says nothing', () => {
  test.each([
    ['of what did not change', record(field('p', decimal(9, 2))), record(field('p', decimal(9, 2)))],
    ['of types that do not meet', record(field('d', logical('int', 'date'))), record(field('d', '"string"'))],
    ['of records of different names', '{"type":"record","name":"b.S","fields":[]}', '{"type":"record","name":"a.R","fields":[]}'],
    [
      'of a move that an alias declares',
      '{"type":"fixed","name":"b.F","size":1,"aliases":["a.F"]}',
      '{"type":"fixed","name":"a.F","size":1}'
    ],
    ['of a field that the writer lacks', record(field('d', logical('int', 'date'), ',"default":0')), record()],
    [
      'of branches in another order',
      `[${logical('int', 'date')},{"type":"fixed","name":"a.F","size":1},{"type":"fixed","name":"b.F","size":1}]`,
      `[{"type":"fixed","name":"b.F","size":1},{"type":"fixed","name":"a.F","size":1},${logical('int', 'date')}]`
    ]
  ])('%s', (_name, reader, writer) => {
    expect(told(reader, writer)).toEqual([])
  })
})

describe('warns of one schema alone', () => {
  const colour = '{"type":"enum","name":"E","symbols":["RED","GREEN"]}'
  const fixed = '{"type":"fixed","name":"F","size":4}'
  test.each([
    [
      'an enum default that is no symbol',
      record(field('e', colour, ',"default":"BLUE"')),
      'ENUM_DEFAULT_UNKNOWN',
      '/fields/0/default',
      'the default of e holds "BLUE", which is no symbol of x.E',
      'Write one of RED, GREEN, or add "BLUE" to the symbols of x.E.'
    ],
    [
      'in a union',
      record(field('e', `["null",${colour}]`, ',"default":"BLUE"')),
      'ENUM_DEFAULT_UNKNOWN',
      '/fields/0/default',
      '"BLUE"',
      'Write one of'
    ],
    [
      'in the items of an array',
      record(field('e', `{"type":"array","items":${colour}}`, ',"default":["RED","BLUE"]')),
      'ENUM_DEFAULT_UNKNOWN',
      '/fields/0/default',
      '"BLUE"',
      'Write one of'
    ],
    [
      'in a record',
      record(field('s', `{"type":"record","name":"S","fields":[${field('e', colour)}]}`, ',"default":{"e":"BLUE"}')),
      'ENUM_DEFAULT_UNKNOWN',
      '/fields/0/default',
      '"BLUE"',
      'Write one of'
    ],
    [
      'a fixed default of the wrong length',
      record(field('f', fixed, ',"default":"abc"')),
      'FIXED_DEFAULT_LENGTH',
      '/fields/0/default',
      'the default of f has 3 characters, and x.F has 4 bytes',
      'Write a default of 4 characters, each from \\u0000 to \\u00ff.'
    ],
    [
      'a fixed default with a wide character',
      record(field('f', fixed, ',"default":"abc€"')),
      'FIXED_DEFAULT_LENGTH',
      '/fields/0/default',
      'holds characters beyond',
      'Write a default of 4'
    ],
    [
      'a decimal without precision',
      logical('bytes', 'decimal'),
      'LOGICAL_TYPE_IGNORED',
      '/',
      'the logical type "decimal" is ignored: its precision is no whole number above 0',
      'Write the count of digits as "precision".'
    ],
    [
      'a decimal of precision 0',
      logical('bytes', 'decimal', ',"precision":0'),
      'LOGICAL_TYPE_IGNORED',
      '/',
      'its precision is no whole number above 0',
      'Write the count'
    ],
    [
      'a scale beyond the precision',
      decimal(2, 3),
      'LOGICAL_TYPE_IGNORED',
      '/',
      'its scale is no whole number from 0 to the precision 2',
      'Write a "scale" from 0 to 2'
    ],
    [
      'a decimal that its fixed cannot hold',
      '{"type":"fixed","name":"F","size":4,"logicalType":"decimal","precision":10}',
      'LOGICAL_TYPE_IGNORED',
      '/',
      '4 bytes do not hold the precision 10, only 9 digits',
      'Write "precision": 9 at most, or make the fixed larger.'
    ],
    [
      'a date on a long',
      record(field('d', logical('long', 'date'))),
      'LOGICAL_TYPE_IGNORED',
      '/fields/0/type',
      'it needs an int, and this is long',
      'Put it on an int, or remove "logicalType".'
    ],
    [
      'a uuid of 15 bytes',
      '{"type":"fixed","name":"F","size":15,"logicalType":"uuid"}',
      'LOGICAL_TYPE_IGNORED',
      '/',
      'it needs a string or a fixed of 16 bytes, and this is fixed of 15 bytes',
      'Put it on'
    ]
  ])('%s', (_name, text, type, path, reason, mend) => {
    const [warning, ...more] = schemaWarnings(parseSchema(text))
    expect(warning).toMatchObject({ type, path, writer: '' })
    expect(warning!.reason).toContain(reason)
    expect(warning!.mend).toContain(mend)
    expect(more).toEqual([])
    const asReader = compatibilityWarnings(parseSchema(text), parseSchema(text))
    expect(asReader).toEqual([warning])
  })

  test.each([
    ['a good enum default', record(field('e', colour, ',"default":"RED"'))],
    ['a default that another branch takes', record(field('e', `[${colour},"string"]`, ',"default":"BLUE"'))],
    ['a good fixed default', record(field('f', fixed, ',"default":"\\u0000\\u00ffab"'))],
    ['a good logical type', record(field('p', decimal(9, 2)))],
    ['a logical type that only programs know', logical('int', 'toString')],
    ['a Java class in the place of a logical type', logical('long', 'uuid', ',"java-class":"java.util.UUID"')]
  ])('but not of %s', (_name, text) => {
    expect(schemaWarnings(parseSchema(text))).toEqual([])
  })
})

test('every rule stands under its own id and says a sentence', () => {
  expect(Object.entries(warningRules).every(([id, rule]) => rule.id === id && rule.says.endsWith('.'))).toBe(true)
})

describe('levelWarnings', () => {
  const dated = record(field('d', logical('int', 'date')))
  const plain = record(field('d', '"int"'))
  const history = (...texts: string[]) => texts.map((text, i) => ({ version: i + 1, schema: parseSchema(text), text }))
  const said = (level: CompatibilityLevel, candidate: string, ...texts: string[]): string[] =>
    levelWarnings(level, parseSchema(candidate), history(...texts)).map(({ says, type, place }) => `${says}: ${type} ${place}`)

  test.each<[CompatibilityLevel, string[], string[]]>([
    ['NONE', [plain], []],
    ['BACKWARD', [plain, dated], []],
    ['BACKWARD', [dated, plain], ['v3 reads v2: LOGICAL_TYPE_CHANGED value.d']],
    ['FORWARD', [plain], ['v1 reads v2: LOGICAL_TYPE_CHANGED value.d']],
    ['FULL', [plain], ['v2 reads v1: LOGICAL_TYPE_CHANGED value.d']],
    ['BACKWARD_TRANSITIVE', [plain, plain, dated], ['v4 reads v2: LOGICAL_TYPE_CHANGED value.d']],
    [
      'BACKWARD_TRANSITIVE',
      [record(field('d', logical('int', 'time-millis'))), plain],
      ['v3 reads v2: LOGICAL_TYPE_CHANGED value.d', 'v3 reads v1: LOGICAL_TYPE_CHANGED value.d']
    ]
  ])('%s after %j', (level, texts, expected) => {
    expect(said(level, dated, ...texts)).toEqual(expected)
    expect(checkLevel(level, parseSchema(dated), history(...texts))).toEqual([])
  })

  test('what is wrong with the candidate itself is said first, once, under every level', () => {
    const candidate = record(field('d', logical('int', 'uuid')))
    const own = 'v3: LOGICAL_TYPE_IGNORED value.d'
    expect(said('NONE', candidate, plain, plain)).toEqual([own])
    expect(said('FULL_TRANSITIVE', candidate, plain, dated)).toEqual([own, 'v3 reads v2: LOGICAL_TYPE_CHANGED value.d'])
    expect(levelWarnings('NONE', parseSchema(candidate), [])[0]).toMatchObject({ says: 'v1', place: 'value.d' })
  })

  test('the mend of a forward warning speaks of the candidate, and the place begins as asked', () => {
    const [warning] = levelWarnings('FORWARD', parseSchema(dated), history(plain), { version: 9, root: 'key' })
    expect(warning).toMatchObject({
      version: 1,
      direction: 'FORWARD',
      says: 'v1 reads v9',
      place: 'key.d',
      reader: '"int"',
      writer: '{"type":"int","logicalType":"date"}',
      mend: 'Leave the logical type away, or put the date into a new field of another name.'
    })
  })

  test('they are bounded', () => {
    const many = (type: string): string => record(...Array.from({ length: 500 }, (_, i) => field(`f${i}`, type)))
    expect(said('BACKWARD', many(logical('int', 'date')), many('"int"'))).toHaveLength(warningsMax)
  })
})
