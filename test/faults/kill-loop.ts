/** Kills the server again and again while producers produce and schemas are registered, and tells what became of everything. */

import { encodeJson, frame, parseSchema } from '@assay/avro'
import { registryClient, topicAdmin } from '@assay/client'
import { errorName, initProducerId, produce, ZERO_UUID } from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import { type RawClient, rawClient, readRecords } from '../raw-client.ts'
import { type Served, serve } from '../served.ts'
import { type Found, recordAnomalies, type Sent } from './history.ts'

const TOPIC = 'counted'
const PARTITIONS = 3
const IN_FLIGHT = 5
const RECORDS_PER_BATCH = 3
const nameOf = (partition: number): string => `${TOPIC}-${partition}`
const schemaText = JSON.stringify({
  type: 'record',
  name: 'Counted',
  fields: [
    { name: 'producer', type: 'string' },
    { name: 'number', type: 'int' }
  ]
})
const schema = parseSchema(schemaText)

export interface KillReport {
  readonly kills: number
  readonly acknowledged: number
  readonly stored: number
  readonly schemasAcknowledged: number
  /** From spawn to the ready line, after each kill. */
  readonly readyMs: readonly number[]
  readonly anomalies: readonly string[]
}

export interface KillOptions {
  readonly kills: number
  readonly seed: number
}

export async function killLoop({ kills, seed }: KillOptions): Promise<KillReport> {
  const random = randomOf(seed)
  let served = await serve()
  const { directory, kafka } = served
  const http = new URL(served.http).host
  const schemaId = await prepare(served)
  const stopping = new AbortController()
  const producers = [
    numberedProducer(kafka, { name: 'idempotent-a', schemaId, isIdempotent: true, signal: stopping.signal }),
    numberedProducer(kafka, { name: 'idempotent-b', schemaId, isIdempotent: true, signal: stopping.signal }),
    numberedProducer(kafka, { name: 'plain', schemaId, isIdempotent: false, signal: stopping.signal })
  ]
  const schemas = schemaWriter(served.http, stopping.signal)
  const readyMs: number[] = []
  for (let kill = 0; kill < kills; kill++) {
    await pause(20 + random() * 200)
    await served.kill()
    served = await serve({ directory, kafka, http })
    readyMs.push(served.readyMs)
  }
  await pause(300)
  stopping.abort()
  const sent = (await Promise.all(producers)).flat()
  const registered = await schemas
  const found = await readAll(kafka)
  const idempotent = new Set(['idempotent-a', 'idempotent-b'])
  const anomalies = [...recordAnomalies({ sent, found, idempotent }), ...(await schemaAnomalies(served.http, registered))]
  const stopped = await served.stop()
  if (stopped !== 0) anomalies.push(`the server ended with ${stopped} when it was asked to stop`)
  return {
    kills,
    acknowledged: sent.filter(({ offset }) => offset !== undefined).length,
    stored: found.length,
    schemasAcknowledged: registered.size,
    readyMs,
    anomalies
  }
}

async function prepare({ http, kafka }: Served): Promise<number> {
  const admin = topicAdmin({ bootstrap: kafka, timeoutMs: 10_000 })
  await admin.create({ name: TOPIC, partitions: PARTITIONS, configs: {} })
  await admin.close()
  return registryClient({ url: http }).register(`${TOPIC}-value`, { schema: schemaText })
}

interface ProducerOptions {
  readonly name: string
  readonly schemaId: number
  readonly isIdempotent: boolean
  readonly signal: AbortSignal
}

/** One batch of a partition: sent until it is answered when the producer is idempotent, once otherwise. */
interface Pending {
  readonly partition: number
  readonly first: number
  readonly batch: Buffer
}

/**
 * Writes numbered records to every partition, up to five requests in flight on one connection, some of them over several partitions. An
 * idempotent one sends what was not answered again, in order and under the same sequence numbers, until it is.
 */
