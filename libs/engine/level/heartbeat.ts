/** Heartbeat: keeps a member alive, and tells it when the others are joining again. */
import { errorCode, type heartbeat } from '@assay/protocol'
import type { Handler } from './context.ts'

export const answerHeartbeat: Handler<typeof heartbeat> = async (level, { body }) => {
  const { groupId, memberId, groupInstanceId: instanceId, generationId: generation } = body
  const error = groupId === '' ? 'INVALID_GROUP_ID' : await level.groups.heartbeat(groupId, { memberId, instanceId, generation })
  return { throttleTimeMs: 0, errorCode: errorCode(error) }
}
