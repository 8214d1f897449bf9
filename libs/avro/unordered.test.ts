import { expect, test } from 'vitest'
import { unorderedText } from './unordered.ts'

const int = (rest: string): string => `{"type":"int",${rest}}`
const field = (rest: string): string => `{"type":"record","name":"R","fields":[{"name":"a",${rest}}]}`

test.each([
  ['attributes', int('"zz":1,"aa":2'), int('"aa":2,"zz":1')],
  ['aliases', field('"type":"int","aliases":["b","c"]'), field('"type":"int","aliases":["c","b"]')],
  ['attributes of a default', field('"type":"R","default":{"x":1,"y":2}'), field('"type":"R","default":{"y":2,"x":1}')],
  ['attributes of a property', int('"p":{"x":[1],"y":2}'), int('"p":{"y":2,"x":[1]}')],
  ['__proto__', int('"__proto__":{"x":1,"y":2},"a":1'), int('"a":1,"__proto__":{"y":2,"x":1}')]
])('does not look at the order of %s', (_what, one, other) => {
  expect(unorderedText(one)).toBe(unorderedText(other))
})

test.each([
  ['how a number is written', field('"type":"double","default":1'), field('"type":"double","default":1.0')],
  ['a large number', int('"p":9007199254740993'), int('"p":9007199254740992')],
  ['a value', int('"p":1'), int('"p":2')],
  ['what __proto__ holds', int('"__proto__":{"x":1}'), int('"__proto__":{"x":2}')],
  ['the order of branches', '["null","int"]', '["int","null"]'],
  ['the order of symbols', '{"type":"enum","name":"E","symbols":["A","B"]}', '{"type":"enum","name":"E","symbols":["B","A"]}'],
  [
    'a list that is called aliases in a default',
    field('"type":"R","default":{"aliases":["b","c"]}'),
    field('"type":"R","default":{"aliases":["c","b"]}')
  ],
  ['a list that is called aliases in a property', int('"p":{"aliases":[1,2]}'), int('"p":{"aliases":[2,1]}')]
])('looks at %s', (_what, one, other) => {
  expect(unorderedText(one)).not.toBe(unorderedText(other))
})
