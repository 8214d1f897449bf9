/** Tells who keeps the metadata of the cluster, and how far each is (KIP-595, KIP-836). */
import { api } from '../api.ts'
import { array, int16, int32, int64, string, uint16, uuid } from '../field.ts'

const replicaState = {
  replicaId: int32,
  replicaDirectoryId: uuid.from(2),
  logEndOffset: int64,
  lastFetchTimestamp: int64.from(1).default(-1n),
  lastCaughtUpTimestamp: int64.from(1).default(-1n)
}

export const describeQuorum = api({
  name: 'DescribeQuorum',
  key: 55,
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    topics: array({
      topicName: string,
      partitions: array({ partitionIndex: int32 })
    })
  },
  response: {
    errorCode: int16,
    errorMessage: string.from(2).nullable(2),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.from(2).nullable(2),
        leaderId: int32,
        leaderEpoch: int32,
        highWatermark: int64,
        currentVoters: array(replicaState),
        observers: array(replicaState)
      })
    }),
    nodes: array({
      nodeId: int32,
      listeners: array({
        name: string,
        host: string,
        port: uint16
      })
    }).from(2)
  }
})
