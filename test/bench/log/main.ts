/**
 * The log in process, as it grows: throughput over partitions, bytes written for bytes appended, reopening, and a consumer that is far
 * behind beside a producer. Each beside its goal.
 *
 *     npm run bench -- log                  1 GiB, three rounds (about three minutes)
 *     npm run bench -- log --quick          a quarter of it, one round
 *     npm run bench -- log --gib 10         what is reopened and read, in GiB
 *     npm run bench -- log --rounds 5
 *     npm run bench -- log --only partitions   partitions, reopen or behind
 *     npm run bench -- log --json           the same figures as JSON on stdout
 *
 * It writes into the system's temporary folder, up to three times the size that it is given. Progress goes to stderr.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { temporaryDirectory } from '../../served.ts'
import { goalCells } from '../goals.ts'
import { machine } from '../machine.ts'
import { turn } from '../rounds.ts'
import { render } from '../table.ts'
import { type Behind, type Figures, figureCells, goalsOf, type OverPartitions, type Reopened } from './figures.ts'
import type { Appended, Order, Outcomes } from './work.ts'

const PARTITIONS = [1, 16, 256, 1000]
const PARTITIONS_REOPENED = 1000
const BATCH_BYTES = 16 << 10
/** Enough that the group commit has work while the disk is at work, whatever the number of partitions. */
const IN_FLIGHT = 64
/** As many requests as a producer of Apache Kafka keeps under way. */
const IN_FLIGHT_PRODUCER = 5
const kinds = ['partitions', 'reopen', 'behind'] as const

const options = optionsOf()
const base = temporaryDirectory()
const wants = (kind: (typeof kinds)[number]): boolean => options.only === undefined || options.only === kind
const figures: Figures = {
  partitions: wants('partitions') ? await measurePartitions() : [],
  reopened: wants('reopen') ? [await measureReopened('close'), await measureReopened('kill')] : [],
  behind: wants('behind') ? await measureBehind() : undefined
}
const goals = goalsOf(figures)
console.log(options.json ? JSON.stringify({ machine: machine(), options, ...figures, goals }, null, 2) : page())

function optionsOf() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        gib: { type: 'string' },
        rounds: { type: 'string' },
        only: { type: 'string' }
      }
    })
    const only = kinds.find(kind => kind === values.only)
    if (values.only !== undefined && only === undefined) throw new Error(`--only takes ${kinds.join(', ')}`)
    const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
    if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number from 1')
    const gib = Number(values.gib ?? (values.quick ? 0.25 : 1))
    if (!(gib > 0)) throw new Error('--gib takes a number above 0')
    return { json: values.json, gib, rounds, only, milliseconds: values.quick ? 2000 : 5000 }
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`)
    process.exit(2)
  }
}

async function measurePartitions(): Promise<OverPartitions[]> {
  const rounds = new Map<number, Appended[]>(PARTITIONS.map(count => [count, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const partitions of turn(PARTITIONS, round)) {
      console.error(`append to ${partitions} partitions`)
      const order = { verb: 'append', partitions, batchBytes: BATCH_BYTES, inFlight: IN_FLIGHT } as const
      rounds
        .get(partitions)!
        .push(await inDirectory(directory => run({ ...order, directory, milliseconds: options.milliseconds })))
    }
  }
  return PARTITIONS.map(partitions => ({ partitions, rounds: rounds.get(partitions)! }))
}

/** Every start of the same directory opens what the one before has left: the first one after a kill is the one that replays. */
function measureReopened(end: 'close' | 'kill'): Promise<Reopened> {
  return inDirectory(async directory => {
    console.error(`fill ${options.gib} GiB over ${PARTITIONS_REOPENED} partitions, ${end}, reopen`)
    const place = { directory, partitions: PARTITIONS_REOPENED }
    const load = { batchBytes: BATCH_BYTES, inFlight: IN_FLIGHT, bytes: options.gib * 2 ** 30 }
    const filled = await run({ verb: 'fill', ...place, ...load, end })
    const opened = await run({ verb: 'open', ...place })
    if (opened.records !== filled.records)
      throw new Error(`${opened.records} records are there after the reopening, of ${filled.records} that were acknowledged`)
    return { end, filled, opened }
  })
}

function measureBehind(): Promise<Behind> {
  return inDirectory(async directory => {
    console.error(`fill ${options.gib} GiB, then read them beside a producer`)
    const place = { directory, partitions: 1, batchBytes: BATCH_BYTES }
    await run({ verb: 'fill', ...place, inFlight: IN_FLIGHT, bytes: options.gib * 2 ** 30, end: 'close' })
    const { milliseconds, rounds } = options
    return run({ verb: 'follow', ...place, inFlight: IN_FLIGHT_PRODUCER, milliseconds, rounds })
  })
}

async function inDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(base, 'log-'))
  try {
    return await work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function run<O extends Order>(order: O): Promise<Outcomes[O['verb']]> {
  const child = spawn(process.execPath, ['--conditions=source', join(import.meta.dirname, 'work.ts')], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  // One that ends early is told of by its exit code.
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify(order))
  const signalWanted = order.verb === 'fill' && order.end === 'kill' ? 'SIGKILL' : null
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const isAsMeant = signal === signalWanted && (signalWanted !== null || code === 0)
      if (isAsMeant) resolve(JSON.parse(output) as Outcomes[O['verb']])
      else reject(new Error(`${order.verb} ended with ${signal ?? code}`))
    })
  })
}

function page(): string {
  const { cpu, cores, memoryGiB, node } = machine()
  return [
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}`,
    `The log in process, flush=commit, batches of ${BATCH_BYTES >> 10} KB of 1 KB records, incompressible. Medians of ${options.rounds} rounds in turns.`,
    'written x: bytes handed to the system for each byte appended, closing included.',
    '',
    render(figureCells(figures)),
    '',
    render(goals.map(goalCells))
  ].join('\n')
}
