/** Reads record batches from an offset on, waiting for more when asked to. From version 13 on topics are named by ID alone. */
import { api } from '../api.ts'
import { array, batches, int8, int16, int32, int64, string, struct, uuid } from '../field.ts'

export const fetch = api({
  name: 'Fetch',
  key: 1,
  versions: [4, 18],
  flexibleSince: 12,
  request: {
    clusterId: string.nullable().from(12).tagged(0).default(null),
    replicaId: int32.upTo(14).default(-1),
    replicaState: struct({
      replicaId: int32.default(-1),
      replicaEpoch: int64.default(-1n)
    })
      .from(15)
      .tagged(1),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.default(2147483647),
    isolationLevel: int8,
    sessionId: int32.from(7),
    sessionEpoch: int32.from(7).default(-1),
    topics: array({
      topic: string.upTo(12),
      topicId: uuid.from(13),
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.from(9).default(-1),
        fetchOffset: int64,
        lastFetchedEpoch: int32.from(12).default(-1),
        logStartOffset: int64.from(5).default(-1n),
        partitionMaxBytes: int32,
        replicaDirectoryId: uuid.from(17).tagged(0),
        highWatermark: int64.from(18).tagged(1).default(9223372036854775807n)
      })
    }),
    forgottenTopicsData: array({
      topic: string.upTo(12),
      topicId: uuid.from(13),
      partitions: array(int32)
    }).from(7),
    rackId: string.from(11)
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.from(7),
    sessionId: int32.from(7),
    responses: array({
      topic: string.upTo(12),
      topicId: uuid.from(13),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        highWatermark: int64,
        lastStableOffset: int64.default(-1n),
        logStartOffset: int64.from(5).default(-1n),
        divergingEpoch: struct({
          epoch: int32.default(-1),
          endOffset: int64.default(-1n)
        })
          .from(12)
          .tagged(0),
        currentLeader: struct({
          leaderId: int32.default(-1),
          leaderEpoch: int32.default(-1)
        })
          .from(12)
          .tagged(1),
        snapshotId: struct({
          endOffset: int64.default(-1n),
          epoch: int32.default(-1)
        })
          .from(12)
          .tagged(2),
        abortedTransactions: array({
          producerId: int64,
          firstOffset: int64
        }).nullable(),
        preferredReadReplica: int32.from(11).default(-1),
        records: batches.nullable()
      })
    }),
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.nullable().default(null)
    })
      .from(16)
      .tagged(0)
  }
})
