/** DescribeQuorum: the metadata log has one voter, this node, which is never behind itself. */
import { type describeQuorum, errorCode, type ResponseOf } from '@assay/protocol'
import { type Handler, type Level, NO_TOPIC_ID } from './context.ts'
import { LEADER_EPOCH } from './leader-epoch.ts'
import { METADATA_TOPIC_ID } from './metadata-log.ts'

type PartitionAnswer = ResponseOf<typeof describeQuorum>['topics'][number]['partitions'][number]

/** As Kafka calls it. */
const METADATA_TOPIC = '__cluster_metadata'
const LISTENER = 'CONTROLLER'

export const answerDescribeQuorum: Handler<typeof describeQuorum> = (level, { body }) => {
  const asked = body.topics.flatMap(({ topicName, partitions }) =>
    partitions.map(({ partitionIndex }) => ({ topicName, partitionIndex }))
  )
  // Kafka answers to this one question, and to any other that it does not host what was asked for.
  const isAsked = asked.length === 1 && asked[0]!.topicName === METADATA_TOPIC && asked[0]!.partitionIndex === 0
  return {
    errorCode: 0,
    errorMessage: '',
    topics: body.topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => (isAsked ? quorumOf(level) : notHosted(partitionIndex)))
    })),
    nodes: isAsked ? [{ nodeId: level.nodeId, listeners: [{ name: LISTENER, ...level.advertised() }] }] : []
  }
}

function quorumOf(level: Level): PartitionAnswer {
  const { highWatermark, logEndOffset } = level.log.partition({ topicId: METADATA_TOPIC_ID, partition: 0 })
  const now = BigInt(level.clock.now())
  return {
    partitionIndex: 0,
    errorCode: 0,
    errorMessage: '',
    leaderId: level.nodeId,
    leaderEpoch: LEADER_EPOCH,
    highWatermark: BigInt(highWatermark),
    currentVoters: [
      {
        replicaId: level.nodeId,
        replicaDirectoryId: NO_TOPIC_ID,
        logEndOffset: BigInt(logEndOffset),
        lastFetchTimestamp: now,
        lastCaughtUpTimestamp: now
      }
    ],
    observers: []
  }
}

const notHosted = (partitionIndex: number): PartitionAnswer => ({
  partitionIndex,
  errorCode: errorCode('UNKNOWN_TOPIC_OR_PARTITION'),
  errorMessage: 'This server does not host this topic-partition.',
  leaderId: 0,
  leaderEpoch: 0,
  highWatermark: 0n,
  currentVoters: [],
  observers: []
})
