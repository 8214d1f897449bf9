/**
 * Every topic-level setting, once: the keys of Kafka 4.4 (its `TopicConfig` and `LogConfig`) and Assay's own. CreateTopics and the two
 * ways to alter settings check against this table, DescribeConfigs lists it, docs/reference/topic-settings.md is printed from it.
 */

/** Kafka's numbers for the type of a setting (`ConfigType` of DescribeConfigs v3). */
export const configTypes = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const
export type ConfigKind = keyof typeof configTypes

/**
 * What comes of a setting here: `does` is as in Kafka, `differs` as its note says, `kept` is stored and told and moves nothing, for the
 * reason that the note gives; `own` is Assay's.
 */
export type Effect = 'does' | 'differs' | 'kept' | 'own'

export interface TopicConfig {
  readonly kind: ConfigKind
  readonly default: string
  readonly says: string
  readonly here: Effect
  /** Of `differs` and `kept`: how, or why. */
  readonly note?: string
  /** Kafka's name of the broker setting that stands in for topics that set nothing. */
  readonly broker?: string
  readonly min?: number
  readonly max?: number
  /** A value outside the bounds that is taken too. */
  readonly besides?: number
  /** The only values allowed; of each element when the kind is `list`. */
  readonly choices?: readonly string[]
  /** Each element of a list must match. */
  readonly pattern?: RegExp
}

export const INT_MAX = 2_147_483_647
export const LONG_MAX = '9223372036854775807'
/** The largest array that Java can make: Kafka's way to say "without bound". */
const JAVA_ARRAY_MAX = 2_147_483_639

const validations = ['auto', 'off', 'id', 'deep']
export const strategies = ['TopicNameStrategy', 'RecordNameStrategy', 'TopicRecordNameStrategy'] as const

const ONE_COPY = 'There is one copy of each partition.'
const ONE_JOURNAL = 'Partitions share one journal; its segments are a matter of the server (segment-bytes, segment-ms).'
const FLUSH = 'When appends reach the disk is one setting of the server (flush); by default that is before they are acknowledged.'
const NO_TIERS = 'Tiered storage is not offered.'
const REPLICA = /^(\*|\d+:\d+)$/

