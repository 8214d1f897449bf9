/** Produce: checks every batch, appends the good ones of a request together, and tells each partition's fate. */
import { AssayError, isAssayError } from '@assay/errors'
import type { Appended, PartitionLog } from '@assay/log'
import { errorCode, type produce, type RequestOf, type ResponseOf } from '@assay/protocol'
import {
  type BatchHeader,
  checkBatch,
  FIELD_AT,
  HEADER_BYTES,
  isTransactional,
  LOG_OVERHEAD,
  recompressBatch,
  setLogAppendTime
} from '@assay/records'
import type { Topic } from '../engine.ts'
import { type AppendTerms, appendTerms } from './append-terms.ts'
import type { Handler, Level } from './context.ts'
import { type RecordFault, recordFaults } from './record-faults.ts'
import { refusalOf } from './refusal.ts'
import { isOwnTopic } from './topic-name.ts'

type AskedTopic = RequestOf<typeof produce>['topicData'][number]
type TopicAnswer = ResponseOf<typeof produce>['responses'][number]
type PartitionAnswer = TopicAnswer['partitionResponses'][number]

/** A batch that has passed every check, and where its outcome goes. */
interface Candidate {
  readonly log: PartitionLog
  readonly batch: Buffer
  answer: PartitionAnswer
}

const NO_ACKS = 0

export const answerProduce: Handler<typeof produce> = async (level, { version, body }) => {
  const acksKnown = body.acks === NO_ACKS || body.acks === 1 || body.acks === -1
  const candidates: Candidate[] = []
  const responses = body.topicData.map((asked): TopicAnswer => {
    const topic = level.topics.get(version >= 13 ? { id: asked.topicId } : { name: asked.name })
    const partitionResponses = asked.partitionData.map(({ index, records }) => {
      if (!acksKnown) return failing(index, errorCode('INVALID_REQUIRED_ACKS'), `acks=${body.acks} is none of -1, 0, 1`)
      try {
        if (topic === undefined) return unknownTopic(version, asked, index)
        const checked = check(level, topic, { index, records, transactional: body.transactionalId !== null })
        if (!('log' in checked)) return checked
        candidates.push(checked)
        return checked.answer
      } catch (error) {
        const { errorCode: code, errorMessage } = refusalOf(error)
        return failing(index, code, errorMessage)
      }
    })
    return { name: asked.name, topicId: asked.topicId, partitionResponses }
  })
  const outcomes = await appendTogether(level, candidates)
  for (const [at, outcome] of outcomes.entries()) settle(candidates[at]!, outcome)
  if (body.acks === NO_ACKS) {
    // There is no answer to carry an error: the connection is closed instead, as Kafka does.
    const failure = responses.flatMap(({ partitionResponses }) => partitionResponses).find(({ errorCode: code }) => code !== 0)
    if (failure !== undefined) throw new AssayError('INVALID_REQUEST', { reason: failure.errorMessage ?? 'a batch was refused' })
    return null
  }
  return { responses, throttleTimeMs: 0, nodeEndpoints: [] }
}

const answerFor = (index: number): PartitionAnswer => ({
  index,
  errorCode: 0,
  baseOffset: -1n,
  logAppendTimeMs: -1n,
  logStartOffset: -1n,
  recordErrors: [],
  errorMessage: null,
  currentLeader: { leaderId: -1, leaderEpoch: -1 }
})

const failing = (index: number, code: number, message: string): PartitionAnswer => ({
  ...answerFor(index),
  errorCode: code,
  errorMessage: message
})

function unknownTopic(version: number, asked: AskedTopic, index: number): PartitionAnswer {
  return version >= 13
    ? failing(index, errorCode('UNKNOWN_TOPIC_ID'), `There is no topic with ID ${asked.topicId}.`)
    : failing(index, errorCode('UNKNOWN_TOPIC_OR_PARTITION'), `Topic '${asked.name}' not found.`)
}

interface Asked {
  readonly index: number
  readonly records: Buffer | readonly Buffer[] | null
  readonly transactional: boolean
}

