/** What the requests of producers with transactions ask of the caller; the refusals as Kafka's broker shapes them. */
import { errorCode, initProducerId, type RequestOf, type ResponseOf } from '@assay/protocol'
import { CLUSTER } from '@assay/security'
import {
  type Asked,
  blankAt,
  CLUSTER_REFUSED,
  GROUP_REFUSED,
  joined,
  type Row,
  row,
  split,
  TOPIC_REFUSED,
  TRANSACTION_REFUSED,
  wholeRow
} from './access.ts'

const initProducerIdRow = row<RequestOf<typeof initProducerId>, ResponseOf<typeof initProducerId>>(
  initProducerId.key,
  initProducerId.name,
  async asked => {
    const { transactionalId } = asked.body
    if (transactionalId !== null) {
      if (asked.may('write', 'transactional-id', transactionalId)) return asked.pass()
      return asked.blank({ errorCode: TRANSACTION_REFUSED })
    }
    // Whoever may write to any topic may do so idempotently (KIP-679).
    const isAllowed = asked.mayAny('write', 'topic') || asked.may('idempotent-write', CLUSTER.type, CLUSTER.name)
    return isAllowed ? asked.pass() : asked.blank({ errorCode: CLUSTER_REFUSED })
  }
)

interface PartitionResult {
  partitionIndex: number
  partitionErrorCode: number
}
interface TopicResult {
  name: string
  resultsByPartition: PartitionResult[]
}
interface TransactionTopic {
  readonly name: string
  readonly partitions: readonly number[]
}
interface Transaction {
  readonly transactionalId: string
  readonly topics: readonly TransactionTopic[]
}
interface AddPartitionsRequest {
  /** Since version 4 any number of transactions in one request; before, the fields of one. */
  readonly transactions: readonly Transaction[]
  readonly v3AndBelowTransactionalId: string
  readonly v3AndBelowTopics: readonly TransactionTopic[]
}
interface AddPartitionsResponse {
  errorCode: number
  resultsByTransaction: { transactionalId: string; topicResults: TopicResult[] }[]
  resultsByTopicV3AndBelow: TopicResult[]
}

const NOT_ATTEMPTED = errorCode('OPERATION_NOT_ATTEMPTED')

/** Undefined when all of it may be done; else an answer for each partition: one refusal, and none is added. */
function refusedTransaction(
  asked: Asked<AddPartitionsRequest, AddPartitionsResponse>,
  { transactionalId, topics }: Transaction,
  isBroker: boolean
): TopicResult[] | undefined {
  const answer = (codeOf: (name: string) => number): TopicResult[] =>
    topics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map(partitionIndex => ({ partitionIndex, partitionErrorCode: codeOf(name) }))
    }))
  if (!isBroker && !asked.may('write', 'transactional-id', transactionalId)) return answer(() => TRANSACTION_REFUSED)
  const refused = new Set(topics.filter(({ name }) => !asked.may('write', 'topic', name)).map(({ name }) => name))
  return refused.size === 0 ? undefined : answer(name => (refused.has(name) ? TOPIC_REFUSED : NOT_ATTEMPTED))
}

/** From version 4 on Kafka takes it from brokers alone; some clients send it all the same, and then the rule of their transaction holds. */
const addPartitionsRow = row<AddPartitionsRequest, AddPartitionsResponse>(24, 'AddPartitionsToTxn', async asked => {
  const { body, version } = asked
  if (version < 4) {
    const transaction = { transactionalId: body.v3AndBelowTransactionalId, topics: body.v3AndBelowTopics }
    const refused = refusedTransaction(asked, transaction, false)
    return refused === undefined ? asked.pass() : asked.blank({ resultsByTopicV3AndBelow: refused })
  }
  const isBroker = asked.sees('cluster-action', CLUSTER.type, CLUSTER.name)
  const parts = await split(body.transactions, transaction => {
    const topicResults = refusedTransaction(asked, transaction, isBroker)
    return topicResults && { transactionalId: transaction.transactionalId, topicResults }
  })
  if (parts.refused.length === 0) return asked.pass()
  const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...body, transactions: parts.allowed })
  return { ...answer, resultsByTransaction: joined(parts, answer.resultsByTransaction) }
})

interface WithGroup {
  readonly transactionalId: string
  readonly groupId: string
}

