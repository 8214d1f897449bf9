/**
 * Writes down who did what as typed Avro events in `_assay.audit`. It never slows or fails a request: what cannot be written is
 * counted and logged.
 */
import { compileCodec, frame, parseSchema } from '@assay/avro'
import { ask, type Engine, type Session } from '@assay/engine'
import { AssayError } from '@assay/errors'
import { createTopics, errorCode, errorName, produce } from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import type { AuditEvent, AuditSink } from '@assay/security'
import type { Logger } from '@assay/std'
import { AUDIT_TOPIC, type AuditRecord, auditRecord, auditSchemaText } from './audit-schema.ts'

/** Events that wait to be written; a flood of more is counted, not kept. */
const WAITING_MAX = 10_000
/** In one batch, so that it stays within every limit on batches. */
const BATCH_RECORDS_MAX = 200
const PRODUCE_VERSION = 9
const CREATE_TOPICS_VERSION = 7
/** Kept until there is more than this, however old. */
const AUDIT_BYTES_MAX = String(256 * 1024 * 1024)
const TIMEOUT_MS = 30_000

export interface AuditEvents extends AuditSink {
  /** Resolves when everything reported before is written or given up. */
  close(): Promise<void>
}

export interface AuditEventsOptions {
  /** The engine itself, not the gate around it. */
  readonly engine: Engine
  /** Registers `auditSchemaText` and answers its ID; asked at the first event, so that an empty registry stays empty until then. */
  readonly schemaId: () => Promise<number>
  readonly session: Session
  readonly logger: Logger
}

/** Makes the topic of the audit events when it is not there. Fails with STORE_FAILED. */
export async function createAuditTopic(engine: Engine, session: Session): Promise<void> {
  const topic = {
    name: AUDIT_TOPIC,
    numPartitions: 1,
    replicationFactor: -1,
    assignments: [],
    configs: [
      { name: 'retention.bytes', value: AUDIT_BYTES_MAX },
      { name: 'retention.ms', value: '-1' }
    ]
  }
  const body = { topics: [topic], timeoutMs: TIMEOUT_MS, validateOnly: false }
  const answer = await ask(engine, createTopics, CREATE_TOPICS_VERSION, body, session)
  const code = answer?.topics[0]?.errorCode ?? 0
  if (code !== 0 && code !== errorCode('TOPIC_ALREADY_EXISTS')) {
    throw new AssayError('STORE_FAILED', { action: `create ${AUDIT_TOPIC}: ${errorName(code)}` })
  }
}

/** The topic must exist. One writer: events that come while it writes are written together next. */
export function auditEvents({ engine, schemaId, session, logger }: AuditEventsOptions): AuditEvents {
  const codec = compileCodec<AuditRecord>(parseSchema(auditSchemaText), { long: 'number', time: 'raw' })
  let registeredId: number | undefined
  let waiting: AuditEvent[] = []
  let dropped = 0
  let writing: Promise<void> | undefined

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const events = waiting.slice(0, BATCH_RECORDS_MAX)
      waiting = waiting.slice(BATCH_RECORDS_MAX)
      await write(events)
    }
    if (dropped > 0) logger.error({ count: dropped }, 'audit events came faster than they could be written and were dropped')
    dropped = 0
    writing = undefined
  }

  async function write(events: readonly AuditEvent[]): Promise<void> {
    const count = events.length
    try {
      registeredId ??= await schemaId()
      const id = registeredId
      const records = events.map(event => ({
        key: Buffer.from(event.principal),
        value: frame(id, codec.encode(auditRecord(event))),
        headers: [],
        timestampMs: event.atMs
      }))
      const body = {
        transactionalId: null,
        acks: -1,
        timeoutMs: TIMEOUT_MS,
        topicData: [
          {
            name: AUDIT_TOPIC,
            topicId: '',
            partitionData: [{ index: 0, records: encodeBatch({ records, baseTimestampMs: events[0]!.atMs }) }]
          }
        ]
      }
      const answer = await ask(engine, produce, PRODUCE_VERSION, body, session)
      const errorCode = answer?.responses[0]?.partitionResponses[0]?.errorCode ?? 0
      if (errorCode !== 0) logger.error({ errorCode, count }, 'audit events could not be written')
    } catch (error) {
      logger.error({ err: error, count }, 'audit events could not be written')
    }
  }

  return {
    report(event) {
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
