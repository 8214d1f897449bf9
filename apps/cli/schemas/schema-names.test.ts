import { expect, test } from 'vitest'
import { namesOf } from './schema-names.ts'

const record = (name: string, fields: unknown[], more: object = {}) => ({
  type: 'record',
  name,
  ...more,
  fields: fields.map((type, index) => ({ name: `f${index}`, type }))
})

test.each<[string, unknown, string | undefined, string[], string[][]]>([
  ['a primitive', 'string', undefined, [], []],
  ['a name alone', 'shop.Money', undefined, [], [['shop.Money']]],
  ['a record of primitives', record('R', ['int', ['null', 'string']]), 'R', ['R'], []],
  [
    'a name in the namespace of its record',
    record('R', ['Money'], { namespace: 'shop' }),
    'shop.R',
    ['shop.R'],
    [['shop.Money', 'Money']]
  ],
  ['a full name', record('shop.R', ['other.Money']), 'shop.R', ['shop.R'], [['other.Money']]],
  ['itself', record('R', [['null', 'R']], { namespace: 'shop' }), 'shop.R', ['shop.R'], []],
  ['a type that is defined later', record('R', ['E', { type: 'enum', name: 'E', symbols: ['A'] }]), 'R', ['R', 'E'], []],
  [
    'names in arrays, maps, unions and nested records',
    record('R', [
      { type: 'array', items: 'A' },
      { type: 'map', values: ['null', 'B'] },
      record('N', ['C'], { namespace: 'deep' })
    ]),
    'R',
    ['R', 'deep.N'],
    [['A'], ['B'], ['deep.C', 'C']]
  ],
  [
    'a type in the place of a type',
    record('R', [{ type: 'Money' }, { type: { type: 'array', items: 'A' } }]),
    'R',
    ['R'],
    [['Money'], ['A']]
  ],
  ['names that objects have', record('R', ['__proto__', 'constructor']), 'R', ['R'], [['__proto__'], ['constructor']]],
  ['no schema', { type: 'record' }, undefined, [], []],
  ['fields that are none', { type: 'record', name: 'R', fields: [1, 'x'] }, 'R', ['R'], []]
])('%s', (_name, schema, root, defined, open) => {
  const names = namesOf(JSON.stringify(schema))
  expect(names.root).toBe(root)
  expect([...names.defined]).toEqual(defined)
  expect(names.open).toEqual(open)
})

test('a text that is not JSON has no names', () => {
  expect(namesOf('{"type":')).toEqual({ root: undefined, defined: new Set(), open: [] })
})
