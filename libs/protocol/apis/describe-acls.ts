/** Lists the ACLs that a filter matches. */
import { api } from '../api.ts'
import { array, int8, int16, int32, string } from '../field.ts'

export const describeAcls = api({
  name: 'DescribeAcls',
  key: 29,
  versions: [1, 3],
  flexibleSince: 2,
  request: {
    resourceTypeFilter: int8,
    resourceNameFilter: string.nullable(),
    patternTypeFilter: int8.from(1).default(3),
    principalFilter: string.nullable(),
    hostFilter: string.nullable(),
    operation: int8,
    permissionType: int8
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    resources: array({
      resourceType: int8,
      resourceName: string,
      patternType: int8.from(1).default(3),
      acls: array({
        principal: string,
        host: string,
        operation: int8,
        permissionType: int8
      })
    })
  }
})
