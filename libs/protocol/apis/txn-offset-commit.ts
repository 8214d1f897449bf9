/** Commits offsets of a consumer group within a transaction: they count once it is committed (KIP-98, KIP-447). From version 6 on topics are named by ID. */
import { api } from '../api.ts'
import { array, int16, int32, int64, string, uuid } from '../field.ts'

export const txnOffsetCommit = api({
  name: 'TxnOffsetCommit',
  key: 28,
  versions: [0, 6],
  flexibleSince: 3,
  request: {
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationIdOrMemberEpoch: int32.from(3).default(-1),
    memberId: string.from(3),
    groupInstanceId: string.nullable().from(3).default(null),
    topics: array({
      name: string.upTo(5),
      topicId: uuid.from(6),
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.from(2).default(-1),
        committedMetadata: string.nullable()
      })
    })
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string.upTo(5),
      topicId: uuid.from(6),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16
      })
    })
  }
})
