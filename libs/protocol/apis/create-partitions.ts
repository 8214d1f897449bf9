/** Adds partitions to topics. */
import { api } from '../api.ts'
import { array, bool, int16, int32, string } from '../field.ts'

export const createPartitions = api({
  name: 'CreatePartitions',
  key: 37,
  versions: [0, 3],
  flexibleSince: 2,
  request: {
    topics: array({
      name: string,
      count: int32,
      assignments: array({
        brokerIds: array(int32)
      }).nullable()
    }),
    timeoutMs: int32,
    validateOnly: bool
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      name: string,
      errorCode: int16,
      errorMessage: string.nullable().default(null)
    })
  }
})
