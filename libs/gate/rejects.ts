/**
 * Turns every refusal into a typed Avro event in `_assay.rejects`, because most clients do not show `record_errors` to their users.
 * They are written as event-topic.ts promises, and logged.
 */
import type { Engine, Session } from '@assay/engine'
import type { Clock, Logger } from '@assay/std'
import { createEventTopic, eventTopic } from './event-topic.ts'
import type { Reject } from './gate.ts'
import { REJECTS_TOPIC, type RejectEvent, rejectSchemaText } from './reject-schema.ts'
import { placeOf } from './rejection.ts'

const WAITING_MAX = 1000
const LOG_INTERVAL_MS = 1000
/** Lines in one interval, whatever the number of topics. */
const LOGGED_MAX = 100
/** What a flood of refusals may take up on disk. */
const REJECTS_BYTES_MAX = String(100 * 1024 * 1024)

export interface RejectEvents {
  /** Takes one refusal; returns at once. */
  report(reject: Reject): void
  /** Resolves when everything reported before is written or given up. */
  close(): Promise<void>
}

export interface RejectEventsOptions {
  /** The engine itself, not the gate around it. */
  readonly engine: Engine
  /** Registers `rejectSchemaText` and answers its ID; asked at the first refusal. */
  readonly schemaId: () => Promise<number>
  readonly session: Session
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes the topic of the reject events when it is not there. Fails with STORE_FAILED. */
export const createRejectsTopic = (engine: Engine, session: Session): Promise<void> =>
  createEventTopic({ engine, session }, REJECTS_TOPIC, { 'retention.bytes': REJECTS_BYTES_MAX })

/** The topic must exist. */
export function rejectEvents({ clock, ...options }: RejectEventsOptions): RejectEvents {
  const { logger } = options
  const events = eventTopic<RejectEvent>({
    ...options,
    topic: REJECTS_TOPIC,
    schemaText: rejectSchemaText,
    placeOf: ({ topic, rejectedAt }) => ({ key: topic, timestampMs: rejectedAt }),
    waitingMax: WAITING_MAX
  })
  let dropped = 0
  const logged = new Set<string>()
  let nextLogMs = 0
  let unlogged = 0

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
      if (reject.refused && !events.write(event)) dropped++
    },
    close: events.close
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
