/** Produce: checks every batch, appends the good ones of a request together, and tells each partition's fate. */
import { AssayError, isAssayError } from '@assay/errors'
import type { Appended, PartitionLog } from '@assay/log'
import { errorCode, type produce, type RequestOf, type ResponseOf } from '@assay/protocol'
import { type BatchHeader, checkBatch, isTransactional, setLogAppendTime } from '@assay/records'
import type { Topic } from '../engine.ts'
import type { Handler, Level } from './context.ts'
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
        const candidate = check(level, topic, { index, records, transactional: body.transactionalId !== null })
        candidates.push(candidate)
        return candidate.answer
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

/** Fails with the reason for which nothing of this partition may be stored. */
function check(level: Level, topic: Topic, asked: Asked): Candidate {
  const log = level.topics.partition(topic, asked.index)
  if (log === undefined) throw new AssayError('PARTITION_NOT_FOUND', { topic: topic.name, partition: asked.index })
  if (isOwnTopic(topic.name)) {
    throw new AssayError('INVALID_TOPIC', { topic: topic.name, reason: 'only the server itself writes to it' })
  }
  const batch = Array.isArray(asked.records) ? Buffer.concat(asked.records) : (asked.records as Buffer | null)
  if (batch === null || batch.length === 0) throw new AssayError('INVALID_BATCH', { reason: 'there is none' })
  const header = checkBatch(batch, { sizeMax: Number(level.topics.config(topic, 'max.message.bytes')) })
  if (asked.transactional || isTransactional(header)) {
    throw new AssayError('UNSUPPORTED_VERSION', { what: 'A transactional batch', reason: 'transactions are not served' })
  }
  const nowMs = level.clock.now()
  if (level.topics.config(topic, 'message.timestamp.type') === 'LogAppendTime') setLogAppendTime(batch, nowMs)
  else checkTimestamps(level, topic, header, nowMs)
  return { log, batch, answer: answerFor(asked.index) }
}

function checkTimestamps(level: Level, topic: Topic, header: BatchHeader, nowMs: number): void {
  const aheadMs = Number(level.topics.config(topic, 'message.timestamp.after.max.ms'))
  const behindMs = Number(level.topics.config(topic, 'message.timestamp.before.max.ms'))
  if (header.maxTimestamp - nowMs > aheadMs) {
    throw new AssayError('INVALID_TIMESTAMP', { timestamp: header.maxTimestamp, reason: `more than ${aheadMs} ms ahead` })
  }
  if (nowMs - header.baseTimestamp > behindMs) {
    throw new AssayError('INVALID_TIMESTAMP', { timestamp: header.baseTimestamp, reason: `more than ${behindMs} ms behind` })
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
