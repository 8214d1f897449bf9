/** Names the SASL mechanism that a connection is to be authenticated with; the answer lists those that are offered. */
import { api } from '../api.ts'
import { array, int16, NO_VERSION, string } from '../field.ts'

export const saslHandshake = api({
  name: 'SaslHandshake',
  key: 17,
  versions: [0, 1],
  flexibleSince: NO_VERSION,
  request: { mechanism: string },
  response: {
    errorCode: int16,
    mechanisms: array(string)
  }
})
