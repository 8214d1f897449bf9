/** Tells which producers a partition remembers, and which of them have a transaction open there (KIP-664). */
import { api } from '../api.ts'
import { array, int16, int32, int64, string } from '../field.ts'

export const describeProducers = api({
  name: 'DescribeProducers',
  key: 61,
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    topics: array({
      name: string,
      partitionIndexes: array(int32)
    })
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.nullable().default(null),
        activeProducers: array({
          producerId: int64,
          producerEpoch: int32,
          lastSequence: int32.default(-1),
          lastTimestamp: int64.default(-1n),
          coordinatorEpoch: int32,
          currentTxnStartOffset: int64.default(-1n)
        })
      })
    })
  }
})
