/**
 * Every topic-level setting, once: Kafka's keys (its `TopicConfig`), Assay's own, and the names that Confluent Server and Redpanda use for the same.
 * CreateTopics and IncrementalAlterConfigs check against this table, DescribeConfigs lists it.
 */
import { AssayError } from '@assay/errors'

/** Kafka's numbers for the type of a setting (`ConfigType` of DescribeConfigs v3). */
export const configTypes = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const
export type ConfigKind = keyof typeof configTypes

export interface TopicConfig {
  readonly kind: ConfigKind
  readonly default: string
  readonly says: string
  readonly min?: number
  readonly max?: number
  /** The only values allowed; of each element when the kind is `list`. */
  readonly choices?: readonly string[]
}

const INT_MAX = 2_147_483_647
const LONG_MAX = '9223372036854775807'

const validations = ['auto', 'off', 'id', 'deep']
const strategies = ['TopicNameStrategy', 'RecordNameStrategy', 'TopicRecordNameStrategy']

const topicConfigs: ReadonlyMap<string, TopicConfig> = new Map(
  Object.entries<TopicConfig>({
    'assay.key.subject.name.strategy': {
      kind: 'string',
      default: 'TopicNameStrategy',
      choices: strategies,
      says: 'How the subject of a record key is named.'
    },
    'assay.key.validation': {
      kind: 'string',
      default: 'auto',
      choices: validations,
      says: "What is checked of a record key: its schema ID (id), its bytes too (deep), nothing (off), or deep as soon as the topic's key subject exists (auto)."
    },
    'assay.validation.action': {
      kind: 'string',
      default: 'reject',
      choices: ['reject', 'warn'],
      says: 'What happens to a batch with a record that breaks its schema: it is refused whole (reject), or stored and counted (warn).'
    },
    'assay.value.subject.name.strategy': {
      kind: 'string',
      default: 'TopicNameStrategy',
      choices: strategies,
      says: 'How the subject of a record value is named.'
    },
    'assay.value.validation': {
      kind: 'string',
      default: 'auto',
      choices: validations,
      says: "What is checked of a record value: its schema ID (id), its bytes too (deep), nothing (off), or deep as soon as the topic's value subject exists (auto)."
    },
    'cleanup.policy': {
      kind: 'list',
      default: 'delete',
      choices: ['delete', 'compact'],
      says: 'Whether old records are to be dropped by age and size (delete), by key (compact), or both.'
    },
    'compression.gzip.level': {
      kind: 'int',
      default: '-1',
      min: -1,
      max: 9,
      says: 'Kept for tools: batches are stored as they were sent.'
    },
    'compression.lz4.level': {
      kind: 'int',
      default: '9',
      min: 1,
      max: 17,
      says: 'Kept for tools: batches are stored as they were sent.'
    },
    'compression.type': {
      kind: 'string',
      default: 'producer',
      choices: ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'],
      says: 'Kept for tools: batches are stored as they were sent, whatever this says.'
    },
    'compression.zstd.level': {
      kind: 'int',
      default: '3',
      min: -131_072,
      max: 22,
      says: 'Kept for tools: batches are stored as they were sent.'
    },
    'delete.retention.ms': {
      kind: 'long',
      default: '86400000',
      min: 0,
      says: 'How long the tombstones of a compacted topic are to be kept, in milliseconds.'
    },
    'file.delete.delay.ms': {
      kind: 'long',
      default: '60000',
      min: 0,
      says: 'Kept for tools: partitions share one journal and have no files of their own.'
    },
    'flush.messages': {
      kind: 'long',
      default: LONG_MAX,
      min: 1,
      says: 'Kept for tools: when appends reach the disk is one setting of the server (flush).'
    },
    'flush.ms': {
      kind: 'long',
      default: LONG_MAX,
      min: 0,
      says: 'Kept for tools: when appends reach the disk is one setting of the server (flush).'
    },
    'follower.replication.throttled.replicas': {
      kind: 'list',
      default: '',
      says: 'Kept for tools: there is one copy of each partition.'
    },
    'index.interval.bytes': { kind: 'int', default: '4096', min: 0, says: 'Kept for tools: every batch is indexed.' },
    'leader.replication.throttled.replicas': {
      kind: 'list',
      default: '',
      says: 'Kept for tools: there is one copy of each partition.'
    },
    'max.compaction.lag.ms': {
      kind: 'long',
      default: LONG_MAX,
      min: 1,
      says: 'Longest time that a record of a compacted topic is to stay out of compaction, in milliseconds.'
    },
    'max.message.bytes': {
      kind: 'int',
      default: '1048588',
      min: 0,
      says: 'Largest record batch that is taken, in bytes, after compression.'
    },
    'message.timestamp.after.max.ms': {
      kind: 'long',
      default: '3600000',
      min: 0,
      says: 'How far ahead of the clock of the server the largest timestamp of a batch may be, in milliseconds.'
    },
    'message.timestamp.before.max.ms': {
      kind: 'long',
      default: LONG_MAX,
      min: 0,
      says: 'How far behind the clock of the server the first timestamp of a batch may be, in milliseconds.'
    },
    'message.timestamp.type': {
      kind: 'string',
      default: 'CreateTime',
      choices: ['CreateTime', 'LogAppendTime'],
      says: 'Whether records bear the time their producer gave (CreateTime) or that of the append (LogAppendTime).'
    },
    'min.cleanable.dirty.ratio': {
      kind: 'double',
      default: '0.5',
      min: 0,
      max: 1,
      says: 'Which part of a compacted topic must be new before compaction is to run.'
    },
    'min.compaction.lag.ms': {
      kind: 'long',
      default: '0',
      min: 0,
      says: 'Shortest time that a record of a compacted topic is to stay out of compaction, in milliseconds.'
    },
    'min.insync.replicas': {
      kind: 'int',
      default: '1',
      min: 1,
      max: 1,
      says: 'Copies that must have a record before it is acknowledged; there is one copy, on disk.'
    },
    preallocate: {
      kind: 'boolean',
      default: 'false',
      says: 'Kept for tools: partitions share one journal and have no files of their own.'
    },
    'remote.storage.enable': {
      kind: 'boolean',
      default: 'false',
      choices: ['false'],
      says: 'Tiered storage is not offered.'
    },
    'retention.bytes': {
      kind: 'long',
      default: '-1',
      min: -1,
      says: 'How many bytes of a partition are to be kept; -1 sets no limit.'
    },
    'retention.ms': {
      kind: 'long',
      default: '604800000',
      min: -1,
      says: 'How long records are to be kept, in milliseconds; -1 sets no limit.'
    },
    'segment.bytes': {
      kind: 'int',
      default: '1073741824',
      min: 14,
      says: 'Kept for tools: partitions share one journal, whose segments have their own size.'
    },
    'segment.index.bytes': {
      kind: 'int',
      default: '10485760',
      min: 4,
      says: 'Kept for tools: partitions share one journal, whose segments have their own size.'
    },
    'segment.jitter.ms': {
      kind: 'long',
      default: '0',
      min: 0,
      says: 'Kept for tools: partitions share one journal, whose segments have their own size.'
    },
    'segment.ms': {
      kind: 'long',
      default: '604800000',
      min: 1,
      says: 'Kept for tools: partitions share one journal, whose segments have their own size.'
    },
    'unclean.leader.election.enable': {
      kind: 'boolean',
      default: 'false',
      says: 'Kept for tools: there is one copy of each partition.'
    }
  })
)

