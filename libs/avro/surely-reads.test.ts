import { describe, expect, test } from 'vitest'
import { findClashes } from './comparison.ts'
import { randomFrom } from './data/test/random-data.ts'
import { checkLevel, type EarlierVersion, keepsLevel } from './levels.ts'
import { parseSchema } from './parse.ts'
import { surelyReads } from './surely-reads.ts'
import { outlineOf, typeIdOf } from './type-identity.ts'

const record = (name: string, ...fields: string[]): string => `{"type":"record","name":"${name}","fields":[${fields.join(',')}]}`
const field = (name: string, type: string, more = ''): string => `{"name":"${name}","type":${type}${more}}`
const list = (...more: string[]): string => record('L', field('next', '["null","L"]', ',"default":null'), ...more)
const optional = ',"default":null'

describe('proves what is plain to see', () => {
  test.each([
    ['the same', record('R', field('a', '"int"')), record('R', field('a', '"int"'))],
    [
      'a field more at the end',
      record('R', field('a', '"int"'), field('b', '"int"', ',"default":1')),
      record('R', field('a', '"int"'))
    ],
    [
      'a field more in front',
      record('R', field('b', '"int"', ',"default":1'), field('a', '"int"')),
      record('R', field('a', '"int"'))
    ],
    [
      'a field less in the middle',
      record('R', field('a', '"int"'), field('c', '"int"')),
      record('R', field('a', '"int"'), field('b', '"int"'), field('c', '"int"'))
    ],
    [
      'another order',
      record('R', field('b', '"int"'), field('a', '"long"')),
      record('R', field('a', '"int"'), field('b', '"int"'))
    ],
    ['a promotion', record('R', field('a', '["null","double"]')), record('R', field('a', '"int"'))],
    ['an alias', record('R', field('b', '"int"', ',"aliases":["a"]')), record('R', field('a', '"int"'))],
    ['a renamed record', '{"type":"record","name":"S","aliases":["R"],"fields":[]}', record('R')],
    ['a recursive type', list(field('v', '"long"')), list(field('v', '"int"'))],
    ['a branch more', `["null",${record('A')},${record('B')}]`, `["null",${record('B')}]`],
    ['a symbol more', '{"type":"enum","name":"E","symbols":["B","A"]}', '{"type":"enum","name":"E","symbols":["A"]}'],
    ['a logical type less', '"int"', '{"type":"int","logicalType":"date"}']
  ])('%s', (_name, reader, writer) => {
    expect(surelyReads(parseSchema(reader), parseSchema(writer))).toBe(true)
    expect(findClashes(parseSchema(reader), parseSchema(writer))).toEqual([])
  })
})

describe('leaves alone what Java may refuse', () => {
  const ambiguous = record('A', field('a', '"int"', ',"aliases":["b"]'), field('b', '"int"'))
  test.each([
    ['a field with name and alias in the same record', ambiguous, ambiguous],
    ['such a record in an array', `{"type":"array","items":${ambiguous}}`, `{"type":"array","items":${ambiguous}}`],
    [
      'a union in which the branch that is tried first is ambiguous with the other',
      `[${record('A', field('a', '"int"', ',"aliases":["b"]'))},${record('B', field('a', '"int"'), field('b', '"int"'))}]`,
      `[${record('A', field('a', '"int"', ',"aliases":["b"]'))},${record('B', field('a', '"int"'), field('b', '"int"'))}]`
    ],
    ['a missing field', record('R', field('a', '"int"')), record('R')],
    [
      'a missing field behind all that were met',
      record('R', field('a', '"int"'), field('b', '"int"')),
      record('R', field('a', '"int"'))
    ],
    [
      'an alias of a field behind all that were met',
      record('R', field('a', '"int"'), field('b', '"string"', ',"default":"","aliases":["a"]')),
      record('R', field('a', '"int"'))
    ],
    ['a recursive type that breaks', list(field('v', '"int"')), list(field('v', '"string"'))],
    ['another name', record('R'), record('S')]
  ])('%s', (_name, reader, writer) => {
    expect(surelyReads(parseSchema(reader), parseSchema(writer))).toBe(false)
    expect(findClashes(parseSchema(reader), parseSchema(writer))).not.toEqual([])
  })
})

test('numbers are equal for types that are built alike, and only for them', () => {
  const numberOf = (text: string): number => typeIdOf(parseSchema(text))
  const plain = record(
    'x.R',
    field('a', '["null","string"]', optional),
    field('e', '{"type":"enum","name":"E","symbols":["A","B"]}')
  )
  const documented = plain.replace('"type":"record"', '"type":"record","doc":"d"')
  expect(numberOf(plain)).toBe(numberOf(documented))
  expect(numberOf(plain)).not.toBe(0)
  const others = [
    plain.replace('x.R', 'y.R'),
    plain.replace('"null","string"', '"null","bytes"'),
    plain.replace('"A","B"', '"A","C"'),
    plain.replace('"name":"a"', '"name":"b"'),
    plain.replace('"string"', '{"type":"string","logicalType":"uuid"}')
  ]
  expect(new Set([plain, ...others].map(numberOf)).size).toBe(1 + others.length)
  expect(numberOf(list())).toBe(0)
  expect(numberOf(record('R', field('a', '"int"', ',"aliases":["b"]')))).toBe(0)
  const mixed = parseSchema(record('R', field('a', '"int"'), field('n', list())))
  expect(mixed.kind === 'record' && outlineOf(mixed).fieldIds.map(id => id === 0)).toEqual([false, true])
})

