/** A member of a consumer group that yields typed events: what was written with any version of a schema, read as the version of the program. */
import { AssayError } from '@assay/errors'
import { Consumer as KafkaConsumer, type Message, type MessagesStream } from '@platformatic/kafka'
import { type BrokerAccess, libraryOptions } from './broker-access.ts'
import { type Decoding, decodingOf, isPeerFailure } from './decoding.ts'
import { growingDelay, kafkaFailure } from './kafka-failure.ts'
import { type Progress, progressOf } from './progress.ts'
import type { RegistryClient } from './registry.ts'
import type { KeyOf, TopicCodecs, TopicMap, TopicName, ValueOf } from './topic-map.ts'

/** Where a record stands and what it carries besides key and value. */
export interface RecordFacts {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** In the order in which they were written; of two with one name the later counts. */
  readonly headers: Readonly<Record<string, Buffer>>
  readonly timestampMs: number
}

export interface ConsumedEvent<C extends TopicCodecs> extends RecordFacts {
  readonly key: KeyOf<C> | null
  /** null is a tombstone. */
  readonly value: ValueOf<C> | null
  /** The schema that the value was written with; its `id` is undefined for a tombstone. */
  readonly schema: { readonly id: number | undefined }
}

export interface Undecodable extends RecordFacts {
  readonly part: 'key' | 'value'
  /** RECORD_UNDECODABLE. */
  readonly error: AssayError
  readonly rawKey: Buffer | null
  readonly rawValue: Buffer | null
}

export interface ConsumerOptions<M extends TopicMap<M>> {
  readonly topics: M
  readonly bootstrap: string
  readonly registry: RegistryClient
  readonly group: string
  /** Absent where the broker asks nobody who he is. */
  readonly access?: BrokerAccess
  readonly clientId?: string
  /** Where a group starts that has committed nothing yet. Default earliest. */
  readonly from?: 'earliest' | 'latest'
  /** Called for a record that cannot be decoded; when it returns, the record is passed over. Without it the stream fails there. */
  readonly onUndecodable?: (record: Undecodable) => void | Promise<void>
  /** How often progress is committed while events flow. Default 1,000. */
  readonly commitIntervalMs?: number
  /** How long the broker may wait for new records before it answers a fetch. Default 500. */
  readonly fetchWaitMs?: number
  readonly timeoutMs?: number
}

export interface Consumer<M extends TopicMap<M>> {
  /**
   * Joins the group for one topic and yields its events. An event counts as processed when the next one is asked for; processed events are
   * committed at intervals and when the loop ends, so that after a crash some come again and none is missed. An event at which the loop
   * is left by `break` or by an error is not processed; to stop after a number of events, give a `limit`.
   */
  stream<T extends TopicName<M>>(topic: T, options?: { readonly limit?: number }): AsyncIterableIterator<ConsumedEvent<M[T]>>
  /** Commits this event, and with it all before it in its partition, at once. For an event at which a loop is left. */
  commit(event: RecordFacts): Promise<void>
  /** Ends every stream, commits what was processed and leaves the group. */
  close(): Promise<void>
}

type Stream = MessagesStream<Buffer, Buffer, Buffer, Buffer>
type Raw = Message<Buffer, Buffer, Buffer, Buffer>

interface OpenStream {
  readonly stream: Stream
  readonly progress: Progress
  /** Commits what was processed and closes the stream; nothing when called again. */
  end(): Promise<void>
}

