/**
 * Segments as LevelDB directories side by side, named by 16 digits. A removal renames the directory first, so that no half emptied one is
 * ever opened; what a cut left of it is cleared away by the next `list`.
 */
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AssayError, isAssayError } from '@assay/errors'
import { syncDirectory } from './directory.ts'
import { storeFailure } from './failure.ts'
import { type LevelOptions, openLevel } from './level.ts'
import { absent, type Segments } from './segments.ts'

const DIGITS = 16
const NAME_PATTERN = /^\d{16}$/
/** How the only segment was called before there were several. */
const OLD_FIRST_NAME = '0'.repeat(20)
const GONE = '.gone'

/** Those that are only read have little to keep in memory, and there may be many. */
const READ_ONLY: LevelOptions = { cacheBytes: 1 << 20, writeBufferBytes: 1 << 20, openFilesMax: 64 }

/** The directory need not be there; the first `roll` makes it. `written` is for the segment that is written. */
export function levelSegments(directory: string, written: LevelOptions = {}): Segments {
  const pathOf = (first: number): string => join(directory, segmentName(first))

  async function list(): Promise<number[]> {
    let names = await namesIn(directory)
    for (const name of names.filter(entry => entry.endsWith(GONE))) await clear(join(directory, name))
    if (names.includes(OLD_FIRST_NAME)) {
      if (names.includes(segmentName(0))) throw strange(directory, `${OLD_FIRST_NAME} is there beside ${segmentName(0)}`)
      // Whoever may have it open must not have it renamed under his feet: opening it finds that out.
      await (await openLevel(join(directory, OLD_FIRST_NAME), { mustExist: true })).close()
      await move(OLD_FIRST_NAME, segmentName(0))
      names = await namesIn(directory)
    }
    const numbered = names.filter(name => /^\d+$/.test(name))
    const wrong = numbered.find(name => !NAME_PATTERN.test(name) || !Number.isSafeInteger(Number(name)))
    if (wrong !== undefined) throw strange(directory, `${wrong} is not the name of a segment`)
    return numbered.map(Number).sort((a, b) => a - b)
  }

  async function move(from: string, to: string): Promise<void> {
    await attempt(`rename ${join(directory, from)}`, async () => {
      await rename(join(directory, from), join(directory, to))
      await syncDirectory(directory)
    })
  }

  return {
    list,
    open: (first, { isNewest }) => openLevel(pathOf(first), { ...(isNewest ? written : READ_ONLY), mustExist: true }),
    async roll(first) {
      if (await isThere(join(pathOf(first), 'ASSAY'))) throw strange(directory, `${segmentName(first)} is there already`)
      return openLevel(pathOf(first), written)
    },
    async drop(first) {
      const name = segmentName(first)
      if (await isThere(join(directory, name))) await move(name, name + GONE)
      await clear(join(directory, name + GONE))
    }
  }
}

export function segmentName(first: number): string {
  if (!Number.isSafeInteger(first) || first < 0) throw absent(first)
  return String(first).padStart(DIGITS, '0')
}

const clear = (path: string): Promise<void> => attempt(`remove ${path}`, () => rm(path, { recursive: true, force: true }))

async function namesIn(directory: string): Promise<string[]> {
  return attempt(`read ${directory}`, async () => {
    try {
      return await readdir(directory)
    } catch (error) {
      if (isAbsent(error)) return []
      throw error
    }
  })
}

async function isThere(path: string): Promise<boolean> {
  return attempt(`look for ${path}`, async () => {
    try {
      await stat(path)
      return true
    } catch (error) {
      if (isAbsent(error)) return false
      throw error
    }
  })
}

async function attempt<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isAssayError(error)) throw error
    throw storeFailure(action, error)
  }
}

const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
const strange = (directory: string, reason: string): AssayError =>
  new AssayError('STORE_CORRUPT', { what: `The row of segments ${directory}`, reason })
