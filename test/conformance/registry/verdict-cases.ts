/** Verdicts of Avro for Java, as Confluent's registry gives them. */
import { expect } from 'vitest'
import { type Case, ok, register } from './case.ts'

const any = expect.anything()
const field = (type: unknown, more: object = {}): string =>
  JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'a', type, ...more }] })

/** A first version, and whether another text may follow it under BACKWARD. */
function follows(
  name: string,
  rows: readonly (readonly [first: string, then: string, isCompatible: boolean])[],
  covers: string[]
): Case {
  return {
    covers,
    name,
    steps: rows.flatMap(([first, then, isCompatible], at) => [
      ok(`POST /subjects/v${at}/versions`, any, { schema: first }),
      ok(`POST /compatibility/subjects/v${at}/versions/latest`, { is_compatible: isCompatible }, { schema: then })
    ])
  }
}

/** Whether a text is a schema. */
function isTaken(name: string, rows: readonly (readonly [schema: string, isSchema: boolean])[], covers: string[]): Case {
  return {
    covers,
    name,
    steps: rows.map(([schema, isSchema], at) => ({
      ask: `POST /subjects/t${at}/versions`,
      body: { schema },
      status: isSchema ? 200 : 422,
      answer: isSchema ? any : { error_code: 42201, message: any }
    }))
  }
}

const decimal = (precision: number, scale: number) => ({ type: 'bytes', logicalType: 'decimal', precision, scale })
const fixedOf = (name: string, size: number) => ({ type: 'fixed', name, size })
const enumOf = (symbols: string[], more: object = {}) => ({ type: 'enum', name: 'E', symbols, ...more })

export const verdictCases: Case[] = [
  follows(
    'logical types',
    [
      [field(decimal(9, 2)), field(decimal(4, 3)), true],
      [field({ type: 'int', logicalType: 'date' }), field('int'), true]
    ],
    ['logical types are ignored']
  ),
  follows(
    'names',
    [
      [field(fixedOf('x.F', 4)), field(fixedOf('y.F', 4)), true],
      [field(['null', fixedOf('x.F', 4)]), field(['null', fixedOf('y.F', 4)]), true],
      [field(fixedOf('F', 4)), field({ ...fixedOf('G', 4), aliases: ['F'] }), true],
      [field('int'), field('int').replace('"name":"a"', '"name":"b","aliases":["a"]'), true],
      [field(fixedOf('F', 4)), field(fixedOf('G', 4)), false],
      [field(fixedOf('F', 4)), field('bytes'), false],
      [field('bytes'), field(fixedOf('F', 4)), false],
      [field('string'), field('bytes'), true],
      [field('bytes'), field('string'), true]
    ],
    ['a namespace moved', 'renamed with an alias', 'fixed renamed, fixed and bytes, string and bytes']
  ),
  follows(
    'enums and unions',
    [
      [field(enumOf(['A', 'B'])), field(enumOf(['A'])), false],
      [field(enumOf(['A', 'B'])), field(enumOf(['A'], { default: 'A' })), true],
      [field(['null', 'int']), field('int'), false],
      [field(['int', 'long']), field('long'), true],
      [
        '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}',
        '{"type":"record","name":"R","fields":[{"name":"a","aliases":["b"],"type":"int"}]}',
        false
      ]
    ],
    ['enum symbol missing', 'writer union, reader not', 'a reader field that matches two writer fields']
  ),
  isTaken(
    'defaults',
    [
      [field(['null', 'int'], { default: 1 }), true],
      [field(enumOf(['A']), { default: 'Z' }), true],
      [field(fixedOf('F', 4), { default: 'xy' }), true],
      [field(enumOf(['A'], { default: 'Z' })), false],
      [field('int', { default: 1.5 }), false],
      [field('int').replace('"type":"int"', '"type":"int","default":1.0'), false],
      [field('int', { default: 2 ** 31 }), false],
      [field('float', { default: 1 }), true],
      [field(decimal(0, 0)), true]
    ],
    ['union default of a later branch', 'defaults of enums and fixed', 'numbers as defaults', 'decimal precision 0']
  ),
  isTaken(
    'names and JSON',
    [
      ['{"type":"fixed","name":"é","size":1}', true],
      ['{"type":"fixed","name":"a-b","size":1}', false],
      ['{"type":"fixed","name":"F","namespace":"a-b.c","size":1}', false],
      ['int', false],
      ['"int"', true],
      ['{"type":"int","type":"long"}', true],
      ['"int" "int"', false],
      ['[]', true],
      ['{"type":"fixed","name":"F","size":0}', true],
      ['{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}', true],
      ['[{"type":"array","items":"int"},{"type":"array","items":"long"}]', false]
    ],
    ['names', 'a bare word', 'odd JSON']
  ),
  {
    covers: ['messages'],
    name: 'messages',
    steps: [
      register('s', field('int'), any),
      ok(
        'POST /compatibility/subjects/s/versions/latest?verbose=true',
        expect.objectContaining({
          messages: [
            "{errorType:'TYPE_MISMATCH', description:'The type (path '/fields/0/type') of a field in the new schema does not match with the old schema', additionalInfo:'reader type: STRING not compatible with writer type: INT'}",
            '{oldSchemaVersion: 1}',
            `{oldSchema: '${field('int')}'}`,
            "{validateFields: 'false', compatibility: 'BACKWARD'}"
          ]
        }),
        { schema: field('string') }
      )
    ]
  }
]
