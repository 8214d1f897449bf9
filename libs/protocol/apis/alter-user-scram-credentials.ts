/** Sets and takes away SCRAM credentials of users (KIP-554). */
import { api } from '../api.ts'
import { array, bytes, int8, int16, int32, string } from '../field.ts'

export const alterUserScramCredentials = api({
  name: 'AlterUserScramCredentials',
  key: 51,
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    deletions: array({
      name: string,
      mechanism: int8
    }),
    upsertions: array({
      name: string,
      mechanism: int8,
      iterations: int32,
      salt: bytes,
      saltedPassword: bytes
    })
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      user: string,
      errorCode: int16,
      errorMessage: string.nullable()
    })
  }
})
