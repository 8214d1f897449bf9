/** AddPartitionsToTxn: partitions become part of a transaction, all that are asked for or none; from version 4 on for several transactions. */
import { type addPartitionsToTxn, errorCode, type KafkaError, type RequestOf, type ResponseOf } from '@assay/protocol'
import type { Handler, Level } from './context.ts'
import { isOwnTopic } from './topic-name.ts'
import type { TransactionVersion } from './transactions/transaction.ts'
import { knownTo } from './transactions/wire-error.ts'

type AskedTopic = RequestOf<typeof addPartitionsToTxn>['v3AndBelowTopics'][number]
type TopicResult = ResponseOf<typeof addPartitionsToTxn>['resultsByTopicV3AndBelow'][number]

const BATCHED_SINCE = 4
const FENCED_SINCE = 2
/** The version that knows TRANSACTION_ABORTABLE, and that clients of the second transaction protocol would send (KIP-890). */
const ABORTABLE_SINCE = 5

interface Asked {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly verifyOnly: boolean
  readonly topics: readonly AskedTopic[]
}

export const answerAddPartitionsToTxn: Handler<typeof addPartitionsToTxn> = async (level, { version, body }) => {
  if (version >= BATCHED_SINCE) {
    const resultsByTransaction = await Promise.all(
      body.transactions.map(async asked => ({
        transactionalId: asked.transactionalId,
        topicResults: await results(level, version, asked)
      }))
    )
    return { throttleTimeMs: 0, errorCode: 0, resultsByTransaction, resultsByTopicV3AndBelow: [] }
  }
  const resultsByTopicV3AndBelow = await results(level, version, {
    transactionalId: body.v3AndBelowTransactionalId,
    producerId: body.v3AndBelowProducerId,
    producerEpoch: body.v3AndBelowProducerEpoch,
    verifyOnly: false,
    topics: body.v3AndBelowTopics
  })
  return { throttleTimeMs: 0, errorCode: 0, resultsByTransaction: [], resultsByTopicV3AndBelow }
}

async function results(level: Level, version: number, asked: Asked): Promise<TopicResult[]> {
  const faultAt = (name: string, index: number): KafkaError | undefined => {
    if (isOwnTopic(name)) return 'TOPIC_AUTHORIZATION_FAILED'
    const topic = level.topics.get({ name })
    const isThere = topic !== undefined && level.topics.partition(topic, index) !== undefined
    return isThere ? undefined : 'UNKNOWN_TOPIC_OR_PARTITION'
  }
  const isFaulty = asked.topics.some(({ name, partitions }) => partitions.some(index => faultAt(name, index) !== undefined))
  const error = isFaulty ? 'OPERATION_NOT_ATTEMPTED' : await carryOut(level, version, asked)
  return asked.topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map(partitionIndex => ({
      partitionIndex,
      partitionErrorCode: errorCode(faultAt(name, partitionIndex) ?? error)
    }))
  }))
}

async function carryOut(level: Level, version: number, asked: Asked): Promise<KafkaError> {
  const { transactionalId, producerId, producerEpoch, verifyOnly, topics } = asked
  if (transactionalId === '') return 'INVALID_REQUEST'
  const partitions = new Map<string, Set<number>>()
  for (const { name, partitions: indexes } of topics) {
    partitions.set(name, new Set([...(partitions.get(name) ?? []), ...indexes]))
  }
  const wanted = { producerId: Number(producerId), epoch: producerEpoch, partitions }
  const by: TransactionVersion = version >= ABORTABLE_SINCE ? 2 : 0
  const error = verifyOnly
    ? level.transactions.verify(transactionalId, wanted)
    : await level.transactions.add(transactionalId, { ...wanted, version: by })
  if (error === 'TRANSACTION_ABORTABLE' && version < ABORTABLE_SINCE) return 'INVALID_TXN_STATE'
  return knownTo(version, FENCED_SINCE, error)
}