/** Another name for one of our settings: how its values are read and shown. */
export interface ConfigAlias {
  readonly of: string
  readonly kind: ConfigKind
  /** The value of ours that a value under this name stands for; undefined when it stands for none. */
  readonly read: (value: string) => string | undefined
  readonly show: (value: string) => string
}

function aliasesOf(side: 'key' | 'value'): [string, ConfigAlias][] {
  const validation: ConfigAlias = {
    of: `assay.${side}.validation`,
    kind: 'boolean',
    read: value => ({ true: 'id', false: 'off' })[value.toLowerCase()],
    show: value => String(value === 'id' || value === 'deep')
  }
  const strategy = (prefix: string): ConfigAlias => ({
    of: `assay.${side}.subject.name.strategy`,
    kind: 'string',
    // Confluent names Java classes, in two packages over the years; the last part is the strategy.
    read: value => strategies.find(name => value === name || value.endsWith(`.${name}`)),
    show: value => `${prefix}${value}`
  })
  return [
    [`confluent.${side}.schema.validation`, validation],
    [`confluent.${side}.subject.name.strategy`, strategy('io.confluent.kafka.serializers.subject.')],
    [`redpanda.${side}.schema.id.validation`, validation],
    [`redpanda.${side}.subject.name.strategy`, strategy('')]
  ]
}