export function consumer<const M extends TopicMap<M>>(options: ConsumerOptions<M>): Consumer<M> {
  const { topics, bootstrap, registry, group, commitIntervalMs = 1_000, timeoutMs = 30_000 } = options
  const kafka = new KafkaConsumer({
    clientId: options.clientId ?? 'assay-client',
    groupId: group,
    bootstrapBrokers: bootstrap.split(','),
    timeout: timeoutMs,
    connectTimeout: timeoutMs,
    retries: 5,
    retryDelay: growingDelay,
    autocreateTopics: false,
    autocommit: false,
    ...libraryOptions(options.access),
    maxWaitTime: options.fetchWaitMs ?? 500
  })
  const failed = (error: unknown, topic: string): unknown => kafkaFailure(error, { what: `Topic '${topic}'`, bootstrap })
  const open = new Set<OpenStream>()
  const messages = new WeakMap<object, Raw>()
  let isClosed = false

  async function* read<C extends TopicCodecs>(
    topic: string,
    codecs: C,
    limit: number
  ): AsyncGenerator<ConsumedEvent<C>, undefined> {
    const { stream, progress, end } = await join(topic)
    const decoding = decodingOf(codecs, registry)
    try {
      let count = 0
      for await (const message of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Raw>) {
        const event = await decodeOrPass<C>(message, decoding)
        if (event) {
          messages.set(event, message)
          yield event
          count++
        }
        if (isClosed) return
        progress.processed(message)
        await progress.commitWhenDue()
        if (count >= limit) break
      }
    } catch (error) {
      throw failed(error, topic)
    } finally {
      await end()
    }
  }
  const join = async (topic: string): Promise<OpenStream> => {
    try {
      const consumed = await kafka.consume({ topics: [topic], mode: 'committed', fallbackMode: options.from ?? 'earliest' })
      const stream = consumed as unknown as Stream
      const progress = progressOf(commitIntervalMs)
      const joined: OpenStream = {
        stream,
        progress,
        end: async () => {
          if (!open.delete(joined)) return
          try {
            await progress.commit()
          } finally {
            await stream.close()
          }
        }
      }
      open.add(joined)
      return joined
    } catch (error) {
      throw failed(error, topic)
    }
  }
  const decodeOrPass = async <C extends TopicCodecs>(message: Raw, decoding: Decoding): Promise<ConsumedEvent<C> | undefined> => {
    const facts = factsOf(message)
    // The library's types say that both are always there.
    const [rawKey, rawValue] = [message.key ?? null, message.value ?? null] as [Buffer | null, Buffer | null]
    let part: 'key' | 'value' = 'key'
    try {
      const key = await decoding.key(rawKey)
      part = 'value'
      const { value, schemaId } = await decoding.value(rawValue)
      return { ...facts, key, value, schema: { id: schemaId } } as ConsumedEvent<C>
    } catch (error) {
      if (isPeerFailure(error)) throw error
      const { topic, partition, offset } = facts
      const reason = error instanceof Error ? error.message : String(error)
      const undecodable = new AssayError('RECORD_UNDECODABLE', { topic, partition, offset, part, reason }, { cause: error })
      if (!options.onUndecodable) throw undecodable
      await options.onUndecodable({ ...facts, part, error: undecodable, rawKey, rawValue })
      return undefined
    }
  }

  return {
    stream: (topic, { limit = Number.POSITIVE_INFINITY } = {}) => {
      if (!Object.hasOwn(topics, topic))
        throw new AssayError('INVALID_ARGUMENT', { reason: `the topic map has no topic '${topic}'` })
      return read(topic, topics[topic], limit)
    },
    commit: async event => {
      const message = messages.get(event)
      if (!message) throw new AssayError('INVALID_ARGUMENT', { reason: 'the event is not one that this consumer has yielded' })
      try {
        await message.commit()
      } catch (error) {
        throw failed(error, event.topic)
      }
    },
    close: async () => {
      isClosed = true
      try {
        for (const { end } of [...open]) await end()
      } finally {
        await kafka.close(true)
      }
    }
  }
}

const factsOf = ({ topic, partition, offset, headerEntries, timestamp }: Raw): RecordFacts => ({
  topic,
  partition,
  offset,
  headers: headersOf(headerEntries),
  timestampMs: Number(timestamp)
})

/** Header names come from others: an object without a prototype takes any of them. */
function headersOf(entries: readonly (readonly [Buffer, Buffer])[]): Readonly<Record<string, Buffer>> {
  const headers: Record<string, Buffer> = Object.create(null)
  for (const [name, content] of entries) headers[name.toString('utf8')] = content
  return headers
}
