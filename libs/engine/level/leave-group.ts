/** LeaveGroup: one member up to version 2, any number of them since, static ones by their instance. */
import { errorCode, type leaveGroup } from '@assay/protocol'
import type { Handler } from './context.ts'

export const answerLeaveGroup: Handler<typeof leaveGroup> = async (level, { version, body }) => {
  const many = version >= 3
  const leaving = many
    ? body.members.map(({ memberId, groupInstanceId }) => ({ memberId, instanceId: groupInstanceId }))
    : [{ memberId: body.memberId, instanceId: null }]
  if (body.groupId === '') return { throttleTimeMs: 0, errorCode: errorCode('INVALID_GROUP_ID'), members: [] }
  const answers = await level.groups.leave(body.groupId, leaving)
  return {
    throttleTimeMs: 0,
    errorCode: many ? 0 : errorCode(answers[0]!.error),
    members: many
      ? answers.map(({ memberId, instanceId, error }) => ({
          memberId,
          groupInstanceId: instanceId,
          errorCode: errorCode(error)
        }))
      : []
  }
}
