/** Segments as files side by side, named by 16 digits, each with its positions beside it. One is made, and removed, in one step. */
import { randomInt } from 'node:crypto'
import { readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { AssayError, isAssayError } from '@assay/errors'
import { makeDurableDirectory, syncDirectory } from './directory.ts'
import { storeFailure } from './failure.ts'
import { createSegmentFile, openSegmentFile, positionsPath, type TornTail } from './segment-file.ts'
import { absent, type Segments } from './segments.ts'

const DIGITS = 16
const ENDING = '.segment'
const NAME_PATTERN = /^(\d{16})\.segment$/
/** What is no segment and is cleared away: what a cut left of a creation, of written positions, of a removal. */
const LEFTOVER_PATTERN = /\.(creating|new)$/
const POSITIONS_PATTERN = /^(\d{16}\.segment)\.positions$/

export interface FileSegmentsOptions {
  /** Told of what was being written when the server was stopped by force, and is cut off. */
  readonly onTornTail?: (tail: TornTail) => void
}

/** The directory need not be there; the first `roll` makes it. */
export function fileSegments(directory: string, { onTornTail }: FileSegmentsOptions = {}): Segments {
  const pathOf = (first: number): string => join(directory, segmentFileName(first))

  return {
    list: () =>
      attempt(`read ${directory}`, async () => {
        const names = await namesIn(directory)
        const firsts: number[] = []
        for (const name of names) {
          const number = NAME_PATTERN.exec(name)?.[1]
          if (number !== undefined && Number.isSafeInteger(Number(number))) firsts.push(Number(number))
          else if (LEFTOVER_PATTERN.test(name)) await remove(join(directory, name))
          else if (POSITIONS_PATTERN.test(name)) {
            if (!names.includes(POSITIONS_PATTERN.exec(name)![1]!)) await remove(join(directory, name))
          } else {
            const reason = `${name} is not the name of a segment`
            throw new AssayError('STORE_CORRUPT', { what: `The row of segments ${directory}`, reason })
          }
        }
        return firsts.sort((a, b) => a - b)
      }),
    open: (first, { isNewest }) =>
      attempt(`open ${pathOf(first)}`, async () => {
        try {
          return await openSegmentFile(pathOf(first), { first, isNewest, onTornTail })
        } catch (error) {
          throw isAbsent(error) ? absent(pathOf(first)) : error
        }
      }),
    roll: first =>
      attempt(`make ${pathOf(first)}`, async () => {
        await makeDurableDirectory(directory)
        try {
          await createSegmentFile(pathOf(first), { first, salt: randomInt(2 ** 32) })
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
          throw new AssayError('STORE_CORRUPT', { what: `The segment ${pathOf(first)}`, reason: 'it is there already' })
        }
        await syncDirectory(directory)
        return openSegmentFile(pathOf(first), { first, isNewest: true })
      }),
    drop: first =>
      attempt(`remove ${pathOf(first)}`, async () => {
        await remove(pathOf(first))
        await remove(positionsPath(pathOf(first)))
        await syncDirectory(directory)
      })
  }
}

export function segmentFileName(first: number): string {
  if (!Number.isSafeInteger(first) || first < 0) throw absent(first)
  return String(first).padStart(DIGITS, '0') + ENDING
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isAbsent(error)) throw error
  }
}

async function attempt<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isAssayError(error) ? error : storeFailure(action, error)
  }
}

const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
