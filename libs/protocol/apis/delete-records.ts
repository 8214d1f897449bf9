/** Lets partitions begin at a later offset: what lies before is gone. Offset -1 stands for the high watermark. */
import { api } from '../api.ts'
import { array, int16, int32, int64, string } from '../field.ts'

export const deleteRecords = api({
  name: 'DeleteRecords',
  key: 21,
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        offset: int64
      })
    }),
    timeoutMs: int32
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        lowWatermark: int64,
        errorCode: int16
      })
    })
  }
})
