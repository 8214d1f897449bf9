/**
 * The directory of a log: `journal/<first sequence>/` is the journal's one segment, `index/` the index store.
 * The journal is made first: an index beside a missing journal is damage, and is told.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AssayError } from '@assay/errors'
import type { Clock, Logger } from '@assay/std'
import { openLevel, type Store } from '@assay/store'
import { type LogOptions, openLogOver } from './journal-log.ts'
import type { Log } from './log.ts'

export interface DirectoryOptions extends LogOptions {
  /** Made when it is not there. */
  readonly directory: string
  readonly clock: Clock
  readonly logger: Logger
}

const SEGMENT_PATTERN = /^\d{20}$/
const FIRST_SEGMENT = '0'.repeat(20)

/**
 * Opens the log of a data directory, made anew when it is empty or absent. One process at a time.
 * Fails with STORE_LOCKED, STORE_NOT_OURS, STORE_CORRUPT, STORE_FAILED, UNSUPPORTED_VERSION.
 */
export async function openLog({ directory, ...options }: DirectoryOptions): Promise<Log> {
  const journalDirectory = join(directory, 'journal')
  const indexDirectory = join(directory, 'index')
  const [segments, hasIndex] = await Promise.all([segmentsIn(journalDirectory), isThere(indexDirectory)])
  if (segments.some(name => name !== FIRST_SEGMENT)) {
    throw new AssayError('UNSUPPORTED_VERSION', { what: journalDirectory, reason: `it has the segments ${segments.join(', ')}` })
  }
  const journal = await openLevel(join(journalDirectory, FIRST_SEGMENT), { mustExist: hasIndex })
  let index: Store
  try {
    index = await openLevel(indexDirectory)
  } catch (error) {
    await journal.close()
    throw error
  }
  return openLogOver({ ...options, journal, index })
}

async function segmentsIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter(name => SEGMENT_PATTERN.test(name)).sort()
  } catch (error) {
    if (isAbsent(error)) return []
    throw failed(directory, error)
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw failed(path, error)
  }
}

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

function failed(path: string, error: unknown): AssayError {
  return new AssayError('STORE_FAILED', { action: `read ${path}: ${(error as Error).message}` }, { cause: error })
}
