/** Tells of the partitions of topics a page at a time (KIP-966). */
import { api } from '../api.ts'
import { array, bool, int16, int32, string, struct, uuid } from '../field.ts'

const cursor = struct({
  topicName: string,
  partitionIndex: int32
})
  .nullable()
  .default(null)

export const describeTopicPartitions = api({
  name: 'DescribeTopicPartitions',
  key: 75,
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    topics: array({ name: string }),
    responsePartitionLimit: int32.default(2000),
    cursor
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      errorCode: int16,
      name: string.nullable(),
      topicId: uuid,
      isInternal: bool,
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.default(-1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        eligibleLeaderReplicas: array(int32).nullable().default(null),
        lastKnownElr: array(int32).nullable().default(null),
        offlineReplicas: array(int32)
      }),
      topicAuthorizedOperations: int32.default(-2147483648)
    }),
    nextCursor: cursor
  }
})
