/** TxnOffsetCommit: keeps how far a group has come, from the commit of the transaction on. From version 5 on it adds the group to the transaction. */
import { errorCode, type KafkaError, type ResponseOf, type txnOffsetCommit } from '@assay/protocol'
import type { Handler, Level } from './context.ts'
import type { OffsetCommitEntry } from './groups/commits.ts'
import { TEXT_BYTES_MAX } from './groups/offset-records.ts'
import { checkTopic } from './offset-commit.ts'
import { OFFSETS_TOPIC } from './topic-name.ts'

type PartitionAnswer = ResponseOf<typeof txnOffsetCommit>['topics'][number]['partitions'][number]

const ABORTABLE_SINCE = 4
const ADDS_SINCE = 5
const TOPIC_IDS_SINCE = 6

export const answerTxnOffsetCommit: Handler<typeof txnOffsetCommit> = async (level, { version, body }) => {
  const entries: OffsetCommitEntry[] = []
  const waiting: PartitionAnswer[] = []
  const byId = version >= TOPIC_IDS_SINCE
  const topics = body.topics.map(asked => ({
    name: asked.name,
    topicId: asked.topicId,
    partitions: checkTopic(level, byId, asked).map(({ answer, entry }) => {
      if (entry !== undefined) {
        entries.push(entry)
        waiting.push(answer)
      }
      return answer
    })
  }))
  const error = await commit()
  for (const answer of waiting) answer.errorCode = errorCode(error)
  return { throttleTimeMs: 0, topics }

  async function commit(): Promise<KafkaError> {
    const { transactionalId, groupId } = body
    if (transactionalId === '') return 'INVALID_REQUEST'
    if (groupId === '' || Buffer.byteLength(groupId) > TEXT_BYTES_MAX) return 'INVALID_GROUP_ID'
    const producer = { producerId: Number(body.producerId), epoch: body.producerEpoch }
    const fault = takePart(level, version, transactionalId, producer)
    if (fault !== 'NONE') return fault
    // In the same turn, so that the transaction cannot end in between.
    const claim = {
      memberId: body.memberId,
      instanceId: body.groupInstanceId,
      generation: body.generationIdOrMemberEpoch
    }
    return level.groups.commitInTransaction(groupId, claim, producer, entries)
  }
}

/** The offsets must be part of the transaction, or become so. */
function takePart(
  level: Level,
  version: number,
  transactionalId: string,
  producer: { readonly producerId: number; readonly epoch: number }
): KafkaError {
  const wanted = { ...producer, partitions: new Map([[OFFSETS_TOPIC, new Set([0])]]) }
  const error =
    version >= ADDS_SINCE
      ? level.transactions.enlist(transactionalId, { ...wanted, version: 2 })
      : level.transactions.verify(transactionalId, wanted)
  if (error === 'PRODUCER_FENCED') return 'INVALID_PRODUCER_EPOCH'
  if (error === 'TRANSACTION_ABORTABLE' && version < ABORTABLE_SINCE) return 'INVALID_TXN_STATE'
  // Clients of the first protocol do not expect it here, and try again when the coordinator is loading.
  if (error === 'CONCURRENT_TRANSACTIONS' && version < ADDS_SINCE) return 'COORDINATOR_LOAD_IN_PROGRESS'
  return error
}
