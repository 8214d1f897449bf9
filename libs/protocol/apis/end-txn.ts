/** Commits or aborts a transaction; from version 5 on the producer gets a new epoch with it (KIP-98, KIP-890). */
import { api } from '../api.ts'
import { bool, int16, int32, int64, string } from '../field.ts'

export const endTxn = api({
  name: 'EndTxn',
  key: 26,
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    committed: bool
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    producerId: int64.from(5).default(-1n),
    producerEpoch: int16.from(5).default(-1)
  }
})
