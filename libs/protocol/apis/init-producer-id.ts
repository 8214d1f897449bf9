/** Gives an idempotent producer its ID and epoch (KIP-98). */
import { api } from '../api.ts'
import { int16, int32, int64, string } from '../field.ts'

export const initProducerId = api({
  name: 'InitProducerId',
  key: 22,
  versions: [0, 5],
  flexibleSince: 2,
  request: {
    transactionalId: string.nullable(),
    transactionTimeoutMs: int32,
    producerId: int64.from(3).default(-1n),
    producerEpoch: int16.from(3).default(-1)
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    producerId: int64.default(-1n),
    producerEpoch: int16
  }
})
