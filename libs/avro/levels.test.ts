import { describe, expect, test } from 'vitest'
import { canonicalText } from './canonical.ts'
import { confluentMessages } from './confluent-messages.ts'
import {
  type CompatibilityLevel,
  checkLevel,
  compatibilityLevels,
  type EarlierVersion,
  parseLevel,
  printFindings
} from './levels.ts'
import { parseSchema } from './parse.ts'

/** Fields of one letter; a capital letter has a default. `ab` -> a record with two fields. */
const record = (letters: string) => {
  const fields = [...letters].map(letter => {
    const value = letter === letter.toUpperCase() ? ',"default":"x"' : ''
    return `{"name":"${letter.toLowerCase()}","type":"string"${value}}`
  })
  return parseSchema(`{"type":"record","name":"R","fields":[${fields.join(',')}]}`)
}
const history = (...versions: string[]): EarlierVersion[] =>
  versions.map((letters, i) => ({ version: i + 1, schema: record(letters), text: canonicalText(record(letters)) }))
const told = (level: CompatibilityLevel, candidate: string, ...versions: string[]): string[] =>
  checkLevel(level, record(candidate), history(...versions)).map(({ says, place }) => `${says}: ${place}`)

describe('checkLevel', () => {
  test.each<[CompatibilityLevel, string, string[], string[]]>([
    ['NONE', 'z', ['a'], []],
    ['BACKWARD', 'a', [], []],
    ['BACKWARD', 'ab', ['a'], ['v2 cannot read v1: value.b']],
    ['BACKWARD', 'aB', ['a'], []],
    ['BACKWARD', 'a', ['ab'], []],
    ['BACKWARD', 'ab', ['a', 'aB'], []],
    ['BACKWARD_TRANSITIVE', 'ab', ['a', 'aB'], ['v3 cannot read v1: value.b']],
    [
      'BACKWARD_TRANSITIVE',
      'ab',
      ['a', 'c'],
      ['v3 cannot read v2: value.a', 'v3 cannot read v2: value.b', 'v3 cannot read v1: value.b']
    ],
    ['FORWARD', 'a', ['ab'], ['v1 cannot read v2: value.b']],
    ['FORWARD', 'ab', ['a'], []],
    ['FORWARD', 'a', ['ab', 'aB'], []],
    ['FORWARD_TRANSITIVE', 'a', ['ab', 'aB'], ['v1 cannot read v3: value.b']],
    ['FULL', 'b', ['a'], ['v1 cannot read v2: value.a', 'v2 cannot read v1: value.b']],
    ['FULL', 'aB', ['a'], []],
    ['FULL_TRANSITIVE', 'b', ['a', 'b'], ['v1 cannot read v3: value.a', 'v3 cannot read v1: value.b']]
  ])('%s: %s after %j', (level, candidate, versions, expected) => {
    expect(told(level, candidate, ...versions)).toEqual(expected)
  })

  test('levels are known in any case of letters', () => {
    for (const level of compatibilityLevels) expect(parseLevel(level.toLowerCase())).toBe(level)
    expect(parseLevel('sideways')).toBeUndefined()
  })
})

