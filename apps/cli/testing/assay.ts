/**
 * Assay embedded in the process of a test: the same server that `assay serve` runs, on free ports of 127.0.0.1. What is closed leaves
 * neither timers nor sockets behind, so that the process ends by itself. Any number of them run side by side.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, loadConfig } from '@assay/config'
import type { NewEvent } from '@assay/gate'
import { type Logger, silentLogger } from '@assay/std'
import { startServer } from '../server.ts'
import { inMemory, onDisk } from '../storage.ts'
import { clear, createTopic, plant, readAll, registerSchema } from './content.ts'
import type { Seed, StoredRecord, TestTopic } from './parts.ts'

export interface AssayOptions {
  /** `memory` (the default) is gone with `close`; `temporary` is a directory that `close` removes; else a directory that stays. */
  readonly storage?: 'memory' | 'temporary' | { readonly directory: string }
  /** What is there at the start, and again after each `reset`. */
  readonly seed?: Seed
  /** Any setting of the server, as docs/reference/settings.md lists them. Variables and files are not looked at. */
  readonly settings?: Readonly<Partial<Omit<Config, 'data'>>>
  /** Default: nothing is logged. */
  readonly logger?: Logger
}

/** What is done directly, without a client, is subject to the same checks as what comes through the doors. Failures are AssayErrors. */
export interface Assay extends AsyncDisposable {
  /** URL of the HTTP door: registry API, events, metrics. */
  readonly http: string
  /** HOST:PORT of the Kafka door, for `brokers` or `bootstrap.servers`. */
  readonly kafka: string
  /** Fails with PEER_REFUSED when it is there already, or has a setting that is none. */
  createTopic(name: string, topic?: TestTopic): Promise<void>
  /** Registers a version and gives the schema ID. Fails with INVALID_SCHEMA, INCOMPATIBLE_SCHEMA. */
  register(subject: string, schema: object | string): Promise<number>
  /** Appends JSON events, encoded with the newest schema of the topic. Fails with RECORD_REJECTED, EVENT_NOT_ENCODABLE. */
  produce(topic: string, ...events: NewEvent[]): Promise<void>
  /** Every record of a topic, decoded, by partition and offset. Fails with TOPIC_NOT_FOUND. */
  records(topic: string): Promise<StoredRecord[]>
  /** Deletes topics, groups, subjects, compatibility levels and modes, then plants the seed. Clients may stay connected; schema IDs go on counting. */
  reset(): Promise<void>
  /** Answers what is under way and stops. A second call is the same as the first. */
  close(): Promise<void>
}

/** Resolves when both doors answer and the seed is planted. What was opened before a failure is closed again. */
export async function startAssay({
  storage = 'memory',
  seed = {},
  settings = {},
  logger = silentLogger
}: AssayOptions = {}): Promise<Assay> {
  const temporary = storage === 'temporary' ? mkdtempSync(join(tmpdir(), 'assay-testing-')) : undefined
  const data = typeof storage === 'object' ? storage.directory : (temporary ?? '')
  const given = { http: '127.0.0.1:0', kafka: '127.0.0.1:0', ...settings, ...(data !== '' && { data }) }
  const remove = (): void => {
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true })
  }
  try {
    const { config } = loadConfig({ flags: given, env: {}, file: {} })
    const server = await startServer(config, logger, { storage: storage === 'memory' ? inMemory : onDisk })
    let closed: Promise<void> | undefined
    const close = (): Promise<void> => {
      closed ??= server.close().finally(remove)
      return closed
    }
    try {
      await plant(server, seed)
    } catch (error) {
      await close()
      throw error
    }
    return {
      http: server.http,
      kafka: server.kafka,
      createTopic: (name, topic = {}) => createTopic(server, name, topic),
      register: (subject, schema) => registerSchema(server, subject, schema),
      produce: async (topic, ...events) => void (await server.events.produce(topic, { events })),
      records: topic => readAll(server, topic),
      async reset() {
        await clear(server)
        await plant(server, seed)
      },
      close,
      [Symbol.asyncDispose]: close
    }
  } catch (error) {
    remove()
    throw error
  }
}
