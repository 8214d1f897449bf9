/** Deletes empty groups with their offsets. */
import { api } from '../api.ts'
import { array, int16, int32, string } from '../field.ts'

export const deleteGroups = api({
  name: 'DeleteGroups',
  key: 42,
  versions: [0, 3],
  flexibleSince: 2,
  request: {
    groupsNames: array(string)
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      groupId: string,
      errorCode: int16,
      errorMessage: string.nullable().from(3).default(null)
    })
  }
})
