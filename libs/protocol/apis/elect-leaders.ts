/** Lets partitions be led by their preferred replica, or by one that is behind (KIP-460). */
import { api } from '../api.ts'
import { array, int8, int16, int32, string } from '../field.ts'

export const electLeaders = api({
  name: 'ElectLeaders',
  key: 43,
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    electionType: int8.from(1),
    topicPartitions: array({
      topic: string,
      partitions: array(int32)
    }).nullable(),
    timeoutMs: int32.default(60_000)
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.from(1),
    replicaElectionResults: array({
      topic: string,
      partitionResult: array({
        partitionId: int32,
        errorCode: int16,
        errorMessage: string.nullable()
      })
    })
  }
})
