/** Settings of topics, and of the broker those that stand in for them. */
import { expect } from 'vitest'
import type { Case, Configs, Edit, Kit } from './case.ts'

const INVALID = 'INVALID_CONFIG'

/** What a new topic is given, and the value it then has or the error; Kafka's answer where it is another. */
const given: readonly (readonly [configs: Configs, answer: string, kafka?: { answer: string; why: string }])[] = [
  [{ 'retention.ms': '1000' }, '1000'],
  [{ 'retention.ms': '-1' }, '-1'],
  [{ 'retention.ms': '-2' }, INVALID],
  [{ 'retention.ms': 'soon' }, INVALID],
  [{ 'retention.ms': '9223372036854775808' }, INVALID],
  [{ 'retention.ms': null }, INVALID],
  [{ 'retention.mss': '1000' }, INVALID],
  [{ 'retention.bytes': '-5' }, '-5'],
  [{ 'segment.bytes': '1048575' }, INVALID],
  [{ 'segment.bytes': '1048576' }, '1048576'],
  [{ 'max.message.bytes': '2147483648' }, INVALID],
  [{ preallocate: 'yes' }, INVALID],
  [{ preallocate: 'TRUE' }, 'true', { answer: 'TRUE', why: 'a value is kept in one spelling' }],
  [{ 'cleanup.policy': '' }, ''],
  [{ 'cleanup.policy': 'shred' }, INVALID],
  [
    { 'cleanup.policy': 'compact, delete' },
    'compact,delete',
    { answer: 'compact, delete', why: 'a value is kept in one spelling' }
  ],
  [{ 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '5' }, INVALID],
  [{ 'remote.storage.enable': 'true' }, INVALID],
  [{ 'local.retention.ms': '5' }, '5'],
  [{ 'remote.copy.lag.ms': '5' }, '5'],
  [{ 'compression.gzip.level': '0' }, INVALID],
  [{ 'compression.gzip.level': '-1' }, '-1'],
  [{ 'compression.zstd.level': '23' }, INVALID],
  [{ 'compression.type': 'GZIP' }, INVALID],
  [{ 'min.insync.replicas': '0' }, INVALID],
  [{ 'min.insync.replicas': '2' }, '2'],
  [{ 'min.cleanable.dirty.ratio': '1.5' }, INVALID],
  [{ 'message.timestamp.type': 'Noon' }, INVALID],
  [{ 'follower.replication.throttled.replicas': 'x' }, INVALID],
  [{ 'follower.replication.throttled.replicas': '0:1,1:1' }, '0:1,1:1'],
  [{ 'follower.replication.throttled.replicas': '*' }, '*'],
  [{ 'max.decompressed.message.bytes': '0' }, INVALID],
  [{ 'errors.deadletterqueue.group.enable': 'true' }, 'true'],
  [{ 'unclean.leader.election.enable': 'true' }, 'true']
]

/** Edits of a topic, and the error or what a setting is then. */
const edits: readonly (readonly [name: string, edits: readonly Edit[], shown: string, answer: string])[] = [
  ['set', [['retention.ms', 'set', '5']], 'retention.ms', '5 by topic'],
  ['delete what is set', [['segment.ms', 'delete', null]], 'segment.ms', '604800000 by default'],
  ['delete what is not set', [['retention.ms', 'delete', null]], 'retention.ms', '604800000 by default'],
  ['append to a default', [['cleanup.policy', 'append', 'compact']], 'cleanup.policy', 'delete,compact by topic'],
  ['append what is there', [['cleanup.policy', 'append', 'delete']], 'cleanup.policy', 'delete by topic'],
  ['subtract what is there', [['cleanup.policy', 'subtract', 'delete']], 'cleanup.policy', ' by topic'],
  ['subtract what is not there', [['cleanup.policy', 'subtract', 'compact']], 'cleanup.policy', 'delete by topic'],
  ['append what is no value', [['cleanup.policy', 'append', 'shred']], '', INVALID],
  ['append to what is no list', [['retention.ms', 'append', '1']], '', INVALID],
  ['set what is not', [['retention.mss', 'set', '1']], '', INVALID],
  ['set to nothing', [['retention.ms', 'set', null]], '', 'INVALID_REQUEST'],
  [
    'a good and a bad one',
    [
      ['retention.ms', 'set', '5'],
      ['segment.bytes', 'set', 'x']
    ],
    '',
    INVALID
  ],
  [
    'one twice',
    [
      ['retention.ms', 'set', '5'],
      ['retention.ms', 'set', '6']
    ],
    '',
    'INVALID_REQUEST'
  ]
]

