import { isAssayError } from '@assay/errors'
import { describe, expect, test } from 'vitest'
import { canonicalName, readTopicConfig, readTopicConfigs, topicConfigAliases } from './config-names.ts'
import { configOf, topicConfig, topicConfigNames } from './topic-configs.ts'

test('every default passes the check of its own row, and every row says what it is for', () => {
  for (const name of topicConfigNames) {
    const config = topicConfig(name)!
    expect(readTopicConfig(name, config.default)).toEqual([name, config.default])
    expect(config.says).toMatch(/\.$/)
  }
})

test('every alias stands for a setting that there is, and shows what it reads', () => {
  for (const [name, alias] of topicConfigAliases) {
    expect(topicConfig(alias.of), name).toBeDefined()
    expect(
      readTopicConfig(name, alias.show(readTopicConfig(name, alias.kind === 'boolean' ? 'true' : 'TopicNameStrategy')[1]))[0]
    ).toBe(alias.of)
  }
})

const taken: [string, string, string, string][] = [
  ['retention.ms', ' 1000 ', 'retention.ms', '1000'],
  ['retention.ms', '-1', 'retention.ms', '-1'],
  ['max.compaction.lag.ms', '9223372036854775807', 'max.compaction.lag.ms', '9223372036854775807'],
  ['cleanup.policy', 'compact, delete', 'cleanup.policy', 'compact,delete'],
  ['cleanup.policy', '', 'cleanup.policy', ''],
  ['preallocate', 'TRUE', 'preallocate', 'true'],
  ['min.cleanable.dirty.ratio', '0.25', 'min.cleanable.dirty.ratio', '0.25'],
  ['assay.value.validation', 'deep', 'assay.value.validation', 'deep'],
  ['confluent.value.schema.validation', 'true', 'assay.value.validation', 'id'],
  ['confluent.key.schema.validation', 'False', 'assay.key.validation', 'off'],
  ['redpanda.value.schema.id.validation', 'true', 'assay.value.validation', 'id'],
  [
    'confluent.value.subject.name.strategy',
    'io.confluent.kafka.serializers.subject.RecordNameStrategy',
    'assay.value.subject.name.strategy',
    'RecordNameStrategy'
  ],
  ['redpanda.key.subject.name.strategy', 'TopicRecordNameStrategy', 'assay.key.subject.name.strategy', 'TopicRecordNameStrategy']
]
test.each(taken)('%s=%s is kept as %s=%s', (name, value, canonical, read) => {
  expect(readTopicConfig(name, value)).toEqual([canonical, read])
})

const refused: [string, string][] = [
  ['no.such.setting', 'x'],
  ['retention.ms', 'soon'],
  ['retention.ms', '-2'],
  ['retention.ms', '9223372036854775808'],
  ['max.message.bytes', '2147483648'],
  ['max.message.bytes', '1e3'],
  ['cleanup.policy', 'shred'],
  ['preallocate', 'yes'],
  ['min.cleanable.dirty.ratio', '1.5'],
  ['min.cleanable.dirty.ratio', ''],
  ['message.timestamp.type', 'Noon'],
  ['remote.storage.enable', 'true'],
  ['assay.validation.action', 'dead-letter'],
  ['confluent.value.schema.validation', 'maybe'],
  ['redpanda.value.subject.name.strategy', 'MyStrategy']
]
test.each(refused)('%s=%s is refused', (name, value) => {
  expect(() => readTopicConfig(name, value)).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
})

describe('several settings at once', () => {
  test('two names of one setting may agree', () => {
    const configs = readTopicConfigs([
      { name: 'confluent.value.schema.validation', value: 'true' },
      { name: 'assay.value.validation', value: 'id' }
    ])
    expect([...configs]).toEqual([['assay.value.validation', 'id']])
  })
  test('and are refused when they disagree', () => {
    const both = [
      { name: 'confluent.value.schema.validation', value: 'true' },
      { name: 'assay.value.validation', value: 'deep' }
    ]
    let thrown: unknown
    try {
      readTopicConfigs(both)
    } catch (error) {
      thrown = error
    }
    expect(isAssayError(thrown, 'INVALID_CONFIG')).toBe(true)
  })
})

test('a value in force is the topic’s own, else the server’s, else the default', () => {
  const server = new Map([['max.message.bytes', '5']])
  expect(configOf(new Map([['max.message.bytes', '7']]), 'max.message.bytes', server)).toBe('7')
  expect(configOf(new Map(), 'max.message.bytes', server)).toBe('5')
  expect(configOf(new Map(), 'retention.ms', server)).toBe('604800000')
  expect(canonicalName('retention.ms')).toBe('retention.ms')
})
