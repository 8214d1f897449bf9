/**
 * A topic of the product's own typed Avro events. Writing one never slows or fails a request: what cannot be written is counted and logged,
 * and a flood of more than can wait is counted, not kept.
 */
import { compileCodec, frame, parseSchema } from '@assay/avro'
import { ask, type Engine, type Session } from '@assay/engine'
import { AssayError } from '@assay/errors'
import { createTopics, errorCode, errorName, produce } from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import type { Logger } from '@assay/std'

/** In one batch, so that it stays within every limit on batches. */
const BATCH_RECORDS_MAX = 200
const PRODUCE_VERSION = 9
const CREATE_TOPICS_VERSION = 7
const TIMEOUT_MS = 30_000

export interface EventTopicOptions<Event> {
  /** The engine itself, not the gate around it. */
  readonly engine: Engine
  readonly session: Session
  readonly logger: Logger
  readonly topic: string
  readonly schemaText: string
  /**
   * Registers `schemaText` and answers its ID; asked at the first event, so that an empty registry stays empty until then and can take over
   * another one with every ID.
   */
  readonly schemaId: () => Promise<number>
  /** The record's key and its time. */
  readonly placeOf: (event: Event) => { readonly key: string; readonly timestampMs: number }
  /** Events that wait to be written. */
  readonly waitingMax: number
}

export interface EventTopic<Event> {
  /** Returns at once; false when too many wait already. */
  write(event: Event): boolean
  /** Resolves when everything written before is stored or given up. */
  close(): Promise<void>
}

/** Makes a topic of events when it is not there, with these settings. Fails with STORE_FAILED. */
export async function createEventTopic(
  { engine, session }: { readonly engine: Engine; readonly session: Session },
  name: string,
  settings: Readonly<Record<string, string>>
): Promise<void> {
  const configs = Object.entries(settings).map(([key, value]) => ({ name: key, value }))
  const topic = { name, numPartitions: 1, replicationFactor: -1, assignments: [], configs }
  const body = { topics: [topic], timeoutMs: TIMEOUT_MS, validateOnly: false }
  const answer = await ask(engine, createTopics, CREATE_TOPICS_VERSION, body, session)
  const code = answer?.topics[0]?.errorCode ?? 0
  if (code !== 0 && code !== errorCode('TOPIC_ALREADY_EXISTS')) {
    throw new AssayError('STORE_FAILED', { action: `create ${name}: ${errorName(code)}` })
  }
}

/** The topic must exist. One writer: events that come while it writes are written together next. */
export function eventTopic<Event>(options: EventTopicOptions<Event>): EventTopic<Event> {
  const { engine, session, logger, topic, schemaId, placeOf, waitingMax } = options
  const codec = compileCodec<Event>(parseSchema(options.schemaText), { long: 'number', time: 'raw' })
  let registeredId: number | undefined
  let waiting: Event[] = []
  let dropped = 0
  let writing: Promise<void> | undefined

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const events = waiting.slice(0, BATCH_RECORDS_MAX)
      waiting = waiting.slice(BATCH_RECORDS_MAX)
      await store(events)
    }
    if (dropped > 0) logger.error({ topic, count: dropped }, 'events came faster than they could be written and were dropped')
    dropped = 0
    writing = undefined
  }

  async function store(events: readonly Event[]): Promise<void> {
    const count = events.length
    try {
      registeredId ??= await schemaId()
      const id = registeredId
      const records = events.map(event => {
        const { key, timestampMs } = placeOf(event)
        return { key: Buffer.from(key), value: frame(id, codec.encode(event)), headers: [], timestampMs }
      })
      const batch = encodeBatch({ records, baseTimestampMs: records[0]!.timestampMs })
      const topicData = [{ name: topic, topicId: '', partitionData: [{ index: 0, records: batch }] }]
      const body = { transactionalId: null, acks: -1, timeoutMs: TIMEOUT_MS, topicData }
      const answer = await ask(engine, produce, PRODUCE_VERSION, body, session)
      const code = answer?.responses[0]?.partitionResponses[0]?.errorCode ?? 0
      if (code !== 0) logger.error({ topic, error: errorName(code), count }, 'events could not be written')
    } catch (error) {
      logger.error({ topic, err: error, count }, 'events could not be written')
    }
  }

  return {
    write(event) {
      if (waiting.length >= waitingMax) {
        dropped++
        return false
      }
      waiting.push(event)
      writing ??= drain()
      return true
    },
    close: async () => writing
  }
}
