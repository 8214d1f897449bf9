export { type AuditEvents, type AuditEventsOptions, auditEvents, createAuditTopic } from './audit.ts'
export { AUDIT_TOPIC, type AuditRecord, auditSchemaText } from './audit-schema.ts'
export {
  type Cursor,
  type EventPage,
  type Events,
  type EventsOptions,
  type NewEvent,
  type NewEvents,
  openEvents,
  type ReadEvent,
  type ReadOptions,
  type SchemaChoice,
  type StartingPoint,
  type StoredEvent,
  type Undecoded
} from './events.ts'
export { type GateOptions, gate, type Reject, type RejectListener } from './gate.ts'
export { type PartPolicy, policyOf, type SubjectNameStrategy, type TopicPolicy, type Validation } from './policy.ts'
export { REJECTS_TOPIC, type RejectEvent, rejectSchemaText } from './reject-schema.ts'
export { describeRejection, type Rejection } from './rejection.ts'
export { createRejectsTopic, type RejectEvents, type RejectEventsOptions, rejectEvents } from './rejects.ts'
export type { SchemaSource, SchemaVersion } from './schema-source.ts'
