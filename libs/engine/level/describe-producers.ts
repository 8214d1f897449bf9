/** DescribeProducers: which producers a partition remembers, and where their open transactions began. */
import { type describeProducers, errorCode } from '@assay/protocol'
import type { Handler } from './context.ts'

export const answerDescribeProducers: Handler<typeof describeProducers> = (level, { body }) => ({
  throttleTimeMs: 0,
  topics: body.topics.map(({ name, partitionIndexes }) => {
    const topic = level.topics.get({ name })
    return {
      name,
      partitions: partitionIndexes.map(partitionIndex => {
        const log = topic === undefined ? undefined : level.topics.partition(topic, partitionIndex)
        return {
          partitionIndex,
          errorCode: log === undefined ? errorCode('UNKNOWN_TOPIC_OR_PARTITION') : 0,
          errorMessage: null,
          activeProducers: (log?.producers() ?? []).map(({ id, epoch, lastSequence, activeAtMs, transactionFrom }) => ({
            producerId: BigInt(id),
            producerEpoch: epoch,
            lastSequence,
            lastTimestamp: BigInt(activeAtMs),
            coordinatorEpoch: 0,
            currentTxnStartOffset: BigInt(transactionFrom ?? -1)
          }))
        }
      })
    }
  })
})
