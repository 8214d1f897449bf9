/** AlterPartitionReassignments: a partition can stay where it is, and nowhere else; so there is never a move to cancel. */
import { type alterPartitionReassignments, errorCode } from '@assay/protocol'
import type { Handler, Level } from './context.ts'

interface Refused {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export const answerAlterPartitionReassignments: Handler<typeof alterPartitionReassignments> = (level, { body }) => ({
  throttleTimeMs: 0,
  allowReplicationFactorChange: true,
  errorCode: 0,
  errorMessage: null,
  responses: body.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, replicas }) => ({
      partitionIndex,
      ...outcomeOf(level, name, partitionIndex, replicas)
    }))
  }))
})

function outcomeOf(level: Level, name: string, index: number, replicas: readonly number[] | null): Refused {
  const topic = level.topics.get({ name })
  const missing = errorCode('UNKNOWN_TOPIC_OR_PARTITION')
  if (topic === undefined) return { errorCode: missing, errorMessage: `Unable to find a topic named ${name}.` }
  if (level.topics.partition(topic, index) === undefined) {
    return { errorCode: missing, errorMessage: `Unable to find partition ${name}:${index}.` }
  }
  // Null takes a move back that is under way.
  if (replicas === null) return { errorCode: errorCode('NO_REASSIGNMENT_IN_PROGRESS'), errorMessage: null }
  const fault = faultOf(level.nodeId, replicas)
  return fault === undefined
    ? { errorCode: 0, errorMessage: null }
    : {
        errorCode: errorCode('INVALID_REPLICA_ASSIGNMENT'),
        errorMessage: `The manual partition assignment includes ${fault}`
      }
}

function faultOf(nodeId: number, replicas: readonly number[]): string | undefined {
  if (replicas.length === 0) return 'an empty replica list.'
  const stranger = replicas.find(replica => replica !== nodeId)
  if (stranger !== undefined) return `broker ${stranger}, but no such broker is registered.`
  return replicas.length > 1 ? `the broker ${nodeId} more than once.` : undefined
}
