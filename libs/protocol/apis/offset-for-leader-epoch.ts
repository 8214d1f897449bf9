/** Tells where a leader epoch ended, so that a reader can see whether the log it has read is still the one that is there (KIP-101, KIP-320). */
import { api } from '../api.ts'
import { array, int16, int32, int64, string } from '../field.ts'

export const offsetForLeaderEpoch = api({
  name: 'OffsetForLeaderEpoch',
  key: 23,
  versions: [2, 4],
  flexibleSince: 4,
  request: {
    replicaId: int32.from(3).default(-2),
    topics: array({
      topic: string,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.from(2).default(-1),
        leaderEpoch: int32
      })
    })
  },
  response: {
    throttleTimeMs: int32.from(2),
    topics: array({
      topic: string,
      partitions: array({
        errorCode: int16,
        partition: int32,
        leaderEpoch: int32.from(1).default(-1),
        endOffset: int64.default(-1n)
      })
    })
  }
})
