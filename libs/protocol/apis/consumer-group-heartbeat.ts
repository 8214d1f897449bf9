/** What a member of a consumer group says now and then, and what it shall own (KIP-848). Version 1 adds the regular expression. */
import { api } from '../api.ts'
import { array, int16, int32, string, struct, uuid } from '../field.ts'

export const consumerGroupHeartbeat = api({
  name: 'ConsumerGroupHeartbeat',
  key: 68,
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    instanceId: string.nullable().default(null),
    rackId: string.nullable().default(null),
    rebalanceTimeoutMs: int32.default(-1),
    subscribedTopicNames: array(string).nullable().default(null),
    subscribedTopicRegex: string.nullable().from(1).default(null),
    serverAssignor: string.nullable().default(null),
    topicPartitions: array({ topicId: uuid, partitions: array(int32) })
      .nullable()
      .default(null)
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable().default(null),
    memberId: string.nullable().default(null),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    assignment: struct({ topicPartitions: array({ topicId: uuid, partitions: array(int32) }) })
      .nullable()
      .default(null)
  }
})
