/** DescribeLogDirs: the one directory there is, and what each partition holds of it. What is not there is left out, as in Kafka. */
import type { describeLogDirs, ResponseOf } from '@assay/protocol'
import type { Topic } from '../engine.ts'
import type { Handler, Level } from './context.ts'

type TopicAnswer = ResponseOf<typeof describeLogDirs>['results'][number]['topics'][number]

export const answerDescribeLogDirs: Handler<typeof describeLogDirs> = async (level, { body }) => {
  const asked = body.topics?.map(({ topic: name, partitions }) => ({ topic: level.topics.get({ name }), partitions }))
  const wanted = asked ?? level.topics.all().map(topic => ({ topic, partitions: [...Array(topic.partitionCount).keys()] }))
  const { totalBytes, usableBytes } = await level.logDirectory.volume()
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    results: [
      {
        errorCode: 0,
        logDir: level.logDirectory.path,
        topics: wanted.flatMap(({ topic, partitions }) => (topic === undefined ? [] : sizesOf(level, topic, partitions))),
        totalBytes: BigInt(totalBytes),
        usableBytes: BigInt(usableBytes),
        isCordoned: false
      }
    ]
  }
}

function sizesOf(level: Level, topic: Topic, indexes: readonly number[]): TopicAnswer[] {
  const partitions = indexes.flatMap(partitionIndex => {
    const log = level.topics.partition(topic, partitionIndex)
    return log === undefined ? [] : [{ partitionIndex, partitionSize: BigInt(log.sizeBytes), offsetLag: 0n, isFutureKey: false }]
  })
  return partitions.length === 0 ? [] : [{ name: topic.name, partitions }]
}
