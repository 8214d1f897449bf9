import avsc from 'avsc'
import { describe, expect, test } from 'vitest'
import { canonicalText, fragmentText, parsingCanonicalForm } from './canonical.ts'
import { fingerprint64, rabin } from './fingerprint.ts'
import { normalizedText } from './normalize.ts'
import { parseSchema } from './parse.ts'

describe('canonicalText is what Java prints', () => {
  test.each([
    ['{ "type" : "int" }', '"int"'],
    ['{"type":"int","logicalType":"date"}', '{"type":"int","logicalType":"date"}'],
    ['{"type":"int","zz":1,"logicalType":"date","aa":1e2}', '{"type":"int","zz":1,"logicalType":"date","aa":100.0}'],
    ['{"doc":"lost","items":"int","type":"array","x":null}', '{"type":"array","items":"int","x":null}'],
    [
      '{"fields":[],"aliases":["Old","y.Old",".Old"],"doc":"","namespace":"x","name":"R","type":"record","p":[1,2.50]}',
      '{"type":"record","name":"R","namespace":"x","doc":"","fields":[],"p":[1,2.5],"aliases":["Old","y.Old","Old"]}'
    ],
    [
      '{"type":"record","name":"x.R","fields":[{"type":"R","name":"a","x":1,"aliases":["b"],"order":"IGNORE","default":{},"doc":"d"}]}',
      undefined
    ],
    [
      '{"type":"record","name":"x.R","fields":[{"type":["null","R"],"name":"a","x":1,"aliases":["b"],"order":"IGNORE","default":null,"doc":"d"}]}',
      '{"type":"record","name":"R","namespace":"x","fields":[{"name":"a","type":["null","R"],"doc":"d","default":null,"order":"ignore","aliases":["b"],"x":1}]}'
    ],
    [
      '{"type":"record","name":"x.R","fields":[{"name":"s","type":{"type":"record","name":"S","namespace":"","fields":[{"name":"r","type":"x.R"}]}},{"name":"t","type":"S"}]}',
      '{"type":"record","name":"R","namespace":"x","fields":[{"name":"s","type":{"type":"record","name":"S","namespace":"","fields":[{"name":"r","type":"x.R"}]}},{"name":"t","type":"S"}]}'
    ],
    [
      '{"type":"record","name":"x.record","fields":[{"name":"r","type":["null","x.record"]}]}',
      '{"type":"record","name":"record","namespace":"x","fields":[{"name":"r","type":["null","x.record"]}]}'
    ],
    [
      '{"type":"enum","name":"E","default":"A","symbols":["A"],"p":1}',
      '{"type":"enum","name":"E","symbols":["A"],"default":"A","p":1}'
    ],
    ['{"type":"error","name":"E","fields":[]}', '{"type":"error","name":"E","fields":[]}'],
    [
      '{"type":"record","name":"R","fields":[{"name":"a","type":"double","default":"Infinity"},{"name":"b","type":"float","default":" 1e3 "}]}',
      '{"type":"record","name":"R","fields":[{"name":"a","type":"double","default":"Infinity"},{"name":"b","type":"float","default":1000.0}]}'
    ],
    [
      '{"type":"record","name":"R","fields":[{"name":"a","type":"E"},{"name":"b","type":{"type":"enum","name":"E","symbols":["A"]}}]}',
      '{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"enum","name":"E","symbols":["A"]}},{"name":"b","type":"E"}]}'
    ]
  ])('%s', (text, printed) => {
    if (printed === undefined) expect(() => parseSchema(text)).toThrow('still being defined')
    else expect(canonicalText(parseSchema(text))).toBe(printed)
  })
})

