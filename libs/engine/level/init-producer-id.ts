/** InitProducerId: a producer ID that nobody had before, for idempotent producers. */
import { errorCode, type initProducerId } from '@assay/protocol'
import type { Handler } from './context.ts'
import { refusalOf } from './refusal.ts'

export const answerInitProducerId: Handler<typeof initProducerId> = async (level, { body }) => {
  const failing = (code: number) => ({ throttleTimeMs: 0, errorCode: code, producerId: -1n, producerEpoch: -1 })
  // Transactions are not served, and clients do not try this error again.
  if (body.transactionalId !== null) return failing(errorCode('UNSUPPORTED_VERSION'))
  try {
    return { throttleTimeMs: 0, errorCode: 0, producerId: BigInt(await level.producerIds.next()), producerEpoch: 0 }
  } catch (error) {
    return failing(refusalOf(error).errorCode)
  }
}
