/** A snapshot in a file: written beside the old one and put in its place when it is whole and on disk. */
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { SnapshotStore } from './snapshot.ts'

const PIECE_BYTES = 1024 * 1024

export function snapshotFile(path: string): SnapshotStore {
  const temporary = `${path}.new`
  return {
    async *read() {
      try {
        for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES })) yield piece as Buffer
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    },
    async write(pieces) {
      try {
        const file = await open(temporary, 'w')
        try {
          for await (const piece of pieces) await file.writeFile(piece)
          await file.datasync()
        } finally {
          await file.close()
        }
        await rename(temporary, path)
        await syncDirectory(dirname(path))
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
    }
  }
}

/** The new name is on disk only when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