const table: Readonly<Record<string, TopicConfig>> = {
  'assay.key.subject.name.strategy': {
    kind: 'string',
    default: 'TopicNameStrategy',
    choices: strategies,
    says: 'How the subject of a record key is named.',
    here: 'own'
  },
  'assay.key.validation': {
    kind: 'string',
    default: 'auto',
    choices: validations,
    says: "What is checked of a record key: its schema ID (id), its bytes too (deep), nothing (off), or deep as soon as the topic's key subject exists (auto).",
    here: 'own'
  },
  'assay.validation.action': {
    kind: 'string',
    default: 'reject',
    choices: ['reject', 'warn'],
    says: 'What happens to a batch with a record that breaks its schema: it is refused whole (reject), or stored and counted (warn).',
    here: 'own'
  },
  'assay.value.subject.name.strategy': {
    kind: 'string',
    default: 'TopicNameStrategy',
    choices: strategies,
    says: 'How the subject of a record value is named.',
    here: 'own'
  },
  'assay.value.validation': {
    kind: 'string',
    default: 'auto',
    choices: validations,
    says: "What is checked of a record value: its schema ID (id), its bytes too (deep), nothing (off), or deep as soon as the topic's value subject exists (auto).",
    here: 'own'
  },
  'cleanup.policy': {
    kind: 'list',
    default: 'delete',
    broker: 'log.cleanup.policy',
    choices: ['delete', 'compact'],
    says: 'Whether old records are dropped by age and size (delete), by key (compact), or both. An empty list keeps everything.',
    here: 'does'
  },
  'compression.gzip.level': {
    kind: 'int',
    default: '-1',
    broker: 'compression.gzip.level',
    min: 1,
    max: 9,
    besides: -1,
    says: 'How hard gzip tries where compression.type is gzip; -1 leaves it to the library.',
    here: 'does'
  },
  'compression.lz4.level': {
    kind: 'int',
    default: '9',
    broker: 'compression.lz4.level',
    min: 1,
    max: 17,
    says: 'How hard lz4 tries where compression.type is lz4.',
    here: 'kept',
    note: 'The library knows one level, the fast one.'
  },
  'compression.type': {
    kind: 'string',
    default: 'producer',
    broker: 'compression.type',
    choices: ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'],
    says: 'How batches are stored: as their producer sent them (producer), or always with this codec.',
    here: 'differs',
    note: 'A batch that has to be compressed anew may inflate to recompress-bytes-max at most; a larger one is refused with MESSAGE_TOO_LARGE.'
  },
  'compression.zstd.level': {
    kind: 'int',
    default: '3',
    broker: 'compression.zstd.level',
    min: -131_072,
    max: 22,
    says: 'How hard zstd tries where compression.type is zstd.',
    here: 'does'
  },
  'delete.retention.ms': {
    kind: 'long',
    default: '86400000',
    broker: 'log.cleaner.delete.retention.ms',
    min: 0,
    says: 'How long the tombstones of a compacted topic are kept, in milliseconds.',
    here: 'does'
  },
  'errors.deadletterqueue.group.enable': {
    kind: 'boolean',
    default: 'false',
    says: 'Whether share groups may write to the topic what they could not process.',
    here: 'kept',
    note: 'Share groups are not served.'
  },
  'file.delete.delay.ms': {
    kind: 'long',
    default: '60000',
    broker: 'log.segment.delete.delay.ms',
    min: 0,
    says: 'How long files stay after they were deleted, in milliseconds.',
    here: 'kept',
    note: ONE_JOURNAL
  },
  'flush.messages': {
    kind: 'long',
    default: LONG_MAX,
    broker: 'log.flush.interval.messages',
    min: 1,
    says: 'After how many records the log is forced to disk.',
    here: 'kept',
    note: FLUSH
  },
  'flush.ms': {
    kind: 'long',
    default: LONG_MAX,
    broker: 'log.flush.interval.ms',
    min: 0,
    says: 'After how many milliseconds the log is forced to disk.',
    here: 'kept',
    note: FLUSH
  },
  'follower.replication.throttled.replicas': {
    kind: 'list',
    default: '',
    pattern: REPLICA,
    says: 'Replicas whose copying is throttled on the side of the follower: partition:broker, or * for all.',
    here: 'kept',
    note: ONE_COPY
  },
  'index.interval.bytes': {
    kind: 'int',
    default: '4096',
    broker: 'log.index.interval.bytes',
    min: 0,
    says: 'How many bytes of records lie between two entries of the offset index.',
    here: 'kept',
    note: 'Every batch is indexed.'
  },
  'leader.replication.throttled.replicas': {
    kind: 'list',
    default: '',
    pattern: REPLICA,
    says: 'Replicas whose copying is throttled on the side of the leader: partition:broker, or * for all.',
    here: 'kept',
    note: ONE_COPY
  },
  'local.retention.bytes': {
    kind: 'long',
    default: '-2',
    broker: 'log.local.retention.bytes',
    min: -2,
    says: 'How many bytes of a tiered partition stay on the broker; -2 is as retention.bytes says.',
    here: 'kept',
    note: NO_TIERS
  },
  'local.retention.ms': {
    kind: 'long',
    default: '-2',
    broker: 'log.local.retention.ms',
    min: -2,
    says: 'How long the records of a tiered partition stay on the broker, in milliseconds; -2 is as retention.ms says.',
    here: 'kept',
    note: NO_TIERS
  },
  'max.compaction.lag.ms': {
    kind: 'long',
    default: LONG_MAX,
    broker: 'log.cleaner.max.compaction.lag.ms',
    min: 1,
    says: 'Longest time that a record of a compacted topic stays out of compaction, in milliseconds.',
    here: 'does'
  },
  'max.decompressed.message.bytes': {
    kind: 'int',
    default: String(JAVA_ARRAY_MAX),
    broker: 'max.decompressed.message.bytes',
    min: 1,
    max: JAVA_ARRAY_MAX,
    says: 'Largest single record of a compressed batch, decompressed, in bytes.',
    here: 'differs',
    note: 'Checked when a batch is produced, not again afterwards. A whole batch may inflate to decompressed-bytes-max of the server besides.'
  },
  'max.message.bytes': {
    kind: 'int',
    default: '1048588',
    broker: 'message.max.bytes',
    min: 0,
    says: 'Largest record batch that is taken, in bytes, after compression.',
    here: 'does'
  },
  'message.timestamp.after.max.ms': {
    kind: 'long',
    default: '3600000',
    broker: 'log.message.timestamp.after.max.ms',
    min: 0,
    says: 'How far ahead of the clock of the server the timestamp of a record may be, in milliseconds.',
    here: 'differs',
    note: "The largest timestamp that the batch's header tells is what is looked at; Kafka reads every record."
  },
  'message.timestamp.before.max.ms': {
    kind: 'long',
    default: LONG_MAX,
    broker: 'log.message.timestamp.before.max.ms',
    min: 0,
    says: 'How far behind the clock of the server the timestamp of a record may be, in milliseconds.',
    here: 'does'
  },
  'message.timestamp.type': {
    kind: 'string',
    default: 'CreateTime',
    broker: 'log.message.timestamp.type',
    choices: ['CreateTime', 'LogAppendTime'],
    says: 'Whether records bear the time their producer gave (CreateTime) or that of the append (LogAppendTime).',
    here: 'does'
  },
  'min.cleanable.dirty.ratio': {
    kind: 'double',
    default: '0.5',
    broker: 'log.cleaner.min.cleanable.ratio',
    min: 0,
    max: 1,
    says: 'Which part of a compacted partition must be new before compaction runs.',
    here: 'does'
  },
  'min.compaction.lag.ms': {
    kind: 'long',
    default: '0',
    broker: 'log.cleaner.min.compaction.lag.ms',
    min: 0,
    says: 'Shortest time that a record of a compacted topic stays out of compaction, in milliseconds.',
    here: 'does'
  },
  'min.insync.replicas': {
    kind: 'int',
    default: '1',
    broker: 'min.insync.replicas',
    min: 1,
    says: 'Copies that must have a record before acks=all is answered.',
    here: 'does',
    note: 'More than a partition has copies counts as that many, in Kafka 4 as here. With its one copy, acks=all always goes through.'
  },
  preallocate: {
    kind: 'boolean',
    default: 'false',
    broker: 'log.preallocate',
    says: 'Whether files are made in their full size.',
    here: 'kept',
    note: ONE_JOURNAL
  },
  'remote.copy.lag.bytes': {
    kind: 'long',
    default: '-1',
    broker: 'log.remote.copy.lag.bytes',
    min: -1,
    says: 'How many newer bytes there must be before a segment is copied to the remote tier.',
    here: 'kept',
    note: NO_TIERS
  },
  'remote.copy.lag.ms': {
    kind: 'long',
    default: '0',
    broker: 'log.remote.copy.lag.ms',
    min: -1,
    says: 'How old a segment must be before it is copied to the remote tier, in milliseconds.',
    here: 'kept',
    note: NO_TIERS
  },
  'remote.log.copy.disable': {
    kind: 'boolean',
    default: 'false',
    says: 'Whether nothing more is copied to the remote tier.',
    here: 'kept',
    note: NO_TIERS
  },
  'remote.log.delete.on.disable': {
    kind: 'boolean',
    default: 'false',
    says: 'Whether the remote tier is emptied when tiering is switched off.',
    here: 'kept',
    note: NO_TIERS
  },
  'remote.storage.enable': {
    kind: 'boolean',
    default: 'false',
    choices: ['false'],
    says: 'Whether old segments move to a remote tier.',
    here: 'kept',
    note: `${NO_TIERS} true is refused, as by a Kafka that has none.`
  },
  'retention.bytes': {
    kind: 'long',
    default: '-1',
    broker: 'log.retention.bytes',
    says: 'How many bytes of a partition are kept; a negative number sets no limit.',
    here: 'differs',
    note: 'Batch by batch, where Kafka drops whole segments.'
  },
  'retention.ms': {
    kind: 'long',
    default: '604800000',
    broker: 'log.retention.ms',
    min: -1,
    says: 'How long records are kept, in milliseconds; -1 sets no limit.',
    here: 'differs',
    note: 'Batch by batch, where Kafka drops whole segments.'
  },
  'segment.bytes': {
    kind: 'int',
    default: '1073741824',
    broker: 'log.segment.bytes',
    min: 1_048_576,
    says: 'Largest segment file, in bytes.',
    here: 'kept',
    note: ONE_JOURNAL
  },
  'segment.index.bytes': {
    kind: 'int',
    default: '10485760',
    broker: 'log.index.size.max.bytes',
    min: 4,
    says: 'Largest index file of a segment, in bytes.',
    here: 'kept',
    note: ONE_JOURNAL
  },
  'segment.jitter.ms': {
    kind: 'long',
    default: '0',
    broker: 'log.roll.jitter.ms',
    min: 0,
    says: 'How much earlier than segment.ms a segment may end, in milliseconds.',
    here: 'kept',
    note: ONE_JOURNAL
  },
  'segment.ms': {
    kind: 'long',
    default: '604800000',
    broker: 'log.roll.ms',
    min: 1,
    says: 'After how many milliseconds a segment ends.',
    here: 'kept',
    note: `${ONE_JOURNAL} Retention and compaction do not wait for a segment to end.`
  },
  'unclean.leader.election.enable': {
    kind: 'boolean',
    default: 'false',
    broker: 'unclean.leader.election.enable',
    says: 'Whether a replica that lags behind may become leader.',
    here: 'kept',
    note: ONE_COPY
  }
}

export const topicConfigNames: readonly string[] = Object.keys(table)
export const topicConfig = (name: string): TopicConfig | undefined => (Object.hasOwn(table, name) ? table[name] : undefined)

/** The topic-level name by the name of the broker setting that stands in for it. */
export const topicNameOfBroker: ReadonlyMap<string, string> = new Map(
  Object.entries(table).flatMap(([name, { broker }]) => (broker === undefined ? [] : [[broker, name] as const]))
)

/** What is in force where a topic sets nothing; undefined leaves it to the table. */
export interface ServerDefaults {
  get(name: string): string | undefined
}

/** The value in force: the topic's own, else what the server sets for all topics, else the table's. */
export function configOf(
  configs: ReadonlyMap<string, string>,
  name: string,
  serverDefaults: ServerDefaults = new Map<string, string>()
): string {
  return configs.get(name) ?? serverDefaults.get(name) ?? table[name]!.default
}
