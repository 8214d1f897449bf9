/** Makes a member part of the next generation of its group (KIP-345: static members, KIP-394: member ID first). */
import { api } from '../api.ts'
import { array, bool, bytes, int16, int32, string } from '../field.ts'

export const joinGroup = api({
  name: 'JoinGroup',
  key: 11,
  versions: [0, 9],
  flexibleSince: 6,
  request: {
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: int32.from(1).default(-1),
    memberId: string,
    groupInstanceId: string.nullable().from(5).default(null),
    protocolType: string,
    protocols: array({
      name: string,
      metadata: bytes
    }),
    reason: string.nullable().from(8).default(null)
  },
  response: {
    throttleTimeMs: int32.from(2),
    errorCode: int16,
    generationId: int32.default(-1),
    protocolType: string.nullable().from(7).default(null),
    protocolName: string.nullable(7),
    leader: string,
    skipAssignment: bool.from(9),
    memberId: string,
    members: array({
      memberId: string,
      groupInstanceId: string.nullable().from(5).default(null),
      metadata: bytes
    })
  }
})
