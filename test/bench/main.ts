/**
 * Throughput and latency of Assay beside Apache Kafka 4.4 in one run: `npm run bench [-- --quick] [--json]`.
 * Assay acknowledges after fdatasync (flush=commit); Kafka, with its own defaults, after writing to the page cache.
 */
import { spawn } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { encodeJson, frame, parseSchema } from '@assay/avro'
import { registryClient, topicAdmin } from '@assay/client'
import { type Peer, startApacheKafka } from '../peers/apache-kafka.ts'
import { serve } from '../served.ts'
import type { Order, Outcome } from './load.ts'
import { usageOf } from './process-usage.ts'
import { type Cells, geometricMean, render, round } from './table.ts'

interface Target {
  readonly name: string
  readonly kafka: string
  readonly pid: number
  /** Makes the topic and answers the value to send. */
  readonly prepare: (topic: string, size: number) => Promise<Buffer>
}

interface Cell {
  readonly what: string
  readonly recordBytes: number
  readonly batchBytes: number
  readonly verb: Order['verb']
  readonly connections: number
  readonly inFlight: number
  readonly rate: number
}

const schemaText = JSON.stringify({
  type: 'record',
  name: 'Measured',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'user', type: 'string' },
    { name: 'state', type: { type: 'enum', name: 'State', symbols: ['NEW', 'PAID', 'SENT'] } },
    { name: 'sum', type: 'double' },
    { name: 'count', type: 'int' },
    { name: 'paid', type: 'boolean' },
    { name: 'coupon', type: ['null', 'string'] },
    { name: 'at', type: 'long' },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'note', type: 'string' }
  ]
})
const schema = parseSchema(schemaText)

const isQuick = process.argv.includes('--quick')
const milliseconds = isQuick ? 1500 : 5000
const cells: Cell[] = [100, 1024].flatMap(recordBytes => [
  { what: 'produce', verb: 'produce' as const, recordBytes, batchBytes: 16_384, connections: 1, inFlight: 5, rate: 0 },
  { what: 'produce', verb: 'produce' as const, recordBytes, batchBytes: 262_144, connections: 1, inFlight: 5, rate: 0 },
  { what: 'produce, 8 clients', verb: 'produce' as const, recordBytes, batchBytes: 16_384, connections: 8, inFlight: 5, rate: 0 },
  { what: 'consume', verb: 'consume' as const, recordBytes, batchBytes: 16_384, connections: 1, inFlight: 1, rate: 0 }
])
cells.push({
  what: 'produce, 10,000/s',
  verb: 'produce',
  recordBytes: 100,
  batchBytes: 2048,
  connections: 4,
  inFlight: 5,
  rate: 10_000
})

const served = await serve({ args: ['--log-level', 'warn'] })
const kafka = await startApacheKafka()
if ('missing' in kafka) console.log(`Apache Kafka is left out: ${kafka.missing}`)

const assay = (validation: 'off' | 'deep'): Target => ({
  name: `Assay, validation ${validation}`,
  kafka: served.kafka,
  pid: served.pid,
  prepare: async (topic, size) => {
    await create(served.kafka, topic, { 'assay.value.validation': validation })
    const schemaId = await registryClient({ url: served.http }).register(`${topic}-value`, { schema: schemaText })
    return payloadOf(size, schemaId)
  }
})
const peer = ({ name, kafka, pid }: Peer): Target => ({
  name,
  kafka,
  pid,
  prepare: async (topic, size) => {
    await create(kafka, topic, {})
    return payloadOf(size, 1)
  }
})
const targets: Target[] = [...('missing' in kafka ? [] : [peer(kafka)]), assay('off'), assay('deep')]

const rows: Cells[] = []
const ratios = new Map<string, number[]>()
for (const [at, cell] of cells.entries()) {
  let beside: Outcome | undefined
  for (const [index, target] of targets.entries()) {
    const outcome = await measure(target, cell, `bench-${at}-${index}`)
    if (target.pid !== served.pid) beside = outcome
    const ratio = beside && beside !== outcome ? rateOf(outcome) / rateOf(beside) : undefined
    if (ratio !== undefined && cell.rate === 0)
      ratios.set(`${cell.verb}, ${target.name}`, [...(ratios.get(`${cell.verb}, ${target.name}`) ?? []), ratio])
    rows.push(rowOf(cell, target, outcome, ratio))
    console.error(JSON.stringify(rows.at(-1)))
  }
}
await served.stop()
if (!('missing' in kafka)) await kafka.stop()

