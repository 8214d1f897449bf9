/**
 * Events as JSON in and out: encodes by schema ID into Confluent's wire format, passes the gate, and decodes what is read back.
 * Everything goes through the engine that it is given, so what holds for Kafka clients holds here too.
 */
import { decodeJson, EncodeFault, encodeJson, frame, framedId, WIRE_FORMAT_BYTES } from '@assay/avro'
import { ask, type Engine, type Session, type Topic } from '@assay/engine'
import { AssayError } from '@assay/errors'
import { errorName, fetch, listOffsets, produce, ZERO_UUID } from '@assay/protocol'
import { decodeBatch, encodeBatch, type RecordEntry, splitBatches } from '@assay/records'
import type { Clock } from '@assay/std'
import { partitionOf } from './partitioner.ts'
import type { Part } from './policy.ts'
import type { SchemaSource, SchemaVersion } from './schema-source.ts'

/** Which schema to encode with: by ID, or by subject and version. */
export type SchemaChoice = { readonly schemaId: number } | { readonly subject: string; readonly version: number | 'latest' }

export interface NewEvent {
  /** JSON for a key with a schema; text or null for one without. */
  readonly key?: unknown
  /** JSON; null is a tombstone. */
  readonly value: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly partition?: number
  readonly timestampMs?: number
}

export interface NewEvents {
  readonly events: readonly NewEvent[]
  /** When absent: the latest version under `<topic>-value`. */
  readonly valueSchema?: SchemaChoice
  /** When absent: the latest version under `<topic>-key`, and plain text when there is none. */
  readonly keySchema?: SchemaChoice
}

export interface StoredEvent {
  readonly partition: number
  readonly offset: number
}

/** What could not be decoded, as it is stored. */
export interface Undecoded {
  readonly base64: string
  readonly reason: string
}

export interface ReadEvent {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: unknown
  readonly value: unknown
  readonly headers: Readonly<Record<string, string>>
  readonly keySchemaId?: number
  readonly valueSchemaId?: number
  /** Set, with a null value, when the value is not what a known schema wrote. */
  readonly undecoded?: Undecoded
}

/** Where to read next, by partition. */
export type Cursor = ReadonlyMap<number, number>

export type StartingPoint = 'earliest' | 'latest' | { readonly timestampMs: number } | Cursor

export interface ReadOptions {
  readonly from: StartingPoint
  /** All partitions when absent. */
  readonly partition?: number
  /** Values are resolved to this schema instead of the one they were written with. */
  readonly readerSchema?: SchemaChoice
  readonly limit: number
}

export interface EventPage {
  readonly events: ReadEvent[]
  readonly next: Cursor
}

export interface Events {
  /**
   * Encodes, checks and appends; resolves when all events are on disk, in the order given.
   * Fails with TOPIC_NOT_FOUND, PARTITION_NOT_FOUND, SCHEMA_NOT_FOUND, SUBJECT_NOT_FOUND, VERSION_NOT_FOUND, EVENT_NOT_ENCODABLE (nothing
   * was appended), RECORD_REJECTED, STORE_FULL, STORE_FAILED.
   */
  produce(topic: string, events: NewEvents): Promise<{ readonly schemaId: number; readonly events: StoredEvent[] }>
  /** One page, at once, shorter than `limit` at the end of the topic. Fails with TOPIC_NOT_FOUND, PARTITION_NOT_FOUND, OFFSET_OUT_OF_RANGE. */
  read(topic: string, options: ReadOptions): Promise<EventPage>
  /** Pages as they come, waiting at the end of the topic, until `signal` is aborted. An empty page is a sign of life. */
  follow(topic: string, options: ReadOptions, signal: AbortSignal): AsyncGenerator<EventPage>
}

export interface EventsOptions {
  /** The gate. */
  readonly engine: Engine
  readonly source: SchemaSource
  readonly session: Session
  readonly clock: Clock
  readonly decompressedBytesMax: number
  /** Why nothing can be appended now, where somebody knows: it says more than the code of an answer does. */
  readonly storageRefusal?: () => AssayError | undefined
}

