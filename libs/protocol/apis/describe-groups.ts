/** Tells state, members and assignments of groups. */
import { api } from '../api.ts'
import { array, bool, bytes, int16, int32, string } from '../field.ts'

export const describeGroups = api({
  name: 'DescribeGroups',
  key: 15,
  versions: [0, 6],
  flexibleSince: 5,
  request: {
    groups: array(string),
    includeAuthorizedOperations: bool.from(3)
  },
  response: {
    throttleTimeMs: int32.from(1),
    groups: array({
      errorCode: int16,
      errorMessage: string.nullable().from(6).default(null),
      groupId: string,
      groupState: string,
      protocolType: string,
      protocolData: string,
      members: array({
        memberId: string,
        groupInstanceId: string.nullable().from(4).default(null),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes
      }),
      authorizedOperations: int32.from(3).default(-2147483648)
    })
  }
})
