/**
 * The directory of a store: made whole in a temporary sibling and then renamed, so that under its own name there is either nothing
 * or a complete database with our marker. LevelDB alone leaves a directory that never opens again when power goes while it is created
 * (leveldb issue 189), and opens an existing one whose CURRENT is lost as an empty database.
 */
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { AssayError, isAssayError } from '@assay/errors'
import { storeFailure } from './failure.ts'

export const MARKER_FILE = 'ASSAY'
const MARKER_PATTERN = /^assay store (\d+)\n$/
const FORMAT_VERSION = '1'
const CURRENT_PATTERN = /^(MANIFEST-\d+)\n$/

interface PrepareOptions {
  /** Refuses to create: a store that the caller knows to have been there is damage when it is gone. */
  readonly mustExist: boolean
  /** Makes a complete and closed database in the directory that it is given. */
  readonly create: (directory: string) => Promise<void>
}

/**
 * Leaves a whole database with our marker under `directory`, created now if there was none or an empty directory.
 * Fails with STORE_NOT_OURS, STORE_CORRUPT (a part is missing), STORE_LOCKED (another process is creating it as well),
 * UNSUPPORTED_VERSION (a later format), STORE_FULL, STORE_FAILED.
 */
export async function prepareDirectory(directory: string, options: PrepareOptions): Promise<void> {
  const path = resolve(directory)
  try {
    await removeLeftovers(path)
    const found = await inspect(path)
    if (found !== 'ours' && options.mustExist) throw corrupt(path, 'it is gone')
    if (found !== 'ours') await createDirectory(path, found, options.create)
    await checkWhole(path)
  } catch (error) {
    if (isAssayError(error)) throw error
    throw storeFailure(`prepare ${path}`, error)
  }
}

/** Makes the names in a directory durable. Windows has no such call and needs none. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  await syncFile(directory)
}

/** Makes durable all files and names below a directory. */
export async function syncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await syncTree(path)
    else await syncFile(path)
  }
  await syncDirectory(directory)
}

export function corrupt(directory: string, reason: string, options?: ErrorOptions): AssayError {
  return new AssayError('STORE_CORRUPT', { what: `The store ${directory}`, reason }, options)
}

async function inspect(directory: string): Promise<'absent' | 'empty' | 'ours'> {
  let names: string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 'absent'
    if (hasCode(error, 'ENOTDIR')) throw new AssayError('STORE_NOT_OURS', { directory })
    throw error
  }
  if (names.length === 0) return 'empty'
  if (!names.includes(MARKER_FILE)) throw new AssayError('STORE_NOT_OURS', { directory })
  return 'ours'
}

/** What LevelDB would not tell apart from a new database, or only by the text of its error. */
async function checkWhole(directory: string): Promise<void> {
  const marker = await readFile(join(directory, MARKER_FILE), 'latin1')
  const version = MARKER_PATTERN.exec(marker)?.[1]
  if (version === undefined) throw corrupt(directory, `its file ${MARKER_FILE} is not readable`)
  if (version !== FORMAT_VERSION) {
    throw new AssayError('UNSUPPORTED_VERSION', {
      what: `The store ${directory}`,
      reason: `it has format ${version} and this is for format ${FORMAT_VERSION}`
    })
  }
  await checkCurrent(directory)
}

async function checkCurrent(directory: string): Promise<void> {
  let current = await readIfThere(join(directory, 'CURRENT'))
  for (;;) {
    if (current === undefined) throw corrupt(directory, 'CURRENT is missing')
    const manifest = CURRENT_PATTERN.exec(current)?.[1]
    if (manifest === undefined) throw corrupt(directory, 'CURRENT names no manifest')
    if ((await sizeIfThere(join(directory, manifest))) > 0) return
    // Another process that opens the store right now writes a new manifest, points CURRENT to it, and deletes the one just looked for.
    const now = await readIfThere(join(directory, 'CURRENT'))
    if (now === current) throw corrupt(directory, `${manifest} is missing or empty`)
    current = now
  }
}

async function createDirectory(
  directory: string,
  found: 'absent' | 'empty',
  create: (directory: string) => Promise<void>
): Promise<void> {
  const parent = dirname(directory)
  await makeDurableDirectory(parent)
  const temporary = await mkdtemp(`${directory}.creating-`)
  try {
    await create(temporary)
    await writeFile(join(temporary, MARKER_FILE), `assay store ${FORMAT_VERSION}\n`)
    for (const name of await readdir(temporary)) await syncFile(join(temporary, name))
    await syncDirectory(temporary)
    if (found === 'empty') await rmdir(directory).catch(undefinedIfAbsent)
    await rename(temporary, directory)
    await syncDirectory(parent)
  } catch (error) {
    // Two processes may create at once: each clears away what it takes for leftovers, and the rename has one winner.
    const lostRace = hasCode(error, 'ENOTEMPTY') || hasCode(error, 'EEXIST') || !(await isThere(temporary))
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
    if (lostRace) throw new AssayError('STORE_LOCKED', { directory }, { cause: error })
    throw error
  }
}

/**
 * Clears away interrupted creations. Each is renamed before it is emptied: should a living process still be at work in it,
 * that one fails at its next step instead of renaming a half emptied directory into place. What cannot be cleared now, because
 * another process is clearing it as well, is left to the next opening: it is in nobody's way.
 */
async function removeLeftovers(directory: string): Promise<void> {
  const parent = dirname(directory)
  const creating = `${basename(directory)}.creating-`
  const dropped = `${basename(directory)}.dropped-`
  for (const name of await namesIfThere(parent)) {
    if (!name.startsWith(creating) && !name.startsWith(dropped)) continue
    const doomed = join(parent, name.replace(creating, dropped))
    try {
      if (name.startsWith(creating)) await rename(join(parent, name), doomed)
      await rm(doomed, { recursive: true, force: true })
    } catch {}
  }
}

/** Makes a directory and those above it, each of them durably. */
export async function makeDurableDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true })
  if (first === undefined) return
  for (let made = directory; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made))
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'latin1').catch(undefinedIfAbsent)
}

/** 0 when there is no such file. */
async function sizeIfThere(path: string): Promise<number> {
  return (await stat(path).catch(undefinedIfAbsent))?.size ?? 0
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(undefinedIfAbsent)) !== undefined
}

async function namesIfThere(path: string): Promise<string[]> {
  return (await readdir(path).catch(undefinedIfAbsent)) ?? []
}

function undefinedIfAbsent(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error
  return undefined
}

const hasCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code
