/** Keeps a member alive in its consumer group. Version 3 adds the static member's instance ID. */
import { api } from '../api.ts'
import { int16, int32, string } from '../field.ts'

export const heartbeat = api({
  name: 'Heartbeat',
  key: 12,
  versions: [0, 4],
  flexibleSince: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.nullable().from(3).default(null)
  },
  response: {
    throttleTimeMs: int32.from(1),
    errorCode: int16
  }
})
