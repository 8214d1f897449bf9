/** Removes members from their group; several at once from version 3 on. */
import { api } from '../api.ts'
import { array, int16, int32, string } from '../field.ts'

export const leaveGroup = api({
  name: 'LeaveGroup',
  key: 13,
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string,
    memberId: string.upTo(2),
    members: array({
      memberId: string,
      groupInstanceId: string.nullable().default(null),
      reason: string.nullable().from(5).default(null)
    }).from(3)
  },
  response: {
    throttleTimeMs: int32.from(1),
    errorCode: int16,
    members: array({
      memberId: string,
      groupInstanceId: string.nullable(),
      errorCode: int16
    }).from(3)
  }
})
