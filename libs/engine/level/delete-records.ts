/** DeleteRecords: lets partitions begin at a later offset, for good when it is answered. */
import { AssayError } from '@assay/errors'
import type { deleteRecords, ResponseOf } from '@assay/protocol'
import type { Topic } from '../engine.ts'
import type { Handler, Level } from './context.ts'
import { refusalOf } from './refusal.ts'
import { isOwnTopic } from './topic-name.ts'

type Answer = ResponseOf<typeof deleteRecords>['topics'][number]['partitions'][number]

/** Stands for the high watermark: everything that is there. */
const ALL = -1n
const NO_OFFSET = -1n

export const answerDeleteRecords: Handler<typeof deleteRecords> = async (level, { body }) => ({
  throttleTimeMs: 0,
  topics: await Promise.all(
    body.topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(
        partitions.map(async ({ partitionIndex, offset }): Promise<Answer> => {
          try {
            return { partitionIndex, lowWatermark: await deleteUpTo(level, { name, partitionIndex, offset }), errorCode: 0 }
          } catch (error) {
            return { partitionIndex, lowWatermark: NO_OFFSET, errorCode: refusalOf(error).errorCode }
          }
        })
      )
    }))
  )
})

interface Asked {
  readonly name: string
  readonly partitionIndex: number
  readonly offset: bigint
}

/** The offset that the partition begins at afterwards. */
async function deleteUpTo(level: Level, { name, partitionIndex, offset }: Asked): Promise<bigint> {
  const topic = level.topics.get({ name })
  if (topic === undefined) throw new AssayError('TOPIC_NOT_FOUND', { topic: name })
  const log = level.topics.partition(topic, partitionIndex)
  if (log === undefined) throw new AssayError('PARTITION_NOT_FOUND', { topic: name, partition: partitionIndex })
  checkDeletable(level, topic)
  const { startOffset: start, highWatermark: end } = log
  const before = offset === ALL ? end : Number(offset)
  // Deleting what is deleted already does nothing, here as in Kafka.
  if (before >= 0 && before <= start) return BigInt(start)
  return BigInt(await level.log.deleteRecords(log, before))
}

function checkDeletable(level: Level, topic: Topic): void {
  if (isOwnTopic(topic.name)) {
    throw new AssayError('INVALID_TOPIC', { topic: topic.name, reason: 'it belongs to the server, which alone deletes from it' })
  }
  if (level.topics.config(topic, 'cleanup.policy') !== 'compact') return
  throw new AssayError('POLICY_VIOLATED', { reason: `cleanup.policy of '${topic.name}' is compact, which deletes by key alone` })
}
