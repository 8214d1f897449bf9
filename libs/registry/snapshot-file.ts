/** A snapshot in a file: written beside the old one and put in its place when it is whole and on disk. */
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AssayError, isAssayError } from '@assay/errors'
import type { SnapshotStore } from './snapshot.ts'

const PIECE_BYTES = 256 * 1024

export function snapshotFile(path: string): SnapshotStore {
  const temporary = `${path}.new`
  return {
    async *read() {
      const pieces = createReadStream(path, { highWaterMark: PIECE_BYTES })
      try {
        for await (const piece of pieces) yield piece as Buffer
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw failed(`read ${path}`, error)
      }
    },
    async write(pieces) {
      try {
        await writeWhole(temporary, pieces)
        await rename(temporary, path)
        await syncDirectory(dirname(path))
      } catch (error) {
        await rm(temporary, { force: true })
        throw isAssayError(error) ? error : failed(`write ${path}`, error)
      }
    }
  }
}

async function writeWhole(path: string, pieces: AsyncIterable<Buffer>): Promise<void> {
  const file = await open(path, 'w')
  try {
    for await (const piece of pieces) await file.writeFile(piece)
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** The new name is on disk only when its directory is. Windows has no such call and needs none. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function failed(action: string, error: unknown): AssayError {
  return new AssayError('STORE_FAILED', { action: `${action}: ${(error as Error).message}` }, { cause: error })
}