describe('confluentMessages', () => {
  const messages = (level: CompatibilityLevel, candidate: string, ...versions: string[]): string[] => {
    const earlier = history(...versions)
    return confluentMessages(checkLevel(level, record(candidate), earlier), { level, earlier })
  }

  test('backward', () => {
    expect(messages('BACKWARD', 'ab', 'a')).toEqual([
      "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'b' at path '/fields/1' in the new schema has no default value and is missing in the old schema', additionalInfo:'b'}",
      '{oldSchemaVersion: 1}',
      `{oldSchema: '{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}'}`,
      "{validateFields: 'false', compatibility: 'BACKWARD'}"
    ])
  })

  test('forward says old for the reader', () => {
    expect(messages('FORWARD', 'a', 'ab')[0]).toContain('in the old schema has no default value and is missing in the new schema')
  })

  test('full names the old schema only when the candidate cannot read', () => {
    expect(messages('FULL', 'a', 'ab').slice(1)).toEqual(["{validateFields: 'false', compatibility: 'FULL'}"])
    expect(messages('FULL', 'b', 'a').map(message => message.slice(0, 20))).toEqual([
      "{errorType:'READER_F",
      "{errorType:'READER_F",
      '{oldSchemaVersion: 1',
      '{oldSchema: \'{"type"',
      "{validateFields: 'fa"
    ])
  })

  test('only the newest version that breaks is told', () => {
    expect(messages('BACKWARD_TRANSITIVE', 'ab', 'a', 'c').filter(message => message.startsWith('{oldSchemaVersion'))).toEqual([
      '{oldSchemaVersion: 2}'
    ])
    expect(messages('BACKWARD', 'a', 'a')).toEqual([])
  })

  test.each([
    [
      '"string"',
      '"int"',
      "{errorType:'TYPE_MISMATCH', description:'The type (path '/') of a field in the new schema does not match with the old schema', additionalInfo:'reader type: STRING not compatible with writer type: INT'}"
    ],
    [
      '["null"]',
      '"int"',
      "{errorType:'MISSING_UNION_BRANCH', description:'The new schema is missing a type inside a union field at path '/' in the old schema', additionalInfo:'reader union lacking writer type: INT'}"
    ],
    [
      '{"type":"enum","name":"E","symbols":["A"]}',
      '{"type":"enum","name":"E","symbols":["C","B"]}',
      "{errorType:'MISSING_ENUM_SYMBOLS', description:'The new schema is missing enum symbols '[B, C]' at path '/symbols' in the old schema', additionalInfo:'[B, C]'}"
    ],
    [
      '{"type":"fixed","name":"F","size":1}',
      '{"type":"fixed","name":"F","size":2}',
      "{errorType:'FIXED_SIZE_MISMATCH', description:'The size of FIXED type field at path '/size' in the new schema does not match with the old schema', additionalInfo:'expected: 2, found: 1'}"
    ],
    [
      '{"type":"fixed","name":"G","size":2}',
      '{"type":"fixed","name":"x.F","size":2}',
      "{errorType:'NAME_MISMATCH', description:'The name of the schema has changed (path '/name')', additionalInfo:'expected: x.F'}"
    ]
  ])('%s reading %s', (reader, writer, message) => {
    const earlier = [{ version: 7, schema: parseSchema(writer), text: writer }]
    expect(confluentMessages(checkLevel('BACKWARD', parseSchema(reader), earlier), { level: 'BACKWARD', earlier })[0]).toBe(
      message
    )
  })

  test('an ambiguous alias is told as the exception that it is in Java', () => {
    const earlier = history('ab')
    const candidate = parseSchema('{"type":"record","name":"R","fields":[{"name":"a","type":"string","aliases":["b"]}]}')
    expect(confluentMessages(checkLevel('BACKWARD', candidate, earlier), { level: 'BACKWARD', earlier })[0]).toBe(
      `Unexpected exception during compatibility check: Reader record field a type:STRING pos:0 matches multiple fields in writer record schema ${earlier[0]!.text}`
    )
  })

  test('a long old schema is cut', () => {
    const text = `{"type":"record","name":"R","doc":"${'d'.repeat(11_000)}","fields":[]}`
    const earlier = [{ version: 1, schema: parseSchema(text), text }]
    const old = confluentMessages(checkLevel('BACKWARD', record('a'), earlier), { level: 'BACKWARD', earlier })[2]
    expect(old).toBe(`{oldSchema: <truncated> '${text.slice(0, 10_240)}...'}`)
  })
})

test('printFindings says rule, place, direction, both sides and the mend', () => {
  expect(printFindings(checkLevel('BACKWARD', record('ab'), history('a')))).toBe(
    [
      'READER_FIELD_MISSING_DEFAULT_VALUE at value.b (/fields/1): v2 cannot read v1',
      "  because the reader's field b has no default, and the writer's R has no such field",
      '  reader: {"type":"record","name":"R","fields":[{"name":"a","type":"string"},{"name":"b","type":"string"}]}',
      '  writer: {"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}',
      '  mend: Add "default": "" to the field b.'
    ].join('\n')
  )
})

test('versions that take long to compare are bounded together', () => {
  const fields = (prefix: string, more = ''): string =>
    Array.from({ length: 40 }, (_, i) => `{"name":"${prefix}${i}","type":"int"${more}}`).join(',')
  const shared = (i: number): string => `{"name":"e","type":${i === 0 ? '{"type":"enum","name":"E","symbols":["A"]}' : '"E"'}}`
  const events = (prefix: string, last: string): string =>
    `[${Array.from({ length: 100 }, (_, i) => `{"type":"record","name":"R${i}","fields":[${fields(prefix)},${shared(i)}${i === 99 ? last : ''}]}`).join(',')}]`
  const earlier = Array.from({ length: 50 }, (_, i) => ({ version: i + 1, schema: parseSchema(events('f', '')), text: '' }))
  const candidate = parseSchema(events('f', ',{"name":"must","type":"int"}'))
  const start = performance.now()
  const versions = checkLevel('BACKWARD_TRANSITIVE', candidate, earlier).map(({ version }) => version)
  expect(performance.now() - start).toBeLessThan(5_000)
  expect(versions[0]).toBe(50)
  expect(versions.length).toBeGreaterThan(1)
  expect(versions.length).toBeLessThan(50)
})

test('a comparison that is too long does not hide what was found before', () => {
  const union = (name: string, last: string): string => {
    const fields = Array.from({ length: 45 }, (_, k) => `{"name":"${name}${k}","type":"int"}`).join(',')
    const shared = (i: number): string => `{"name":"e","type":${i === 0 ? '{"type":"enum","name":"E","symbols":["A"]}' : '"E"'}}`
    return `[${Array.from({ length: 400 }, (_, i) => `{"type":"record","name":"R${i}","fields":[${fields},${shared(i)}]}`).join(',')}${last}]`
  }
  const [candidate, entangled] = [parseSchema(union('a', '')), parseSchema(union('b', ''))]
  const earlier = [entangled, parseSchema('"string"')].map((schema, i) => ({ version: i + 1, schema, text: '' }))
  expect(() => checkLevel('BACKWARD', candidate, earlier.slice(0, 1))).toThrow('too many steps')
  expect(checkLevel('BACKWARD_TRANSITIVE', candidate, earlier).map(({ version }) => version)).toEqual([2])
})
