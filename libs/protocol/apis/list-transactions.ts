/** Names the transactional IDs, narrowed by state, producer, duration or a regular expression (KIP-664, KIP-994, KIP-1152). */
import { api } from '../api.ts'
import { array, int16, int32, int64, string } from '../field.ts'

export const listTransactions = api({
  name: 'ListTransactions',
  key: 66,
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    stateFilters: array(string),
    producerIdFilters: array(int64),
    durationFilter: int64.from(1).default(-1n),
    transactionalIdPattern: string.nullable().from(2).default(null)
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    unknownStateFilters: array(string),
    transactionStates: array({
      transactionalId: string,
      producerId: int64,
      transactionState: string
    })
  }
})
