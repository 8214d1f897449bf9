/** Moves partitions to other brokers (KIP-455). */
import { api } from '../api.ts'
import { array, bool, int16, int32, string } from '../field.ts'

export const alterPartitionReassignments = api({
  name: 'AlterPartitionReassignments',
  key: 45,
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    timeoutMs: int32.default(60_000),
    allowReplicationFactorChange: bool.from(1).default(true),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        replicas: array(int32).nullable().default(null)
      })
    })
  },
  response: {
    throttleTimeMs: int32,
    allowReplicationFactorChange: bool.from(1).default(true),
    errorCode: int16,
    errorMessage: string.nullable(),
    responses: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.nullable()
      })
    })
  }
})
