/** EndTxn: commits or aborts a transaction. From version 5 on the producer gets another epoch with it (KIP-890). */
import { type endTxn, errorCode } from '@assay/protocol'
import type { Handler } from './context.ts'
import { refusalOf } from './refusal.ts'
import { knownTo } from './transactions/wire-error.ts'

const FENCED_SINCE = 2
const RAISES_SINCE = 5

export const answerEndTxn: Handler<typeof endTxn> = async (level, { version, body }) => {
  const failing = (code: number) => ({ throttleTimeMs: 0, errorCode: code, producerId: -1n, producerEpoch: -1 })
  if (body.transactionalId === '') return failing(errorCode('INVALID_REQUEST'))
  try {
    const { error, producer } = await level.transactions.end(body.transactionalId, {
      producerId: Number(body.producerId),
      epoch: body.producerEpoch,
      end: body.committed ? 'commit' : 'abort',
      version: version >= RAISES_SINCE ? 2 : 0
    })
    if (producer === undefined) return failing(errorCode(knownTo(version, FENCED_SINCE, error)))
    return { throttleTimeMs: 0, errorCode: 0, producerId: BigInt(producer.producerId), producerEpoch: producer.epoch }
  } catch (error) {
    return failing(refusalOf(error).errorCode)
  }
}
