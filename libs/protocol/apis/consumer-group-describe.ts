/** Tells epochs, members, assignments and targets of consumer groups (KIP-848). Version 1 adds the protocol that a member speaks. */
import { api } from '../api.ts'
import { array, bool, int8, int16, int32, string, struct, uuid } from '../field.ts'

const assignment = struct({ topicPartitions: array({ topicId: uuid, topicName: string, partitions: array(int32) }) })

export const consumerGroupDescribe = api({
  name: 'ConsumerGroupDescribe',
  key: 69,
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groupIds: array(string),
    includeAuthorizedOperations: bool
  },
  response: {
    throttleTimeMs: int32,
    groups: array({
      errorCode: int16,
      errorMessage: string.nullable().default(null),
      groupId: string,
      groupState: string,
      groupEpoch: int32,
      assignmentEpoch: int32,
      assignorName: string,
      members: array({
        memberId: string,
        instanceId: string.nullable().default(null),
        rackId: string.nullable().default(null),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        subscribedTopicRegex: string.nullable().default(null),
        assignment,
        targetAssignment: assignment,
        memberType: int8.from(1).default(-1)
      }),
      authorizedOperations: int32.default(-2147483648)
    })
  }
})
