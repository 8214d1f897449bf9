import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type Content, checkRuleSet, fingerprintOf, guidOf, orderedRuleSet, type RuleSet, sortedMetadata } from './content.ts'

const plain: Content = { schemaType: 'AVRO', text: '"int"', references: [], metadata: undefined, ruleSet: undefined }
const md5 = (...parts: (string | Buffer)[]): string =>
  createHash('md5')
    .update(Buffer.concat(parts.map(part => Buffer.from(part))))
    .digest('hex')

describe('the fingerprint is the MD5 over the content in a fixed order', () => {
  const cases: { name: string; content: Content; bytes: (string | Buffer)[] }[] = [
    { name: 'text alone', content: plain, bytes: ['"int"'] },
    {
      name: 'references: name, subject, version as four bytes',
      content: { ...plain, references: [{ name: 'a.B', subject: 'b', version: 258 }] },
      bytes: ['"int"', 'a.B', 'b', Buffer.of(0, 0, 1, 2)]
    },
    { name: 'empty metadata differs from none', content: { ...plain, metadata: {} }, bytes: ['"int"', Buffer.of(1)] },
    {
      name: 'metadata: tags, properties, sensitive names',
      content: { ...plain, metadata: { tags: { p: ['x', 'y'] }, properties: { k: 'v' }, sensitive: ['k'] } },
      bytes: ['"int"', Buffer.of(1), 'p', 'x', 'y', 'k', 'v', 'k']
    },
    {
      name: 'rules: migration, domain, encoding',
      content: {
        ...plain,
        ruleSet: {
          encodingRules: [{ name: 'e', type: 'T' }],
          migrationRules: [{ name: 'm', kind: 'TRANSFORM', mode: 'UPGRADE', type: 'JSONATA', expr: '$', disabled: true }]
        }
      },
      bytes: ['"int"', Buffer.of(1), 'm', 'TRANSFORM', 'UPGRADE', 'JSONATA', '$', Buffer.of(1), 'e', 'T']
    }
  ]
  test.each(cases)('$name', ({ content, bytes }) => {
    expect(fingerprintOf(content)).toBe(md5(...bytes))
  })
})

test('the GUID is the fingerprint as a UUID', () => {
  expect(guidOf('00112233445566778899aabbccddeeff')).toBe('00112233-4455-6677-8899-aabbccddeeff')
})

test('metadata is sorted, and a key __proto__ stays a key', () => {
  const sorted = sortedMetadata({ properties: JSON.parse('{"z":"1","__proto__":"2"}'), tags: { b: ['y', 'x', 'x'] } })
  expect(JSON.stringify(sorted)).toBe('{"tags":{"b":["x","y"]},"properties":{"__proto__":"2","z":"1"}}')
})

test('rules are written in one order of fields', () => {
  const ordered = orderedRuleSet({ domainRules: [{ type: 'CEL', name: 'r', tags: ['b', 'a'], mode: 'WRITE' }] })
  expect(JSON.stringify(ordered)).toBe(
    '{"domainRules":[{"name":"r","kind":"TRANSFORM","mode":"WRITE","type":"CEL","tags":["a","b"],"disabled":false}]}'
  )
})

describe('rule sets that are refused', () => {
  const cases: { name: string; ruleSet: RuleSet; says: RegExp }[] = [
    { name: 'no name', ruleSet: { domainRules: [{ type: 'CEL', mode: 'READ' }] }, says: /'' is not a rule name/ },
    {
      name: 'a name used twice',
      ruleSet: {
        domainRules: [{ name: 'r', type: 'CEL', mode: 'READ' }],
        encodingRules: [{ name: 'r', type: 'X', mode: 'READ' }]
      },
      says: /duplicate name 'r'/
    },
    { name: 'no type', ruleSet: { domainRules: [{ name: 'r', mode: 'READ' }] }, says: /Missing rule type/ },
    {
      name: 'a domain rule for upgrades',
      ruleSet: { domainRules: [{ name: 'r', type: 'CEL', mode: 'UPGRADE' }] },
      says: /can only be WRITE/
    }
  ]
  test.each(cases)('$name', ({ ruleSet, says }) => {
    expect(() => checkRuleSet(ruleSet)).toThrow(says)
  })
})
