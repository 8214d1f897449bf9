/** ConsumerGroupDescribe: epochs, members, what they have and what they shall have, of groups of the consumer protocol (KIP-848). */
import { type consumerGroupDescribe, errorCode, type ResponseOf } from '@assay/protocol'
import { assignorOf } from './consumer-groups/change.ts'
import { type ConsumerMember, isClassic, NO_PARTITIONS, stateOf } from './consumer-groups/group.ts'
import { type Handler, type Level, OPERATIONS_NOT_TOLD } from './context.ts'

type GroupAnswer = ResponseOf<typeof consumerGroupDescribe>['groups'][number]

export const answerConsumerGroupDescribe: Handler<typeof consumerGroupDescribe> = (level, { body }) => ({
  throttleTimeMs: 0,
  groups: body.groupIds.map(groupId => describe(level, groupId))
})

function describe(level: Level, groupId: string): GroupAnswer {
  const view = level.groups.get(groupId)
  const group = view?.consumer?.group
  if (group === undefined || view!.group.state === 'Dead') {
    const reason = view === undefined || view.group.state === 'Dead' ? 'not found' : 'is not a consumer group'
    return {
      errorCode: errorCode('GROUP_ID_NOT_FOUND'),
      errorMessage: `Group ${groupId} ${reason}.`,
      groupId,
      groupState: '',
      groupEpoch: 0,
      assignmentEpoch: 0,
      assignorName: '',
      members: [],
      authorizedOperations: OPERATIONS_NOT_TOLD
    }
  }
  /** Of a topic that is gone there is no name to tell. */
  const assignment = (partitions: Iterable<readonly [string, Iterable<number>]>) => ({
    topicPartitions: [...partitions].flatMap(([topicId, indexes]) => {
      const topicName = level.topics.get({ id: topicId })?.name
      return topicName === undefined ? [] : [{ topicId, topicName, partitions: [...indexes].sort((a, b) => a - b) }]
    })
  })
  const held = (member: ConsumerMember) =>
    [...member.assigned].map(([topicId, partitions]) => [topicId, [...partitions.keys()]] as const)
  return {
    errorCode: 0,
    errorMessage: null,
    groupId,
    groupState: stateOf(group),
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: assignorOf(group),
    members: [...group.members.values()].map(member => ({
      memberId: member.id,
      instanceId: member.instanceId,
      rackId: member.rackId,
      memberEpoch: member.epoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.topicNames],
      subscribedTopicRegex: member.topicPattern === '' ? null : member.topicPattern,
      assignment: assignment(held(member)),
      targetAssignment: assignment(group.targets.get(member.id) ?? NO_PARTITIONS),
      memberType: isClassic(member) ? 0 : 1
    })),
    authorizedOperations: OPERATIONS_NOT_TOLD
  }
}