async function edited(kit: Kit, changes: readonly Edit[], shown: string): Promise<string> {
  const topic = await kit.topic({ 'segment.ms': '7' })
  const error = await kit.alter({ topic }, changes)
  if (error === 'NONE') return kit.value({ topic }, shown)
  // What was refused has changed nothing.
  expect(await kit.value({ topic }, 'retention.ms')).toBe('604800000 by default')
  return error
}

export const settingCases: readonly Case[] = [
  ...given.map(
    ([configs, answer, kafka]): Case => ({
      name: `a topic with ${JSON.stringify(configs)}`,
      ask: kit => kit.tryTopic(configs),
      answer,
      ...(kafka && { kafka })
    })
  ),
  ...edits.map(([name, changes, shown, answer]): Case => ({ name, ask: kit => edited(kit, changes, shown), answer })),
  {
    name: 'delete what is no setting',
    ask: async kit => kit.alter({ topic: await kit.topic() }, [['retention.mss', 'delete', null]]),
    answer: INVALID,
    kafka: { answer: 'NONE', why: 'who mistypes a name believes that something has changed' }
  },
  {
    name: 'validate only',
    ask: async kit => {
      const topic = await kit.topic()
      const validateOnly = { validateOnly: true }
      return [
        await kit.alter({ topic }, [['retention.ms', 'set', '5']], validateOnly),
        await kit.alter({ topic }, [['retention.ms', 'set', 'x']], validateOnly),
        await kit.replace({ topic }, { 'retention.ms': '5' }, validateOnly),
        await kit.replace({ topic }, { 'retention.ms': 'x' }, validateOnly),
        await kit.value({ topic }, 'retention.ms')
      ]
    },
    answer: ['NONE', INVALID, 'NONE', INVALID, '604800000 by default']
  },
  {
    name: 'replacing settings unsets what is not named',
    ask: async kit => {
      const topic = await kit.topic({ 'retention.ms': '5', 'segment.ms': '7' })
      return [
        await kit.replace({ topic }, { 'segment.ms': '8' }),
        await kit.value({ topic }, 'retention.ms'),
        await kit.value({ topic }, 'segment.ms'),
        await kit.replace({ topic }, { 'no.such': '8' }),
        await kit.replace({ topic }, { 'segment.ms': null }),
        await kit.value({ topic }, 'segment.ms'),
        await kit.replace({ topic }, {}),
        await kit.value({ topic }, 'segment.ms')
      ]
    },
    answer: [
      'NONE',
      '604800000 by default',
      '8 by topic',
      INVALID,
      'INVALID_REQUEST',
      '8 by topic',
      'NONE',
      '604800000 by default'
    ]
  },
  {
    name: 'settings of what is not there',
    ask: async kit => [
      await kit.alter({ topic: 'nowhere' }, [['retention.ms', 'set', '5']]),
      await kit.alter({ topic: 'a/b' }, [['retention.ms', 'set', '5']]),
      await kit.replace({ topic: 'nowhere' }, {}),
      await kit.value({ topic: 'nowhere' }, 'retention.ms'),
      await kit.value({ topic: await kit.topic() }, 'no.such'),
      await kit.value({ broker: '77' }, 'node.id'),
      await kit.alter({ broker: '77' }, [['log.retention.ms', 'set', '5']])
    ],
    answer: [
      'UNKNOWN_TOPIC_OR_PARTITION',
      'INVALID_TOPIC_EXCEPTION',
      'UNKNOWN_TOPIC_OR_PARTITION',
      'UNKNOWN_TOPIC_OR_PARTITION',
      'not told',
      'INVALID_REQUEST',
      'INVALID_REQUEST'
    ]
  },
  {
    name: 'every key of Kafka 4.4 is told with its default, its type and what it is for',
    ask: async kit => {
      const { configs } = await kit.describe({ topic: await kit.topic() })
      expect(configs.every(({ documentation }) => documentation)).toBe(true)
      return Object.fromEntries(
        configs
          .filter(({ name }) => !/^(assay|confluent|redpanda)\./.test(name))
          .map(({ name, value, configType, readOnly, isSensitive }) => [name, [value, configType, readOnly, isSensitive]])
      )
    },
    answer: Object.fromEntries(
      Object.entries(kafkaDefaults()).map(([name, [value, type]]) => [name, [value, type, false, false]])
    )
  },
  {
    name: 'a default of the broker set for all brokers, then for one, then taken away',
    ask: async kit => {
      const topic = await kit.topic()
      const own = await kit.topic({ 'delete.retention.ms': '9' })
      const [all, one] = [{ broker: '' }, { broker: kit.nodeId }]
      const name = 'log.cleaner.delete.retention.ms'
      const told = async () => [await kit.value({ topic }, 'delete.retention.ms'), await kit.value(one, name)]
      const answers: unknown[] = [await told()]
      answers.push(await kit.alter(all, [[name, 'set', '1111']]), await told(), await kit.value(all, name))
      answers.push(await kit.alter(one, [[name, 'set', '2222']]), await told())
      const { configs } = await kit.describe({ topic: own }, ['delete.retention.ms'])
      answers.push(configs[0]!.synonyms.map(({ name: of, value, source }) => `${of}=${value} ${source}`))
      answers.push(await kit.alter(one, [[name, 'delete', null]]), await told())
      answers.push(await kit.alter(all, [[name, 'delete', null]]), await told(), await kit.value(all, name))
      return answers
    },
    answer: [
      ['86400000 by default', '86400000 by default'],
      'NONE',
      ['1111 by all brokers', '1111 by all brokers'],
      '1111 by all brokers',
      'NONE',
      ['2222 by broker', '2222 by broker'],
      [
        'delete.retention.ms=9 1',
        'log.cleaner.delete.retention.ms=2222 2',
        'log.cleaner.delete.retention.ms=1111 3',
        'log.cleaner.delete.retention.ms=86400000 5'
      ],
      'NONE',
      ['1111 by all brokers', '1111 by all brokers'],
      'NONE',
      ['86400000 by default', '86400000 by default'],
      'not told'
    ]
  },
  {
    name: 'a default of the broker is in force at once',
    ask: async kit => {
      const topic = await kit.topic()
      const batch = { records: [{ key: null, value: Buffer.alloc(3000) }] }
      const answers = [(await kit.send(topic, batch)).error]
      answers.push(await kit.replace({ broker: kit.nodeId }, { 'message.max.bytes': '2000' }))
      answers.push(await kit.value({ topic }, 'max.message.bytes'))
      answers.push((await kit.send(topic, batch)).error)
      answers.push(await kit.replace({ broker: kit.nodeId }, {}))
      answers.push(await kit.value({ topic }, 'max.message.bytes'))
      answers.push((await kit.send(topic, batch)).error)
      return answers
    },
    answer: ['NONE', 'NONE', '2000 by broker', 'MESSAGE_TOO_LARGE', 'NONE', '1048588 by default', 'NONE']
  },
  {
    name: 'a cleanup policy of all brokers asks for keys',
    ask: async kit => {
      const topic = await kit.topic()
      const answers = [await kit.alter({ broker: '' }, [['log.cleanup.policy', 'set', 'compact']])]
      await kit.value({ topic }, 'cleanup.policy')
      answers.push((await kit.send(topic, {})).error)
      answers.push(await kit.alter({ broker: '' }, [['log.cleanup.policy', 'delete', null]]))
      await kit.value({ topic }, 'cleanup.policy')
      answers.push((await kit.send(topic, {})).error)
      return answers
    },
    answer: ['NONE', 'INVALID_RECORD', 'NONE', 'NONE']
  },
  {
    name: 'what a broker does not take while it runs',
    ask: async kit => [
      await kit.alter({ broker: kit.nodeId }, [['node.id', 'set', '5']]),
      await kit.alter({ broker: kit.nodeId }, [['auto.create.topics.enable', 'set', 'false']]),
      await kit.alter({ broker: kit.nodeId }, [['log.retention.ms', 'set', 'x']]),
      await kit.alter({ broker: kit.nodeId }, [['no.such', 'set', '5']])
    ],
    answer: ['INVALID_REQUEST', 'INVALID_REQUEST', INVALID, INVALID],
    kafka: {
      answer: ['INVALID_REQUEST', 'INVALID_REQUEST', 'INVALID_REQUEST', 'NONE'],
      why: 'a bad value is INVALID_CONFIG for topics there too; Kafka keeps unknown names for its plugins, of which there are none here'
    }
  },
  {
    name: 'settings of the broker are told',
    ask: async kit => {
      const names = ['node.id', 'auto.create.topics.enable', 'log.retention.ms', 'message.max.bytes', 'num.partitions']
      const { configs } = await kit.describe({ broker: kit.nodeId }, names)
      return configs.map(({ name, readOnly }) => `${name}${readOnly ? ' read only' : ''}`).sort()
    },
    answer: [
      'auto.create.topics.enable read only',
      'log.retention.ms',
      'message.max.bytes',
      'node.id read only',
      'num.partitions read only'
    ]
  }
]