const PRODUCE_VERSION = 9
const FETCH_VERSION = 12
const LIST_OFFSETS_VERSION = 7
const TIMEOUT_MS = 30_000
const FETCH_BYTES_MAX = 8 * 1024 * 1024
const FOLLOW_WAIT_MS = 10_000
const EARLIEST = -2n
const LATEST = -1n
/** What a consumer says that does not track it (KIP-1166). */
const NO_HIGH_WATERMARK = 2n ** 63n - 1n

export function openEvents({
  engine,
  source,
  session,
  clock,
  decompressedBytesMax,
  storageRefusal = () => undefined
}: EventsOptions): Events {
  let turn = 0

  async function topicOf(name: string): Promise<Topic> {
    const topic = await engine.topic({ name })
    if (!topic) throw new AssayError('TOPIC_NOT_FOUND', { topic: name })
    return topic
  }

  async function produceEvents(name: string, { events, valueSchema, keySchema }: NewEvents) {
    const topic = await topicOf(name)
    const value = chosenSchema(valueSchema ?? { subject: `${name}-value`, version: 'latest' })
    const keySubject = `${name}-key`
    const key = keySchema
      ? chosenSchema(keySchema)
      : source.hasSubject(keySubject)
        ? chosenSchema({ subject: keySubject, version: 'latest' })
        : undefined
    const now = clock.now()
    const records = events.map((event, index) => ({
      partition: event.partition,
      record: {
        key:
          event.key === undefined || event.key === null
            ? null
            : key
              ? encode(key, event.key, index, 'key')
              : plainKey(event.key, index),
        value: event.value === null ? null : encode(value, event.value, index, 'value'),
        headers: Object.entries(event.headers ?? {}).map(([key, text]) => ({ key, value: Buffer.from(text) })),
        timestampMs: event.timestampMs ?? now
      }
    }))
    const byPartition = new Map<number, number[]>()
    turn++
    for (const [index, { partition: wanted, record }] of records.entries()) {
      const partition = wanted ?? partitionOf(record.key, topic.partitionCount, turn)
      if (partition >= topic.partitionCount) throw new AssayError('PARTITION_NOT_FOUND', { topic: name, partition })
      byPartition.set(partition, [...(byPartition.get(partition) ?? []), index])
    }
    const partitionData = [...byPartition].map(([index, members]) => ({
      index,
      records: encodeBatch({ records: members.map(member => records[member]!.record), baseTimestampMs: now })
    }))
    const body = {
      transactionalId: null,
      acks: -1,
      timeoutMs: TIMEOUT_MS,
      topicData: [{ name, topicId: ZERO_UUID, partitionData }]
    }
    const answer = await ask(engine, produce, PRODUCE_VERSION, body, session)
    const stored: StoredEvent[] = []
    for (const response of answer?.responses[0]?.partitionResponses ?? []) {
      const members = byPartition.get(response.index)!
      if (response.errorCode !== 0) throw refusal(response, { members, topic: name, storageRefusal })
      for (const [position, member] of members.entries()) {
        stored[member] = { partition: response.index, offset: Number(response.baseOffset) + position }
      }
    }
    return { schemaId: value.id, events: stored }
  }

  function chosenSchema(choice: SchemaChoice): Pick<SchemaVersion, 'id' | 'schema'> {
    if ('schemaId' in choice) {
      const schema = source.schemaById(choice.schemaId)
      if (!schema) throw new AssayError('SCHEMA_NOT_FOUND', { schema: choice.schemaId })
      return { id: choice.schemaId, schema }
    }
    const version = source.versionOf(choice.subject, choice.version)
    if (version) return version
    if (!source.hasSubject(choice.subject)) throw new AssayError('SUBJECT_NOT_FOUND', { subject: choice.subject })
    throw new AssayError('VERSION_NOT_FOUND', { version: choice.version })
  }

  async function* pages(name: string, options: ReadOptions, waitMs: number, signal?: AbortSignal): AsyncGenerator<EventPage> {
    const topic = await topicOf(name)
    const { partition } = options
    if (partition !== undefined && partition >= topic.partitionCount)
      throw new AssayError('PARTITION_NOT_FOUND', { topic: name, partition })
    const partitions = partition === undefined ? Array.from({ length: topic.partitionCount }, (_, index) => index) : [partition]
    const reader = options.readerSchema && chosenSchema(options.readerSchema)
    const next = await startOf(name, partitions, options.from)
    while (!signal?.aborted) {
      const events: ReadEvent[] = []
      for (const { index, entries } of await fetchEntries(name, next, waitMs, signal)) {
        for (const entry of entries) {
          if (entry.offset < next.get(index)!) continue
          if (events.length >= options.limit) break
          events.push(eventOf(index, entry, reader))
          next.set(index, entry.offset + 1)
        }
      }
      yield { events, next: new Map(next) }
    }
  }

  async function startOf(name: string, partitions: readonly number[], from: StartingPoint): Promise<Map<number, number>> {
    const wanted = (): bigint => {
      if (from === 'earliest') return EARLIEST
      if (from === 'latest') return LATEST
      // A partition that a cursor does not name was not there when it was made: all of it is new.
      return from instanceof Map ? EARLIEST : BigInt((from as { timestampMs: number }).timestampMs)
    }
    const next = new Map<number, number>()
    const asked = partitions.filter(partition => {
      const offset = from instanceof Map ? from.get(partition) : undefined
      if (offset !== undefined) next.set(partition, offset)
      return offset === undefined
    })
    for (const partition of asked) next.set(partition, await offsetAt(name, partition, wanted()))
    return new Map([...next].sort(([a], [b]) => a - b))
  }

  async function offsetAt(name: string, partition: number, timestamp: bigint): Promise<number> {
    const partitions = [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }]
    const body = { replicaId: -1, isolationLevel: 1, topics: [{ name, partitions }], timeoutMs: TIMEOUT_MS }
    const answer = await ask(engine, listOffsets, LIST_OFFSETS_VERSION, body, session)
    const found = answer?.topics[0]?.partitions[0]
    if (found?.errorCode !== 0) throw readFailure(found?.errorCode ?? -1, name, partition, 0)
    // -1: no record is that young, so what comes next is.
    return found.offset >= 0n ? Number(found.offset) : offsetAt(name, partition, LATEST)
  }

  async function fetchEntries(name: string, next: ReadonlyMap<number, number>, maxWaitMs: number, signal?: AbortSignal) {
    const partitions = [...next].map(([partition, offset]) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      logStartOffset: -1n,
      partitionMaxBytes: FETCH_BYTES_MAX,
      replicaDirectoryId: ZERO_UUID,
      highWatermark: NO_HIGH_WATERMARK
    }))
    const body = {
      clusterId: null,
      replicaId: -1,
      replicaState: { replicaId: -1, replicaEpoch: -1n },
      maxWaitMs,
      minBytes: maxWaitMs > 0 ? 1 : 0,
      maxBytes: FETCH_BYTES_MAX,
      isolationLevel: 1,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [{ topic: name, topicId: ZERO_UUID, partitions }],
      forgottenTopicsData: [],
      rackId: ''
    }
    const fetching = signal ? { ...session, closed: signal } : session
    const answer = await ask(engine, fetch, FETCH_VERSION, body, fetching)
    const responses = answer?.responses[0]?.partitions ?? []
    return responses.map(({ partitionIndex: index, errorCode, records }) => {
      if (errorCode !== 0) throw readFailure(errorCode, name, index, next.get(index)!)
      const bytes = Buffer.concat(records ?? [])
      return { index, entries: splitBatches(bytes).flatMap(batch => decodeBatch(batch, decompressedBytesMax)) }
    })
  }

  function eventOf(partition: number, entry: RecordEntry, reader: Pick<SchemaVersion, 'schema'> | undefined): ReadEvent {
    const key = decodePart(entry.key, undefined)
    const value = decodePart(entry.value, reader)
    return {
      partition,
      offset: entry.offset,
      timestampMs: entry.timestampMs,
      key: key.undecoded ? textOrBase64(entry.key!) : key.json,
      value: value.json,
      headers: Object.fromEntries(entry.headers.map(({ key, value }) => [key, value?.toString() ?? ''])),
      ...(key.schemaId === undefined ? {} : { keySchemaId: key.schemaId }),
      ...(value.schemaId === undefined ? {} : { valueSchemaId: value.schemaId }),
      ...(value.undecoded ? { undecoded: value.undecoded } : {})
    }
  }

  function decodePart(bytes: Buffer | null, reader: Pick<SchemaVersion, 'schema'> | undefined): DecodedPart {
    if (bytes === null) return { json: null }
    const undecoded = (reason: string, schemaId?: number): DecodedPart => ({
      json: null,
      ...(schemaId === undefined ? {} : { schemaId }),
      undecoded: { base64: bytes.toString('base64'), reason }
    })
    const schemaId = framedId(bytes, 0, bytes.length)
    if (schemaId === undefined) return undecoded('it does not begin with a magic byte and a schema ID')
    const schema = source.schemaById(schemaId)
    if (!schema) return undecoded('its schema ID is not registered', schemaId)
    try {
      return { json: decodeJson(schema, bytes.subarray(WIRE_FORMAT_BYTES), reader?.schema), schemaId }
    } catch (error) {
      return undecoded(error instanceof Error ? error.message : String(error), schemaId)
    }
  }

  return {
    produce: produceEvents,
    async read(name, options) {
      const { value } = await pages(name, options, 0).next()
      return value as EventPage
    },
    follow: (name, options, signal) => pages(name, options, FOLLOW_WAIT_MS, signal)
  }
}

