/**
 * WriteTxnMarkers: ends the transaction of a producer in single partitions, for an administrator whose transaction hangs. One that the
 * coordinator has under way is the coordinator's to end: then all of its partitions are, or none.
 */
import { type Append, markerBatch } from '@assay/log'
import { errorCode, type KafkaError, type RequestOf, type writeTxnMarkers } from '@assay/protocol'
import type { Handler, Level } from './context.ts'
import { refusalOf } from './refusal.ts'
import { isOwnTopic } from './topic-name.ts'

type Marker = RequestOf<typeof writeTxnMarkers>['markers'][number]

export const answerWriteTxnMarkers: Handler<typeof writeTxnMarkers> = async (level, { body }) => ({
  markers: await Promise.all(
    body.markers.map(async marker => ({
      producerId: marker.producerId,
      topics: await Promise.all(
        marker.topics.map(async ({ name, partitionIndexes }) => ({
          name,
          partitions: await Promise.all(
            partitionIndexes.map(async partitionIndex => ({
              partitionIndex,
              errorCode: await write(level, marker, name, partitionIndex)
            }))
          )
        }))
      )
    }))
  )
})

async function write(level: Level, marker: Marker, name: string, index: number): Promise<number> {
  const checked = check(level, marker, name, index)
  if (typeof checked === 'string') return errorCode(checked)
  try {
    await level.log.appendAll([checked])
    return 0
  } catch (error) {
    return refusalOf(error).errorCode
  }
}

function check(level: Level, marker: Marker, name: string, index: number): Append | KafkaError {
  if (isOwnTopic(name)) return 'TOPIC_AUTHORIZATION_FAILED'
  const topic = level.topics.get({ name })
  const log = topic === undefined ? undefined : level.topics.partition(topic, index)
  if (log === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
  const producerId = Number(marker.producerId)
  if (level.transactions.isUnderWay(producerId)) return 'INVALID_TXN_STATE'
  const known = log.producers().find(({ id }) => id === producerId)
  if (known === undefined) return 'UNKNOWN_PRODUCER_ID'
  if (marker.producerEpoch < known.epoch) return 'INVALID_PRODUCER_EPOCH'
  const batch = markerBatch({
    producerId,
    producerEpoch: marker.producerEpoch,
    end: marker.transactionResult ? 'commit' : 'abort',
    nowMs: level.clock.now()
  })
  return { log, batch }
}
