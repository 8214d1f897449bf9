/**
 * The settings of this broker as DescribeConfigs tells them, by Kafka's names: those that the server was started with, and the defaults of
 * topics, which may be set while it runs.
 */
import { type BrokerDefaults, type Candidate, SOURCE } from './broker-defaults.ts'
import { unknownName } from './config-names.ts'
import { checkedValue, invalidConfig } from './config-values.ts'
import { type LevelOptions, levelDefaults } from './options.ts'
import { type ConfigKind, topicConfig, topicConfigNames, topicNameOfBroker } from './topic-configs.ts'

export interface BrokerConfig {
  readonly name: string
  readonly kind: ConfigKind
  readonly says: string
  /** Strongest first; never empty. */
  readonly candidates: readonly Candidate[]
  /** Set where the server is started, and not while it runs. */
  readonly isReadOnly: boolean
}

/** Kafka's names for what the server is started with, and the option behind each. */
const started: readonly (readonly [name: string, option: keyof LevelOptions, says: string])[] = [
  ['auto.create.topics.enable', 'autoCreateTopics', 'A topic that a client asks for is made when it is not there.'],
  ['fetch.max.bytes', 'fetchBytesMax', 'Most record bytes in one Fetch answer.'],
  [
    'group.initial.rebalance.delay.ms',
    'groupInitialRebalanceDelayMs',
    'How long an empty group waits for more members after the first.'
  ],
  ['group.max.session.timeout.ms', 'groupSessionTimeoutMaxMs', 'Longest session timeout that a member may ask for.'],
  ['group.max.size', 'groupMembersMax', 'Most members of one group.'],
  ['group.min.session.timeout.ms', 'groupSessionTimeoutMinMs', 'Shortest session timeout that a member may ask for.'],
  ['num.partitions', 'defaultPartitions', 'Partitions of a topic whose creator names none.'],
  ['offset.metadata.max.bytes', 'offsetMetadataBytesMax', 'Longest metadata stored with a committed offset.']
]

const ONE_COPY = 'There is one copy of each partition.'
const fixed: readonly (readonly [name: string, value: string, says: string])[] = [
  ['default.replication.factor', '1', ONE_COPY],
  ['delete.topic.enable', 'true', 'Topics can be deleted.'],
  ['offsets.topic.num.partitions', '1', 'Partitions of __consumer_offsets.'],
  ['offsets.topic.replication.factor', '1', ONE_COPY]
]

export function brokerConfigs({
  nodeId,
  options,
  defaults
}: {
  readonly nodeId: number
  readonly options: LevelOptions
  readonly defaults: BrokerDefaults
}): BrokerConfig[] {
  const readOnly = (name: string, value: string, says: string, usual: string): BrokerConfig => {
    const kind: ConfigKind = value === 'true' || value === 'false' ? 'boolean' : 'int'
    const usually: Candidate = { name, value: usual, source: SOURCE.default }
    const candidates = value === usual ? [usually] : [{ name, value, source: SOURCE.staticBroker }, usually]
    return { name, kind, says, candidates, isReadOnly: true }
  }
  const node = ['broker.id', 'node.id'].map(name => ({
    ...readOnly(name, String(nodeId), 'The node ID of this broker.', ''),
    candidates: [{ name, value: String(nodeId), source: SOURCE.staticBroker }]
  }))
  const ofTopics = topicConfigNames.flatMap((topicLevelName): BrokerConfig[] => {
    const { broker, kind, says } = topicConfig(topicLevelName)!
    if (broker === undefined) return []
    return [{ name: broker, kind, says, candidates: defaults.candidates(topicLevelName), isReadOnly: false }]
  })
  return [
    ...node,
    ...started.map(([name, option, says]) => readOnly(name, String(options[option]), says, String(levelDefaults[option]))),
    ...fixed.map(([name, value, says]) => readOnly(name, value, says, value)),
    ...ofTopics
  ].sort((a, b) => (a.name < b.name ? -1 : 1))
}

const readOnlyNames: ReadonlySet<string> = new Set([
  'broker.id',
  'node.id',
  ...started.map(([name]) => name),
  ...fixed.map(([name]) => name)
])

/** True of a setting that is made where the server is started. */
export const isReadOnly = (name: string): boolean => readOnlyNames.has(name)

/** The value of a setting that may be made while the server runs. Fails with INVALID_CONFIG. */
export function readBrokerConfig(name: string, value: string): readonly [name: string, value: string] {
  return [name, checkedValue(name, topicConfig(topicNameOfBroker.get(checkedName(name))!)!, value)]
}

/** Fails with INVALID_CONFIG when no broker has a setting of this name. */
export function checkedName(name: string): string {
  if (topicNameOfBroker.has(name)) return name
  throw invalidConfig(name, unknownName(name, 'no broker', [...topicNameOfBroker.keys(), ...readOnlyNames]))
}