if (process.argv.includes('--json')) console.log(JSON.stringify(rows, null, 2))
else {
  const [cpu] = cpus()
  console.log(`\n${cpu?.model}, ${cpus().length} cores, ${round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`)
  console.log(
    'acks=all, one partition, no compression. Assay: fdatasync before every acknowledgement. Kafka: its defaults, page cache.'
  )
  console.log(`Client and broker share the cores. x: records/s as a multiple of Kafka's in this run.\n`)
  console.log(render(rows))
  for (const [name, values] of ratios) console.log(`\nGeometric mean, ${name}: ${round(geometricMean(values), 2)} x Kafka`)
}
process.exit(0)

async function create(bootstrap: string, name: string, configs: Record<string, string>): Promise<void> {
  const admin = topicAdmin({ bootstrap, timeoutMs: 20_000 })
  await admin.create({ name, partitions: 1, configs })
  await admin.close()
}

/** A ten-field record of exactly `size` bytes, wire format included. */
function payloadOf(size: number, schemaId: number): Buffer {
  const of = (note: string): Buffer =>
    frame(
      schemaId,
      encodeJson(schema, {
        id: 123_456_789,
        user: 'user-4711',
        state: 'PAID',
        sum: 12.5,
        count: 3,
        paid: true,
        coupon: 'SPRING',
        at: 1_790_000_000_000,
        tags: ['a', 'bc'],
        note
      })
    )
  let note = 'x'.repeat(Math.max(0, size - of('').length))
  while (of(note).length > size) note = note.slice(1)
  return of(note)
}

async function measure(
  target: Target,
  cell: Cell,
  topic: string
): Promise<Outcome & { readonly cpuMsPerMB?: number; readonly rssMiB?: number }> {
  const value = await target.prepare(topic, cell.recordBytes)
  const order: Order = {
    ...cell,
    kafka: target.kafka,
    topic,
    value: value.toString('base64'),
    recordsPerBatch: Math.max(1, Math.floor(cell.batchBytes / (value.length + 8))),
    milliseconds
  }
  // A consumer needs something to read, and a broker something to warm up on.
  await load({
    ...order,
    verb: 'produce',
    milliseconds: cell.verb === 'consume' ? milliseconds : 500,
    connections: 1,
    inFlight: 5,
    rate: 0
  })
  const before = usageOf(target.pid)
  const outcome = await load(order)
  const after = usageOf(target.pid)
  if (!before || !after) return outcome
  return { ...outcome, cpuMsPerMB: (after.cpuMs - before.cpuMs) / (outcome.bytes / 1e6), rssMiB: after.rssMiB }
}

function rateOf({ records, seconds }: Outcome): number {
  return records / seconds
}

function load(order: Order): Promise<Outcome> {
  const child = spawn(process.execPath, ['--conditions=source', join(import.meta.dirname, 'load.ts')], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  child.stdin.end(JSON.stringify(order))
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code =>
      code === 0 ? resolve(JSON.parse(text) as Outcome) : reject(new Error(`the load ended with ${code}`))
    )
  })
}

function rowOf(cell: Cell, target: Target, outcome: Awaited<ReturnType<typeof measure>>, ratio: number | undefined): Cells {
  return {
    what: cell.what,
    record: `${cell.recordBytes} B`,
    batch: `${round(cell.batchBytes / 1024)} KB`,
    broker: target.name,
    'records/s': round(rateOf(outcome)),
    'MB/s': round(outcome.bytes / outcome.seconds / 1e6, 1),
    x: ratio === undefined ? '' : round(ratio, 2),
    'p50 ms': round(outcome.p50Ms, 2),
    'p99 ms': round(outcome.p99Ms, 2),
    'CPU ms/MB': outcome.cpuMsPerMB === undefined ? '-' : round(outcome.cpuMsPerMB, 2),
    'RSS MiB': outcome.rssMiB === undefined ? '-' : round(outcome.rssMiB)
  }
}