interface DecodedPart {
  readonly json: unknown
  readonly schemaId?: number
  readonly undecoded?: Undecoded
}

function encode({ id, schema }: Pick<SchemaVersion, 'id' | 'schema'>, json: unknown, index: number, part: Part): Buffer {
  try {
    return frame(id, encodeJson(schema, json))
  } catch (error) {
    if (!(error instanceof EncodeFault)) throw error
    const path = error.path === '' ? part : `${part}.${error.path}`
    throw new AssayError('EVENT_NOT_ENCODABLE', { index, path, reason: error.reason }, { cause: error })
  }
}

function plainKey(key: unknown, index: number): Buffer {
  if (typeof key === 'string') return Buffer.from(key)
  throw new AssayError('EVENT_NOT_ENCODABLE', {
    index,
    path: 'key',
    reason: 'expected text or null, since no key schema is registered'
  })
}

/** Strict, so that bytes that are no text are not shown as garbled text. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

function textOrBase64(bytes: Buffer): unknown {
  try {
    return utf8.decode(bytes)
  } catch {
    return { base64: bytes.toString('base64') }
  }
}

interface ProduceFailure {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly recordErrors: readonly { readonly batchIndex: number; readonly batchIndexErrorMessage: string | null }[]
}

function refusal(
  { errorCode, errorMessage, recordErrors }: ProduceFailure,
  {
    members,
    topic,
    storageRefusal
  }: {
    readonly members: readonly number[]
    readonly topic: string
    readonly storageRefusal: () => AssayError | undefined
  }
): AssayError {
  const first = recordErrors[0]
  const name = errorName(errorCode)
  if (name === 'UNKNOWN_TOPIC_OR_PARTITION') return new AssayError('TOPIC_NOT_FOUND', { topic })
  if (name === 'KAFKA_STORAGE_ERROR')
    return storageRefusal() ?? new AssayError('STORE_FAILED', { action: `append to ${topic}: ${errorMessage ?? name}` })
  const reason = first?.batchIndexErrorMessage ?? errorMessage ?? name
  return new AssayError('RECORD_REJECTED', { index: members[first?.batchIndex ?? 0] ?? 0, reason })
}

function readFailure(errorCode: number, topic: string, partition: number, offset: number): AssayError {
  const name = errorName(errorCode)
  if (name === 'OFFSET_OUT_OF_RANGE')
    return new AssayError('OFFSET_OUT_OF_RANGE', { offset, start: 'the first', end: 'the last offset kept' })
  if (name === 'UNKNOWN_TOPIC_OR_PARTITION') return new AssayError('PARTITION_NOT_FOUND', { topic, partition })
  return new AssayError('STORE_FAILED', { action: `read ${topic}-${partition}: ${name}` })
}
