/** What the level engine may be told, with every default in one place. The names of Kafka's own settings stand beside them. */

export interface LevelOptions {
  /** A topic that a client asks metadata for is made when it is not there (`auto.create.topics.enable`). */
  readonly autoCreateTopics: boolean
  /** Partitions of a topic whose creator names none (`num.partitions`). */
  readonly defaultPartitions: number
  /** Most partitions in all topics together. */
  readonly partitionsMax: number
  /** Largest record batch of a topic that sets no `max.message.bytes` (`message.max.bytes`). */
  readonly messageBytesMax: number
  /** Largest size that a compressed batch may inflate to where records have to be looked at. */
  readonly decompressedBytesMax: number
  /** Largest size that a batch may inflate to where the topic has it compressed anew (`compression.type`). */
  readonly recompressBytesMax: number
  /** Most record bytes in one Fetch answer, whatever the client asks for (`fetch.max.bytes`). */
  readonly fetchBytesMax: number
  /** Most record bytes in all Fetch answers that have not been written to their sockets yet. */
  readonly fetchBytesUnderWayMax: number
  /** Longest time a Fetch may wait for records. */
  readonly fetchWaitMsMax: number
  /** Most groups, those with nothing but committed offsets included. */
  readonly groupsMax: number
  /** Most members of one group (`group.max.size`). */
  readonly groupMembersMax: number
  /** Most bytes that one member may bring as subscription, and get as assignment. */
  readonly groupMemberBytesMax: number
  /** Shortest session timeout that a member may ask for (`group.min.session.timeout.ms`). */
  readonly groupSessionTimeoutMinMs: number
  /** Longest session timeout that a member may ask for (`group.max.session.timeout.ms`). */
  readonly groupSessionTimeoutMaxMs: number
  /** How long an empty group waits for more members after the first (`group.initial.rebalance.delay.ms`). */
  readonly groupInitialRebalanceDelayMs: number
  /** Longest metadata stored with a committed offset, in bytes (`offset.metadata.max.bytes`). */
  readonly offsetMetadataBytesMax: number
}

const MiB = 1024 * 1024

export const levelDefaults: LevelOptions = {
  autoCreateTopics: true,
  defaultPartitions: 1,
  partitionsMax: 10_000,
  messageBytesMax: 1_048_588,
  decompressedBytesMax: 64 * MiB,
  recompressBytesMax: 8 * MiB,
  fetchBytesMax: 55 * MiB,
  fetchBytesUnderWayMax: 256 * MiB,
  fetchWaitMsMax: 300_000,
  groupsMax: 10_000,
  groupMembersMax: 1000,
  groupMemberBytesMax: MiB,
  groupSessionTimeoutMinMs: 6000,
  groupSessionTimeoutMaxMs: 1_800_000,
  groupInitialRebalanceDelayMs: 0,
  offsetMetadataBytesMax: 4096
}
