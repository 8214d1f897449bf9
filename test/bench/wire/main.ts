/**
 * The brokers alone, as far as that goes: Assay beside Apache Kafka 4.4 under a client of our own that encodes its batches once and looks
 * into no record, so that it takes little from the cores that it shares with them. One run, one table.
 *
 *     npm run bench -- wire                    all cells, 5 s for each broker in each (about five minutes)
 *     npm run bench -- wire --quick            2 s each
 *     npm run bench -- wire --only consume     produce, consume or latency
 *     npm run bench -- wire --json             the same figures as JSON on stdout
 *
 * Where Apache Kafka cannot be had (it takes java and mvn) the reason is printed and Assay is measured alone. Progress goes to stderr.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startApacheKafka } from '../../peers/apache-kafka.ts'
import { serve } from '../../served.ts'
import { machine } from '../machine.ts'
import { usageOf } from '../process-usage.ts'
import { turn } from '../rounds.ts'
import { type Cells, geometricMean, ratio, render, round } from '../table.ts'
import { type Cell, cellsOf, type Figures, figuresOf, type Kind, kinds, type Round, verbOf } from './cells.ts'
import type { Order, Outcome } from './load.ts'
import { assayTarget, kafkaTarget, type Target } from './targets.ts'

/** The time of a cell is cut in rounds, and the brokers take turns: noise of the machine hits all of them. */
const ROUNDS = 2
const WARM_UP_MS = 500
/** Before the first cell, for each broker: what a JIT needs until it has compiled the paths of a request. */
const FIRST_WARM_UP_MS = 4000
const FILL_MS_MAX = 60_000

interface Measured {
  readonly cell: Cell
  readonly target: Target
  readonly figures: Figures
}

const options = optionsOf()
const measured: Measured[] = []
let missing: string | undefined
const served = await serve({ args: ['--log-level', 'warn'] })
try {
  const peer = await startApacheKafka()
  try {
    if ('missing' in peer) missing = peer.missing
    const targets = [
      ...('missing' in peer ? [] : [kafkaTarget(peer, served)]),
      assayTarget(served, 'off'),
      assayTarget(served, 'deep')
    ]
    for (const [at, cell] of cellsOf(options.only).entries()) measured.push(...(await measureCell(cell, targets, `bench-${at}`)))
  } finally {
    if (!('missing' in peer)) await peer.stop()
  }
} finally {
  await served.stop()
}
console.log(options.json ? JSON.stringify(report(), null, 2) : page())

