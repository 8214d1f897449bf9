/** What schemas are compared with when it is not a registry: a folder, a file, or a git revision. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { AssayError } from '@assay/errors'

export interface Baseline {
  /** The earlier text of a schema file, or undefined when it is new. */
  textOf(file: string, subject: string): string | undefined
}

/** `git:REV` (merge base of REV and HEAD), `git:REV!` (REV itself), `dir:FOLDER`, `file:SCHEMA`. Fails with INVALID_ARGUMENT. */
export function baselineOf(text: string): Baseline {
  const [kind, rest] = split(text)
  if (kind === 'git' && rest !== '') return gitBaseline(rest)
  if (kind === 'dir' && rest !== '') return folderBaseline(rest)
  if (kind === 'file' && rest !== '') return fileBaseline(rest)
  throw new AssayError('INVALID_ARGUMENT', {
    reason: `--against ${text}: expected registry, git:<revision>, dir:<folder> or file:<schema>`
  })
}

function split(text: string): [string, string] {
  const at = text.indexOf(':')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** The same file names in another folder: `<topic>/value.avsc`. */
function folderBaseline(folder: string): Baseline {
  if (!existsSync(folder)) throw new AssayError('INVALID_ARGUMENT', { reason: `--against dir:${folder}: it is not there` })
  return {
    textOf(file) {
      const before = join(folder, basename(dirname(file)), basename(file))
      return existsSync(before) ? readFileSync(before, 'utf8') : undefined
    }
  }
}

function fileBaseline(file: string): Baseline {
  if (!existsSync(file)) throw new AssayError('INVALID_ARGUMENT', { reason: `--against file:${file}: it is not there` })
  return { textOf: () => readFileSync(file, 'utf8') }
}

/** The merge base by default: a change is blamed for what it breaks, not for what others changed since. */
function gitBaseline(revision: string): Baseline {
  const commit = revision.endsWith('!')
    ? git('rev-parse', '--verify', `${revision.slice(0, -1)}^{commit}`)
    : git('merge-base', 'HEAD', revision)
  const names = new Set(git('ls-tree', '-r', '--name-only', commit).split('\n'))
  return {
    textOf(file) {
      const path = relative('.', file).replaceAll('\\', '/')
      return names.has(path) ? git('show', `${commit}:./${path}`) : undefined
    }
  }
}

function git(...args: string[]): string {
  const { error, status, stdout, stderr } = spawnSync('git', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (error || status !== 0) {
    throw new AssayError('INVALID_ARGUMENT', { reason: `git ${args[0]} failed: ${error?.message ?? stderr.trim()}` })
  }
  return stdout.trimEnd()
}
