/** The schema of audit events, as schemas/assay/_assay.audit/value.avsc has it (a test compares the two): the server registers it itself. */
import type { AuditEvent } from '@assay/security'

export const AUDIT_TOPIC = '_assay.audit'

const optional = (type: string) => ({ type: ['null', type], default: null })

export const auditSchemaText = JSON.stringify({
  type: 'record',
  name: 'RegistryAudit',
  namespace: 'assay.audit',
  doc: 'A write to the registry, a denial, or a failed log-in.',
  fields: [
    { name: 'principal', type: 'string', doc: 'Who it was, such as User:anna; for a failed log-in who he said he was.' },
    { name: 'address', type: 'string', doc: 'Address that the request came from.' },
    { name: 'request', type: 'string', doc: 'What was sent, such as POST /subjects/orders-value/versions.' },
    { name: 'operation', ...optional('string'), doc: 'read, write, delete, config or admin.' },
    { name: 'resourceType', ...optional('string'), doc: 'subject, topic or registry.' },
    { name: 'resourceName', ...optional('string'), doc: 'Name of the subject or topic.' },
    {
      name: 'outcome',
      type: { type: 'enum', name: 'Outcome', symbols: ['UNKNOWN', 'ALLOWED', 'DENIED', 'FAILED'], default: 'UNKNOWN' },
      doc: 'ALLOWED: it was his to do, whatever came of it. DENIED: it was not. FAILED: he did not prove who he is.'
    },
    { name: 'errorCode', ...optional('int'), doc: 'error_code of the answer, when it was an error.' },
    { name: 'requestId', type: 'string', default: '', doc: 'What the answer carries in x-request-id.' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' }, doc: 'When the answer was decided.' }
  ]
})

/** An audit event as it is encoded: the fields above. */
export interface AuditRecord {
  readonly principal: string
  readonly address: string
  readonly request: string
  readonly operation: string | null
  readonly resourceType: string | null
  readonly resourceName: string | null
  readonly outcome: 'ALLOWED' | 'DENIED' | 'FAILED'
  readonly errorCode: number | null
  readonly requestId: string
  /** Milliseconds since 1970. */
  readonly at: number
}

export function auditRecord({ resource, outcome, atMs, ...event }: AuditEvent): AuditRecord {
  return {
    ...event,
    resourceType: resource?.type ?? null,
    resourceName: resource?.name ?? null,
    outcome: outcome.toUpperCase() as AuditRecord['outcome'],
    at: atMs
  }
}
