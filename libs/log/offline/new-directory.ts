/**
 * A directory that is there as a whole or not at all: it is made under another name, synced, and renamed. What a cut leaves behind holds
 * no log that would open, and the next attempt clears it away.
 */
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { AssayError, isAssayError } from '@assay/errors'
import { storeFailure, syncDirectory, syncTree } from '@assay/store'

/** One level further down, so that the directory itself is nothing that a server would start on. */
const INNER = 'unfinished'

/**
 * `work` fills the directory that it is given, which then becomes `target`. Fails with INVALID_ARGUMENT when the target is there and not
 * empty, or is a file; with STORE_FAILED when the disk refuses; as `work` fails. Nothing is left behind.
 */
export async function makeDirectory(target: string, suffix: string, work: (directory: string) => Promise<void>): Promise<void> {
  const path = resolve(target)
  await assertFree(path)
  const outer = `${path}.${suffix}`
  const inner = join(outer, INNER)
  await attempt(`make ${outer}`, async () => {
    await rm(outer, { recursive: true, force: true })
    await mkdir(inner, { recursive: true })
  })
  try {
    await work(inner)
    await attempt(`make ${path}`, async () => {
      await syncTree(inner)
      await rmdir(path).catch(ignoreAbsent)
      await rename(inner, path)
      await rm(outer, { recursive: true, force: true })
      await syncDirectory(dirname(path))
    })
  } catch (error) {
    await rm(outer, { recursive: true, force: true }).catch(() => {})
    throw isAssayError(error) ? error : storeFailure(`write ${path}`, error)
  }
}

/** Absent or empty. */
export async function assertFree(path: string): Promise<void> {
  let names: string[]
  try {
    names = await readdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return
    if (code === 'ENOTDIR') throw new AssayError('INVALID_ARGUMENT', { reason: `${path} is a file, or lies below one` })
    throw storeFailure(`read ${path}`, error)
  }
  if (names.length === 0) return
  throw new AssayError('INVALID_ARGUMENT', { reason: `${path} is not empty; name a directory that is, or that is not there` })
}

export async function attempt<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isAssayError(error) ? error : storeFailure(action, error)
  }
}

function ignoreAbsent(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
