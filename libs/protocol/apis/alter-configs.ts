/** Replaces all settings of a resource with those named. Tools of before KIP-339 use it; IncrementalAlterConfigs is its successor. */
import { api } from '../api.ts'
import { array, bool, int8, int16, int32, string } from '../field.ts'

export const alterConfigs = api({
  name: 'AlterConfigs',
  key: 33,
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: string.nullable()
      })
    }),
    validateOnly: bool
  },
  response: {
    throttleTimeMs: int32,
    responses: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string
    })
  }
})
