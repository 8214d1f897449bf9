/** ElectLeaders: each partition has the one leader that it can have. */
import { type electLeaders, errorCode, type ResponseOf } from '@assay/protocol'
import type { Handler, Level } from './context.ts'

type PartitionAnswer = ResponseOf<typeof electLeaders>['replicaElectionResults'][number]['partitionResult'][number]

/** The preferred replica, or one that is behind. */
const ELECTION_TYPES = [0, 1]

export const answerElectLeaders: Handler<typeof electLeaders> = (level, { body }) => {
  const isKnown = ELECTION_TYPES.includes(body.electionType)
  const refusal = { errorCode: errorCode('INVALID_REQUEST'), errorMessage: `Unknown election type ${body.electionType}` }
  // Of all partitions only those are told that needed an election: none, but their topics are named.
  const asked = body.topicPartitions ?? level.topics.all().map(({ name }) => ({ topic: name, partitions: [] }))
  return {
    throttleTimeMs: 0,
    errorCode: isKnown ? 0 : refusal.errorCode,
    replicaElectionResults: asked.map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map(partitionId =>
        isKnown ? outcomeOf(level, topic, partitionId) : { partitionId, ...refusal }
      )
    }))
  }
}

function outcomeOf(level: Level, name: string, partitionId: number): PartitionAnswer {
  const unknown = errorCode('UNKNOWN_TOPIC_OR_PARTITION')
  const topic = level.topics.get({ name })
  if (topic === undefined) return { partitionId, errorCode: unknown, errorMessage: `No such topic as ${name}` }
  if (level.topics.partition(topic, partitionId) === undefined) {
    return { partitionId, errorCode: unknown, errorMessage: `No such partition as ${name}-${partitionId}` }
  }
  const needless = 'Leader election not needed for topic partition.'
  return { partitionId, errorCode: errorCode('ELECTION_NOT_NEEDED'), errorMessage: needless }
}
