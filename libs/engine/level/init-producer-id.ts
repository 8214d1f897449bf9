/** InitProducerId: a producer ID that nobody had before, for idempotent producers; for a transactional ID, the epoch that fences its former producer. */
import { errorCode, type initProducerId } from '@assay/protocol'
import type { Handler } from './context.ts'
import { TEXT_BYTES_MAX } from './groups/offset-records.ts'
import { refusalOf } from './refusal.ts'
import { knownTo } from './transactions/wire-error.ts'

/** The version that knows PRODUCER_FENCED. */
const FENCED_SINCE = 4
const NO_PRODUCER_ID = -1n

export const answerInitProducerId: Handler<typeof initProducerId> = async (level, { version, body }) => {
  const failing = (code: number) => ({ throttleTimeMs: 0, errorCode: code, producerId: -1n, producerEpoch: -1 })
  const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = body
  try {
    if (transactionalId === null) {
      return { throttleTimeMs: 0, errorCode: 0, producerId: BigInt(await level.producerIds.next()), producerEpoch: 0 }
    }
    const isPart = (producerId === NO_PRODUCER_ID) !== (producerEpoch === -1)
    if (transactionalId === '' || Buffer.byteLength(transactionalId) > TEXT_BYTES_MAX || isPart) {
      return failing(errorCode('INVALID_REQUEST'))
    }
    const { error, producer } = await level.transactions.init({
      id: transactionalId,
      timeoutMs: transactionTimeoutMs,
      expected: producerId === NO_PRODUCER_ID ? undefined : { producerId: Number(producerId), epoch: producerEpoch }
    })
    if (producer === undefined) return failing(errorCode(knownTo(version, FENCED_SINCE, error)))
    return { throttleTimeMs: 0, errorCode: 0, producerId: BigInt(producer.producerId), producerEpoch: producer.epoch }
  } catch (error) {
    return failing(refusalOf(error).errorCode)
  }
}
