/** What the coordinator knows of one transactional ID, and the questions that can be asked of it. No I/O, no clock. */
import type { TransactionEnd } from '@assay/log'

/** Kafka's states but `PrepareEpochFence`, which is never seen here: a fenced transaction is aborted in the same step. */
export type TransactionState =
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort'
  | 'Dead'

/** Names of Kafka's error codes that requests of transactional producers are answered with. */
export type TransactionError =
  | 'NONE'
  | 'CONCURRENT_TRANSACTIONS'
  | 'COORDINATOR_NOT_AVAILABLE'
  | 'INVALID_PRODUCER_EPOCH'
  | 'INVALID_PRODUCER_ID_MAPPING'
  | 'INVALID_REQUEST'
  | 'INVALID_TRANSACTION_TIMEOUT'
  | 'INVALID_TXN_STATE'
  | 'NOT_COORDINATOR'
  | 'POLICY_VIOLATION'
  | 'PRODUCER_FENCED'
  | 'TRANSACTION_ABORTABLE'

/** Topic names with the partitions of each. */
export type TopicPartitions = ReadonlyMap<string, ReadonlySet<number>>

export interface ProducerEpoch {
  readonly producerId: number
  readonly epoch: number
}

/** The protocol by which its producer works: 2 gives a new epoch with each transaction (KIP-890). */
export type TransactionVersion = 0 | 2

/** A value, never changed in place. */
export interface Transaction {
  readonly id: string
  readonly state: TransactionState
  readonly producerId: number
  readonly producerEpoch: number
  /** The one before, when the epochs of that one were used up; -1 when there was none. */
  readonly previousProducerId: number
  /** The epoch before, while its producer may repeat the request that raised it; else -1. Not kept over a restart, as in Kafka. */
  readonly lastEpoch: number
  readonly timeoutMs: number
  /** What it writes to; none unless it is under way. */
  readonly partitions: TopicPartitions
  /** When the last one began; -1 when none ever did. */
  readonly startedMs: number
  readonly updatedMs: number
  readonly version: TransactionVersion
}

export const EPOCH_MAX = 0x7fff
export const NONE = -1
export const NO_PARTITIONS: TopicPartitions = new Map()

/** The last epoch is kept for the coordinator, to fence with. */
export const isExhausted = (epoch: number): boolean => epoch >= EPOCH_MAX - 1

/** True while its end is on its way to disk. */
export const isEnding = ({ state }: Transaction): boolean => state === 'PrepareCommit' || state === 'PrepareAbort'

function hasPartition({ partitions }: Transaction, topic: string, index: number): boolean {
  return partitions.get(topic)?.has(index) ?? false
}

export function hasAll(transaction: Transaction, wanted: TopicPartitions): boolean {
  for (const [topic, indexes] of wanted) for (const index of indexes) if (!hasPartition(transaction, topic, index)) return false
  return true
}

export function withPartitions(known: TopicPartitions, more: TopicPartitions): TopicPartitions {
  const together = new Map(known)
  for (const [topic, indexes] of more) together.set(topic, new Set([...(known.get(topic) ?? []), ...indexes]))
  return together
}

/** When it is aborted unless it has ended; undefined when none is under way. */
export const deadlineMs = ({ state, startedMs, timeoutMs }: Transaction): number | undefined =>
  state === 'Ongoing' ? startedMs + timeoutMs : undefined

export const prepares = (end: TransactionEnd): TransactionState => (end === 'commit' ? 'PrepareCommit' : 'PrepareAbort')
export const completes = (end: TransactionEnd): TransactionState => (end === 'commit' ? 'CompleteCommit' : 'CompleteAbort')
