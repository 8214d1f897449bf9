/**
 * Requests a second, latency and memory of the registry beside Apicurio Registry in one run, as one table.
 *
 *     npm run bench -- registry                   all figures, 6 s for each registry in each (about four minutes)
 *     npm run bench -- registry --quick           2 s each
 *     npm run bench -- registry --only by-id      by-id, latest, look-up, check, again, new or versions
 *     npm run bench -- registry --json            the same figures as JSON on stdout
 *
 * Where Apicurio Registry cannot be had (it takes Java 21 and Maven) its rows say why. Progress goes to stderr.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { httpCaller } from '../../http-caller.ts'
import { startApicurio } from '../../peers/apicurio.ts'
import { serve } from '../../served.ts'
import { type Machine, machine } from '../machine.ts'
import { usageOf } from '../process-usage.ts'
import { turn } from '../rounds.ts'
import { type Cells, ratio, render, round } from '../table.ts'
import {
  figureNames,
  fixedFigures,
  fixedRow,
  type Row,
  SCHEMA_NAME,
  type Target,
  timedFigures,
  timedRow,
  type Used
} from './figures.ts'
import { fixedLoad, hasWrk } from './fixed-load.ts'
import type { RegistrationOrder, RegistrationOutcome } from './registration-load.ts'
import { measuredSchema } from './schemas.ts'

const ROUNDS = 3
const CONNECTIONS = 16
/** Before the first round of a figure: what a JIT needs until it has compiled the path of a request. */
const WARM_UP_SECONDS = 3
const REGISTRATION_SECONDS_MAX = 20
const SUBJECT = 'measured-value'

interface Measured {
  readonly figure: string
  readonly what: string
  readonly goal: number
  readonly target: Target
  readonly row: Row
}

const options = optionsOf()
const measured: Measured[] = []
let missing: string | undefined
const served = await serve({ args: ['--log-level', 'warn'] })
try {
  const peer = await startApicurio()
  try {
    if ('missing' in peer) missing = peer.missing
    const targets = [await prepare({ name: 'Assay', isPeer: false, url: served.http, pid: served.pid })]
    if (!('missing' in peer)) targets.push(await prepare({ name: peer.name, isPeer: true, url: peer.url, pid: peer.pid }))
    await measureAll(targets)
  } finally {
    if (!('missing' in peer)) await peer.stop()
  }
} finally {
  await served.stop()
}
console.log(options.json ? JSON.stringify(report(), null, 2) : page())

