/** Adds ACLs. */
import { api } from '../api.ts'
import { array, int8, int16, int32, string } from '../field.ts'

export const createAcls = api({
  name: 'CreateAcls',
  key: 30,
  versions: [1, 3],
  flexibleSince: 2,
  request: {
    creations: array({
      resourceType: int8,
      resourceName: string,
      resourcePatternType: int8.from(1).default(3),
      principal: string,
      host: string,
      operation: int8,
      permissionType: int8
    })
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      errorCode: int16,
      errorMessage: string.nullable()
    })
  }
})
