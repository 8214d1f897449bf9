/** Sets and takes away quotas of users and clients (KIP-546). */
import { api } from '../api.ts'
import { array, bool, float64, int16, int32, string } from '../field.ts'

export const alterClientQuotas = api({
  name: 'AlterClientQuotas',
  key: 49,
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    entries: array({
      entity: array({
        entityType: string,
        entityName: string.nullable()
      }),
      ops: array({
        key: string,
        value: float64,
        remove: bool
      })
    }),
    validateOnly: bool
  },
  response: {
    throttleTimeMs: int32,
    entries: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      entity: array({
        entityType: string,
        entityName: string.nullable()
      })
    })
  }
})