describe('normalizedText', () => {
  test.each([
    ['properties are sorted, deep', '{"type":"int","zz":{"b":1,"a":2},"aa":1}', '{"type":"int","aa":1,"zz":{"a":2,"b":1}}'],
    [
      'a logical type comes first',
      '{"type":"bytes","aa":1,"scale":2,"precision":4,"logicalType":"decimal"}',
      '{"type":"bytes","logicalType":"decimal","precision":4,"scale":2,"aa":1}'
    ],
    [
      'aliases are sorted',
      '{"type":"fixed","name":"F","size":1,"aliases":["b","a"]}',
      '{"type":"fixed","name":"F","size":1,"aliases":["a","b"]}'
    ],
    ['an empty doc goes', '{"type":"fixed","name":"F","size":1,"doc":""}', '{"type":"fixed","name":"F","size":1}'],
    [
      'doc and order of symbols stay',
      '{"type":"enum","name":"E","doc":"d","symbols":["B","A"]}',
      '{"type":"enum","name":"E","doc":"d","symbols":["B","A"]}'
    ],
    [
      'defaults are spelled by their type',
      '{"type":"record","name":"R","fields":[{"name":"a","type":"double","default":1},{"name":"b","type":"float","default":0.10000000149},{"name":"c","type":{"type":"map","values":"long"},"default":{"b":1,"a":-0}}]}',
      '{"type":"record","name":"R","fields":[{"name":"a","type":"double","default":1.0},{"name":"b","type":"float","default":0.1},{"name":"c","type":{"type":"map","values":"long"},"default":{"a":0,"b":1}}]}'
    ],
    [
      'a recursive record',
      '{"type":"record","name":"x.R","fields":[{"name":"n","type":["null","R"],"default":null,"z":1,"a":1}]}',
      '{"type":"record","name":"R","namespace":"x","fields":[{"name":"n","type":["null","R"],"default":null,"a":1,"z":1}]}'
    ]
  ])('%s', (_name, text, printed) => {
    const normalized = normalizedText(parseSchema(text))
    expect(normalized).toBe(printed)
    expect(normalizedText(parseSchema(normalized))).toBe(normalized)
  })
})

describe('parsing canonical form and fingerprint', () => {
  test.each([
    ['"null"', '"null"', 7195948357588979594n],
    ['{"type":"boolean"}', '"boolean"', -6970731678124411036n],
    ['"long"', '"long"', -3434872931120570953n],
    ['"string"', '"string"', -8142146995180207161n],
    ['[  ]', '[]', -1241056759729112623n],
    ['[ "int" , {"type":"boolean"} ]', '["int","boolean"]', 5392556393470105090n],
    [
      '{"fields":[], "type":"record", "name":"a.b.foo", "namespace":"x.y"}',
      '{"name":"a.b.foo","type":"record","fields":[]}',
      -4616218487480524110n
    ],
    [
      '{"fields":[], "type":"record", "name":"foo", "doc":"foo", "aliases":["foo","bar"]}',
      '{"name":"foo","type":"record","fields":[]}',
      -4824392279771201922n
    ],
    [
      '{"namespace":"x.y.z", "type":"fixed", "name":"foo", "doc":"foo bar", "size":32}',
      '{"name":"x.y.z.foo","type":"fixed","size":32}',
      -3064184465700546786n
    ],
    ['{ "values":"string", "type":"map"}', '{"type":"map","values":"string"}', -8732877298790414990n]
  ])('%s', (text, form, fingerprint) => {
    const schema = parseSchema(text)
    expect(parsingCanonicalForm(schema)).toBe(form)
    expect(BigInt.asIntN(64, fingerprint64(schema))).toBe(fingerprint)
  })

  test.each([
    '{"type":"record","name":"x.R","doc":"d","fields":[{"name":"a","type":["null","R"],"default":null},{"name":"b","type":{"type":"enum","name":"E","symbols":["A","B"]}},{"name":"c","type":"E"}]}',
    '{"type":"array","items":{"type":"map","values":{"type":"fixed","name":"n.F","size":3}}}'
  ])('avsc prints the same form of %s', text => {
    const type = avsc.Type.forSchema(JSON.parse(text))
    expect(JSON.parse(parsingCanonicalForm(parseSchema(text)))).toEqual(
      JSON.parse(JSON.stringify(type.schema({ exportAttrs: false })))
    )
  })

  test('of no bytes it is the start value', () => {
    expect(rabin(new Uint8Array())).toBe(0xc15d213aa4d7a795n)
  })
})

test('a fragment names the types inside it', () => {
  const schema = parseSchema(
    '{"type":"record","name":"x.R","fields":[{"name":"a","type":{"type":"fixed","name":"F","size":1}},{"name":"n","type":"R"}]}'
  )
  expect(fragmentText(schema)).toBe(
    '{"type":"record","name":"R","namespace":"x","fields":[{"name":"a","type":"F"},{"name":"n","type":"R"}]}'
  )
})
