/** Carries one message of the SASL exchange each way. From version 1 on it tells how long the session lives (KIP-368). */
import { api } from '../api.ts'
import { bytes, int16, int64, string } from '../field.ts'

export const saslAuthenticate = api({
  name: 'SaslAuthenticate',
  key: 36,
  versions: [0, 2],
  flexibleSince: 2,
  request: { authBytes: bytes },
  response: {
    errorCode: int16,
    errorMessage: string.nullable(),
    authBytes: bytes,
    sessionLifetimeMs: int64.from(1)
  }
})
