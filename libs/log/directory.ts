/**
 * The directory of a log: `journal/<first sequence>.segment` are the journal's files, `index/` is the index, a LevelDB.
 * The journal is made first: an index beside a missing journal is damage, and is told.
 */
import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { AssayError } from '@assay/errors'
import type { Clock, Logger } from '@assay/std'
import { fileSegments, openLevel, reopenable } from '@assay/store'
import { type LogOptions, openLogOver } from './journal-log.ts'
import type { Log } from './log.ts'
import { steadyClock } from './steady-clock.ts'

export interface DirectoryOptions extends LogOptions {
  /** Made when it is not there. */
  readonly directory: string
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Opens the log of a data directory, made anew when it is empty or absent. One process at a time.
 * Fails with STORE_LOCKED, STORE_NOT_OURS, STORE_CORRUPT, STORE_FAILED, UNSUPPORTED_VERSION.
 */
export async function openLog({ directory, ...options }: DirectoryOptions): Promise<Log> {
  const indexDirectory = join(directory, 'index')
  const hasIndex = await isThere(indexDirectory)
  const journal = fileSegments(join(directory, 'journal'), {
    onTornTail: tail => options.logger.info({ ...tail }, 'cut off what was being written when the server was stopped by force')
  })
  if (!hasIndex && (await journal.list()).length === 0) await (await journal.roll(0)).close()
  const index = reopenable(await openLevel(indexDirectory, { isVerified: true }), () =>
    openLevel(indexDirectory, { mustExist: true })
  )
  const clock = steadyClock(options.clock, options.logger)
  return openLogOver({ ...options, clock, journal, index, journalMustExist: true, freeBytes: () => freeBytesIn(directory) })
}

/** What this user may still write, which is less than what there is. */
async function freeBytesIn(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw new AssayError('STORE_FAILED', { action: `read ${path}: ${(error as Error).message}` }, { cause: error })
  }
}
