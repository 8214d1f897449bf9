/**
 * The stores of a data directory, opened without a byte of it being changed: whatever is written goes to a scratch directory. Nobody else
 * can have the directory open meanwhile.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rm, stat, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { AssayError } from '@assay/errors'
import {
  fileSegments,
  type LevelLock,
  lockLevel,
  openLevel,
  positionsPath,
  type Segments,
  type Store,
  segmentFileName,
  viewLevel
} from '@assay/store'

const SEGMENT_PATTERN = /^(\d{16})\.segment$/

/** A segment of the journal as it lies there. */
export interface SegmentPath {
  readonly first: number
  readonly path: string
}

export interface DataDirectory {
  readonly directory: string
  readonly scratch: string
  /** Ascending. */
  readonly segments: readonly SegmentPath[]
  /** Undefined when it is not there. */
  readonly indexPath: string | undefined
  /** An empty one when there is none. Each name has a scratch of its own: what was written under one is not seen under another. */
  openIndex(name?: string): Promise<Store>
  /** The journal for whoever opens a log over it. */
  readonly journal: Segments
  /** From here on this segment ends at this byte: what is behind was being written when the server was stopped by force. */
  cutOff(first: number, at: number): Promise<void>
  /** Lets others open the directory again. Stores are closed by whoever opened them. */
  release(): Promise<void>
}

/**
 * Takes the lock of a data directory. `scratch` is an existing directory. Fails with STORE_LOCKED while a server has it,
 * STORE_NOT_OURS when there is no log in it, STORE_FAILED.
 */
export async function viewData(directory: string, scratch: string): Promise<DataDirectory> {
  const indexPath = join(directory, 'index')
  const segments = await segmentsOf(join(directory, 'journal'))
  const hasIndex = await isThere(indexPath)
  if (segments.length === 0 && !hasIndex) throw new AssayError('STORE_NOT_OURS', { directory })
  const lock: LevelLock | undefined = hasIndex ? await lockLevel(indexPath, join(scratch, 'lock')) : undefined
  const journalPath = join(scratch, 'journal')
  await mkdir(journalPath, { recursive: true })
  const made = fileSegments(journalPath)
  for (const { first, path } of segments) {
    await symlink(resolve(path), join(journalPath, segmentFileName(first)))
    const positions = positionsPath(path)
    // With them a start does not look at what they cover.
    if (await isThere(positions)) await symlink(resolve(positions), positionsPath(join(journalPath, segmentFileName(first))))
  }

  return {
    directory,
    scratch,
    segments,
    indexPath: hasIndex ? indexPath : undefined,
    openIndex: (name = 'index') => (hasIndex ? viewLevel(indexPath, join(scratch, name)) : openLevel(join(scratch, name))),
    journal: {
      list: async () => segments.map(({ first }) => first),
      // None of those that are there is ever written.
      open: first => made.open(first, { isNewest: false }),
      roll: made.roll,
      // What was on its way out is none of the log's any more.
      drop: async () => {}
    },
    async cutOff(first, at) {
      const { path } = segments.find(segment => segment.first === first)!
      const view = join(journalPath, segmentFileName(first))
      await rm(view)
      await pipeline(createReadStream(path, { end: at - 1 }), createWriteStream(view))
    },
    release: async () => lock?.release()
  }
}

async function segmentsOf(journalPath: string): Promise<SegmentPath[]> {
  let names: string[]
  try {
    names = await readdir(journalPath)
  } catch (error) {
    if (isAbsent(error)) return []
    throw failed(journalPath, error)
  }
  return names
    .flatMap(name => {
      const number = SEGMENT_PATTERN.exec(name)?.[1]
      return number === undefined ? [] : [{ first: Number(number), path: join(journalPath, name) }]
    })
    .sort((a, b) => a.first - b.first)
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

const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
const failed = (path: string, error: unknown): AssayError =>
  new AssayError('STORE_FAILED', { action: `read ${path}: ${(error as Error).message}` }, { cause: error })
