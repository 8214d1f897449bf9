/**
 * The stores of a data directory, opened without a byte of it being changed: whatever is written goes to a scratch directory. Nobody else
 * can have the directory open meanwhile.
 */
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AssayError } from '@assay/errors'
import {
  type LevelLock,
  type LevelOptions,
  lockLevel,
  openLevel,
  type Segments,
  type Store,
  segmentName,
  viewLevel
} from '@assay/store'

/** Those that are only read have little to keep in memory, and there may be many. */
const READ_ONLY: LevelOptions = { cacheBytes: 1 << 20, writeBufferBytes: 1 << 20, openFilesMax: 64 }
const SEGMENT_PATTERN = /^(\d{16}|0{20})$/

/** A segment of the journal as it lies there. */
export interface SegmentDirectory {
  readonly first: number
  readonly path: string
}

export interface DataDirectory {
  readonly directory: string
  readonly scratch: string
  /** Ascending. */
  readonly segments: readonly SegmentDirectory[]
  /** Undefined when it is not there. */
  readonly indexPath: string | undefined
  openSegment(first: number): Promise<Store>
  /** An empty one when there is none. Each name has a scratch of its own: what was written under one is not seen under another. */
  openIndex(name?: string): Promise<Store>
  /** The journal for whoever opens a log over it. */
  readonly journal: Segments
  /** Lets others open the directory again. Stores are closed by whoever opened them. */
  release(): Promise<void>
}

/**
 * Takes the locks of a data directory. `scratch` is an existing directory. Fails with STORE_LOCKED while a server has it,
 * STORE_NOT_OURS when there is no log in it, STORE_FAILED.
 */
export async function viewData(directory: string, scratch: string): Promise<DataDirectory> {
  const journalPath = join(directory, 'journal')
  const indexPath = join(directory, 'index')
  const segments = await segmentsOf(journalPath)
  const hasIndex = await isDirectory(indexPath)
  if (segments.length === 0 && !hasIndex) {
    throw new AssayError('STORE_NOT_OURS', { directory })
  }
  const locks: (LevelLock | undefined)[] = []
  const release = async (): Promise<void> => {
    for (const lock of locks.splice(0)) await lock?.release()
  }
  try {
    const newest = segments.at(-1)
    if (newest !== undefined) locks.push(await lockLevel(newest.path, join(scratch, 'lock-journal')))
    if (hasIndex) locks.push(await lockLevel(indexPath, join(scratch, 'lock-index')))
  } catch (error) {
    await release()
    throw error
  }
  await mkdir(join(scratch, 'journal'), { recursive: true })
  const scratchOf = (first: number): string => join(scratch, 'journal', segmentName(first))
  const made = new Set<number>()

  async function openSegment(first: number): Promise<Store> {
    const known = segments.find(segment => segment.first === first)
    if (made.has(first) || known === undefined) return openLevel(scratchOf(first), { ...READ_ONLY, mustExist: true })
    return viewLevel(known.path, scratchOf(first), READ_ONLY)
  }

  return {
    directory,
    scratch,
    segments,
    indexPath: hasIndex ? indexPath : undefined,
    openSegment,
    openIndex: (name = 'index') => (hasIndex ? viewLevel(indexPath, join(scratch, name)) : openLevel(join(scratch, name))),
    journal: {
      list: async () => segments.map(({ first }) => first),
      open: openSegment,
      async roll(first) {
        made.add(first)
        return openLevel(scratchOf(first))
      },
      // What was on its way out is none of the log's any more.
      drop: async () => {}
    },
    release
  }
}

async function segmentsOf(journalPath: string): Promise<SegmentDirectory[]> {
  let names: string[]
  try {
    names = await readdir(journalPath)
  } catch (error) {
    if (isAbsent(error)) return []
    throw failed(journalPath, error)
  }
  return names
    .filter(name => SEGMENT_PATTERN.test(name))
    .map(name => ({ first: Number(name), path: join(journalPath, name) }))
    .sort((a, b) => a.first - b.first)
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (isAbsent(error)) return false
    throw failed(path, error)
  }
}

const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
const failed = (path: string, error: unknown): AssayError =>
  new AssayError('STORE_FAILED', { action: `read ${path}: ${(error as Error).message}` }, { cause: error })
