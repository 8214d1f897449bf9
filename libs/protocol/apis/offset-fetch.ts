/** Tells how far consumer groups have read; several groups at once from version 8 on. */
import { api } from '../api.ts'
import { array, bool, int16, int32, int64, string, uuid } from '../field.ts'

export const offsetFetch = api({
  name: 'OffsetFetch',
  key: 9,
  versions: [1, 10],
  flexibleSince: 6,
  request: {
    groupId: string.upTo(7),
    topics: array({
      name: string,
      partitionIndexes: array(int32)
    })
      .nullable(2)
      .upTo(7),
    groups: array({
      groupId: string,
      memberId: string.nullable().from(9).default(null),
      memberEpoch: int32.from(9).default(-1),
      topics: array({
        name: string.upTo(9),
        topicId: uuid.from(10),
        partitionIndexes: array(int32)
      }).nullable()
    }).from(8),
    requireStable: bool.from(7)
  },
  response: {
    throttleTimeMs: int32.from(3),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.from(5).default(-1),
        metadata: string.nullable(),
        errorCode: int16
      })
    }).upTo(7),
    errorCode: int16.from(2).upTo(7),
    groups: array({
      groupId: string,
      topics: array({
        name: string.upTo(9),
        topicId: uuid.from(10),
        partitions: array({
          partitionIndex: int32,
          committedOffset: int64,
          committedLeaderEpoch: int32.default(-1),
          metadata: string.nullable(),
          errorCode: int16
        })
      }),
      errorCode: int16
    }).from(8)
  }
})
