/** Events over HTTP: JSON in, encoded by schema ID, checked and appended; JSON out, as a page or as a stream of server-sent events. */
import { AssayError } from '@assay/errors'
import type { Cursor, EventPage, Events, ReadOptions, SchemaChoice, StartingPoint } from '@assay/gate'
import type { Static } from 'typebox'
import { t } from '../json-schema.ts'
import { route } from '../route.ts'

const EVENTS_MAX = 10_000
const PAGE_DEFAULT = 100

const schemaChoice = t.Object(
  {
    schemaId: t.Optional(t.Integer({ minimum: 1 })),
    subject: t.Optional(t.String({ minLength: 1 })),
    version: t.Optional(t.Union([t.Integer({ minimum: 1 }), t.Literal('latest')]))
  },
  { description: 'A schema by its ID, or by subject and version (latest when left out).', additionalProperties: false }
)

const newEvent = t.Object(
  {
    key: t.Optional(t.Unknown({ description: 'JSON for the key schema; text when there is none.' })),
    value: t.Unknown({ description: 'JSON for the value schema; null is a tombstone.' }),
    headers: t.Optional(t.Record(t.String(), t.String())),
    partition: t.Optional(t.Integer({ minimum: 0 })),
    timestampMs: t.Optional(t.Integer({ minimum: 0 }))
  },
  { additionalProperties: false }
)

const topicParam = t.Object({ topic: t.String({ description: 'Topic name' }) })

export const produceEvents = route<Events>()({
  method: 'POST',
  path: '/v1/topics/:topic/events',
  access: 'write',
  says: 'Encodes JSON events to Avro in the wire format, checks and appends them; answers when they are on disk.',
  errors: [
    'TOPIC_NOT_FOUND',
    'PARTITION_NOT_FOUND',
    'SCHEMA_NOT_FOUND',
    'SUBJECT_NOT_FOUND',
    'VERSION_NOT_FOUND',
    'EVENT_NOT_ENCODABLE',
    'RECORD_REJECTED',
    'STORE_FULL',
    'STORE_FAILED'
  ],
  params: topicParam,
  body: t.Object(
    {
      valueSchema: t.Optional(schemaChoice),
      keySchema: t.Optional(schemaChoice),
      events: t.Array(newEvent, { minItems: 1, maxItems: EVENTS_MAX })
    },
    { additionalProperties: false, examples: [{ events: [{ key: 'o-1', value: { id: 1 } }] }] }
  ),
  reply: t.Object({
    schemaId: t.Integer({ description: 'The schema that the values were encoded with.' }),
    events: t.Array(t.Object({ partition: t.Integer(), offset: t.Integer() }), {
      description: 'Where each event lies, in their order.'
    })
  }),
  run: ({ params: { topic }, body }, events) =>
    events.produce(topic, {
      events: body.events,
      ...(body.valueSchema && { valueSchema: choiceOf(body.valueSchema, `${topic}-value`) }),
      ...(body.keySchema && { keySchema: choiceOf(body.keySchema, `${topic}-key`) })
    })
})

const readQuery = t.Object({
  from: t.String({
    default: 'earliest',
    description: 'earliest, latest, an ISO 8601 time, or a cursor of partition:offset pairs such as 0:12,1:5'
  }),
  partition: t.Optional(t.Integer({ minimum: 0, description: 'One partition; all when left out.' })),
  offset: t.Optional(t.Integer({ minimum: 0, description: 'Where to begin in the partition named; instead of from.' })),
  limit: t.Integer({ default: PAGE_DEFAULT, minimum: 1, maximum: EVENTS_MAX }),
  reader: t.Optional(t.String({ description: 'Resolve values to this schema: an ID, or subject@version.' }))
})

const undecoded = t.Object({ base64: t.String(), reason: t.String() })

const readEvent = t.Object({
  partition: t.Integer(),
  offset: t.Integer(),
  timestampMs: t.Integer(),
  key: t.Unknown(),
  value: t.Unknown(),
  headers: t.Record(t.String(), t.String()),
  keySchemaId: t.Optional(t.Integer()),
  valueSchemaId: t.Optional(t.Integer()),
  undecoded: t.Optional(undecoded)
})

