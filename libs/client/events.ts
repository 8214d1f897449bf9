/** Events over HTTP as JSON, for programs without a Kafka client: the server encodes, checks and decodes. */
import { setTimeout as delay } from 'node:timers/promises'
import { AssayError, isAssayError } from '@assay/errors'
import { type HttpOptions, httpPeer } from './http.ts'
import { serverSentEvents } from './sse.ts'

/** Which schema the server encodes with: by ID, or by subject and version (the latest when left out). */
export type SchemaChoice = { readonly schemaId: number } | { readonly subject: string; readonly version?: number | 'latest' }

export interface JsonEvent {
  /** JSON for the key schema; text for a topic without one. */
  readonly key?: unknown
  /** JSON, a long beyond 2^53 as bigint or text; null is a tombstone. */
  readonly value: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly partition?: number
  readonly timestampMs?: number
}

export interface StoredJsonEvent {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: unknown
  /** JSON; a long beyond 2^53 is text. */
  readonly value: unknown
  readonly headers: Readonly<Record<string, string>>
  readonly keySchemaId?: number
  readonly valueSchemaId?: number
  /** Set, with a null value, when the value is not what a known schema wrote. */
  readonly undecoded?: { readonly base64: string; readonly reason: string }
}

export interface ReadPosition {
  /** Default earliest. A cursor is what a page's `next` or a followed event's `cursor` says. */
  readonly from?: 'earliest' | 'latest' | Date | { readonly cursor: string }
  /** One partition; all when left out. */
  readonly partition?: number
  /** The server resolves values to this schema: an ID, or `subject@version`. */
  readonly reader?: number | string
}

export interface JsonPage {
  readonly events: readonly StoredJsonEvent[]
  /** The cursor of what follows. */
  readonly next: string
}

export interface FollowedEvent extends StoredJsonEvent {
  /** The cursor behind this event. */
  readonly cursor: string
}

/** Every method fails with UNREACHABLE when nothing answers, and with PEER_REFUSED carrying the server's error code and text. */
export interface EventsClient {
  /** Resolves when all events are on disk; none is when it fails. */
  produce(
    topic: string,
    events: readonly JsonEvent[],
    schemas?: { readonly value?: SchemaChoice; readonly key?: SchemaChoice }
  ): Promise<{ readonly schemaId: number; readonly events: readonly { readonly partition: number; readonly offset: number }[] }>
  /** What is there now, at most `limit` events (default 100). */
  read(topic: string, options?: ReadPosition & { readonly limit?: number }): Promise<JsonPage>
  /**
   * Events as they come, until `signal` is aborted. A stream that breaks off is taken up again behind the last event; after ten attempts
   * in a row without an answer, over half a minute, it fails with UNREACHABLE.
   */
  follow(topic: string, options?: ReadPosition & { readonly signal?: AbortSignal }): AsyncGenerator<FollowedEvent, void>
}

const attemptsMax = 10
/** Doubled after each attempt in vain. */
const reconnectDelayMs = 500
const reconnectDelayMaxMs = 5_000

export function eventsClient(options: HttpOptions): EventsClient {
  const peer = httpPeer(options, 'The server', 'application/json')
  const pathOf = (topic: string): string[] => ['v1', 'topics', topic, 'events']

  async function* follow(
    topic: string,
    { signal, ...position }: ReadPosition & { readonly signal?: AbortSignal } = {}
  ): AsyncGenerator<FollowedEvent, void> {
    let query = queryOf(position)
    let attempts = 0
    while (!signal?.aborted) {
      try {
        const response = await peer.open(
          { path: pathOf(topic), query },
          { accept: 'text/event-stream', ...(signal === undefined ? {} : { signal }) }
        )
        for await (const { id, data } of serverSentEvents(response.body ?? emptyBody())) {
          attempts = 0
          yield { ...(JSON.parse(data) as StoredJsonEvent), cursor: id }
          query = { ...query, from: id }
          if (signal?.aborted) return
        }
      } catch (error) {
        if (signal?.aborted) return
        const failure = isAssayError(error) ? error : peer.lost(error)
        if (!isAssayError(failure, 'UNREACHABLE') || ++attempts >= attemptsMax) throw failure
      }
      const delayMs = Math.min(reconnectDelayMs * 2 ** Math.max(0, attempts - 1), reconnectDelayMaxMs)
      await delay(delayMs, undefined, { signal }).catch(() => undefined)
    }
  }

  return {
    produce: async (topic, events, { value, key } = {}) => {
      const body = { events, ...(value && { valueSchema: value }), ...(key && { keySchema: key }) }
      return (await peer.ask({ method: 'POST', path: pathOf(topic), body })) as Awaited<ReturnType<EventsClient['produce']>>
    },
    read: async (topic, { limit, ...position } = {}) => {
      const page = (await peer.ask({ path: pathOf(topic), query: { ...queryOf(position), limit } })) as Partial<JsonPage> | null
      if (!Array.isArray(page?.events) || typeof page.next !== 'string') {
        throw new AssayError('PEER_REFUSED', { what: 'The server', status: 200, reason: 'the answer is not a page of events' })
      }
      return { events: page.events, next: page.next }
    },
    follow
  }
}

function queryOf({ from = 'earliest', partition, reader }: ReadPosition): Record<string, string | number | undefined> {
  const start = from instanceof Date ? from.toISOString() : typeof from === 'string' ? from : from.cursor
  return { from: start, partition, reader }
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}