test('a number that was forgotten changes no answer', () => {
  const text = record('R', field('a', '"int"'), field('u', '["null","string"]', optional))
  const before = parseSchema(text)
  expect(surelyReads(before, parseSchema(text))).toBe(true)
  for (let i = 0; i < 70_000; i += 1_000) {
    typeIdOf(parseSchema(record(`Other${i}`, ...Array.from({ length: 999 }, (_, k) => field(`f${i + k}`, '"int"')))))
  }
  expect(surelyReads(before, parseSchema(text))).toBe(true)
  expect(surelyReads(parseSchema(text), before)).toBe(true)
})

const seed = Number(process.env['ASSAY_SEED'] ?? 20_261_123)

test(`what is proven, the complete comparison finds, too (seed ${seed})`, () => {
  const below = randomFrom(seed)
  const random = (): number => below(1_000_000) / 1_000_000
  const pick = <T>(items: readonly T[]): T => items[below(items.length)]!
  /** Few names, used again and again: recursion, aliases that meet other fields, unions of records. */
  const type = (depth: number, defined: Set<string>): unknown => {
    const roll = random()
    if (depth > 3 || roll < 0.3) return pick(['int', 'long', 'string', 'null', { type: 'int', logicalType: 'date' }])
    if (roll < 0.45 && defined.size > 0) return pick([...defined])
    if (roll < 0.6) {
      const branches = Array.from({ length: 1 + Math.floor(random() * 3) }, () => type(depth + 1, defined))
      return branches.filter(branch => !Array.isArray(branch))
    }
    if (roll < 0.7) return { type: 'array', items: type(depth + 1, defined) }
    const name = pick(['R0', 'R1', 'R2', 'R3', 'R4'])
    if (defined.has(name)) return name
    defined.add(name)
    const names = ['a', 'b', 'c'].filter(() => random() < 0.7)
    const fields = names.map(own => ({
      name: own,
      type: type(depth + 1, defined),
      ...(random() < 0.15 && { aliases: [pick(['a', 'b', 'c', 'd'])] })
    }))
    return { type: 'record', name, fields }
  }
  const parsed = (source: string): ReturnType<typeof parseSchema> | undefined => {
    try {
      return parseSchema(source)
    } catch {
      return undefined
    }
  }
  const counted = { proven: 0, refuted: 0, left: 0 }
  for (let round = 0; round < 6_000; round++) {
    const text = JSON.stringify(type(0, new Set()))
    const changed =
      random() < 0.4
        ? text
        : text.replace(
            pick(['"int"', '"name":"a"', '"R1"', '["c"]', '"date"']),
            pick(['"long"', '"name":"d"', '"R2"', '["a"]', '"int"'])
          )
    const [reader, writer] = [parsed(text), parsed(changed)]
    if (reader === undefined || writer === undefined) continue
    const proven = surelyReads(reader, writer)
    const clashes = findClashes(reader, writer).length
    if (proven) expect(clashes, `${text} reads ${changed}`).toBe(0)
    counted[proven ? 'proven' : clashes > 0 ? 'refuted' : 'left']++
  }
  expect(Math.min(counted.proven, counted.refuted), JSON.stringify(counted)).toBeGreaterThan(300)
})

describe('a candidate and 200 versions that share their fields', () => {
  const fieldsOf = (count: number): string[] => [
    field('id', '"string"'),
    field('lines', `{"type":"array","items":${record('Line', field('sku', '"string"'), field('qty', '"int"'))}}`),
    ...Array.from({ length: count }, (_, i) => field(`extra${i}`, '["null","string"]', optional))
  ]
  const earlier: EarlierVersion[] = Array.from({ length: 200 }, (_, i) => ({
    version: i + 1,
    schema: parseSchema(record('Order', ...fieldsOf(i))),
    text: ''
  }))
  const millis = (run: () => void): number => {
    const times = Array.from({ length: 7 }, () => {
      const start = performance.now()
      run()
      return performance.now() - start
    })
    return times.sort((a, b) => a - b)[3]!
  }

  test.each(['BACKWARD_TRANSITIVE', 'FORWARD_TRANSITIVE', 'FULL_TRANSITIVE'] as const)(
    '%s costs little for each version',
    level => {
      const candidate = parseSchema(record('Order', ...fieldsOf(200)))
      // Half a millisecond on a quiet machine; field by field it was more than twenty.
      expect(millis(() => expect(checkLevel(level, candidate, earlier)).toEqual([]))).toBeLessThan(10)
      expect(keepsLevel(level, candidate, earlier)).toBe(true)
    }
  )

  test('the answer alone stops at the first version that breaks', () => {
    const candidate = parseSchema(record('Order', ...fieldsOf(200), field('must', '"int"')))
    expect(keepsLevel('BACKWARD_TRANSITIVE', candidate, earlier)).toBe(false)
    expect(keepsLevel('FORWARD_TRANSITIVE', candidate, earlier)).toBe(true)
    expect(keepsLevel('NONE', candidate, earlier)).toBe(true)
    expect(checkLevel('BACKWARD_TRANSITIVE', candidate, earlier).map(({ version }) => version)).toEqual(
      Array.from({ length: 200 }, (_, i) => 200 - i)
    )
  })
})

test('findings end with the version that brings them to the bound', () => {
  const many = Array.from({ length: 600 }, (_, i) => field(`f${i}`, '"int"'))
  const earlier = Array.from({ length: 5 }, (_, i) => ({ version: i + 1, schema: parseSchema(record('R')), text: '' }))
  const found = checkLevel('BACKWARD_TRANSITIVE', parseSchema(record('R', ...many)), earlier)
  expect([found.length, found.at(-1)!.version]).toEqual([1_200, 4])
})
