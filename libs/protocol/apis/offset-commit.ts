/** Stores how far a consumer group has read. From version 10 on topics are named by ID. */
import { api } from '../api.ts'
import { array, int16, int32, int64, string, uuid } from '../field.ts'

export const offsetCommit = api({
  name: 'OffsetCommit',
  key: 8,
  versions: [2, 10],
  flexibleSince: 8,
  request: {
    groupId: string,
    generationIdOrMemberEpoch: int32.default(-1),
    memberId: string,
    groupInstanceId: string.nullable().from(7).default(null),
    retentionTimeMs: int64.upTo(4).default(-1n),
    topics: array({
      name: string.upTo(9),
      topicId: uuid.from(10),
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.from(6).default(-1),
        committedMetadata: string.nullable()
      })
    })
  },
  response: {
    throttleTimeMs: int32.from(3),
    topics: array({
      name: string.upTo(9),
      topicId: uuid.from(10),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16
      })
    })
  }
})