function optionsOf(): { readonly quick: boolean; readonly json: boolean; readonly only: Kind | undefined } {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        only: { type: 'string' }
      }
    })
    const only = kinds.find(kind => kind === values.only)
    if (values.only !== undefined && only === undefined) throw new Error(`--only takes ${kinds.join(', ')}`)
    return { quick: values.quick, json: values.json, only }
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`)
    process.exit(2)
  }
}

async function measureCell(cell: Cell, targets: readonly Target[], topic: string): Promise<Measured[]> {
  const orders = new Map<Target, Order>()
  const rounds = new Map<Target, Round[]>()
  for (const [at, target] of targets.entries()) {
    orders.set(target, await prepare(cell, target, `${topic}-${at}`, measured.length === 0))
    rounds.set(target, [])
  }
  for (let index = 0; index < ROUNDS; index++) {
    for (const target of turn(targets, index)) {
      const before = usageOf(target.pid)
      const outcome = await load(orders.get(target)!)
      rounds.get(target)!.push({ outcome, before, after: usageOf(target.pid) })
    }
  }
  return targets.map(target => {
    const figures = figuresOf(rounds.get(target)!)
    const { recordsPerSecond } = figures
    console.error(
      `${cell.what}, ${cell.recordBytes} B, ${cell.batchBytes >> 10} KB, ${target.name}: ${round(recordsPerSecond)}/s`
    )
    return { cell, target, figures }
  })
}

/** The topic with something in it: what a consumer shall read, or what warms a broker up. */
async function prepare(cell: Cell, target: Target, topic: string, isFirst: boolean): Promise<Order> {
  const value = await target.prepare(topic, cell.recordBytes)
  // A record costs about eight bytes beside its value.
  const recordsPerBatch = Math.max(1, Math.floor(cell.batchBytes / (value.length + 8)))
  const order: Order = {
    verb: verbOf(cell),
    kafka: target.kafka,
    topic,
    value: value.toString('base64'),
    recordsPerBatch,
    connections: cell.connections,
    inFlight: cell.inFlight,
    milliseconds: (options.quick ? 2000 : 5000) / ROUNDS,
    batchesMax: 0,
    rate: cell.rate
  }
  const fill = { ...order, verb: 'produce' as const, connections: 1, inFlight: 5, rate: 0 }
  if (isFirst) {
    await target.prepare(`${topic}-warm-up`, cell.recordBytes)
    await load({ ...fill, topic: `${topic}-warm-up`, milliseconds: FIRST_WARM_UP_MS })
  }
  if (cell.kind !== 'consume') await load({ ...fill, milliseconds: WARM_UP_MS })
  if (cell.kind === 'consume')
    await load({ ...fill, milliseconds: FILL_MS_MAX, batchesMax: Math.ceil(cell.topicBytes / cell.batchBytes) })
  return order
}

function load(order: Order): Promise<Outcome> {
  const child = spawn(process.execPath, ['--conditions=source', join(import.meta.dirname, 'load.ts')], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    output += part
  })
  // A generator that ends early is told of by its exit code.
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify(order))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code =>
      code === 0 ? resolve(JSON.parse(output) as Outcome) : reject(new Error(`the load generator ended with ${code}`))
    )
  })
}

function peerOf(cell: Cell): Measured | undefined {
  return measured.find(other => other.cell === cell && other.target.isPeer)
}

/** Records a second as a multiple of the peer's in the same cell; undefined for the peer itself, without one, and at a fixed pace. */
function ratioOf({ cell, target, figures }: Measured): number | undefined {
  const peer = peerOf(cell)
  if (peer === undefined || target.isPeer || cell.rate > 0) return undefined
  return ratio(figures.recordsPerSecond, peer.figures.recordsPerSecond)
}

function means(): { readonly what: string; readonly ratio: number }[] {
  const groups = Map.groupBy(
    measured.filter(row => ratioOf(row) !== undefined),
    ({ cell, target }) => `${cell.kind === 'consume' ? cell.what : cell.kind}, ${target.name}`
  )
  return [...groups].map(([what, rows]) => ({ what, ratio: geometricMean(rows.map(row => ratioOf(row)!)) }))
}

function report() {
  const rows = measured.map(row => ({
    ...row.cell,
    broker: row.target.name,
    ...row.figures,
    ratio: ratioOf(row)
  }))
  return { machine: machine(), missing, rows, means: means() }
}

function page(): string {
  const { cpu, cores, memoryGiB, node } = machine()
  const lines = [
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}`,
    'acks=all, one partition, no compression. Assay: flush=commit, fdatasync before each acknowledgement. Apache Kafka: its defaults, page cache.',
    `Client and brokers share the cores. ${ROUNDS} rounds of ${(options.quick ? 2 : 5) / ROUNDS} s each, the brokers taking turns. x: records/s as a multiple of Kafka's. client: % of one core.`,
    'p50 and p99 of a request; under full load they tell of the queue as much as of the broker: the paced row is the one for latency.'
  ]
  if (missing !== undefined) lines.push(`Apache Kafka is left out: ${missing}`)
  lines.push('', render(measured.map(rowOf)), '')
  for (const { what, ratio: mean } of means()) lines.push(`Geometric mean, ${what}: ${mean.toFixed(2)} x Kafka`)
  return lines.join('\n').trimEnd()
}

function rowOf(row: Measured): Cells {
  const { cell, target, figures } = row
  const shown = (value: number | undefined, digits = 0): string => (value === undefined ? '-' : value.toFixed(digits))
  return {
    what: cell.what,
    record: `${cell.recordBytes} B`,
    batch: `${cell.batchBytes >> 10} KB`,
    broker: target.name,
    'records/s': shown(figures.recordsPerSecond),
    'MB/s': shown(figures.megabytesPerSecond, 1),
    x: target.isPeer ? '' : shown(ratioOf(row), 2),
    'p50 ms': shown(figures.p50Ms, 2),
    'p99 ms': shown(figures.p99Ms, 2),
    'CPU ms/MB': shown(figures.cpuMsPerMegabyte, 2),
    'RSS MiB': shown(figures.rssMiB),
    client: shown(figures.clientCpuPercent)
  }
}