function optionsOf(): { readonly quick: boolean; readonly json: boolean; readonly only: string | undefined } {
  try {
    const { values } = parseArgs({
      options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, only: { type: 'string' } }
    })
    if (values.only !== undefined && !figureNames.includes(values.only)) throw new Error(`--only takes ${figureNames.join(', ')}`)
    return { quick: values.quick, json: values.json, only: values.only }
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`)
    process.exit(2)
  }
}

/** One subject with one version, checked against all that there are. */
async function prepare(target: Omit<Target, 'subject' | 'schemaId'>): Promise<Target> {
  const server = httpCaller(target.url)
  const call = async (method: string, path: string, body: object): Promise<unknown> => {
    const { status, body: said } = await server.call(method, path, body)
    if (status !== 200) throw new Error(`${target.name}: ${method} ${path} was answered with ${status}: ${said}`)
    return JSON.parse(said)
  }
  const { id } = (await call('POST', `/subjects/${SUBJECT}/versions`, { schema: measuredSchema(SCHEMA_NAME) })) as { id: number }
  await call('PUT', `/config/${SUBJECT}`, { compatibility: 'BACKWARD_TRANSITIVE' })
  server.close()
  return { ...target, subject: SUBJECT, schemaId: id }
}

async function measureAll(targets: readonly Target[]): Promise<void> {
  const isWanted = ({ name }: { readonly name: string }): boolean => options.only === undefined || options.only === name
  for (const figure of fixedFigures.filter(isWanted)) {
    const load = (target: Target, seconds: number) => fixedLoad({ ...figure.request(target), connections: CONNECTIONS, seconds })
    for (const target of targets) await load(target, options.quick ? 1 : WARM_UP_SECONDS)
    const rounds = await inTurns(targets, async target => ({ ...(await load(target, options.quick ? 1 : 3)) }))
    keep(figure, targets, target => fixedRow(rounds.get(target)!))
  }
  for (const figure of timedFigures.filter(isWanted)) {
    const load = (target: Target, name: string) =>
      registrations({ ...figure.order, url: target.url, name, secondsMax: options.quick ? 5 : REGISTRATION_SECONDS_MAX })
    if (!options.quick) for (const target of targets) await load(target, `${figure.name}Warm`)
    const rounds = await inTurns(targets, (target, index) => load(target, `${figure.name}${index}`))
    keep(figure, targets, target => timedRow(rounds.get(target)!))
  }
}

/** The registries take turns, so that the noise of the machine hits all of them. */
async function inTurns<T>(
  targets: readonly Target[],
  measure: (target: Target, index: number) => Promise<T>
): Promise<Map<Target, (T & Used)[]>> {
  const rounds = new Map<Target, (T & Used)[]>(targets.map(target => [target, []]))
  for (let index = 0; index < ROUNDS; index++) {
    for (const target of turn(targets, index)) {
      const before = usageOf(target.pid)
      const started = performance.now()
      const outcome = await measure(target, index)
      const seconds = (performance.now() - started) / 1000
      rounds.get(target)!.push({ before, seconds, ...outcome, after: usageOf(target.pid) })
    }
  }
  return rounds
}

function keep(
  { name, what, goal }: Pick<Measured, 'what' | 'goal'> & { readonly name: string },
  targets: readonly Target[],
  rowOf: (target: Target) => Row
): void {
  for (const target of targets) {
    const row = rowOf(target)
    measured.push({ figure: name, what, goal, target, row })
    console.error(
      `${what}, ${target.name}: ${round(row.requestsPerSecond)}/s${row.bad > 0 ? `, ${row.bad} answers were not 2xx` : ''}`
    )
  }
}

async function registrations(order: RegistrationOrder): Promise<RegistrationOutcome> {
  const child = spawn(process.execPath, ['--conditions=source', join(import.meta.dirname, 'registration-load.ts')], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  // A loader that ends early is told of by its exit code.
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify(order))
  const said = text(child.stdout)
  const code = await new Promise(resolve => child.once('close', resolve))
  if (code !== 0) throw new Error(`the loader of registrations ended with ${code}`)
  return JSON.parse(await said) as RegistrationOutcome
}

/** Requests a second as a multiple of the peer's; undefined for the peer itself and without one. */
function ratioOf({ figure, target, row }: Measured): number | undefined {
  const peer = measured.find(other => other.figure === figure && other.target.isPeer)
  return peer === undefined || target.isPeer ? undefined : ratio(row.requestsPerSecond, peer.row.requestsPerSecond)
}

function report(): { readonly machine: Machine; readonly missing: string | undefined; readonly rows: readonly object[] } {
  const rows = measured.map(one => ({
    figure: one.figure,
    registry: one.target.name,
    goal: one.goal,
    ...one.row,
    ratio: ratioOf(one)
  }))
  return { machine: machine(), missing, rows }
}

function page(): string {
  const { cpu, cores, memoryGiB, node } = machine()
  const lines = [
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}`,
    `One subject with a schema of ten fields, ${CONNECTIONS} connections, ${hasWrk() ? 'wrk' : 'our own loader'} on the same cores. Assay: every registration fsynced before its answer. Apicurio: H2 in memory.`,
    `${ROUNDS} rounds, the registries taking turns. x: requests/s as a multiple of Apicurio's. CPU: % of one core, the whole process. goal: requests/s for Assay.`,
    ''
  ]
  const rows = measured.flatMap((one): Cells[] => (missing === undefined ? [cellsOf(one)] : [cellsOf(one), skipped(one)]))
  return [...lines, render(rows)].join('\n')
}

function cellsOf(one: Measured): Cells {
  const { what, target, row, goal } = one
  const shown = (value: number | undefined, digits = 0): string => (value === undefined ? '-' : value.toFixed(digits))
  return {
    what,
    registry: target.name,
    'requests/s': shown(row.requestsPerSecond),
    x: target.isPeer ? '' : shown(ratioOf(one), 1),
    goal: target.isPeer ? '' : String(goal),
    'p50 ms': shown(row.p50Ms, 2),
    'p99 ms': shown(row.p99Ms, 2),
    'first 20 ms': shown(row.first20Ms, 2),
    'last 20 ms': shown(row.last20Ms, 2),
    CPU: shown(row.cpuPercent),
    'RSS MiB': shown(row.rssMiB),
    'not 2xx': shown(row.bad)
  }
}

function skipped({ what }: Measured): Cells {
  return { what, registry: `Apicurio skipped: ${missing}` }
}
