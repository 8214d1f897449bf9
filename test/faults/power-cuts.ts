/** Cuts the power under a log at random moments of recorded runs, in all the ways that the disk may come back, and looks at what is left. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Flush } from '@assay/log'
import { silentLogger, systemClock } from '@assay/std'
import { fileSegments, memoryStore, openLevel } from '@assay/store'
import { type JournalLog, openJournalLog } from '../../libs/log/journal-log.ts'
import { dump, type LogDump } from '../../libs/log/test/dump.ts'
import { randomOf } from '../suites/random.ts'
import { anomaliesIn, bytesOf, readTale, type Tale, type Told, topicsKept, unanswered } from './log-tale.ts'
import { type WorkloadOptions, workloadArguments, workloadLog } from './log-workload.ts'
import { crashModes, DiskModel, type DiskState, operations } from './powercut/disk-model.ts'
import { layDown } from './powercut/files.ts'
import { runRecorded, throwawayDirectory } from './powercut/recorder.ts'

export interface PowerCutOptions {
  readonly shim: string
  readonly seed: number
  /** Different states to be looked at. */
  readonly states: number
  /** Out of one recorded run. */
  readonly statesPerRun: number
  /** How the log acknowledges; default `commit`. */
  readonly flush?: Flush
}

export interface PowerCutReport {
  readonly states: number
  readonly runs: number
  /** Batches in all states that had to be there. */
  readonly acknowledged: number
  readonly anomalies: readonly string[]
}

const ANOMALIES_MAX = 10
/** Starting a second time costs as much as the first, so it is done for half of the states. */
const again = [
  { isRebuilt: false, isOpenedAgain: true },
  { isRebuilt: true, isOpenedAgain: true },
  { isRebuilt: false, isOpenedAgain: false },
  { isRebuilt: false, isOpenedAgain: false }
] as const

/** Ends early when enough is found that is wrong. */
export async function powerCuts({
  shim,
  seed,
  states,
  statesPerRun,
  flush = 'commit'
}: PowerCutOptions): Promise<PowerCutReport> {
  const root = throwawayDirectory()
  const anomalies: string[] = []
  let done = 0
  let runs = 0
  let acknowledged = 0
  for (; done < states && anomalies.length < ANOMALIES_MAX; runs++) {
    const runSeed = seed * 1000 + runs
    const plan = { shim, flush, root: join(root, String(runs)), seed: runSeed, states: Math.min(statesPerRun, states - done) }
    const report = await cutOneRun(plan)
    done += report.states
    acknowledged += report.acknowledged
    for (const anomaly of report.anomalies) anomalies.push(`run ${runSeed}, ${anomaly}`)
  }
  return { states: done, runs, acknowledged, anomalies }
}

interface RunPlan {
  readonly shim: string
  readonly root: string
  readonly seed: number
  readonly states: number
  readonly flush: Flush
}

async function cutOneRun(plan: RunPlan): Promise<Omit<PowerCutReport, 'runs'>> {
  const { root, seed } = plan
  const random = randomOf(seed)
  const directory = join(root, 'data')
  mkdirSync(root, { recursive: true })
  const before = new DiskModel(directory)
  const log = await recordLives(plan, directory)
  const recorded = [...operations(log)]
  const seen = new Set<string>()
  const anomalies: string[] = []
  let acknowledged = 0
  // Cuts are spread evenly over the run; each gives up to one state for every way to crash.
  const cutsWanted = Math.ceil((plan.states / crashModes.length) * 1.6)
  const model = before
  for (const [at, operation] of recorded.entries()) {
    model.apply(operation)
    if (random(recorded.length) >= cutsWanted) continue
    for (const mode of crashModes) {
      if (seen.size >= plan.states || anomalies.length >= ANOMALIES_MAX) break
      const state = model.crash(mode, random)
      const fingerprint = fingerprintOf(state, model.marks.length)
      if (seen.has(fingerprint)) continue
      seen.add(fingerprint)
      const out = join(root, 'crashed')
      layDown(state, directory, out)
      const tale = readTale(model.marks.map(line => JSON.parse(line) as Told))
      acknowledged += [...tale.units.values()].filter(({ isStored }) => isStored).length
      for (const anomaly of await anomaliesAfterCrash(out, tale, again[random(again.length)]!)) {
        anomalies.push(`cut behind operation ${at + 1} of ${recorded.length} (${mode}): ${anomaly}`)
      }
    }
  }
  if (process.env['ASSAY_KEEP'] === undefined || anomalies.length === 0) rmSync(root, { recursive: true, force: true })
  return { states: seen.size, acknowledged, anomalies }
}

