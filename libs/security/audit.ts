/** What is written down about who did what. The doors report; where it goes is the business of the sink. */
import type { Operation, Resource } from './operation.ts'

export interface AuditEvent {
  /** Who it was, or said to be; `User:ANONYMOUS` where nobody was named. */
  readonly principal: string
  /** The address that the request came from. */
  readonly address: string
  /** What was sent, such as `POST /subjects/:subject/versions`. */
  readonly request: string
  /** Null where it is not known what was wanted: the log-in failed before. */
  readonly operation: Operation | null
  readonly resource: Resource | null
  /** `allowed`: it was for him to do, whatever came of it; `denied`: it was not; `failed`: he did not prove who he is. */
  readonly outcome: 'allowed' | 'denied' | 'failed'
  /** The number of the error that was answered, or null. */
  readonly errorCode: number | null
  /** What the answer carries in `x-request-id`. */
  readonly requestId: string
  readonly atMs: number
}

export interface AuditSink {
  /** Takes one event; returns at once and never fails. */
  report(event: AuditEvent): void
}
