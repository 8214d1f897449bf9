/** JoinGroup: takes a member into its group; the answer comes when the next generation begins. */
import { errorCode, type joinGroup, type RequestOf } from '@assay/protocol'
import type { Handler, Level } from './context.ts'
import type { GroupError } from './groups/group.ts'
import { TEXT_BYTES_MAX } from './groups/offset-records.ts'

export const answerJoinGroup: Handler<typeof joinGroup> = async (level, { version, body, clientId }, session) => {
  const refused = refusal(level, body)
  if (refused !== undefined) {
    return {
      throttleTimeMs: 0,
      errorCode: errorCode(refused),
      generationId: -1,
      protocolType: null,
      protocolName: version >= 7 ? null : '',
      leader: '',
      skipAssignment: false,
      memberId: body.memberId,
      members: []
    }
  }
  const name = clientId ?? ''
  const answer = await level.groups.join(
    body.groupId,
    {
      memberId: body.memberId,
      newMemberId: `${body.groupInstanceId ?? name}-${level.randomId().toString('hex')}`,
      instanceId: body.groupInstanceId,
      clientId: name,
      clientHost: `/${session.remoteAddress}`,
      sessionTimeoutMs: body.sessionTimeoutMs,
      // Version 0 knows one timeout only.
      rebalanceTimeoutMs: body.rebalanceTimeoutMs > 0 ? body.rebalanceTimeoutMs : body.sessionTimeoutMs,
      protocolType: body.protocolType,
      protocols: body.protocols.map(protocol => ({ name: protocol.name, metadata: Buffer.from(protocol.metadata) })),
      knowsMemberIdRequired: version >= 4,
      knowsSkipAssignment: version >= 9
    },
    session.closed
  )
  return {
    throttleTimeMs: 0,
    errorCode: errorCode(answer.error),
    generationId: answer.generation,
    protocolType: answer.protocolType,
    protocolName: version >= 7 ? answer.protocolName : (answer.protocolName ?? ''),
    leader: answer.leaderId,
    skipAssignment: answer.skipAssignment,
    memberId: answer.memberId,
    members: answer.members.map(({ memberId, instanceId, metadata }) => ({ memberId, groupInstanceId: instanceId, metadata }))
  }
}

function refusal(level: Level, body: RequestOf<typeof joinGroup>): GroupError | undefined {
  const { groupSessionTimeoutMinMs: min, groupSessionTimeoutMaxMs: max, groupMemberBytesMax } = level.options
  if (body.groupId === '') return 'INVALID_GROUP_ID'
  if (body.sessionTimeoutMs < min || body.sessionTimeoutMs > max) return 'INVALID_SESSION_TIMEOUT'
  const texts = [body.groupId, body.groupInstanceId ?? '', body.protocolType, ...body.protocols.map(({ name }) => name)]
  // A record of the group must be able to hold them, and a member ID some 34 bytes more.
  if (texts.some(text => Buffer.byteLength(text) > TEXT_BYTES_MAX - 64)) return 'INVALID_REQUEST'
  let bytes = 0
  for (const { metadata } of body.protocols) bytes += metadata.length
  return bytes > groupMemberBytesMax ? 'INVALID_REQUEST' : undefined
}