/** Name, default and type (`ConfigType`) of every setting that Kafka 4.4 tells of a topic. */
function kafkaDefaults(): Record<string, [value: string, type: number]> {
  const [bool, string, int, long, double, list] = [1, 2, 3, 5, 6, 7]
  const max = '9223372036854775807'
  return {
    'cleanup.policy': ['delete', list],
    'compression.gzip.level': ['-1', int],
    'compression.lz4.level': ['9', int],
    'compression.type': ['producer', string],
    'compression.zstd.level': ['3', int],
    'delete.retention.ms': ['86400000', long],
    'errors.deadletterqueue.group.enable': ['false', bool],
    'file.delete.delay.ms': ['60000', long],
    'flush.messages': [max, long],
    'flush.ms': [max, long],
    'follower.replication.throttled.replicas': ['', list],
    'index.interval.bytes': ['4096', int],
    'leader.replication.throttled.replicas': ['', list],
    'local.retention.bytes': ['-2', long],
    'local.retention.ms': ['-2', long],
    'max.compaction.lag.ms': [max, long],
    'max.decompressed.message.bytes': ['2147483639', int],
    'max.message.bytes': ['1048588', int],
    'message.timestamp.after.max.ms': ['3600000', long],
    'message.timestamp.before.max.ms': [max, long],
    'message.timestamp.type': ['CreateTime', string],
    'min.cleanable.dirty.ratio': ['0.5', double],
    'min.compaction.lag.ms': ['0', long],
    'min.insync.replicas': ['1', int],
    preallocate: ['false', bool],
    'remote.copy.lag.bytes': ['-1', long],
    'remote.copy.lag.ms': ['0', long],
    'remote.log.copy.disable': ['false', bool],
    'remote.log.delete.on.disable': ['false', bool],
    'remote.storage.enable': ['false', bool],
    'retention.bytes': ['-1', long],
    'retention.ms': ['604800000', long],
    'segment.bytes': ['1073741824', int],
    'segment.index.bytes': ['10485760', int],
    'segment.jitter.ms': ['0', long],
    'segment.ms': ['604800000', long],
    'unclean.leader.election.enable': ['false', bool]
  }
}
