/** A producer whose topics, keys and values are checked by the compiler, and which sends only schemas that the registry knows. */
import { frame } from '@assay/avro'
import { AssayError, isAssayError } from '@assay/errors'
import { Producer as KafkaProducer, type MessageToProduce, ProduceAcks } from '@platformatic/kafka'
import type { AvroType } from './avro-type.ts'
import { type BrokerAccess, libraryOptions } from './broker-access.ts'
import { growingDelay, kafkaFailure } from './kafka-failure.ts'
import type { RegistryClient } from './registry.ts'
import type { KeyInitOf, TopicCodecs, TopicMap, TopicName, ValueInitOf } from './topic-map.ts'

export interface Event<C extends TopicCodecs> {
  /** Records with one key keep their order; without a key they are spread over the partitions. */
  readonly key?: KeyInitOf<C> | null
  /** null is a tombstone: a compacted topic forgets the key. */
  readonly value: ValueInitOf<C> | null
  readonly headers?: Readonly<Record<string, string | Uint8Array>>
  /** Milliseconds since 1970-01-01T00:00Z; the time of sending when absent. */
  readonly timestampMs?: number
  readonly partition?: number
}

export interface Sent {
  readonly partition: number
  /** Of the first of the events that went to this partition. */
  readonly offset: bigint
}

export interface ProducerOptions<M extends TopicMap<M>> {
  readonly topics: M
  /** HOST:PORT of any broker; several separated by commas. */
  readonly bootstrap: string
  readonly registry: RegistryClient
  /** Absent where the broker asks nobody who he is. */
  readonly access?: BrokerAccess
  readonly clientId?: string
  /** Registers the schemas of the program instead of only looking them up. Leave it to deployments in production. Default false. */
  readonly register?: boolean
  /** A retry after a lost answer stores nothing twice. Default true. */
  readonly idempotent?: boolean
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** For each request to a broker. Default 30,000. */
  readonly timeoutMs?: number
}

export interface Producer<M extends TopicMap<M>> {
  /**
   * Resolves when all in-sync replicas have the events (acks=all); they are sent in the order of the calls. Fails with EVENT_NOT_ENCODABLE
   * for a value that does not fit its schema, PEER_REFUSED with status INVALID_RECORD and the reason of each record that the broker
   * refuses (nothing of the call is stored then), SCHEMA_NOT_REGISTERED when the registry does not know the schema.
   */
  send<T extends TopicName<M>>(topic: T, events: Event<M[T]> | readonly Event<M[T]>[]): Promise<Sent[]>
  /** Asks the registry for every schema of the map, so that a missing one shows at the start and not at the first event. */
  resolve(): Promise<void>
  close(): Promise<void>
}

export function producer<const M extends TopicMap<M>>(options: ProducerOptions<M>): Producer<M> {
  const { topics, bootstrap, registry, register = false, idempotent = true, timeoutMs = 30_000 } = options
  const kafka = new KafkaProducer({
    clientId: options.clientId ?? 'assay-client',
    bootstrapBrokers: bootstrap.split(','),
    idempotent,
    retries: 5,
    retryDelay: growingDelay,
    timeout: timeoutMs,
    connectTimeout: timeoutMs,
    autocreateTopics: false,
    ...libraryOptions(options.access),
    compression: options.compression ?? 'none'
  })
  const schemaIds = new Map<string, Promise<number>>()
  let last: Promise<unknown> = Promise.resolve()

  const schemaIdOf = async (subject: string, { schema, name }: AvroType<unknown, never>): Promise<number> => {
    if (register) return registry.register(subject, { schema })
    const found = await registry.lookUp(subject, { schema })
    if (!found) throw new AssayError('SCHEMA_NOT_REGISTERED', { name, subject })
    return found.schemaId
  }
  const rememberedId = (subject: string, type: AvroType<unknown, never>): Promise<number> => {
    const known = schemaIds.get(subject)
    if (known) return known
    const asked = schemaIdOf(subject, type)
    schemaIds.set(subject, asked)
    asked.catch(() => schemaIds.delete(subject))
    return asked
  }
  const codecsOf = (topic: string): TopicCodecs => {
    if (!Object.hasOwn(topics, topic))
      throw new AssayError('INVALID_ARGUMENT', { reason: `the topic map has no topic '${topic}'` })
    return (topics as Readonly<Record<string, TopicCodecs>>)[topic]!
  }
  const encoder = async (topic: string, part: 'key' | 'value', type: AvroType<unknown, never> | null): Promise<Encode> => {
    if (!type) return key => Buffer.from(key as string, 'utf8')
    const schemaId = await rememberedId(`${topic}-${part}`, type)
    return (value, index) => {
      try {
        return frame(schemaId, type.encode(value as never))
      } catch (error) {
        if (!isAssayError(error, 'EVENT_NOT_ENCODABLE')) throw error
        const { path, reason } = error.facts
        throw new AssayError('EVENT_NOT_ENCODABLE', { index, path: joinPath(part, String(path)), reason }, { cause: error })
      }
    }
  }
  const encodeAll = async (topic: string, events: readonly Event<TopicCodecs>[]): Promise<MessageToProduce[]> => {
    const codecs = codecsOf(topic)
    const encodeKey = await encoder(topic, 'key', codecs.key)
    const encodeValue = await encoder(topic, 'value', codecs.value)
    return events.map(({ key, value, headers, timestampMs, partition }, index) => ({
      topic,
      ...(key === undefined || key === null ? {} : { key: encodeKey(key, index) }),
      ...(value === null ? {} : { value: encodeValue(value, index) }),
      headers: new Map(
        Object.entries(headers ?? {}).map(([name, content]) => [Buffer.from(name), Buffer.from(content as string)])
      ),
      ...(timestampMs === undefined ? {} : { timestamp: BigInt(timestampMs) }),
      ...(partition === undefined ? {} : { partition })
    }))
  }
  const sendNow = async (topic: string, messages: MessageToProduce[]): Promise<Sent[]> => {
    try {
      const { offsets = [] } = await kafka.send({ messages, acks: ProduceAcks.ALL })
      return offsets.map(({ partition, offset }) => ({ partition, offset }))
    } catch (error) {
      throw kafkaFailure(error, { what: `Topic '${topic}'`, bootstrap })
    }
  }

  return {
    send: async (topic, events) => {
      const list = (Array.isArray(events) ? events : [events]) as readonly Event<TopicCodecs>[]
      if (list.length === 0) return []
      const encoded = encodeAll(topic, list)
      // One batch at a time: two in flight could change places on a retry, and a refused one would disturb the sequence numbers of the next.
      const turn = last.then(async () => sendNow(topic, await encoded))
      last = turn.catch(() => undefined)
      encoded.catch(() => undefined)
      return turn
    },
    resolve: async () => {
      for (const topic of Object.keys(topics)) {
        const { key, value } = codecsOf(topic)
        await rememberedId(`${topic}-value`, value)
        if (key) await rememberedId(`${topic}-key`, key)
      }
    },
    close: async () => {
      await last
      await kafka.close()
    }
  }
}

/** `index` is the event's place in its call. */
type Encode = (value: unknown, index: number) => Buffer

const joinPath = (part: string, path: string): string => (path === '' ? part : `${part}${path.startsWith('[') ? '' : '.'}${path}`)
