/** AddOffsetsToTxn: the offsets of a consumer group become part of a transaction. */
import { type addOffsetsToTxn, errorCode } from '@assay/protocol'
import type { Handler } from './context.ts'
import { OFFSETS_TOPIC } from './topic-name.ts'
import { knownTo } from './transactions/wire-error.ts'

const FENCED_SINCE = 2

export const answerAddOffsetsToTxn: Handler<typeof addOffsetsToTxn> = async (level, { version, body }) => {
  const answer = (code: number) => ({ throttleTimeMs: 0, errorCode: code })
  if (body.transactionalId === '') return answer(errorCode('INVALID_REQUEST'))
  if (body.groupId === '') return answer(errorCode('INVALID_GROUP_ID'))
  const error = await level.transactions.add(body.transactionalId, {
    producerId: Number(body.producerId),
    epoch: body.producerEpoch,
    partitions: new Map([[OFFSETS_TOPIC, new Set([0])]]),
    version: 0
  })
  return answer(errorCode(knownTo(version, FENCED_SINCE, error)))
}