async function numberedProducer(kafka: string, { name, schemaId, isIdempotent, signal }: ProducerOptions): Promise<Sent[]> {
  const sent: Sent[] = []
  const next = Array.from({ length: PARTITIONS }, () => 0)
  let identity: { producerId: number; producerEpoch: number } | undefined
  let unanswered: Pending[][] = []

  const make = (partition: number): Pending => {
    const first = next[partition]!
    next[partition] = first + RECORDS_PER_BATCH
    const records = Array.from({ length: RECORDS_PER_BATCH }, (_, at) => ({
      key: Buffer.from(name),
      value: frame(schemaId, encodeJson(schema, { producer: name, number: first + at }))
    }))
    const batch = encodeBatch({ baseTimestampMs: Date.now(), records, ...(identity && { ...identity, baseSequence: first }) })
    return { partition, first, batch }
  }
  const note = ({ partition, first }: Pending, baseOffset?: number): void => {
    for (let at = 0; at < RECORDS_PER_BATCH; at++) {
      sent.push({
        producer: name,
        partition: nameOf(partition),
        number: first + at,
        ...(baseOffset === undefined ? {} : { offset: baseOffset + at })
      })
    }
  }
  const request = async (client: RawClient, pendings: readonly Pending[]): Promise<void> => {
    const partitionData = pendings.map(({ partition, batch }) => ({ index: partition, records: Buffer.from(batch) }))
    const topicData = [{ name: TOPIC, topicId: ZERO_UUID, partitionData }]
    const answer = await client.ask(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData })
    for (const { index, errorCode, baseOffset, errorMessage } of answer.responses[0]!.partitionResponses) {
      const pending = pendings.find(({ partition }) => partition === index)!
      if (errorCode !== 0) throw new Error(`${name}: ${errorName(errorCode)} ${errorMessage}`)
      note(pending, Number(baseOffset))
    }
  }

  let turn = 0
  while (!signal.aborted || unanswered.length > 0) {
    const client = await connected(kafka)
    if (!client) continue
    try {
      identity ??= isIdempotent ? await identityFrom(client) : undefined
      const flying: { readonly pendings: Pending[]; readonly answer: Promise<void> }[] = []
      const again = unanswered
      unanswered = []
      for (;;) {
        while (flying.length < IN_FLIGHT && (again.length > 0 || !signal.aborted)) {
          turn++
          const pendings =
            again.shift() ?? (turn % 4 === 0 ? next.map((_, partition) => make(partition)) : [make(turn % PARTITIONS)])
          const answer = request(client, pendings)
          answer.catch(() => {})
          flying.push({ pendings, answer })
        }
        const oldest = flying[0]
        if (!oldest) break
        try {
          await oldest.answer
          flying.shift()
        } catch (error) {
          client.close()
          if (!/the connection is gone/.test(String(error))) throw error
          const open = [...flying.map(({ pendings }) => pendings), ...again]
          // Whether they are stored nobody knows: an idempotent producer sends them again, another may only say that they were sent.
          if (isIdempotent) unanswered = open
          else for (const pending of open.flat()) note(pending)
          break
        }
      }
    } catch (error) {
      if (!/the connection is gone/.test(String(error))) throw error
    } finally {
      client.close()
    }
  }
  return sent
}

async function identityFrom(client: RawClient): Promise<{ producerId: number; producerEpoch: number }> {
  const body = {
    transactionalId: null,
    transactionTimeoutMs: 60_000,
    producerId: -1n,
    producerEpoch: -1,
    enable2Pc: false,
    keepPreparedTxn: false
  }
  const { producerId, producerEpoch } = await client.ask(initProducerId, 4, body as never)
  return { producerId: Number(producerId), producerEpoch }
}

async function connected(kafka: string): Promise<RawClient | undefined> {
  try {
    return await rawClient(kafka)
  } catch {
    await pause(10)
    return undefined
  }
}

/** Registers one schema after the other; what was acknowledged, by ID. */
async function schemaWriter(url: string, signal: AbortSignal): Promise<Map<number, string>> {
  const registry = registryClient({ url, timeoutMs: 5000 })
  const registered = new Map<number, string>()
  for (let number = 0; !signal.aborted; number++) {
    const subject = `numbered-${number}`
    try {
      const schemaId = await registry.register(subject, {
        schema: JSON.stringify({ type: 'fixed', name: `F${number}`, size: number + 1 })
      })
      const before = registered.get(schemaId)
      registered.set(schemaId, before === undefined ? subject : `${before} and ${subject}`)
    } catch {
      await pause(20)
    }
    await pause(5)
  }
  return registered
}

async function schemaAnomalies(url: string, registered: ReadonlyMap<number, string>): Promise<string[]> {
  const registry = registryClient({ url })
  const anomalies: string[] = []
  for (const [schemaId, subject] of registered) {
    if (subject.includes(' and ')) anomalies.push(`schema ID ${schemaId} was given to ${subject}`)
    const there = await registry.latest(subject).then(({ schemaId }) => schemaId, String)
    if (there !== schemaId)
      anomalies.push(`${subject} was acknowledged as schema ID ${schemaId}, and asked for it is answered ${there}`)
  }
  return anomalies
}

async function readAll(kafka: string): Promise<Found[]> {
  const client = await rawClient(kafka)
  const found: Found[] = []
  for (let partition = 0; partition < PARTITIONS; partition++) {
    for (let offset = 0; ; ) {
      const entries = await readRecords(client, { topic: TOPIC, partition, offset })
      if (entries.length === 0) break
      for (const entry of entries) {
        const [producer, number] = readCounted(entry.value!)
        found.push({ partition: nameOf(partition), offset: entry.offset, producer, number })
      }
      offset = entries.at(-1)!.offset + 1
    }
  }
  client.close()
  return found
}

/** The two fields of the schema above, read by hand: a string and an int. */
function readCounted(value: Buffer): [string, number] {
  const length = value[5]! >> 1
  const producer = value.toString('utf8', 6, 6 + length)
  let raw = 0
  let shift = 1
  for (let at = 6 + length; at < value.length; at++) {
    raw += (value[at]! & 0x7f) * shift
    shift *= 128
  }
  return [producer, raw / 2]
}

function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
