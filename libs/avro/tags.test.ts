import { AssayError } from '@assay/errors'
import { describe, expect, test } from 'vitest'
import { canonicalText } from './canonical.ts'
import { parseSchema } from './parse.ts'
import { resolvedText } from './resolved.ts'
import { type SchemaTags, tagsOf, withTags } from './tags.ts'

const order =
  '{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"string"},{"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[{"name":"sku","type":["null",{"type":"record","name":"Sku","namespace":"stock","fields":[{"name":"id","type":"string"}]}]}]}}}]}'
const tagged = (entityPath: string, ...tags: string[]): SchemaTags => ({
  schemaEntity: { entityPath, entityType: 'sr_field' },
  tags
})
const taggedRecord = (entityPath: string, ...tags: string[]): SchemaTags => ({
  schemaEntity: { entityPath, entityType: 'sr_record' },
  tags
})
const stored = (text: string): string => canonicalText(parseSchema(text))

describe('withTags', () => {
  test('a record as Confluent prints it, then without one of the tags, then without any', () => {
    const plain = '{"type":"record","name":"myrecord","fields":[{"name":"f1","type":"string"}]}'
    const both = withTags(plain, [taggedRecord('myrecord', 'TAG1', 'TAG2')], [])
    expect(stored(both)).toBe(plain.replace('}]}', '}],"confluent:tags":["TAG1","TAG2"]}'))
    const one = withTags(stored(both), [], [taggedRecord('myrecord', 'TAG2')])
    expect(stored(one)).toBe(plain.replace('}]}', '}],"confluent:tags":["TAG1"]}'))
    expect(stored(withTags(stored(one), [], [taggedRecord('myrecord', 'TAG1', 'TAG9')]))).toBe(plain)
  })

  test.each([
    ['a field', tagged('shop.Order.id', 'PII'), '{"name":"id","type":"string","confluent:tags":["PII"]},{"name":"lines"'],
    ['a nested record', taggedRecord('shop.Line', 'A'), '"name":"Line","fields":['],
    [
      'a field of a record in another namespace',
      tagged('stock.Sku.id', 'PII'),
      '{"name":"id","type":"string","confluent:tags":["PII"]}]}'
    ],
    ['without namespace, the nearest', tagged('Sku.id', 'PII'), '{"name":"id","type":"string","confluent:tags":["PII"]}]}'],
    ['with a leading dot', tagged('.Order.id', 'PII'), '"confluent:tags":["PII"]},{"name":"lines"'],
    ['with the namespace of the root', tagged('shop.Sku.id', 'PII'), '{"name":"id","type":"string","confluent:tags":["PII"]}]}']
  ])('%s', (_name, change, expected) => {
    const text = stored(withTags(order, [change], []))
    expect(text).toContain(expected)
    expect(tagsOf(parseSchema(text)).map(({ tags }) => tags)).toEqual([change.tags])
    expect(stored(withTags(text, [], [change]))).toBe(order)
  })

  test('tags keep their order, each once, and what is removed goes after what is added', () => {
    const first = withTags(order, [tagged('shop.Order.id', 'b', 'a', 'b')], [])
    const second = withTags(first, [tagged('.Order.id', 'c', 'a'), tagged('Order.id', 'd')], [tagged('Order.id', 'c')])
    expect(tagsOf(parseSchema(second))).toEqual([tagged('shop.Order.id', 'b', 'a', 'd')])
  })

  test('names that are keys of every object are names like others', () => {
    const text = '{"type":"record","name":"__proto__","fields":[{"name":"constructor","type":"int"}]}'
    const changed = withTags(text, [tagged('__proto__.constructor', '__proto__'), taggedRecord('__proto__', 'toString')], [])
    expect(tagsOf(parseSchema(changed))).toEqual([
      taggedRecord('__proto__', 'toString'),
      tagged('__proto__.constructor', '__proto__')
    ])
    expect(() => withTags(text, [taggedRecord('toString', 'x')], [])).toThrow('No matching path')
  })

  test.each([
    ['does.not.exist', tagged('does.not.exist', 'A')],
    ['a field as a record', taggedRecord('shop.Order.id', 'A')],
    ['a record as a field', tagged('shop.Order', 'A')],
    ['another namespace', taggedRecord('other.Order', 'A')],
    ['nothing', tagged('', 'A')],
    ['a dot', taggedRecord('.', 'A')],
    ['an enum', taggedRecord('E', 'A')]
  ])('%s leads nowhere', (_name, change) => {
    const text = `[${order},{"type":"enum","name":"E","symbols":[]}]`
    expect(() => withTags(text, [change], [])).toThrow(AssayError)
    expect(() => withTags(text, [], [change])).toThrow(`No matching path '${change.schemaEntity.entityPath}' found in the schema`)
  })
})

test('tagsOf lists records before their fields, each type once, and leaves out what is no list', () => {
  const schema = parseSchema(
    '{"type":"record","name":"T","confluent:tags":["r","r"],"fields":[{"name":"l","type":["null","T"],"confluent:tags":["f",1]},{"name":"m","type":"int","confluent:tags":"no"},{"name":"n","type":"int","confluent:tags":[]}]}'
  )
  expect(tagsOf(schema)).toEqual([taggedRecord('T', 'r'), tagged('T.l', 'f', '1')])
})

describe('resolvedText', () => {
  const sku = parseSchema(
    '{"type":"record","name":"stock.Sku","fields":[{"name":"id","type":"string"},{"name":"unit","type":{"type":"enum","name":"Unit","symbols":["KG"]}}]}'
  )
  const line = parseSchema('{"type":"record","name":"shop.Line","fields":[{"name":"sku","type":"stock.Sku"}]}', {
    references: [sku]
  })
  const root = parseSchema(
    '{"type":"record","name":"shop.Order","fields":[{"name":"first","type":"Line"},{"name":"rest","type":{"type":"array","items":"Line"}},{"name":"unit","type":"stock.Unit"}]}',
    { references: [sku, line] }
  )

  test('defines every type where it is first used, and can be read alone', () => {
    const text = resolvedText(root)
    expect(text).toBe(
      '{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"first","type":{"type":"record","name":"Line","fields":[{"name":"sku","type":{"type":"record","name":"Sku","namespace":"stock","fields":[{"name":"id","type":"string"},{"name":"unit","type":{"type":"enum","name":"Unit","symbols":["KG"]}}]}}]}},{"name":"rest","type":{"type":"array","items":"Line"}},{"name":"unit","type":"stock.Unit"}]}'
    )
    expect(canonicalText(parseSchema(text))).toBe(text)
  })

  test('without references it is the canonical text', () => {
    expect(resolvedText(parseSchema(order))).toBe(order)
  })

  test('a schema that is only a name is its definition', () => {
    expect(resolvedText(parseSchema('"stock.Sku"', { references: [sku] }))).toBe(canonicalText(sku))
  })
})
