import { readFileSync } from 'node:fs'
import { canonicalText, parseSchema } from '@assay/avro'
import type { Topic } from '@assay/engine'
import { describe, expect, test } from 'vitest'
import { policyOf } from './policy.ts'
import { rejectSchemaText } from './reject-schema.ts'
import { describeRejection } from './rejection.ts'

const topic = (configs: Record<string, string>): Topic => ({
  name: 't',
  id: '0'.repeat(32),
  partitionCount: 1,
  configs: new Map(Object.entries(configs))
})

describe('what the settings of a topic ask for', () => {
  test.each<[string, Record<string, string>, object]>([
    [
      'nothing set',
      {},
      {
        value: { validation: 'auto', strategy: 'TopicNameStrategy', topicSubject: 't-value' },
        action: 'reject',
        keyNeeded: false
      }
    ],
    [
      'own names',
      { 'assay.key.validation': 'deep', 'assay.validation.action': 'warn' },
      { key: { validation: 'deep', topicSubject: 't-key' }, action: 'warn' }
    ],
    ["Confluent's names", { 'confluent.value.schema.validation': 'true' }, { value: { validation: 'id' } }],
    [
      "Confluent's strategy by class name",
      { 'confluent.value.subject.name.strategy': 'io.confluent.kafka.serializers.subject.RecordNameStrategy' },
      { value: { strategy: 'RecordNameStrategy' } }
    ],
    ["Redpanda's names", { 'redpanda.key.schema.id.validation': 'false' }, { key: { validation: 'off' } }],
    [
      'own before others',
      { 'assay.value.validation': 'off', 'confluent.value.schema.validation': 'true' },
      { value: { validation: 'off' } }
    ],
    ['a compacted topic', { 'cleanup.policy': 'compact,delete' }, { keyNeeded: true }]
  ])('%s', (_name, configs, expected) => {
    expect(policyOf(topic(configs))).toMatchObject(expected)
  })
})

test.each([
  [
    { index: 0, part: 'value' as const, path: 'items[3].price', reason: 'expected double' },
    'value.items[3].price: expected double'
  ],
  [{ index: 0, part: 'key' as const, path: '', reason: 'r', schemaId: 7, subject: 's' }, 'key: r (schema ID 7, subject s)'],
  [{ index: 0, part: 'value' as const, path: '[2]', reason: 'r' }, 'value[2]: r']
])('%j reads %s', (rejection, text) => {
  expect(describeRejection(rejection)).toBe(text)
})

test('the schema of reject events is the one in the schemas folder', () => {
  const file = new URL('../../schemas/assay/_assay.rejects/value.avsc', import.meta.url)
  expect(canonicalText(parseSchema(rejectSchemaText))).toBe(canonicalText(parseSchema(readFileSync(file, 'utf8'))))
})
