/** Tells brokers, topics and who leads each partition. From version 12 on topics may be named by ID. */
import { api } from '../api.ts'
import { array, bool, int16, int32, string, uuid } from '../field.ts'

export const metadata = api({
  name: 'Metadata',
  key: 3,
  versions: [0, 13],
  flexibleSince: 9,
  request: {
    topics: array({
      topicId: uuid.from(10),
      name: string.nullable(10)
    }).nullable(1),
    allowAutoTopicCreation: bool.from(4).default(true),
    includeClusterAuthorizedOperations: bool.from(8).upTo(10),
    includeTopicAuthorizedOperations: bool.from(8)
  },
  response: {
    throttleTimeMs: int32.from(3),
    brokers: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.nullable().from(1).default(null)
    }),
    clusterId: string.nullable().from(2).default(null),
    controllerId: int32.from(1).default(-1),
    topics: array({
      errorCode: int16,
      name: string.nullable(12),
      topicId: uuid.from(10),
      isInternal: bool.from(1),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.from(7).default(-1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        offlineReplicas: array(int32).from(5)
      }),
      topicAuthorizedOperations: int32.from(8).default(-2147483648)
    }),
    clusterAuthorizedOperations: int32.from(8).upTo(10).default(-2147483648),
    errorCode: int16.from(13)
  }
})
