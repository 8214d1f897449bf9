/** ConsumerGroupHeartbeat: joins, keeps alive, hands over partitions and leaves, all in one (KIP-848). */
import { type consumerGroupHeartbeat, errorCode, type RequestOf } from '@assay/protocol'
import { type ConsumerHeartbeat, faultOf, Refusal } from './consumer-groups/step.ts'
import type { Handler, Level } from './context.ts'
import { TEXT_BYTES_MAX } from './groups/offset-records.ts'

export const answerConsumerGroupHeartbeat: Handler<typeof consumerGroupHeartbeat> = async (
  level,
  { version, body, clientId },
  session
) => {
  // Version 0 lets the server give the ID.
  const memberId =
    version === 0 && body.memberId === '' && body.memberEpoch === 0 ? level.randomId().toString('hex') : body.memberId
  const beat: ConsumerHeartbeat = {
    memberId,
    epoch: body.memberEpoch,
    instanceId: body.instanceId,
    rackId: body.rackId,
    rebalanceTimeoutMs: body.rebalanceTimeoutMs,
    topicNames: body.subscribedTopicNames,
    topicPattern: body.subscribedTopicRegex,
    assignor: body.serverAssignor,
    owned: body.topicPartitions && new Map(body.topicPartitions.map(({ topicId, partitions }) => [topicId, partitions])),
    clientId: clientId ?? '',
    clientHost: `/${session.remoteAddress}`,
    sees: session.seesTopic ?? (() => true)
  }
  const fault = faultOf(beat, body.groupId) ?? sizeFault(level, body)
  if (fault !== undefined) {
    return {
      throttleTimeMs: 0,
      errorCode: errorCode(fault.error),
      errorMessage: fault.message,
      memberId: null,
      memberEpoch: 0,
      heartbeatIntervalMs: 0,
      assignment: null
    }
  }
  const answer = await level.groups.consumerHeartbeat(body.groupId, beat)
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(answer.error),
    errorMessage: answer.message,
    memberId: answer.memberId,
    memberEpoch: answer.epoch,
    heartbeatIntervalMs: answer.intervalMs,
    assignment: answer.assigned && {
      topicPartitions: [...answer.assigned].map(([topicId, partitions]) => ({
        topicId,
        partitions: [...partitions.keys()].sort((a, b) => a - b)
      }))
    }
  }
}

/** A record of the group must be able to hold what the member tells. */
function sizeFault(level: Level, body: RequestOf<typeof consumerGroupHeartbeat>): Refusal | undefined {
  const texts = [body.groupId, body.memberId, body.instanceId ?? '', body.rackId ?? '']
  let bytes = 0
  for (const name of body.subscribedTopicNames ?? []) bytes += Buffer.byteLength(name)
  const fits = texts.every(text => Buffer.byteLength(text) <= TEXT_BYTES_MAX - 64) && bytes <= level.options.groupMemberBytesMax
  return fits ? undefined : new Refusal('INVALID_REQUEST', 'The request tells more than a record of the group can hold.')
}
