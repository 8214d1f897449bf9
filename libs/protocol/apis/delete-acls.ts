/** Takes away the ACLs that filters match, and lists them. */
import { api } from '../api.ts'
import { array, int8, int16, int32, string } from '../field.ts'

export const deleteAcls = api({
  name: 'DeleteAcls',
  key: 31,
  versions: [1, 3],
  flexibleSince: 2,
  request: {
    filters: array({
      resourceTypeFilter: int8,
      resourceNameFilter: string.nullable(),
      patternTypeFilter: int8.from(1).default(3),
      principalFilter: string.nullable(),
      hostFilter: string.nullable(),
      operation: int8,
      permissionType: int8
    })
  },
  response: {
    throttleTimeMs: int32,
    filterResults: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      matchingAcls: array({
        errorCode: int16,
        errorMessage: string.nullable(),
        resourceType: int8,
        resourceName: string,
        patternType: int8.from(1).default(3),
        principal: string,
        host: string,
        operation: int8,
        permissionType: int8
      })
    })
  }
})
