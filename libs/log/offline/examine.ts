/**
 * The examination of a data directory that no server has open: the checksums inside LevelDB's files, every row of the journal, the index
 * against it, and last a start as a server does it. Nothing in the directory changes; what has to be written goes to a scratch directory.
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AssayError, isAssayError } from '@assay/errors'
import { crc32c } from '@assay/records'
import type { Clock } from '@assay/std'
import { silentLogger } from '@assay/std'
import { levelFaults, type Store } from '@assay/store'
import type { Checkpoint } from '../checkpoint.ts'
import { openLogOver } from '../journal-log.ts'
import type { Log, PartitionKey } from '../log.ts'
import { examineIndex } from './examine-index.ts'
import { examineJournal, type JournalFacts, REPAIR_ADVICE } from './examine-journal.ts'
import { type Finding, type Findings, findings } from './finding.ts'
import { type KnownRows, knownRows } from './known-rows.ts'
import type { Progress } from './progress.ts'
import { type DataDirectory, viewData } from './view.ts'

export interface ExamineOptions {
  readonly directory: string
  readonly clock: Clock
  /** Where the scratch directory is made. Default: the system's place for temporary files. */
  readonly scratchIn?: string
  readonly onProgress?: Progress
  readonly onFinding?: (finding: Finding) => void
  /** Looks at what partitions hold, once the log could be opened. What it writes into the log is forgotten. */
  readonly content?: ContentExamination
}

export type ContentExamination = (log: Log, known: ContentFacts) => Promise<void>

export interface ContentFacts {
  readonly found: Findings
  /** Partitions that have, or had, a record. */
  readonly partitions: readonly PartitionKey[]
  /** A directory for whatever has to be written. */
  readonly scratch: string
}

export interface Examination {
  readonly findings: readonly Finding[]
  /** Findings beyond those. */
  readonly more: number
  readonly isSound: boolean
  readonly segments: number
  readonly rows: number
  readonly bytes: number
  readonly partitions: number
}

/** Fails with STORE_LOCKED while a server has the directory, STORE_NOT_OURS, UNSUPPORTED_VERSION, STORE_FAILED. */
export async function examineData(options: ExamineOptions): Promise<Examination> {
  return withExamined(options, async () => {})
}

/** What is known of a directory once it was examined, for whoever goes on with it. */
export interface Examined {
  readonly view: DataDirectory
  readonly rows: KnownRows
  readonly checkpoint: Checkpoint | undefined
  readonly journal: JournalFacts
  readonly examination: Examination
}

export async function withExamined(options: ExamineOptions, work: (examined: Examined) => Promise<void>): Promise<Examination> {
  const scratch = await scratchDirectory(options.scratchIn ?? tmpdir())
  const opened: (() => Promise<void>)[] = [() => rm(scratch, { recursive: true, force: true })]
  try {
    const view = await viewData(options.directory, scratch)
    opened.push(view.release)
    const found = findings(options.onFinding)
    const meter = meterOf(await bytesOf(view), options.onProgress)
    if (view.indexPath !== undefined) await examineFiles(view.indexPath, found, meter)
    const rows = await knownRows(scratch)
    opened.push(() => rows.close())
    const index = await openIndex(view, found)
    let indexOwner: Store | undefined = index
    opened.push(async () => indexOwner?.close())
    const journal = await examineJournal(view, { found, rows, index, onBytes: meter })
    if (view.segments.length === 0) tellNoJournal(view, found)
    let checkpoint: Checkpoint | undefined
    let partitions = 0
    if (index !== undefined) {
      checkpoint = await examineIndex(view, index, { found, rows, journal })
      partitions = checkpoint?.partitions.length ?? 0
      indexOwner = undefined
      await start(view, index, { found, checkpoint, options })
    }
    const examination: Examination = {
      ...{ findings: found.all, more: found.more, isSound: !found.isDamaged },
      ...{ segments: view.segments.length, rows: journal.rows, bytes: journal.bytes, partitions }
    }
    await work({ view, rows, checkpoint, journal, examination })
    return examination
  } finally {
    for (const close of opened.reverse()) await close()
  }
}

export async function scratchDirectory(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, 'assay-scratch-'))
  } catch (error) {
    throw new AssayError('STORE_FAILED', { action: `write to ${parent}: ${(error as Error).message}` }, { cause: error })
  }
}

async function bytesOf({ segments, indexPath }: DataDirectory): Promise<number> {
  const names = indexPath === undefined ? [] : await readdir(indexPath).catch(() => [])
  let total = 0
  for (const path of [...segments.map(segment => segment.path), ...names.map(name => join(indexPath!, name))]) {
    total += (await stat(path).catch(() => undefined))?.size ?? 0
  }
  return total
}

function meterOf(total: number, onProgress: Progress | undefined): (bytes: number) => void {
  let done = 0
  return bytes => {
    done += bytes
    onProgress?.({ done: Math.min(done, total), total })
  }
}

async function examineFiles(directory: string, found: Findings, onBytes: (bytes: number) => void): Promise<void> {
  try {
    for await (const { file, at, reason, isTornTail } of levelFaults(directory, { crc32c, onBytes })) {
      found.add({
        ...{ kind: 'file', file, at, says: reason },
        severity: isTornTail ? 'note' : 'damage',
        advice: isTornTail ? 'nothing: it is the end of a write that was cut off before it was acknowledged' : REPAIR_ADVICE
      })
    }
  } catch (error) {
    if (!isAssayError(error, 'STORE_FAILED')) throw error
    found.add({ ...{ kind: 'file', severity: 'damage', file: directory, says: error.message }, advice: 'look after the disk' })
  }
}

function tellNoJournal(view: DataDirectory, found: Findings): void {
  found.add({
    ...{ kind: 'segment', severity: 'damage', file: join(view.directory, 'journal') },
    ...{ says: 'the journal is gone, and with it all records', advice: 'restore a backup' }
  })
}

async function openIndex(view: DataDirectory, found: Findings): Promise<Store | undefined> {
  try {
    return await view.openIndex()
  } catch (error) {
    if (!isAssayError(error, 'STORE_CORRUPT')) throw error
    const advice = 'move the directory out of the way; the next start makes the index anew from the journal'
    found.add({ ...{ kind: 'index', severity: 'damage', file: view.indexPath!, advice }, says: error.message })
    return undefined
  }
}

interface Start {
  readonly found: Findings
  readonly checkpoint: Checkpoint | undefined
  readonly options: ExamineOptions
}

/** Owns the index. */
async function start(view: DataDirectory, index: Store, { found, options }: Start): Promise<void> {
  if (view.segments.length === 0) return index.close()
  let log: Log
  try {
    const quiet = { retentionCheckIntervalMs: 2 ** 31 - 1, checkpointIntervalMs: 2 ** 31 - 1 }
    log = await openLogOver({
      ...quiet,
      ...{ journal: view.journal, index, journalMustExist: true, clock: options.clock, logger: silentLogger }
    })
  } catch (error) {
    if (!isAssayError(error, 'STORE_CORRUPT')) throw error
    found.add({
      ...{ kind: 'start', severity: 'damage', file: view.directory, advice: REPAIR_ADVICE },
      says: `a server would not start: ${error.message.replaceAll(view.scratch, view.directory)}`
    })
    return
  }
  try {
    await options.content?.(log, { found, partitions: log.partitions().map(({ key }) => key), scratch: view.scratch })
  } finally {
    await log.close()
  }
}
