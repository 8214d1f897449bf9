/** Appends record batches, one per partition. Versions 0 to 2 are advertised and refused: librdkafka takes a higher minimum for missing features (KAFKA-18659). */
import { api } from '../api.ts'
import { array, int16, int32, int64, records, string, struct, uuid } from '../field.ts'

export const produce = api({
  name: 'Produce',
  key: 0,
  versions: [3, 13],
  advertised: [0, 13],
  flexibleSince: 9,
  request: {
    transactionalId: string.nullable().default(null),
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: string.upTo(12),
      topicId: uuid.from(13),
      partitionData: array({
        index: int32,
        records: records.nullable()
      })
    })
  },
  response: {
    responses: array({
      name: string.upTo(12),
      topicId: uuid.from(13),
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        baseOffset: int64,
        logAppendTimeMs: int64.default(-1n),
        logStartOffset: int64.from(5).default(-1n),
        recordErrors: array({
          batchIndex: int32,
          batchIndexErrorMessage: string.nullable().default(null)
        }).from(8),
        errorMessage: string.nullable().from(8).default(null),
        currentLeader: struct({
          leaderId: int32.default(-1),
          leaderEpoch: int32.default(-1)
        })
          .from(10)
          .tagged(0)
      })
    }),
    throttleTimeMs: int32,
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.nullable().default(null)
    })
      .from(10)
      .tagged(0)
  }
})
