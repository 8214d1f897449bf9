import { expect, test } from 'vitest'
import { indentJson } from './json-indent.ts'

test.each([
  [
    'numbers keep their digits',
    '{"a":9007199254740993,"b":1.0,"c":-1e400}',
    '{\n  "a": 9007199254740993,\n  "b": 1.0,\n  "c": -1e400\n}'
  ],
  ['a key that stands twice stays', '{"a":1,"a":2}', '{\n  "a": 1,\n  "a": 2\n}'],
  ['empty ones stay on their line', '{"a":{},"b":[ ]}', '{\n  "a": {},\n  "b": []\n}'],
  ['brackets and quotes in texts', '["{\\"[,:]}"]', '[\n  "{\\"[,:]}"\n]'],
  ['a bare value', ' "int" ', '"int"'],
  ['white space goes', '{ "a" :\n\t1 }', '{\n  "a": 1\n}']
])('%s', (_name, text, indented) => {
  expect(indentJson(text)).toBe(indented)
})

test('what is read from it is what was read before', () => {
  const value = { type: 'record', name: 'R', fields: [{ name: 'a', type: ['null', 'int'], default: null }], doc: 'é "x" \\ \n' }
  expect(JSON.parse(indentJson(JSON.stringify(value)))).toEqual(value)
})
