/** `assay verify BACKUP`: reads every byte of a backup, and what the server keeps of its own in it by the code of the server. */
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { METADATA_TOPIC_ID, OFFSETS_TOPIC, readTopics, SCHEMAS_TOPIC } from '@assay/engine'
import { isAssayError } from '@assay/errors'
import { type Findings, logTools, type Manifest, openLog } from '@assay/log'
import { silentLogger, systemClock } from '@assay/std'
import { Command } from 'commander'
import { doctorCodes, reportingFailure } from '../exit.ts'
import { contentExamination } from '../offline/examine-content.ts'
import {
  findingRow,
  outputOf,
  printFinding,
  summaryOf,
  type TopicNames,
  type WorkOptions,
  withProgress
} from '../offline/output.ts'
import { withSettings } from '../options.ts'
import { line, printFacts } from '../print.ts'
import { mebibytes, workProgress } from '../work-progress.ts'
import { factsOf } from './backup.ts'

interface VerifyOptions extends WorkOptions {
  readonly scratch?: string
}

export function verifyCommand(): Command {
  const command = withProgress(new Command('verify'))
    .description('read every byte of a backup. Exits with 1 at findings, 2 when it cannot')
    .argument('<backup>', 'what assay backup wrote')
    .option('--scratch <directory>', 'where temporary files go (default: where the system has them)')
  return withSettings(command).action((backup: string, options: VerifyOptions) =>
    reportingFailure(async () => {
      const { format, mode } = outputOf(command, options)
      const { examineBackup, findings } = await logTools()
      const found = findings()
      let names: TopicNames = new Map()
      const manifest = await manifestOf(backup, found)
      if (manifest !== undefined) {
        const progress = workProgress('checked', mode)
        await examineBackup(backup, manifest, { found, onProgress: progress.report }).finally(progress.end)
        if (!found.isDamaged) {
          names = await examineOwn(backup, manifest, { found, scratchIn: options.scratch ?? tmpdir() })
        }
      }
      const examination = { isSound: !found.isDamaged, findings: found.all, more: found.more }
      const facts = manifest && factsOf(manifest)
      if (format === 'table') {
        for (const finding of found.all) printFinding(finding, names)
        if (found.more > 0) line(`and ${found.more} more`)
        const size = facts ? `: ${facts.partitions} partitions, ${facts.batches} batches (${mebibytes(facts.bytes)})` : ''
        line(`${summaryOf(examination)}${size}${facts ? `, taken at ${facts.takenAt}` : ''}`)
      } else {
        const rows = found.all.map(finding => findingRow(finding, names))
        printFacts({ directory: backup, isSound: examination.isSound, ...facts, findings: rows, more: found.more }, format)
      }
      if (found.isDamaged) process.exitCode = doctorCodes.findings
    })
  )
}

async function manifestOf(backup: string, found: Findings): Promise<Manifest | undefined> {
  const { readManifest } = await logTools()
  try {
    return await readManifest(backup)
  } catch (error) {
    if (!isAssayError(error, 'STORE_CORRUPT')) throw error
    const advice = 'take another backup; this one cannot be restored'
    found.add({ kind: 'manifest', severity: 'damage', file: error.facts.what as string, says: error.message, advice })
    return undefined
  }
}

/** The server's own partitions are restored to the side, the others with their ends alone, and examined like a data directory. */
async function examineOwn(
  backup: string,
  manifest: Manifest,
  { found, scratchIn }: { readonly found: Findings; readonly scratchIn: string }
): Promise<TopicNames> {
  const { examineData, restoreLog, scratchDirectory } = await logTools()
  const scratch = await scratchDirectory(scratchIn)
  try {
    const restored = async (name: string, topicIds: ReadonlySet<string>): Promise<string> => {
      const directory = join(scratch, name)
      await restoreLog(backup, manifest, directory, { clock: systemClock, wants: ({ topicId }) => topicIds.has(topicId) })
      return directory
    }
    const topics = await topicsOf(await restored('metadata', new Set([METADATA_TOPIC_ID])))
    const own = topics.filter(({ name }) => name === SCHEMAS_TOPIC || name === OFFSETS_TOPIC).map(({ id }) => id)
    await examineData({
      directory: await restored('own', new Set([METADATA_TOPIC_ID, ...own])),
      clock: systemClock,
      scratchIn: scratch,
      onFinding: finding =>
        found.add({ ...finding, advice: 'take another backup, and examine the server that this one came from' }),
      content: contentExamination({})
    })
    return new Map(topics.map(({ id, name }) => [id, name]))
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function topicsOf(directory: string): ReturnType<typeof readTopics> {
  const log = await openLog({ directory, clock: systemClock, logger: silentLogger })
  try {
    return await readTopics(log)
  } finally {
    await log.close()
  }
}
