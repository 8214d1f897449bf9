/** Makes partitions part of a transaction before it writes to them; from version 4 on for several transactions at once, or only to ask (KIP-98, KIP-890). */
import { api } from '../api.ts'
import { array, bool, int16, int32, int64, string } from '../field.ts'

const topics = () => array({ name: string, partitions: array(int32) })
const results = () =>
  array({
    name: string,
    resultsByPartition: array({
      partitionIndex: int32,
      partitionErrorCode: int16
    })
  })

export const addPartitionsToTxn = api({
  name: 'AddPartitionsToTxn',
  key: 24,
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    transactions: array({
      transactionalId: string,
      producerId: int64,
      producerEpoch: int16,
      verifyOnly: bool,
      topics: topics()
    }).from(4),
    v3AndBelowTransactionalId: string.upTo(3),
    v3AndBelowProducerId: int64.upTo(3),
    v3AndBelowProducerEpoch: int16.upTo(3),
    v3AndBelowTopics: topics().upTo(3)
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.from(4),
    resultsByTransaction: array({
      transactionalId: string,
      topicResults: results()
    }).from(4),
    resultsByTopicV3AndBelow: results().upTo(3)
  }
})
