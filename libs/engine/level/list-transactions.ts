/** ListTransactions: the transactional IDs that pass the filters of the request. */
import { errorCode, type listTransactions } from '@assay/protocol'
import { compilePattern } from './consumer-groups/pattern.ts'
import type { Handler } from './context.ts'
import { refusalOf } from './refusal.ts'
import type { TransactionState } from './transactions/transaction.ts'

const STATES: readonly string[] = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence'
] satisfies (TransactionState | 'PrepareEpochFence')[]

export const answerListTransactions: Handler<typeof listTransactions> = (level, { body }) => {
  const { stateFilters, producerIdFilters, durationFilter, transactionalIdPattern } = body
  const unknownStateFilters = stateFilters.filter(name => !STATES.includes(name))
  let matches = (_id: string): boolean => true
  try {
    if (transactionalIdPattern) {
      const pattern = compilePattern(transactionalIdPattern)
      matches = id => pattern.matches(id)
    }
  } catch (error) {
    return { throttleTimeMs: 0, errorCode: refusalOf(error).errorCode, unknownStateFilters: [], transactionStates: [] }
  }
  const nowMs = level.clock.now()
  const transactionStates = [...level.transactions.all()]
    .filter(({ id, state, producerId, startedMs }) => {
      if (stateFilters.length > 0 && !stateFilters.includes(state)) return false
      if (producerIdFilters.length > 0 && !producerIdFilters.includes(BigInt(producerId))) return false
      if (durationFilter >= 0n && !(startedMs >= 0 && BigInt(nowMs - startedMs) > durationFilter)) return false
      return matches(id)
    })
    .map(({ id, producerId, state }) => ({ transactionalId: id, producerId: BigInt(producerId), transactionState: state }))
  return { throttleTimeMs: 0, errorCode: errorCode('NONE'), unknownStateFilters, transactionStates }
}
