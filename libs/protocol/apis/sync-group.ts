/** Hands every member of a generation its assignment, which the leader brings along. */
import { api } from '../api.ts'
import { array, bytes, int16, int32, string } from '../field.ts'

export const syncGroup = api({
  name: 'SyncGroup',
  key: 14,
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.nullable().from(3).default(null),
    protocolType: string.nullable().from(5).default(null),
    protocolName: string.nullable().from(5).default(null),
    assignments: array({
      memberId: string,
      assignment: bytes
    })
  },
  response: {
    throttleTimeMs: int32.from(1),
    errorCode: int16,
    protocolType: string.nullable().from(5).default(null),
    protocolName: string.nullable().from(5).default(null),
    assignment: bytes
  }
})
