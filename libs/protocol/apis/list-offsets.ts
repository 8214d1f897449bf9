/** Finds offsets by time, and the first and last of a partition. */
import { api } from '../api.ts'
import { array, int8, int16, int32, int64, string } from '../field.ts'

export const listOffsets = api({
  name: 'ListOffsets',
  key: 2,
  versions: [1, 11],
  flexibleSince: 6,
  request: {
    replicaId: int32,
    isolationLevel: int8.from(2),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        currentLeaderEpoch: int32.from(4).default(-1),
        timestamp: int64
      })
    }),
    timeoutMs: int32.from(10)
  },
  response: {
    throttleTimeMs: int32.from(2),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        timestamp: int64.default(-1n),
        offset: int64.default(-1n),
        leaderEpoch: int32.from(4).default(-1)
      })
    })
  }
})
