/**
 * A served process under mixed load with faults, for minutes: what it holds of memory and file descriptors is written down every few seconds, and
 * must not grow once it has settled.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { registryClient, topicAdmin } from '@assay/client'
import { errorName, produce, ZERO_UUID } from '@assay/protocol'
import { CODEC, encodeBatch } from '@assay/records'
import { type RawClient, rawClient, readRecords } from '../raw-client.ts'
import { type Served, serve } from '../served.ts'

export interface Sample {
  readonly atS: number
  readonly rssMiB: number
  readonly fds: number
  /** Requests of all kinds that were answered until then. */
  readonly answered: number
}

export interface SoakReport {
  readonly samples: readonly Sample[]
  readonly faults: Readonly<Record<string, number>>
  readonly anomalies: readonly string[]
}

const SAMPLE_MS = 5000
const PARTITIONS = 3
const RETAINED = 'retained'
const COMPACTED = 'compacted'
const GROUP = 'soakers'
const SCHEMAS = 300

export async function soak({
  minutes,
  random
}: {
  readonly minutes: number
  readonly random: (below: number) => number
}): Promise<SoakReport> {
  // Caches that are full after seconds: filling them would look like a leak for minutes.
  const served = await serve({
    args: ['--retention-check-interval-ms', '2000', '--segment-bytes', '4194304', '--tail-cache-bytes', '4194304']
  })
  const started = performance.now()
  const stopping = new AbortController()
  const faults = { disconnects: 0, 'malformed frames': 0, 'killed clients': 0 }
  const anomalies: string[] = []
  let answered = 0
  const admin = topicAdmin({ bootstrap: served.kafka, timeoutMs: 20_000 })
  await admin.create({ name: RETAINED, partitions: PARTITIONS, configs: { 'retention.bytes': '4000000' } })
  await admin.create({
    name: COMPACTED,
    partitions: 1,
    configs: { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.1' }
  })

  /** Again and again until the end; what fails is told, for nothing here may. */
  async function again(name: string, everyMs: number, work: () => Promise<void>): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await work()
        answered++
      } catch (error) {
        anomalies.push(`${name}: ${(error as Error).message}`)
      }
      await pause(everyMs)
    }
  }

  async function send(client: RawClient, topic: string, partition: number): Promise<void> {
    const records = encodeBatch({
      baseTimestampMs: Date.now(),
      codec: Object.values(CODEC)[random(5)]!,
      records: Array.from({ length: 1 + random(20) }, () => ({
        key: Buffer.from(`k${random(500)}`),
        value: randomBytes(100 + random(900))
      }))
    })
    const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: partition, records }] }]
    const { responses } = await client.ask(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 20_000, topicData })
    const { errorCode } = responses[0]!.partitionResponses[0]!
    if (errorCode !== 0) throw new Error(errorName(errorCode))
  }

  const clients = await Promise.all(Array.from({ length: 4 }, () => rawClient(served.kafka)))
  const registry = registryClient({ url: served.http })
  let schema = 0
  const loads = [
    again('produce', 5, () => send(clients[0]!, RETAINED, random(PARTITIONS))),
    again('produce', 5, () => send(clients[1]!, RETAINED, random(PARTITIONS))),
    again('produce to a compacted topic', 10, () => send(clients[2]!, COMPACTED, 0)),
    again('consume', 20, async () => {
      const partition = random(PARTITIONS)
      const { offset } = (await admin.offsets(RETAINED, -1n))[partition]!
      await readRecords(clients[3]!, { topic: RETAINED, partition, offset: Math.max(0, Number(offset) - 50) })
    }),
    again('register', 50, async () => {
      const number = schema++ % SCHEMAS
      await registry.register(`subject-${number % 50}-${number}`, {
        schema: JSON.stringify({ type: 'fixed', name: `F${number}`, size: 1 + number })
      })
      await registry.subjects({ prefix: 'subject-1' })
    }),
    again('administer', 500, async () => {
      await admin.create({ name: 'passing', partitions: 2, configs: {} })
      await admin.describe('passing')
      await admin.delete('passing')
    }),
    again('disconnect', 100, async () => {
      const client = await rawClient(served.kafka)
      // The connection goes while its request is under way.
      const answer = send(client, RETAINED, 0).catch(() => {})
      client.close()
      await answer
      faults.disconnects++
    }),
    again('send garbage', 100, async () => {
      await sendGarbage(served.kafka, random)
      faults['malformed frames']++
    }),
    killClients(served.kafka, stopping.signal, () => faults['killed clients']++)
  ]

  const samples: Sample[] = []
  while (performance.now() - started < minutes * 60_000) {
    await pause(SAMPLE_MS)
    samples.push({ atS: Math.round((performance.now() - started) / 1000), ...heldBy(served), answered })
  }
  stopping.abort()
  await Promise.all(loads)
  for (const client of clients) client.close()
  await admin.close()
  const code = await served.stop()
  if (code !== 0) anomalies.push(`the server ended with ${code}: ${served.log().slice(-2000)}`)
  return { samples, faults, anomalies }
}

/** Two members of a group, one of which is killed every few seconds and replaced. */
async function killClients(kafka: string, signal: AbortSignal, onKill: () => void): Promise<void> {
  const program = join(import.meta.dirname, 'soak-client.ts')
  const start = (): ChildProcess =>
    spawn(process.execPath, ['--conditions=source', program, kafka, RETAINED, GROUP], { stdio: 'ignore' })
  const members = [start(), start()]
  for (let turn = 0; !signal.aborted; turn++) {
    for (let waited = 0; waited < 10_000 && !signal.aborted; waited += 200) await pause(200)
    members[turn % 2]!.kill('SIGKILL')
    onKill()
    if (!signal.aborted) members[turn % 2] = start()
  }
  for (const member of members) member.kill('SIGKILL')
}

/** A frame of random bytes, or one that says it is longer than it is; waits until the server has closed the connection, or a moment. */
async function sendGarbage(kafka: string, random: (below: number) => number): Promise<void> {
  const [host, port] = kafka.split(':') as [string, string]
  const socket = connect(Number(port), host)
  const gone = new Promise<void>(resolve => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  const frame = randomBytes(4 + random(200))
  frame.writeInt32BE(random(2) === 0 ? frame.length - 4 : random(2 ** 31 - 1))
  socket.write(frame)
  await Promise.race([gone, pause(200)])
  socket.destroy()
}

function heldBy({ pid }: Served): Pick<Sample, 'rssMiB' | 'fds'> {
  const rssKiB = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
  return { rssMiB: Math.round(rssKiB / 102.4) / 10, fds: readdirSync(`/proc/${pid}/fd`).length }
}

/** By least squares over the second half, when all has settled: how much it grows over that half, and its mean there. */
export function growthOf(
  samples: readonly Sample[],
  of: (sample: Sample) => number
): { readonly growth: number; readonly mean: number } {
  const half = samples.slice(Math.floor(samples.length / 2))
  const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [times, values] = [half.map(({ atS }) => atS), half.map(of)]
  const [time, mean] = [meanOf(times), meanOf(values)]
  const slope =
    times.reduce((sum, at, index) => sum + (at - time) * (values[index]! - mean), 0) /
    times.reduce((sum, at) => sum + (at - time) ** 2, 0)
  return { growth: slope * (times.at(-1)! - times[0]!), mean }
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
