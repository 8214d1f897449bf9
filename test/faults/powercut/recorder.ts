/** Runs a program under the recorder, and gives what it did to one directory; or on a disk that is full or fails when told to. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface RunOptions {
  readonly shim: string
  /** A program of this repository and its arguments. */
  readonly program: readonly string[]
  /** The directory that is watched. */
  readonly directory: string
  /** Where operations are recorded; without it the disk is a real one. */
  readonly log?: string
  /** What the program writes into this file becomes marks among the operations. */
  readonly mark?: string
  /** The program is killed at so many changes to files or names below the directory, in the middle of it if it is a write. */
  readonly killAt?: number
  /** While this file exists there is no room. */
  readonly full?: string
  /** While this file exists every fsync fails with EIO. */
  readonly eio?: string
}

/** Resolves with the exit code, or the signal that ended it. Fails when it complains. */
export async function runRecorded({
  shim,
  program,
  directory,
  log,
  mark,
  killAt,
  full,
  eio
}: RunOptions): Promise<number | string> {
  const child = spawn(process.execPath, ['--conditions=source', ...program], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env: {
      ...process.env,
      // It would write past the calls that are recorded.
      UV_USE_IO_URING: '0',
      LD_PRELOAD: shim,
      POWERCUT_DIR: directory,
      ...(log && { POWERCUT_LOG: log }),
      ...(mark && { POWERCUT_MARK: mark }),
      ...(killAt && { POWERCUT_KILL: String(killAt) }),
      ...(full && { POWERCUT_FULL: full }),
      ...(eio && { POWERCUT_EIO: eio })
    }
  })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (code !== 0 && signal === null) throw new Error(`${program[0]} ended with ${code}:\n${complaints}`)
  return signal ?? code!
}

/** A place for directories that are thrown away: in memory where the system has one, for nothing in these tests needs a disk to last. */
export function throwawayDirectory(): string {
  const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'assay-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  return directory
}
