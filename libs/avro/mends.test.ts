import { describe, expect, test } from 'vitest'
import { compatibility } from './compatibility.ts'
import { checkLevel } from './levels.ts'
import { parseSchema } from './parse.ts'

const record = (name: string, ...fields: string[]): string => `{"type":"record","name":"${name}","fields":[${fields.join(',')}]}`
const field = (name: string, type: string, more = ''): string => `{"name":"${name}","type":${type}${more}}`
const mended = (reader: string, writer: string) =>
  compatibility(parseSchema(reader), parseSchema(writer)).map(({ type, mend, rewrite }) => ({
    type,
    mend,
    ...(rewrite && { rewrite })
  }))

/** Does what a rewrite says, to a text in which every type is defined where it is first used. */
function apply(text: string, rewrite: { readonly path: string; readonly add: Readonly<Record<string, unknown>> }): string {
  const json = JSON.parse(text) as object
  const steps = rewrite.path.split('/').filter(step => step !== '')
  const target = steps.reduce<object>((at, step) => (at as Record<string, object>)[step]!, json)
  Object.assign(target, rewrite.add)
  return JSON.stringify(json)
}

describe('proposes what a trial has shown to help', () => {
  test.each([
    [
      'a default',
      record('R', field('a', '"int"')),
      record('R'),
      'Add "default": 0 to the field a.',
      { path: '/fields/0', add: { default: 0 } }
    ],
    [
      'a default or an alias',
      record('R', field('b', '"string"')),
      record('R', field('a', '"string"')),
      'Add "default": "" to the field b, or add "aliases": ["a"] to it if it is a under a new name.',
      { path: '/fields/0', add: { default: '' } }
    ],
    [
      'no alias where the types below do not fit',
      record('R', field('b', `{"type":"array","items":${record('S', field('x', '"int"'))}}`)),
      record('R', field('a', `{"type":"array","items":${record('S', field('x', '"string"'))}}`)),
      'Add "default": [] to the field b.',
      { path: '/fields/0', add: { default: [] } }
    ],
    [
      'a type with null where no value can be named',
      record('R', field('s', record('S', field('x', '"int"')))),
      record('R'),
      'Make the type of s a union with null first and add "default": null.',
      undefined
    ],
    [
      'an alias for a renamed type, beside those it has',
      '{"type":"array","items":{"type":"fixed","name":"x.G","size":2,"aliases":["x.H"]}}',
      '{"type":"array","items":{"type":"fixed","name":"x.F","size":2}}',
      'Keep the name x.F, or add "aliases": ["x.F"] to x.G.',
      { path: '/items', add: { aliases: ['x.H', 'x.F'] } }
    ],
    [
      'an alias for a renamed branch',
      `["null",{"type":"fixed","name":"x.G","size":2,"aliases":["x.H"]}]`,
      `["null",{"type":"fixed","name":"x.F","size":2}]`,
      'Add x.F to the union as a branch, or add "aliases": ["x.F"] to x.G if it is x.F under a new name.',
      { path: '/1', add: { aliases: ['x.H', 'x.F'] } }
    ],
    [
      'no alias that Java does not follow',
      '{"type":"fixed","name":"x.G","size":2}',
      '{"type":"fixed","name":"F","size":2}',
      'Keep the name F.',
      undefined
    ],
    [
      'a stand-in symbol',
      '{"type":"enum","name":"E","symbols":["A","UNKNOWN"]}',
      '{"type":"enum","name":"E","symbols":["A","B"]}',
      'Keep B, or add "default": "UNKNOWN" to the enum, which stands in for symbols it does not know.',
      { path: '/', add: { default: 'UNKNOWN' } }
    ],
    [
      'a default inside the branch of a union',
      record('R', field('s', `["null",${record('S', field('x', '"int"'))}]`)),
      record('R', field('s', `["null",${record('S')}]`)),
      'Add "default": 0 to the field x.',
      { path: '/fields/0/type/1/fields/0', add: { default: 0 } }
    ],
    [
      'every default that the branch needs',
      `["null",${record('S', field('x', '"int"'), field('y', '"string"'))}]`,
      `["null",${record('S')}]`,
      'Add "default": 0 to the field x, add "default": "" to the field y.',
      undefined
    ],
    [
      'nothing for a branch that other things are wrong with',
      `["null",${record('S', field('x', '"int"'), field('y', '"string"'))}]`,
      `["null",${record('S', field('y', '"int"'))}]`,
      'Keep S as it was written.',
      undefined
    ],
    [
      'a default where an enum with a default symbol is missing',
      record('R', field('e', '{"type":"enum","name":"E","symbols":["A"],"default":"A"}')),
      record('R'),
      'Add "default": "A" to the field e.',
      { path: '/fields/0', add: { default: 'A' } }
    ]
  ])('%s', (_name, reader, writer, mend, rewrite) => {
    const [first] = mended(reader, writer)
    expect(first?.mend).toBe(mend)
    expect(first?.rewrite).toEqual(rewrite)
    if (first?.rewrite !== undefined) {
      const left = compatibility(parseSchema(apply(reader, first.rewrite)), parseSchema(writer))
      expect(left).toHaveLength(mended(reader, writer).length - 1)
    }
  })

  test('one of two findings is mended without the other', () => {
    const reader = record('x.R', field('a', '"int"'), field('b', '"string"'))
    const writer = record('x.R', field('b', '"int"'))
    expect(mended(reader, writer)).toEqual([
      {
        type: 'READER_FIELD_MISSING_DEFAULT_VALUE',
        mend: 'Add "default": 0 to the field a.',
        rewrite: { path: '/fields/0', add: { default: 0 } }
      },
      { type: 'TYPE_MISMATCH', mend: 'Keep int, or make it the union ["int", "string"], which reads both.' }
    ])
  })

  test('an alias that would make another field ambiguous is not proposed', () => {
    const own = record('S', field('b', '"int"'))
    const reader = record('R', field('p', own), field('q', '"S"'))
    const moved = (namespace: string, ...fields: string[]): string => record(`${namespace}.S`, ...fields)
    const alone = record('R', field('p', moved('x', field('a', '"int"'))))
    expect(mended(record('R', field('p', own)), alone)[0]!.mend).toContain('"aliases": ["a"]')
    const both = moved('y', field('a', '"int"'), field('b', '"int"'))
    const writer = record('R', field('p', moved('x', field('a', '"int"'))), field('q', both))
    expect(mended(reader, writer)[0]!.mend).toBe('Add "default": 0 to the field b.')
  })

  test('a recursive record is rewritten as a whole', () => {
    const list = (...more: string[]): string => record('L', field('next', '["null","L"]'), ...more)
    const [found] = mended(list(field('v', '"long"')), list())
    expect(found).toMatchObject({ mend: 'Add "default": 0 to the field v.', rewrite: { path: '/fields/1', add: { default: 0 } } })
  })
})

test('trials end with the twentieth finding of a candidate', () => {
  const fields = (count: number): string[] => Array.from({ length: count }, (_, i) => field(`f${i}`, '"int"'))
  const found = mended(record('R', ...fields(25)), record('R'))
  expect(found[19]!.mend).toBe('Add "default": 0 to the field f19.')
  expect(found[20]!).toEqual({
    type: 'READER_FIELD_MISSING_DEFAULT_VALUE',
    mend: 'Give the field f20 a default, or leave it out.'
  })
  const earlier = Array.from({ length: 3 }, (_, i) => ({ version: i + 1, schema: parseSchema(record('R')), text: '' }))
  const told = checkLevel('BACKWARD_TRANSITIVE', parseSchema(record('R', ...fields(8))), earlier)
  expect(told.map(({ rewrite }) => rewrite !== undefined)).toEqual([...Array(20).fill(true), ...Array(4).fill(false)])
})
