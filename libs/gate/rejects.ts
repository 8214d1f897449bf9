/**
 * Turns every refusal into a typed Avro event in `_assay.rejects`, because most clients do not show `record_errors` to their users.
 * It never slows or fails a producer: what cannot be written is counted and logged.
 */
import { compileCodec, frame, parseSchema } from '@assay/avro'
import { ask, type Engine, type Session } from '@assay/engine'
import { AssayError } from '@assay/errors'
import { createTopics, errorCode, errorName, produce } from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import type { Clock, Logger } from '@assay/std'
import type { Reject } from './gate.ts'
import { REJECTS_TOPIC, type RejectEvent, rejectSchemaText } from './reject-schema.ts'
import { placeOf } from './rejection.ts'

/** Refusals that wait to be written; a flood of more is counted, not kept. */
const WAITING_MAX = 1000
const LOG_INTERVAL_MS = 1000
/** Lines in one interval, whatever the number of topics. */
const LOGGED_MAX = 100
const PRODUCE_VERSION = 9
const CREATE_TOPICS_VERSION = 7
/** What a flood of refusals may take up on disk. */
const REJECTS_BYTES_MAX = String(100 * 1024 * 1024)
const TIMEOUT_MS = 30_000

export interface RejectEvents {
  /** Takes one refusal; returns at once. */
  report(reject: Reject): void
  /** Resolves when everything reported before is written or given up. */
  close(): Promise<void>
}

export interface RejectEventsOptions {
  /** The engine itself, not the gate around it. */
  readonly engine: Engine
  /**
   * Registers `rejectSchemaText` and answers its ID; asked at the first refusal, so that an empty registry stays empty until then
   * and can take over another one with every ID.
   */
  readonly schemaId: () => Promise<number>
  readonly session: Session
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes the topic of the reject events when it is not there. Fails with STORE_FAILED. */
export async function createRejectsTopic(engine: Engine, session: Session): Promise<void> {
  const topic = {
    name: REJECTS_TOPIC,
    numPartitions: 1,
    replicationFactor: -1,
    assignments: [],
    configs: [{ name: 'retention.bytes', value: REJECTS_BYTES_MAX }]
  }
  const body = { topics: [topic], timeoutMs: TIMEOUT_MS, validateOnly: false }
  const answer = await ask(engine, createTopics, CREATE_TOPICS_VERSION, body, session)
  const code = answer?.topics[0]?.errorCode ?? 0
  if (code !== 0 && code !== errorCode('TOPIC_ALREADY_EXISTS')) {
    throw new AssayError('STORE_FAILED', { action: `create ${REJECTS_TOPIC}: ${errorName(code)}` })
  }
}

/** The topic must exist. One writer: refusals that come while it writes are written together next. */
export function rejectEvents({ engine, schemaId, session, clock, logger }: RejectEventsOptions): RejectEvents {
  const codec = compileCodec<RejectEvent>(parseSchema(rejectSchemaText), { long: 'number', time: 'raw' })
  let registeredId: number | undefined
  let waiting: RejectEvent[] = []
  let dropped = 0
  let writing: Promise<void> | undefined
  const logged = new Set<string>()
  let nextLogMs = 0
  let unlogged = 0

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const events = waiting
      waiting = []
      await write(events)
    }
    writing = undefined
  }

  async function write(events: readonly RejectEvent[]): Promise<void> {
    const count = events.length
    try {
      registeredId ??= await schemaId()
      const id = registeredId
      const records = events.map(event => ({
        key: Buffer.from(event.topic),
        value: frame(id, codec.encode(event)),
        headers: [],
        timestampMs: event.rejectedAt
      }))
      const batch = encodeBatch({ records, baseTimestampMs: events[0]!.rejectedAt })
      const body = {
        transactionalId: null,
        acks: -1,
        timeoutMs: TIMEOUT_MS,
        topicData: [{ name: REJECTS_TOPIC, topicId: '', partitionData: [{ index: 0, records: batch }] }]
      }
      const answer = await ask(engine, produce, PRODUCE_VERSION, body, session)
      const errorCode = answer?.responses[0]?.partitionResponses[0]?.errorCode ?? 0
      if (errorCode !== 0) logger.warn({ errorCode, count }, 'reject events could not be written')
    } catch (error) {
      logger.warn({ err: error, count }, 'reject events could not be written')
    }
  }

  /** One line for each topic in an interval: a producer that is refused at full speed must not fill the log, nor hide another. */
  function log(event: RejectEvent, refused: boolean): void {
    if (clock.now() >= nextLogMs) {
      nextLogMs = clock.now() + LOG_INTERVAL_MS
      logged.clear()
    }
    const line = `${event.topic} ${refused}`
    if (logged.has(line) || logged.size >= LOGGED_MAX) {
      unlogged++
      return
    }
    logged.add(line)
    logger.warn({ ...event, unlogged, dropped }, refused ? 'a batch was refused' : 'a batch with bad records was stored')
    unlogged = 0
  }

  return {
    report(reject) {
      const event = eventOf(reject, clock.now())
      log(event, reject.refused)
      if (!reject.refused) return
      if (waiting.length >= WAITING_MAX) {
        dropped++
        return
      }
      waiting.push(event)
      writing ??= drain()
    },
    close: async () => writing
  }
}

function eventOf({ topic, partition, clientId, principal, rejections }: Reject, nowMs: number): RejectEvent {
  const first = rejections[0]!
  return {
    topic,
    partition,
    clientId,
    principal,
    subject: first.subject ?? null,
    schemaId: first.schemaId ?? null,
    recordIndex: first.index,
    reason: first.reason,
    path: placeOf(first),
    count: rejections.length,
    rejectedAt: nowMs
  }
}