export const readEvents = route<Events>()({
  method: 'GET',
  path: '/v1/topics/:topic/events',
  access: 'read',
  says: 'Reads events as JSON from an offset or a time; with Accept: text/event-stream follows the topic, each event with a cursor to go on from.',
  errors: [
    'TOPIC_NOT_FOUND',
    'PARTITION_NOT_FOUND',
    'OFFSET_OUT_OF_RANGE',
    'INVALID_REQUEST',
    'SUBJECT_NOT_FOUND',
    'VERSION_NOT_FOUND'
  ],
  params: topicParam,
  query: readQuery,
  reply: t.Object({
    events: t.Array(readEvent),
    next: t.String({ description: 'The cursor of what follows: hand it in as from.' })
  }),
  run: async ({ params: { topic }, query }, events) => {
    const page = await events.read(topic, optionsOf(query))
    return { events: page.events, next: cursorText(page.next) }
  },
  // The first page is awaited before the answer begins, so that a topic that is not there is a 404 and not a broken stream.
  streams: async ({ params: { topic }, query }, events, signal) => {
    const pages = events.follow(topic, optionsOf(query), signal)
    const first = await pages.next()
    return serverSentEvents(first.value as EventPage, pages)
  }
})

export const eventRoutes = [produceEvents, readEvents]

/** One message per event, its ID the cursor behind it; a comment as a sign of life when there is none. */
async function* serverSentEvents(first: EventPage, rest: AsyncIterable<EventPage>): AsyncGenerator<string> {
  yield messagesOf(first)
  for await (const page of rest) yield messagesOf(page)
}

function messagesOf({ events, next }: EventPage): string {
  if (events.length === 0) return ':\n\n'
  const cursor = new Map(next)
  // Backwards, so that the cursor of each event is where its partition stood behind it.
  const messages = [...events].reverse().map(event => {
    const message = `id: ${cursorText(cursor)}\ndata: ${JSON.stringify(event)}\n\n`
    cursor.set(event.partition, event.offset)
    return message
  })
  return messages.reverse().join('')
}

function optionsOf({ from, partition, offset, limit, reader }: Static<typeof readQuery>): ReadOptions {
  if (limit < 1 || limit > EVENTS_MAX)
    throw new AssayError('INVALID_REQUEST', { reason: `limit = ${limit}: from 1 to ${EVENTS_MAX}` })
  if (offset !== undefined && partition === undefined) {
    throw new AssayError('INVALID_REQUEST', { reason: 'offset needs partition; for all partitions hand a cursor in as from' })
  }
  return {
    from: offset === undefined ? startOf(from) : new Map([[partition!, offset]]),
    limit,
    ...(partition !== undefined && { partition }),
    ...(reader !== undefined && { readerSchema: readerOf(reader) })
  }
}

function startOf(from: string): StartingPoint {
  if (from === 'earliest' || from === 'latest') return from
  if (/^\d+:\d+(,\d+:\d+)*$/.test(from)) {
    return new Map(from.split(',').map(pair => pair.split(':').map(Number) as [number, number]))
  }
  const timestampMs = Date.parse(from)
  if (Number.isNaN(timestampMs)) {
    throw new AssayError('INVALID_REQUEST', {
      reason: `from = ${from}: expected earliest, latest, an ISO 8601 time, or a cursor such as 0:12,1:5`
    })
  }
  return { timestampMs }
}

const cursorText = (next: Cursor): string => [...next].map(([partition, offset]) => `${partition}:${offset}`).join(',')

function choiceOf({ schemaId, subject, version }: Static<typeof schemaChoice>, topicSubject: string): SchemaChoice {
  if (schemaId === undefined) return { subject: subject ?? topicSubject, version: version ?? 'latest' }
  if (subject !== undefined || version !== undefined) {
    throw new AssayError('INVALID_REQUEST', { reason: 'A schema is named by schemaId, or by subject and version, not by both' })
  }
  return { schemaId }
}

function readerOf(text: string): SchemaChoice {
  if (/^\d+$/.test(text)) return { schemaId: Number(text) }
  const at = text.lastIndexOf('@')
  const version = at < 0 ? 'latest' : text.slice(at + 1)
  if (version !== 'latest' && !/^[1-9]\d*$/.test(version)) {
    throw new AssayError('INVALID_REQUEST', { reason: `reader = ${text}: expected a schema ID or subject@version` })
  }
  return { subject: at < 0 ? text : text.slice(0, at), version: version === 'latest' ? version : Number(version) }
}
