/** Tells which SCRAM mechanisms users have a credential for (KIP-554). */
import { api } from '../api.ts'
import { array, int8, int16, int32, string } from '../field.ts'

export const describeUserScramCredentials = api({
  name: 'DescribeUserScramCredentials',
  key: 50,
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    users: array({ name: string }).nullable()
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    results: array({
      user: string,
      errorCode: int16,
      errorMessage: string.nullable(),
      credentialInfos: array({
        mechanism: int8,
        iterations: int32
      })
    })
  }
})
