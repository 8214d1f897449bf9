/** SyncGroup: the leader hands in the assignment, every member gets its own, once it is on disk. */
import { errorCode, type syncGroup } from '@assay/protocol'
import type { Handler } from './context.ts'
import type { GroupError } from './groups/group.ts'

export const answerSyncGroup: Handler<typeof syncGroup> = async (level, { body }, session) => {
  const tooLarge = body.assignments.some(({ assignment }) => assignment.length > level.options.groupMemberBytesMax)
  const refused: GroupError | undefined = body.groupId === '' ? 'INVALID_GROUP_ID' : tooLarge ? 'INVALID_REQUEST' : undefined
  const answer = refused
    ? { error: refused, protocolType: null, protocolName: null, assignment: Buffer.alloc(0) }
    : await level.groups.sync(
        body.groupId,
        {
          memberId: body.memberId,
          instanceId: body.groupInstanceId,
          generation: body.generationId,
          protocolType: body.protocolType,
          protocolName: body.protocolName,
          assignments: new Map(body.assignments.map(({ memberId, assignment }) => [memberId, Buffer.from(assignment)]))
        },
        session.closed
      )
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(answer.error),
    protocolType: answer.protocolType,
    protocolName: answer.protocolName,
    assignment: answer.assignment
  }
}
