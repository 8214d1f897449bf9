/** Raises or lowers the level of features that change how a cluster behaves (KIP-584). */
import { api } from '../api.ts'
import { array, bool, int8, int16, int32, string } from '../field.ts'

export const updateFeatures = api({
  name: 'UpdateFeatures',
  key: 57,
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    timeoutMs: int32.default(60_000),
    featureUpdates: array({
      feature: string,
      maxVersionLevel: int16,
      allowDowngrade: bool.upTo(0),
      upgradeType: int8.from(1).default(1)
    }),
    validateOnly: bool.from(1)
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    results: array({
      feature: string,
      errorCode: int16,
      errorMessage: string.nullable()
    }).upTo(1)
  }
})
