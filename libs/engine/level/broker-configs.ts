/** What DescribeConfigs tells of the broker: Kafka's names for the settings in force. They are set where the server is started. */
import type { LevelOptions } from './options.ts'
import { type ConfigKind, topicConfig } from './topic-configs.ts'

export interface BrokerConfig {
  readonly name: string
  readonly kind: ConfigKind
  readonly value: string
  readonly says: string
}

/** The values that the server gives to topics that set nothing, by topic-level name. */
export const serverTopicDefaults = (options: LevelOptions): ReadonlyMap<string, string> =>
  new Map([['max.message.bytes', String(options.messageBytesMax)]])

export function brokerConfigs(nodeId: number, options: LevelOptions): BrokerConfig[] {
  const int = (name: string, value: number, says: string): BrokerConfig => ({ name, kind: 'int', value: String(value), says })
  const flag = (name: string, value: boolean, says: string): BrokerConfig => ({
    name,
    kind: 'boolean',
    value: String(value),
    says
  })
  return [
    flag('auto.create.topics.enable', options.autoCreateTopics, 'A topic that a client asks for is made when it is not there.'),
    int('broker.id', nodeId, 'The node ID of this broker.'),
    int('default.replication.factor', 1, 'There is one copy of each partition.'),
    flag('delete.topic.enable', true, 'Topics can be deleted.'),
    int('fetch.max.bytes', options.fetchBytesMax, 'Most record bytes in one Fetch answer.'),
    int(
      'group.initial.rebalance.delay.ms',
      options.groupInitialRebalanceDelayMs,
      'How long an empty group waits for more members after the first.'
    ),
    int('group.max.session.timeout.ms', options.groupSessionTimeoutMaxMs, 'Longest session timeout that a member may ask for.'),
    int('group.max.size', options.groupMembersMax, 'Most members of one group.'),
    int('group.min.session.timeout.ms', options.groupSessionTimeoutMinMs, 'Shortest session timeout that a member may ask for.'),
    int('message.max.bytes', options.messageBytesMax, 'Largest record batch of a topic that sets no max.message.bytes.'),
    int('min.insync.replicas', 1, topicConfig('min.insync.replicas')!.says),
    int('node.id', nodeId, 'The node ID of this broker.'),
    int('num.partitions', options.defaultPartitions, 'Partitions of a topic whose creator names none.'),
    int('offset.metadata.max.bytes', options.offsetMetadataBytesMax, 'Longest metadata stored with a committed offset.'),
    int('offsets.topic.num.partitions', 1, 'Partitions of __consumer_offsets.'),
    int('offsets.topic.replication.factor', 1, 'There is one copy of each partition.')
  ]
}
