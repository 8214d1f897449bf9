/** Makes the offsets of a consumer group part of a transaction before they are committed in it (KIP-98). */
import { api } from '../api.ts'
import { int16, int32, int64, string } from '../field.ts'

export const addOffsetsToTxn = api({
  name: 'AddOffsetsToTxn',
  key: 25,
  versions: [0, 4],
  flexibleSince: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    groupId: string
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16
  }
})
