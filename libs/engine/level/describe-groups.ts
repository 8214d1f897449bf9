/** DescribeGroups: state, members and assignments of groups. */
import { type describeGroups, errorCode, type ResponseOf } from '@assay/protocol'
import { type Handler, type Level, OPERATIONS_NOT_TOLD } from './context.ts'
import { metadataUnder, NO_BYTES } from './groups/group.ts'

type GroupAnswer = ResponseOf<typeof describeGroups>['groups'][number]

export const answerDescribeGroups: Handler<typeof describeGroups> = (level, { version, body }) => ({
  throttleTimeMs: 0,
  groups: body.groups.map(groupId => describe(level, version, groupId))
})

function describe(level: Level, version: number, groupId: string): GroupAnswer {
  const view = level.groups.get(groupId)
  const group = view?.group
  if (group === undefined || group.state === 'Dead' || view!.consumer !== undefined) {
    const reason = view?.consumer === undefined ? 'not found' : 'is not a classic group'
    // Before version 6 a group that is not there is told as dead, without an error (KIP-1043).
    const missing = version >= 6 ? { code: errorCode('GROUP_ID_NOT_FOUND'), message: `Group ${groupId} ${reason}.` } : undefined
    return {
      errorCode: missing?.code ?? 0,
      errorMessage: missing?.message ?? null,
      groupId,
      groupState: 'Dead',
      protocolType: '',
      protocolData: '',
      members: [],
      authorizedOperations: OPERATIONS_NOT_TOLD
    }
  }
  const stable = group.state === 'Stable'
  return {
    errorCode: 0,
    errorMessage: null,
    groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: stable ? (group.protocolName ?? '') : '',
    members: [...group.members.values()].map(member => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: stable ? metadataUnder(member, group.protocolName) : NO_BYTES,
      memberAssignment: stable ? member.assignment : NO_BYTES
    })),
    authorizedOperations: OPERATIONS_NOT_TOLD
  }
}
