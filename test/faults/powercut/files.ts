/** Directories of a disk's state: what is in them, and how they are laid down. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { DiskState } from './disk-model.ts'

/** Paths of all files below a directory; none when it is not there. */
export function filesBelow(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Makes `to` what the state says of `from`. What was there before is gone. */
export function layDown(state: DiskState, from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  for (const [path, bytes] of state) {
    const target = join(to, relative(from, path))
    mkdirSync(bytes === null ? target : dirname(target), { recursive: true })
    if (bytes !== null) writeFileSync(target, bytes)
  }
}
