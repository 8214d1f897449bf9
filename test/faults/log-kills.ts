/** Kills a process at every kind of place in its work on a log: at the n-th change to a file or name, in the middle of a write; and looks at what is left. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { randomOf } from '../suites/random.ts'
import { readTale, type Told, unanswered } from './log-tale.ts'
import { type WorkloadOptions, workloadArguments } from './log-workload.ts'
import { anomaliesAfterCrash } from './power-cuts.ts'
import { runRecorded, throwawayDirectory } from './powercut/recorder.ts'

export interface LogKillReport {
  readonly kills: number
  /** Batches that had to be there, in all looks together. */
  readonly acknowledged: number
  readonly anomalies: readonly string[]
}

const LIVES_MAX = 8
/** A life makes about a thousand. */
const CHANGES_MAX = 1200

/** A life that ends before its kill counts for nothing. */
export async function logKills(options: {
  readonly shim: string
  readonly kills: number
  readonly seed: number
}): Promise<LogKillReport> {
  const { shim, kills, seed } = options
  const random = randomOf(seed)
  const root = throwawayDirectory()
  const anomalies: string[] = []
  let done = 0
  let acknowledged = 0
  for (let number = 0; done < kills && anomalies.length === 0; number++) {
    const [directory, tale, copy] = ['data', 'tale', 'copy'].map(name => join(root, String(number), name)) as [
      string,
      string,
      string
    ]
    mkdirSync(join(root, String(number)))
    for (let life = 0; life < LIVES_MAX && done < kills && anomalies.length === 0; life++) {
      const workload: WorkloadOptions = {
        ...{ directory, tale, life, seed: seed + 1000 * number + life, steps: 120, isKilled: false },
        again: unanswered(taleIn(tale))
      }
      // Half of them early: an opening is where most is at stake.
      const killAt = 1 + random(random(2) === 0 ? 150 : CHANGES_MAX)
      const ended = await runRecorded({ shim, directory, program: workloadArguments(workload), killAt })
      if (ended === 'SIGKILL') done++
      rmSync(copy, { recursive: true, force: true })
      if (existsSync(directory)) cpSync(directory, copy, { recursive: true })
      const told = taleIn(tale)
      acknowledged += [...told.units.values()].filter(({ isStored }) => isStored).length
      const found = await anomaliesAfterCrash(copy, told, { isRebuilt: random(2) === 0, isOpenedAgain: true })
      for (const anomaly of found) anomalies.push(`directory ${number}, life ${life}, killed at change ${killAt}: ${anomaly}`)
    }
    rmSync(join(root, String(number)), { recursive: true })
  }
  return { kills: done, acknowledged, anomalies }
}

const taleIn = (path: string) =>
  readTale(
    (existsSync(path) ? readFileSync(path, 'utf8') : '')
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Told)
  )
