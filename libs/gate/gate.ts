/**
 * The gate: wraps an engine, so that no record that its schema does not allow ever reaches it.
 * All requests but Produce pass untouched.
 */
import type { Engine, Request, Session, Topic } from '@assay/engine'
import { AssayError, isAssayError } from '@assay/errors'
import { errorCode, errorCodeOf, produce, type RequestOf, type ResponseOf } from '@assay/protocol'
import { checkBatch, HEADER_BYTES, readHeader } from '@assay/records'
import type { Logger } from '@assay/std'
import { judge, type Verdict } from './judge.ts'
import { policyOf } from './policy.ts'
import { describeRejection, type Rejection } from './rejection.ts'
import type { SchemaSource } from './schema-source.ts'

/** Told of every batch that was refused, or stored in spite of a bad record. Must not throw. */
export type RejectListener = (reject: Reject) => void

export interface Reject {
  readonly topic: string
  readonly partition: number
  readonly clientId: string | null
  readonly principal: string
  /** False when the topic's action is `warn`: the batch was stored all the same. */
  readonly refused: boolean
  /** Records in the batch, good and bad. */
  readonly recordCount: number
  readonly rejections: readonly Rejection[]
}

export interface GateOptions {
  readonly source: SchemaSource
  readonly onReject: RejectListener
  readonly logger: Logger
  /** Largest size that a compressed batch may inflate to. */
  readonly decompressedBytesMax: number
}

type ProduceRequest = RequestOf<typeof produce>
type ProduceResponse = ResponseOf<typeof produce>
type TopicResponse = ProduceResponse['responses'][number]
type PartitionResponse = TopicResponse['partitionResponses'][number]

/** A refused partition and where its answer belongs in the response. */
interface Refusal {
  readonly topic: number
  readonly partition: number
  readonly answer: PartitionResponse
}

/** Wraps `engine`. Produce requests of one session are judged and handed on in the order of the calls. */
export function gate(engine: Engine, options: GateOptions): Engine {
  const judging = new WeakMap<Session, Promise<unknown>>()

  /** A request waits until the one before it in its session was handed to the engine: a look at the registry must not reorder them. */
  async function inOrder(request: Request, session: Session): Promise<object | null> {
    const before = judging.get(session)
    const { promise: handedOn, resolve: handOn } = Promise.withResolvers<void>()
    judging.set(session, handedOn)
    try {
      if (before) await before
      return await answerProduce(request as unknown as Request<typeof produce>, session, handOn)
    } finally {
      handOn()
      if (judging.get(session) === handedOn) judging.delete(session)
    }
  }

  async function answerProduce(request: Request<typeof produce>, session: Session, handOn: () => void): Promise<object | null> {
    const refusals = await refusalsOf(request, session)
    const body = refusals.length === 0 ? request.body : without(request.body, refusals)
    const answering = body.topicData.length > 0 ? engine.answer({ ...request, body } as unknown as Request, session) : undefined
    handOn()
    const answered = (await answering) ?? null
    if (refusals.length === 0) return answered
    if (request.body.acks === 0) {
      // Nobody reads an answer; a closed connection is all that tells the producer, as Kafka does it.
      throw new AssayError('RECORD_REJECTED', { index: 0, reason: refusals[0]!.answer.errorMessage ?? 'refused' })
    }
    return merge(request.body, refusals, answered as ProduceResponse | null)
  }

  async function refusalsOf({ body, clientId }: Request<typeof produce>, session: Session): Promise<Refusal[]> {
    const refusals: Refusal[] = []
    for (const [topicIndex, { name, topicId, partitionData }] of body.topicData.entries()) {
      const found = engine.topic(name === '' ? { id: topicId } : { name })
      const topic = found instanceof Promise ? await found : found
      // An unknown topic is the engine's to refuse.
      if (!topic) continue
      for (const [partitionIndex, { index, records }] of partitionData.entries()) {
        if (!records || !isOneBatch(records)) continue
        const answer = await refusalOf(records, topic, index, clientId, session)
        if (answer) refusals.push({ topic: topicIndex, partition: partitionIndex, answer: { ...answer, index } })
      }
    }
    return refusals
  }

  async function refusalOf(
    batch: Buffer,
    topic: Topic,
    partition: number,
    clientId: string | null,
    session: Session
  ): Promise<PartitionResponse | undefined> {
    const policy = policyOf(topic)
    const header = readHeader(batch)
    const once = (): Verdict => judge(batch, header, policy, options.source, options.decompressedBytesMax)
    try {
      let verdict = once()
      if (verdict.unknownSchema) {
        await options.source.catchUp()
        verdict = once()
      }
      if (verdict.rejections.length === 0) return undefined
      // A batch damaged on its way must be sent again, not blamed on its producer: see docs/decisions/005.
      checkBatch(batch, { sizeMax: batch.length })
      const refused = policy.action === 'reject'
      const { principal } = session
      const { recordCount } = header
      options.onReject({
        topic: topic.name,
        partition,
        clientId,
        principal,
        refused,
        recordCount,
        rejections: verdict.rejections
      })
      return refused ? rejectedPartition(partition, topic.name, verdict.rejections) : undefined
    } catch (error) {
      if (!isAssayError(error)) throw error
      return failedPartition(partition, error)
    }
  }

  return {
    apis: engine.apis,
    answer: (request, session) => (request.api.key === produce.key ? inOrder(request, session) : engine.answer(request, session)),
    topic: ref => engine.topic(ref),
    close: () => engine.close()
  }
}

