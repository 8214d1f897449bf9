/** DescribeTransactions: state, producer and partitions of transactional IDs. */
import { type describeTransactions, errorCode } from '@assay/protocol'
import type { Handler } from './context.ts'

export const answerDescribeTransactions: Handler<typeof describeTransactions> = (level, { body }) => ({
  throttleTimeMs: 0,
  transactionStates: body.transactionalIds.map(transactionalId => {
    const known = level.transactions.get(transactionalId)
    return {
      errorCode: known === undefined ? errorCode('TRANSACTIONAL_ID_NOT_FOUND') : 0,
      transactionalId,
      transactionState: known?.state ?? '',
      transactionTimeoutMs: known?.timeoutMs ?? 0,
      transactionStartTimeMs: BigInt(known?.startedMs ?? 0),
      producerId: BigInt(known?.producerId ?? 0),
      producerEpoch: known?.producerEpoch ?? 0,
      topics: [...(known?.partitions ?? [])].map(([topic, indexes]) => ({
        topic,
        partitions: [...indexes].sort((a, b) => a - b)
      }))
    }
  })
})