const aliases: ReadonlyMap<string, ConfigAlias> = new Map([...aliasesOf('key'), ...aliasesOf('value')])

export const topicConfigNames: readonly string[] = [...topicConfigs.keys()]
export const topicConfigAliases: readonly (readonly [string, ConfigAlias])[] = [...aliases]
export const topicConfig = (name: string): TopicConfig | undefined => topicConfigs.get(name)

const invalid = (name: string, reason: string): AssayError => new AssayError('INVALID_CONFIG', { name, reason })

/** The setting that a name stands for, itself or by alias. Fails with INVALID_CONFIG when there is none. */
export function canonicalName(name: string): string {
  const canonical = aliases.get(name)?.of ?? name
  if (!topicConfigs.has(canonical)) throw invalid(name, 'no topic has a setting of this name')
  return canonical
}

/** The setting and value that a name and value given by a client stand for. Fails with INVALID_CONFIG. */
export function readTopicConfig(name: string, value: string): readonly [name: string, value: string] {
  const alias = aliases.get(name)
  if (alias === undefined) return [canonicalName(name), checkedValue(name, topicConfigs.get(canonicalName(name))!, value)]
  const read = alias.read(value)
  if (read === undefined) throw invalid(name, `${JSON.stringify(value)} is none of its values`)
  return [alias.of, read]
}

/** The explicit settings that a client gives a new topic. Fails with INVALID_CONFIG, also when two names of one setting disagree. */
export function readTopicConfigs(
  given: readonly { readonly name: string; readonly value: string | null }[]
): ReadonlyMap<string, string> {
  const configs = new Map<string, string>()
  for (const { name, value } of given) {
    if (value === null) throw invalid(name, 'it has no value')
    const [canonical, read] = readTopicConfig(name, value)
    const other = configs.get(canonical)
    if (other !== undefined && other !== read) throw invalid(name, `it stands for ${canonical}, which is given as ${other} too`)
    configs.set(canonical, read)
  }
  return configs
}

function checkedValue(name: string, config: TopicConfig, given: string): string {
  const value = given.trim()
  switch (config.kind) {
    case 'boolean': {
      const flag = value.toLowerCase()
      if (flag !== 'true' && flag !== 'false') throw invalid(name, `${JSON.stringify(given)} is neither true nor false`)
      return chosen(name, config, flag)
    }
    case 'int':
    case 'long': {
      if (!/^[+-]?\d{1,19}$/.test(value)) throw invalid(name, `${JSON.stringify(given)} is not an integer`)
      const number = BigInt(value.startsWith('+') ? value.slice(1) : value)
      const top = BigInt(config.max ?? (config.kind === 'int' ? INT_MAX : LONG_MAX))
      const bottom = BigInt(config.min ?? (config.kind === 'int' ? -INT_MAX - 1 : `-${LONG_MAX}`))
      if (number < bottom || number > top) throw invalid(name, `${value} is outside ${bottom}..${top}`)
      return String(number)
    }
    case 'double': {
      const number = value === '' ? Number.NaN : Number(value)
      if (!(number >= (config.min ?? -Infinity) && number <= (config.max ?? Infinity))) {
        throw invalid(name, `${JSON.stringify(given)} is not a number in ${config.min}..${config.max}`)
      }
      return value
    }
    case 'list': {
      const elements = value === '' ? [] : value.split(',').map(element => element.trim())
      for (const element of elements) chosen(name, config, element)
      return elements.join(',')
    }
    case 'string':
      return chosen(name, config, value)
  }
}

function chosen(name: string, config: TopicConfig, value: string): string {
  if (config.choices !== undefined && !config.choices.includes(value)) {
    throw invalid(name, `${JSON.stringify(value)} is not one of ${config.choices.join(', ')}`)
  }
  return value
}

/** The value in force: the topic's own, else what the server sets for all topics, else the table's. */
export function configOf(
  configs: ReadonlyMap<string, string>,
  name: string,
  serverDefaults: ReadonlyMap<string, string> = new Map()
): string {
  return configs.get(name) ?? serverDefaults.get(name) ?? topicConfigs.get(name)!.default
}
