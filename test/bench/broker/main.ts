/**
 * Assay beside Apache Kafka 4.4 in one run, cell by cell in turns, under the performance tools of Apache Kafka: throughput, latency,
 * processor time, memory, start. One table with ratios, and what is reached of the goals.
 *
 *     npm run bench                                 all cells, three rounds each (about forty minutes)
 *     npm run bench -- --quick                      acks=all, a quarter of the records, one round (about six minutes)
 *     npm run bench -- --rounds 5
 *     npm run bench -- --cells produce/100/lz4,paced    cells that have these parts: produce, paced, consume; 100, 1024; 16k, 256k;
 *                                                   all, 1; none, lz4, zstd; and `start` for the starts
 *     npm run bench -- --json                       the same figures as JSON on stdout
 *
 * It takes java and mvn. Progress goes to stderr.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { startApacheKafka } from '../../peers/apache-kafka.ts'
import { kafkaTools } from '../../peers/kafka-tools.ts'
import { serve, temporaryDirectory } from '../../served.ts'
import { goalCells } from '../goals.ts'
import { machine } from '../machine.ts'
import { assayBroker, type Broker, kafkaBroker, registerSchema, rolesOf } from './brokers.ts'
import { type Cell, cellsOf, partsOfNames } from './cells.ts'
import { type Row, ratioOf } from './figures.ts'
import { goalsOf } from './goals.ts'
import { type MeasureParts, measureCell, warmUp } from './measure.ts'
import { page } from './page.ts'
import { payloadFile } from './payloads.ts'
import { measureStarts, type Starts } from './start.ts'

const STARTS = 'start'
const IDLE_MS = 5000

const options = optionsOf()
const tools = kafkaTools()
if ('missing' in tools) {
  console.error(`bench: Apache Kafka's tools cannot be had here: ${tools.missing}`)
  process.exit(1)
}
const isAll = options.filters.length === 0
const starts = isAll || options.filters.includes(STARTS) ? await started() : undefined
const cells = cellsOf({ ...options, filters: options.filters.filter(filter => filter !== STARTS) })
const rows = isAll || options.filters.some(filter => filter !== STARTS) ? await measured(cells) : []
const goals = goalsOf(rows, starts?.assay)
console.log(options.json ? JSON.stringify(report(), null, 2) : page({ rounds: options.rounds, starts, rows, goals }))

interface Options {
  readonly quick: boolean
  readonly json: boolean
  readonly rounds: number
  readonly filters: readonly string[]
}

function optionsOf(): Options {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        cells: { type: 'string', default: '' }
      }
    })
    const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
    if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number from 1')
    const filters = values.cells.split(',').filter(filter => filter !== '')
    const known = new Set([...partsOfNames(), STARTS])
    for (const part of filters.flatMap(filter => filter.split('/')))
      if (!known.has(part)) throw new Error(`--cells knows no ${part}; the parts are ${[...known].join(', ')}`)
    return { quick: values.quick, json: values.json, rounds, filters }
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`)
    process.exit(2)
  }
}

function started(): Promise<{ assay: Starts; peer: Starts }> {
  console.error('starts')
  return measureStarts({ rounds: options.rounds, idleMs: IDLE_MS })
}

async function measured(wanted: readonly Cell[]): Promise<Row[]> {
  const served = await serve({ args: ['--log-level', 'warn'] })
  try {
    const peer = await startApacheKafka()
    if ('missing' in peer) throw new Error(`Apache Kafka cannot be had here: ${peer.missing}`)
    try {
      const schemaId = await registerSchema(served, 'measured-value')
      const directory = temporaryDirectory()
      const sizes = new Set(wanted.map(({ recordBytes }) => recordBytes))
      const payloadFiles = new Map([...sizes].map(bytes => [bytes, payloadFile(directory, bytes, schemaId)]))
      const parts = { tools: tools as MeasureParts['tools'], cores: cpus().length, rounds: options.rounds, payloadFiles }
      return await measureAll(parts, wanted, [kafkaBroker(peer), assayBroker(served, 'off'), assayBroker(served, 'deep')])
    } finally {
      await peer.stop()
    }
  } finally {
    await served.stop()
  }
}

async function measureAll(parts: MeasureParts, wanted: readonly Cell[], brokers: readonly Broker[]): Promise<Row[]> {
  for (const broker of brokers) {
    console.error(`warm-up, ${broker.name}`)
    await warmUp(parts, { ...wanted[0]!, rate: 0 }, broker, `warm-up-${broker.role}`)
  }
  const found: Row[] = []
  for (const [at, cell] of wanted.entries()) {
    const roles = rolesOf(cell)
    const measuredNow = brokers.filter(({ role }) => roles.includes(role))
    const row = await measureCell(parts, cell, measuredNow, `bench-${at}`)
    found.push(...row)
    const said = row.map(one => `${one.broker} ${one.figures.recordsPerSecond.toFixed(0)}/s`).join(', ')
    console.error(`${at + 1} of ${wanted.length}  ${cell.name}: ${said}`)
  }
  return found
}

function report() {
  const withRatios = rows.map(row => ({
    ...row,
    ratio: ratioOf(rows, row, 'recordsPerSecond'),
    cpuRatio: ratioOf(rows, row, 'cpuSeconds')
  }))
  return { machine: machine(), rounds: options.rounds, starts, rows: withRatios, goals: goals.map(goalCells) }
}
