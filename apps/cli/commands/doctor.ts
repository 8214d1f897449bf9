/** `assay doctor [DATA]`: examines a data directory that no server has open, and writes what is sound in it into another one. */
import { copyFile } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { AssayError } from '@assay/errors'
import { type Examination, logTools, type Salvage } from '@assay/log'
import { snapshotFile } from '@assay/registry'
import { systemClock } from '@assay/std'
import { Command } from 'commander'
import { CLUSTER_ID_FILE, clusterIdFault, REGISTRY_SNAPSHOT } from '../data-files.ts'
import { doctorCodes, reportingFailure } from '../exit.ts'
import { contentExamination } from '../offline/examine-content.ts'
import {
  findingRow,
  lossRow,
  outputOf,
  printFinding,
  printLoss,
  summaryOf,
  type TopicNames,
  type WorkOptions,
  withProgress
} from '../offline/output.ts'
import { configOf, withSettings } from '../options.ts'
import { line, printFacts } from '../print.ts'
import { mebibytes, workProgress } from '../work-progress.ts'

interface DoctorOptions extends WorkOptions {
  readonly repair?: string
  readonly scratch?: string
}

interface Repaired {
  readonly directory: string
  readonly salvage: Salvage
}

export function doctorCommand(): Command {
  const command = withProgress(new Command('doctor'))
    .description(
      'examine a data directory that no server has open; nothing in it is changed. Exits with 1 at findings, 2 when it cannot'
    )
    .argument('[data]', 'the data directory (default: the setting data)')
    .option('--repair <out>', 'write all that is sound into this new data directory, and say what is lost')
    .option('--scratch <directory>', 'where temporary files go (default: where the system has them)')
  return withSettings(command, 'data').action((given: string | undefined, options: DoctorOptions) =>
    reportingFailure(async () => {
      const data = given ?? configOf(command).data
      const { format, mode } = outputOf(command, options)
      for (const path of [options.repair, options.scratch]) if (path !== undefined) refuseWithin(data, path)
      let names: TopicNames = new Map()
      const onTopics = (topics: TopicNames): void => {
        names = topics
      }
      const { examination, repaired } = await examine(data, options, { mode, onTopics })
      if (format === 'table') print(examination, repaired, names)
      else {
        const { findings, ...facts } = examination
        const rows = findings.map(finding => findingRow(finding, names))
        const saved = repaired && { ...repaired.salvage, losses: repaired.salvage.losses.map(loss => lossRow(loss, names)) }
        const repair = saved && { repaired: { directory: repaired!.directory, ...saved } }
        printFacts({ directory: data, ...facts, findings: rows, ...repair }, format)
      }
      if (!examination.isSound) process.exitCode = doctorCodes.findings
    })
  )
}

interface Surroundings {
  readonly mode: ReturnType<typeof outputOf>['mode']
  readonly onTopics: (names: TopicNames) => void
}

async function examine(
  data: string,
  { repair, scratch }: DoctorOptions,
  { mode, onTopics }: Surroundings
): Promise<{ readonly examination: Examination; readonly repaired: Repaired | undefined }> {
  const { withExamined, makeDirectory, salvage, assertFree } = await logTools()
  if (repair !== undefined) await assertFree(resolve(repair))
  const progress = workProgress('checked', mode)
  let repaired: Repaired | undefined
  try {
    const examination = await withExamined(
      {
        ...{ directory: data, clock: systemClock, onProgress: progress.report },
        ...(scratch !== undefined && { scratchIn: scratch }),
        content: async (log, facts) => {
          const reason = clusterIdFault(data)
          if (reason !== undefined) {
            const advice = 'without the file, a start makes another ID, and clients take the cluster for another one'
            facts.found.add({ kind: 'file', severity: 'damage', file: join(data, CLUSTER_ID_FILE), says: reason, advice })
          }
          const copy = join(facts.scratch, REGISTRY_SNAPSHOT)
          await copyFile(join(data, REGISTRY_SNAPSHOT), copy).catch(ignoreAbsent)
          await contentExamination({ snapshots: snapshotFile(copy), onTopics })(log, facts)
        }
      },
      async examined => {
        progress.end()
        if (repair === undefined) return
        const writing = workProgress('saved', mode)
        await makeDirectory(repair, 'repairing', async inner => {
          const saved = await salvage(examined, inner, { clock: systemClock, onProgress: writing.report })
          if (clusterIdFault(data) === undefined)
            await copyFile(join(data, CLUSTER_ID_FILE), join(inner, CLUSTER_ID_FILE)).catch(ignoreAbsent)
          repaired = { directory: repair, salvage: saved }
        })
        writing.end()
      }
    )
    if (repaired !== undefined) await assertSound(repaired.directory, { scratch, mode })
    return { examination, repaired }
  } finally {
    progress.end()
  }
}

/** What was repaired is not called so before it was looked at. */
async function assertSound(
  directory: string,
  { scratch, mode }: { readonly scratch: string | undefined; readonly mode: Surroundings['mode'] }
): Promise<void> {
  const { examineData } = await logTools()
  const progress = workProgress('of what was saved checked', mode)
  const { isSound, findings } = await examineData({
    ...{ directory, clock: systemClock, onProgress: progress.report },
    ...(scratch !== undefined && { scratchIn: scratch })
  })
  progress.end()
  if (!isSound) throw new AssayError('STORE_CORRUPT', { what: directory, reason: findings[0]!.says })
}

function print(examination: Examination, repaired: Repaired | undefined, names: TopicNames): void {
  for (const finding of examination.findings) printFinding(finding, names)
  if (examination.more > 0) line(`and ${examination.more} more`)
  const { segments, rows, bytes, partitions } = examination
  line(`${summaryOf(examination)}: ${partitions} partitions, ${rows} batches (${mebibytes(bytes)}) in ${segments} segments`)
  if (repaired === undefined) return
  for (const loss of repaired.salvage.losses) printLoss(loss, names)
  const { losses, batches, bytes: saved } = repaired.salvage
  line(
    `${repaired.directory} is a sound data directory with ${batches} batches (${mebibytes(saved)}); ${losses.length} ranges are lost`
  )
}

function refuseWithin(data: string, path: string): void {
  const [outer, inner] = [resolve(data), resolve(path)]
  if (inner !== outer && !inner.startsWith(outer + sep)) return
  throw new AssayError('INVALID_ARGUMENT', { reason: `${path} lies in ${data}, in which nothing is written` })
}

function ignoreAbsent(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