/** What is not exactly one batch v2 by its header is the engine's to refuse, with its own reason. */
function isOneBatch(records: Buffer): boolean {
  if (records.length < HEADER_BYTES) return false
  const { magic, sizeBytes } = readHeader(records)
  return magic === 2 && sizeBytes === records.length
}

function rejectedPartition(index: number, topic: string, rejections: readonly Rejection[]): PartitionResponse {
  const first = rejections[0]!
  const more = rejections.length > 1 ? ` and ${rejections.length - 1} more` : ''
  return {
    index,
    errorCode: errorCode('INVALID_RECORD'),
    baseOffset: -1n,
    logAppendTimeMs: -1n,
    logStartOffset: -1n,
    recordErrors: rejections.map(rejection => ({
      batchIndex: rejection.index,
      batchIndexErrorMessage: describeRejection(rejection)
    })),
    errorMessage: `Topic ${topic} refuses record ${first.index}: ${describeRejection(first)}${more}`
  } as PartitionResponse
}

function failedPartition(index: number, error: AssayError): PartitionResponse {
  return {
    index,
    errorCode: errorCodeOf(error),
    baseOffset: -1n,
    logAppendTimeMs: -1n,
    logStartOffset: -1n,
    recordErrors: [],
    errorMessage: error.message
  } as unknown as PartitionResponse
}

/** The request without its refused partitions, and without topics of which nothing is left. */
function without(body: ProduceRequest, refusals: readonly Refusal[]): ProduceRequest {
  const refused = new Set(refusals.map(({ topic, partition }) => `${topic}/${partition}`))
  const topicData = body.topicData
    .map((data, topic) => ({
      ...data,
      partitionData: data.partitionData.filter((_, partition) => !refused.has(`${topic}/${partition}`))
    }))
    .filter(data => data.partitionData.length > 0)
  return { ...body, topicData }
}

/** The engine's answers and the refusals, in the order of the request. */
function merge(body: ProduceRequest, refusals: readonly Refusal[], answered: ProduceResponse | null): ProduceResponse {
  const answers = new Map<string, PartitionResponse>()
  for (const { name, topicId, partitionResponses } of answered?.responses ?? []) {
    for (const response of partitionResponses) answers.set(`${name}/${topicId}/${response.index}`, response)
  }
  const refused = new Map(refusals.map(({ topic, partition, answer }) => [`${topic}/${partition}`, answer]))
  const responses = body.topicData.map(({ name, topicId, partitionData }, topic) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }, partition) => {
      return refused.get(`${topic}/${partition}`) ?? answers.get(`${name}/${topicId}/${index}`)!
    })
  }))
  return { ...(answered ?? { throttleTimeMs: 0, nodeEndpoints: [] }), responses } as ProduceResponse
}