const addOffsetsRow = row<WithGroup, { errorCode: number }>(25, 'AddOffsetsToTxn', async asked => {
  const { transactionalId, groupId } = asked.body
  if (!asked.may('write', 'transactional-id', transactionalId)) return asked.blank({ errorCode: TRANSACTION_REFUSED })
  return asked.may('read', 'group', groupId) ? asked.pass() : asked.blank({ errorCode: GROUP_REFUSED })
})

const endRow = wholeRow<{ readonly transactionalId: string }, { errorCode: number }>(
  26,
  'EndTxn',
  'write',
  'transactional-id',
  ({ transactionalId }) => transactionalId
)

interface OffsetsRequest extends WithGroup {
  readonly topics: readonly { readonly name: string; readonly partitions: readonly { readonly partitionIndex: number }[] }[]
}
interface OffsetsTopic {
  name: string
  partitions: { partitionIndex: number; errorCode: number }[]
}

const offsetCommitRow = row<OffsetsRequest, { topics: OffsetsTopic[] }>(28, 'TxnOffsetCommit', async asked => {
  const { body } = asked
  const whole = !asked.may('write', 'transactional-id', body.transactionalId)
    ? TRANSACTION_REFUSED
    : asked.may('read', 'group', body.groupId)
      ? undefined
      : GROUP_REFUSED
  const parts = await split(body.topics, ({ name, partitions }): OffsetsTopic | undefined => {
    const code = whole ?? (asked.may('read', 'topic', name) ? undefined : TOPIC_REFUSED)
    if (code === undefined) return undefined
    return { name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code })) }
  })
  if (parts.refused.length === 0) return asked.pass()
  const answer = parts.allowed.length === 0 ? asked.blank() : await asked.pass({ ...body, topics: parts.allowed })
  return { ...answer, topics: joined(parts, answer.topics) }
})

interface MarkersRequest {
  readonly markers: readonly {
    readonly producerId: bigint
    readonly topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[]
  }[]
}
interface MarkersResponse {
  markers: {
    producerId: bigint
    topics: { name: string; partitions: { partitionIndex: number; errorCode: number }[] }[]
  }[]
}

/** What coordinators send, and operators who end a transaction that hangs (KIP-664). */
const writeMarkersRow = row<MarkersRequest, MarkersResponse>(27, 'WriteTxnMarkers', async asked => {
  const isAllowed = asked.sees('alter', CLUSTER.type, CLUSTER.name) || asked.may('cluster-action', CLUSTER.type, CLUSTER.name)
  if (isAllowed) return asked.pass()
  const markers = asked.body.markers.map(({ producerId, topics }) => ({
    producerId,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partitionIndex => ({ partitionIndex, errorCode: CLUSTER_REFUSED }))
    }))
  }))
  return asked.blank({ markers })
})

interface TransactionState {
  errorCode: number
  transactionalId: string
  topics: readonly { readonly topic: string }[]
}

const describeRow = row<{ readonly transactionalIds: readonly string[] }, { transactionStates: TransactionState[] }>(
  65,
  'DescribeTransactions',
  async asked => {
    const parts = await split(asked.body.transactionalIds, transactionalId =>
      asked.may('describe', 'transactional-id', transactionalId)
        ? undefined
        : blankAt<TransactionState>(asked.api, ['transactionStates'], { transactionalId, errorCode: TRANSACTION_REFUSED })
    )
    const answer =
      parts.allowed.length === 0 && parts.refused.length > 0
        ? asked.blank()
        : await asked.pass({ transactionalIds: parts.allowed })
    const transactionStates = joined(parts, answer.transactionStates).map(state => ({
      ...state,
      topics: state.topics.filter(({ topic }) => asked.sees('describe', 'topic', topic))
    }))
    return { ...answer, transactionStates }
  }
)

interface Listed {
  readonly transactionStates: readonly { readonly transactionalId: string }[]
}

const listRow = row<object, Listed>(66, 'ListTransactions', async asked => {
  const answer = await asked.pass()
  const transactionStates = answer.transactionStates.filter(({ transactionalId }) =>
    asked.sees('describe', 'transactional-id', transactionalId)
  )
  return { ...answer, transactionStates }
})

export const transactionRows: readonly Row[] = [
  initProducerIdRow,
  addPartitionsRow,
  addOffsetsRow,
  endRow,
  writeMarkersRow,
  offsetCommitRow,
  describeRow,
  listRow
]
