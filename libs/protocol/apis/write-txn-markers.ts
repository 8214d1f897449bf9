/** Writes the ends of transactions into partitions: how an administrator ends one that hangs (KIP-664). */
import { api } from '../api.ts'
import { array, bool, int8, int16, int32, int64, string } from '../field.ts'

export const writeTxnMarkers = api({
  name: 'WriteTxnMarkers',
  key: 27,
  versions: [1, 2],
  flexibleSince: 1,
  request: {
    markers: array({
      producerId: int64,
      producerEpoch: int16,
      transactionResult: bool,
      topics: array({
        name: string,
        partitionIndexes: array(int32)
      }),
      coordinatorEpoch: int32,
      transactionVersion: int8.from(2)
    })
  },
  response: {
    markers: array({
      producerId: int64,
      topics: array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          errorCode: int16
        })
      })
    })
  }
})