/** Three lives on one directory: the first ends orderly, the second kills itself, and the third goes on. */
async function recordLives({ shim, root, seed, flush }: RunPlan, directory: string): Promise<Buffer> {
  const tale = join(root, 'tale')
  const log = join(root, 'operations')
  for (let life = 0; life < 3; life++) {
    const told = existsSync(tale) ? readFileSync(tale, 'utf8').split('\n').filter(Boolean) : []
    const options: WorkloadOptions = {
      ...{ directory, tale, life, seed: seed * 3 + life, steps: 60 + (seed % 5) * 30 },
      again: unanswered(readTale(told.map(line => JSON.parse(line) as Told))),
      isKilled: life === 1,
      hasSmallBuffers: life > 0 && seed % 3 === 0,
      padBytes: seed % 3 === 0 ? 2000 : 0,
      log: { flush }
    }
    await runRecorded({ shim, directory, log, mark: tale, program: workloadArguments(options) })
  }
  return readFileSync(log)
}

function fingerprintOf(state: DiskState, marks: number): string {
  const hash = createHash('sha1').update(String(marks))
  for (const [path, bytes] of [...state].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash
      .update(path)
      .update('\0')
      .update(bytes ?? 'a directory')
  return hash.digest('base64')
}

/** Opens what a crash left, as any start does; `isRebuilt` compares it with what comes of the journal alone, else with what the next start finds. */
export async function anomaliesAfterCrash(
  directory: string,
  tale: Tale,
  { isRebuilt, isOpenedAgain }: { readonly isRebuilt: boolean; readonly isOpenedAgain: boolean }
): Promise<string[]> {
  const anomalies: string[] = []
  const opened: JournalLog[] = []
  try {
    const first = await open(directory, tale)
    opened.push(first)
    anomalies.push(...(await anomaliesIn(first.log, tale)))
    const again = await sendAgain(first, tale)
    if (again !== tale) anomalies.push(...(await anomaliesIn(first.log, again)).map(text => `after sending again: ${text}`))
    const live = await dump(first.state)
    await first.log.close()
    if (isOpenedAgain) {
      const second = await open(directory, tale, isRebuilt)
      opened.push(second)
      const replayed = await dump(second.state)
      anomalies.push(...(isRebuilt ? rebuiltOtherwise(live, replayed) : differences(live, replayed)))
    }
  } catch (error) {
    anomalies.push(`failed: ${(error as Error).stack}`)
  }
  // The next state is laid down in the same place.
  for (const { log } of opened) await log.close()
  return anomalies
}

async function open(directory: string, tale: Tale, isRebuilt = false): Promise<JournalLog> {
  const opened = await openJournalLog({
    ...workloadLog,
    // Nothing happens by itself between the first look and the second.
    retentionCheckIntervalMs: 1_000_000,
    checkpointIntervalMs: 1_000_000,
    segmentsOpenMax: 100,
    journal: fileSegments(join(directory, 'journal')),
    index: isRebuilt ? memoryStore() : await openLevel(join(directory, 'index')),
    clock: systemClock,
    logger: silentLogger
  })
  if (isRebuilt) await opened.log.keepOnly(topicsKept(tale))
  return opened
}

/** Idempotent producers send again what they were told nothing about. Gives the tale as it goes on. */
async function sendAgain({ log }: JournalLog, tale: Tale): Promise<Tale> {
  const batches = unanswered(tale)
  if (batches.length === 0) return tale
  const units = new Map(tale.units)
  for (const batch of batches) {
    const { baseOffset } = await log.partition(batch).append(bytesOf(batch))
    units.set(-1 - units.size, { batches: [{ ...batch, baseOffset }], isStored: true })
  }
  return { ...tale, units }
}

function differences(live: LogDump, replayed: LogDump): string[] {
  const [a, b] = [JSON.stringify(live), JSON.stringify(replayed)]
  if (a === b) return []
  const at = [...a].findIndex((character, index) => character !== b[index])
  return [
    `the state differs after another start: ${a.slice(Math.max(at - 200, 0), at + 100)} and ${b.slice(Math.max(at - 200, 0), at + 100)}`
  ]
}

/** Without the index what was deleted may be there again; all else is as it was. */
function rebuiltOtherwise(live: LogDump, rebuilt: LogDump): string[] {
  return Object.entries(live.partitions).flatMap(([name, { startOffset, highWatermark, batches }]) => {
    const other = rebuilt.partitions[name]
    if (batches.length === 0) return []
    if (other === undefined) return [`${name} is not rebuilt from the journal`]
    const wanted = batches.map(({ runningMaxTimestampMs: _, ...batch }) => batch)
    const found = other.batches
      .filter(({ lastOffset }) => lastOffset >= startOffset)
      .map(({ runningMaxTimestampMs: _, ...batch }) => batch)
    if (other.highWatermark === highWatermark && JSON.stringify(found) === JSON.stringify(wanted)) return []
    return [`${name} is rebuilt otherwise: ${JSON.stringify(wanted)} and ${JSON.stringify(found)}`]
  })
}
