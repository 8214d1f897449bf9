/** What connections cost that do nothing: many that are idle, and many that send a request byte by byte and never come to its end. */
import { connect, type Socket } from 'node:net'
import { createTopics, metadata, produce } from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import { usageOf } from '../bench/process-usage.ts'
import type { Cells } from '../bench/table.ts'
import { requestOf } from '../filled.ts'
import { rawClient } from '../raw-client.ts'
import { serve } from '../served.ts'

export interface ConnectionOrder {
  readonly idle: number
  readonly slow: number
  /** Of one measurement of the good clients. */
  readonly measureMs: number
}

export interface ConnectionFigures {
  readonly idle: number
  readonly slow: number
  /** Resident memory that each idle connection takes, after it has asked one question. */
  readonly idleBytesEach: number
  readonly goodP50Ms: { readonly alone: number; readonly besideSlow: number }
  readonly goodP99Ms: { readonly alone: number; readonly besideSlow: number }
  /** Connections that were turned away or lost. */
  readonly lost: number
}

const GOOD_CLIENTS = 4
const ROUNDS = 3
const BYTE_EVERY_MS = 500
const SETTLE_MS = 1500
const AT_ONCE = 200
const TOPIC = 'connections'
/** The beginning of a Produce request of a mebibyte, of a Metadata request, and of a length. */
const beginnings = ['00100000 0000 0009 00000001', '00000040 0003 000c', '0000'].map(hex =>
  Buffer.from(hex.replaceAll(' ', ''), 'hex')
)

export async function measureConnections({ idle, slow, measureMs }: ConnectionOrder): Promise<ConnectionFigures> {
  const served = await serve({ args: ['--log-level', 'error', '--connections-max', String(idle + slow + 100)] })
  const sockets: Socket[] = []
  let lost = 0
  try {
    const admin = await rawClient(served.kafka)
    await admin.ask(
      createTopics,
      7,
      requestOf(createTopics, { topics: [{ name: TOPIC, numPartitions: 1, replicationFactor: 1 }], timeoutMs: 5000 })
    )
    await bestOf(served.kafka, measureMs)
    const alone = await bestOf(served.kafka, measureMs)

    const before = usageOf(served.pid)?.rssMiB ?? Number.NaN
    const clients: Awaited<ReturnType<typeof rawClient>>[] = []
    while (clients.length < idle) {
      const some = await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, idle - clients.length) }, () => rawClient(served.kafka))
      )
      for (const client of some) void client.closed.then(() => lost++)
      await Promise.all(some.map(client => client.ask(metadata, 12, requestOf(metadata, { topics: [] }))))
      clients.push(...some)
    }
    await pause(SETTLE_MS)
    const after = usageOf(served.pid)?.rssMiB ?? Number.NaN
    const lostIdle = lost
    for (const client of clients) client.close()
    await pause(SETTLE_MS)

    lost = 0
    for (let at = 0; at < slow; at++) {
      const [host, port] = served.kafka.split(':') as [string, string]
      const socket = connect(Number(port), host)
      socket.on('error', () => {})
      socket.on('close', () => lost++)
      socket.write(beginnings[at % beginnings.length]!)
      sockets.push(socket)
      if (at % AT_ONCE === 0) await pause(10)
    }
    // One after the other, so that they do not come in bursts of their own making.
    let next = 0
    const timer = setInterval(() => {
      const share = Math.ceil(slow / (BYTE_EVERY_MS / 10))
      for (let left = share; left > 0; left--) {
        const socket = sockets[next++ % sockets.length]!
        // A length that came byte by byte is followed by bytes of a frame that never ends.
        if (socket.writable) socket.write(Buffer.from([1]))
      }
    }, 10)
    await pause(SETTLE_MS)
    const besideSlow = await bestOf(served.kafka, measureMs)
    clearInterval(timer)
    const lostSlow = lost
    admin.close()
    return {
      idle,
      slow,
      idleBytesEach: ((after - before) * 1024 * 1024) / idle,
      goodP50Ms: { alone: alone.p50, besideSlow: besideSlow.p50 },
      goodP99Ms: { alone: alone.p99, besideSlow: besideSlow.p99 },
      lost: lostIdle + lostSlow
    }
  } finally {
    for (const socket of sockets) socket.destroy()
    await served.stop()
  }
}

export const IDLE_BYTES_EACH_MAX = 20_000

/** The figures as a table, each with what it should be. */
export function rowsOf({ idle, slow, idleBytesEach, goodP50Ms, goodP99Ms, lost }: ConnectionFigures): Cells[] {
  const both = (p50: number, p99: number): string => `${p50.toFixed(2)} / ${p99.toFixed(2)}`
  return [
    { what: `bytes of each of ${idle} idle connections`, figure: idleBytesEach.toFixed(0), goal: `${IDLE_BYTES_EACH_MAX}` },
    { what: 'good clients alone, p50 / p99 ms', figure: both(goodP50Ms.alone, goodP99Ms.alone), goal: '' },
    {
      what: `good clients beside ${slow} slow senders, p50 / p99 ms`,
      figure: both(goodP50Ms.besideSlow, goodP99Ms.besideSlow),
      goal: 'p99 doubled at most'
    },
    { what: 'connections lost', figure: String(lost), goal: '0' }
  ]
}

interface Latency {
  readonly p50: number
  readonly p99: number
}

/** The quietest of some rounds: what others do on the machine is not what is measured. */
async function bestOf(kafka: string, measureMs: number): Promise<Latency> {
  let best: Latency = { p50: Number.POSITIVE_INFINITY, p99: Number.POSITIVE_INFINITY }
  for (let left = ROUNDS; left > 0; left--) {
    const round = await goodClients(kafka, measureMs)
    if (round.p99 < best.p99) best = round
  }
  return best
}

/** Each sends one record after the other and waits until it is on disk. */
async function goodClients(kafka: string, measureMs: number): Promise<Latency> {
  const waits: number[] = []
  const end = performance.now() + measureMs
  await Promise.all(
    Array.from({ length: GOOD_CLIENTS }, async () => {
      const client = await rawClient(kafka)
      while (performance.now() < end) {
        const records = encodeBatch({ baseTimestampMs: Date.now(), records: [{ key: null, value: Buffer.alloc(100, 'a') }] })
        const topicData = [{ name: TOPIC, partitionData: [{ index: 0, records }] }]
        const asked = performance.now()
        const answer = await client.ask(produce, 9, requestOf(produce, { acks: -1, timeoutMs: 5000, topicData }))
        if (answer.responses[0]!.partitionResponses[0]!.errorCode !== 0) throw new Error('a good client was refused')
        waits.push(performance.now() - asked)
      }
      client.close()
    })
  )
  waits.sort((a, b) => a - b)
  return { p50: waits[Math.floor(waits.length * 0.5)]!, p99: waits[Math.floor(waits.length * 0.99)]! }
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
