/** OffsetForLeaderEpoch: where an epoch of a partition ended. */
import { errorCode, type offsetForLeaderEpoch, type ResponseOf } from '@assay/protocol'
import type { Handler } from './context.ts'
import { type EpochEnd, endOfEpoch, epochError, NO_EPOCH_END } from './leader-epoch.ts'

type Answer = ResponseOf<typeof offsetForLeaderEpoch>['topics'][number]['partitions'][number]

export const answerOffsetForLeaderEpoch: Handler<typeof offsetForLeaderEpoch> = (level, { body }) => ({
  throttleTimeMs: 0,
  topics: body.topics.map(({ topic: name, partitions }) => {
    const topic = level.topics.get({ name })
    return {
      topic: name,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }): Answer => {
        const log = topic === undefined ? undefined : level.topics.partition(topic, partition)
        if (log === undefined) return answerOf(partition, errorCode('UNKNOWN_TOPIC_OR_PARTITION'))
        const refusal = epochError(currentLeaderEpoch)
        return answerOf(partition, refusal, refusal === 0 ? endOfEpoch(log, leaderEpoch) : NO_EPOCH_END)
      })
    }
  })
})

const answerOf = (partition: number, code: number, { epoch, endOffset }: EpochEnd = NO_EPOCH_END): Answer => ({
  errorCode: code,
  partition,
  leaderEpoch: epoch,
  endOffset
})
