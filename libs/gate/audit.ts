/** Writes down who did what as typed Avro events in `_assay.audit`, as event-topic.ts promises. */
import type { Engine, Session } from '@assay/engine'
import type { AuditSink } from '@assay/security'
import type { Logger } from '@assay/std'
import { AUDIT_TOPIC, type AuditRecord, auditRecord, auditSchemaText } from './audit-schema.ts'
import { createEventTopic, eventTopic } from './event-topic.ts'

const WAITING_MAX = 10_000
/** Kept until there is more than this, however old. */
const AUDIT_BYTES_MAX = String(256 * 1024 * 1024)

export interface AuditEvents extends AuditSink {
  /** Resolves when everything reported before is written or given up. */
  close(): Promise<void>
}

export interface AuditEventsOptions {
  /** The engine itself, not the gate around it. */
  readonly engine: Engine
  /** Registers `auditSchemaText` and answers its ID; asked at the first event. */
  readonly schemaId: () => Promise<number>
  readonly session: Session
  readonly logger: Logger
}

/** Makes the topic of the audit events when it is not there. Fails with STORE_FAILED. */
export const createAuditTopic = (engine: Engine, session: Session): Promise<void> =>
  createEventTopic({ engine, session }, AUDIT_TOPIC, { 'retention.bytes': AUDIT_BYTES_MAX, 'retention.ms': '-1' })

/** The topic must exist. */
export function auditEvents(options: AuditEventsOptions): AuditEvents {
  const events = eventTopic<AuditRecord>({
    ...options,
    topic: AUDIT_TOPIC,
    schemaText: auditSchemaText,
    placeOf: ({ principal, at }) => ({ key: principal, timestampMs: at }),
    waitingMax: WAITING_MAX
  })
  return { report: event => void events.write(auditRecord(event)), close: events.close }
}
