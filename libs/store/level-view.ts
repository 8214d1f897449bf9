/**
 * LevelDB directories to be read and not changed. LevelDB itself writes a log, a manifest and tables whenever it opens a database, so it is
 * given another directory: links to the tables, which nobody ever writes again, and copies of the small rest. Not a byte of the original
 * changes, and it need not be writable.
 */
import { copyFile, link, mkdir, readdir, realpath, stat, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { AssayError, isAssayError } from '@assay/errors'
import { Level } from 'level'
import { corrupt, MARKER_FILE } from './directory.ts'
import { messageOf } from './failure.ts'
import { isOpenHere, type LevelOptions, openLevel } from './level.ts'
import type { Store } from './store.ts'

export const LOCK_FILE = 'LOCK'
const TABLE_PATTERN = /\.(ldb|sst)$/
/** What LevelDB tells to people; nobody reads it. */
const TALK_PATTERN = /^LOG(\.old)?$/

/**
 * Opens the database of a directory by way of `scratch`, made here at the first call and used again by later ones: what is written into the
 * store stays there. Fails as `openLevel` does, with STORE_CORRUPT when the directory is not there.
 */
export async function viewLevel(directory: string, scratch: string, options: LevelOptions = {}): Promise<Store> {
  if (!(await isThere(scratch))) await attempt(`look at ${directory}`, () => linkAll(resolve(directory), scratch))
  return openLevel(scratch, { ...options, mustExist: true })
}

async function linkAll(directory: string, scratch: string): Promise<void> {
  let names: string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    if (isAbsent(error)) throw corrupt(directory, 'it is gone')
    throw error
  }
  if (!names.includes(MARKER_FILE)) throw corrupt(directory, `it has no file ${MARKER_FILE}`)
  await mkdir(scratch, { recursive: true })
  for (const name of names) {
    const [from, to] = [join(directory, name), join(scratch, name)]
    if (name === LOCK_FILE || TALK_PATTERN.test(name)) continue
    if (!TABLE_PATTERN.test(name)) await copyFile(from, to)
    else await linkOrCopy(from, to)
  }
}

/** Where symbolic links need a privilege, the other kind may do; a copy always does. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await symlink(from, to)
    .catch(() => link(from, to))
    .catch(() => copyFile(from, to))
}

/** Keeps other processes from opening a database. */
export interface LevelLock {
  release(): Promise<void>
}

/**
 * Takes the lock of a database without opening it: an empty one, made in `scratch`, is given the same file to lock. Undefined when there is
 * no such file, and so nobody who could hold it. Fails with STORE_LOCKED, STORE_FAILED.
 */
export async function lockLevel(directory: string, scratch: string): Promise<LevelLock | undefined> {
  return attempt(`lock ${directory}`, async () => {
    if (!(await isThere(join(directory, LOCK_FILE)))) return undefined
    if (isOpenHere(await realpath(directory))) throw new AssayError('STORE_LOCKED', { directory })
    await mkdir(scratch, { recursive: true })
    await symlink(resolve(directory, LOCK_FILE), join(scratch, LOCK_FILE)).catch(() =>
      link(resolve(directory, LOCK_FILE), join(scratch, LOCK_FILE))
    )
    const holder = new Level(scratch)
    try {
      await holder.open({ createIfMissing: true })
    } catch (error) {
      const cause = (error as Error).cause ?? error
      if ((cause as { code?: unknown }).code === 'LEVEL_LOCKED') throw new AssayError('STORE_LOCKED', { directory }, { cause })
      throw cause
    }
    return { release: () => holder.close() }
  })
}

async function attempt<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isAssayError(error)) throw error
    throw new AssayError('STORE_FAILED', { action: `${action}: ${messageOf(error)}` }, { cause: error })
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
