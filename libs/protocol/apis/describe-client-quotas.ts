/** Lists the quotas of users and clients that a filter matches (KIP-546). */
import { api } from '../api.ts'
import { array, bool, float64, int8, int16, int32, string } from '../field.ts'

export const describeClientQuotas = api({
  name: 'DescribeClientQuotas',
  key: 48,
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    components: array({
      entityType: string,
      matchType: int8,
      match: string.nullable()
    }),
    strict: bool
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    entries: array({
      entity: array({
        entityType: string,
        entityName: string.nullable()
      }),
      values: array({
        key: string,
        value: float64
      })
    }).nullable()
  }
})