/** Fails with the reason for which nothing of this partition may be stored; gives the answer where single records are the reason. */
function check(level: Level, topic: Topic, asked: Asked): Candidate | PartitionAnswer {
  const log = level.topics.partition(topic, asked.index)
  if (log === undefined) throw new AssayError('PARTITION_NOT_FOUND', { topic: topic.name, partition: asked.index })
  if (isOwnTopic(topic.name)) {
    throw new AssayError('INVALID_TOPIC', { topic: topic.name, reason: 'only the server itself writes to it' })
  }
  const terms = appendTerms(level, topic)
  const batch = onlyBatch(asked.records)
  const header = checkBatch(batch, { sizeMax: terms.batchBytesMax })
  if (asked.transactional || isTransactional(header)) {
    throw new AssayError('UNSUPPORTED_VERSION', { what: 'A transactional batch', reason: 'transactions are not served' })
  }
  const nowMs = level.clock.now()
  const { decompressedBytesMax, recompressBytesMax } = level.options
  const faults = recordFaults(batch, header, terms, { nowMs, limitBytes: decompressedBytesMax })
  if (faults.length > 0) return faulty(asked.index, faults)
  const stored = asStored(batch, header, terms, Math.min(recompressBytesMax, decompressedBytesMax))
  if (terms.hasAppendTime) setLogAppendTime(stored, nowMs)
  return { log, batch: stored, answer: answerFor(asked.index) }
}

/** Fails with INVALID_BATCH when there is not one batch: sending the same again would not help. */
function onlyBatch(records: Asked['records']): Buffer {
  const batch = Array.isArray(records) ? Buffer.concat(records) : (records as Buffer | null)
  if (batch === null || batch.length === 0) throw new AssayError('INVALID_BATCH', { reason: 'there is none' })
  if (batch.length < HEADER_BYTES) return batch
  const behind = batch.length - LOG_OVERHEAD - batch.readInt32BE(FIELD_AT.batchLength)
  if (behind <= 0) return batch
  throw new AssayError('INVALID_BATCH', { reason: `${behind} bytes follow it, and a partition takes one batch a request` })
}

/** Fails with BATCH_TOO_LARGE when the topic's codec makes it so, DECOMPRESSED_TOO_LARGE, CORRUPT_BATCH. */
function asStored(batch: Buffer, header: BatchHeader, { codec, level, batchBytesMax }: AppendTerms, limitBytes: number): Buffer {
  if (codec === undefined) return batch
  const stored = recompressBatch(batch, header, { codec, limitBytes, ...(level !== undefined && { level }) })
  if (stored.length <= batchBytesMax) return stored
  throw new AssayError('BATCH_TOO_LARGE', { size: stored.length, limit: batchBytesMax })
}

function faulty(index: number, faults: readonly RecordFault[]): PartitionAnswer {
  const [first] = faults
  const reason = faults.length > 1 ? `${first!.reason} and ${faults.length - 1} more` : first!.reason
  const facts = { index: first!.index, reason }
  const isOfTime = faults.some(({ kind }) => kind === 'timestamp')
  return {
    ...answerFor(index),
    ...refusalOf(isOfTime ? new AssayError('INVALID_TIMESTAMP', facts) : new AssayError('RECORD_REJECTED', facts)),
    recordErrors: faults.map(fault => ({ batchIndex: fault.index, batchIndexErrorMessage: fault.reason }))
  }
}

/**
 * One atomic write for all. When a producer's sequence refuses one of them nothing has been written,
 * and each is tried by itself, so that the others are not lost with it.
 */
async function appendTogether(level: Level, candidates: readonly Candidate[]): Promise<PromiseSettledResult<Appended>[]> {
  if (candidates.length > 1) {
    try {
      const appended = await level.log.appendAll(candidates)
      return appended.map(value => ({ status: 'fulfilled', value }))
    } catch (reason) {
      if (!isAssayError(reason, 'OUT_OF_ORDER_SEQUENCE', 'PRODUCER_FENCED')) {
        return candidates.map(() => ({ status: 'rejected', reason }))
      }
    }
  }
  return Promise.allSettled(candidates.map(({ log, batch }) => log.append(batch)))
}

function settle(candidate: Candidate, outcome: PromiseSettledResult<Appended>): void {
  const { answer, log } = candidate
  if (outcome.status === 'rejected') {
    Object.assign(answer, refusalOf(outcome.reason))
    return
  }
  const { baseOffset, logAppendTimeMs } = outcome.value
  answer.baseOffset = BigInt(baseOffset)
  answer.logAppendTimeMs = BigInt(logAppendTimeMs)
  answer.logStartOffset = BigInt(log.startOffset)
}
