/** Builds the small C programs of the fault tests, once a process, where there is a compiler. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Either where it lies, or why it cannot be had here. */
export type Native = { readonly path: string } | { readonly reason: string }

const FLAGS = { shim: ['-shared', '-fPIC'], godown: [] } as const
const built = new Map<string, Native>()

export function native(name: keyof typeof FLAGS): Native {
  const known = built.get(name) ?? build(name)
  built.set(name, known)
  return known
}

function build(name: keyof typeof FLAGS): Native {
  if (process.platform !== 'linux')
    return { reason: `the recorder of file operations is for Linux, and this is ${process.platform}` }
  const directory = mkdtempSync(join(tmpdir(), 'assay-native-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, name)
  const source = join(import.meta.dirname, `${name}.c`)
  const { status, error, stderr } = spawnSync('cc', ['-O2', ...FLAGS[name], '-o', path, source, '-ldl', '-lpthread'], {
    encoding: 'utf8'
  })
  if (error !== undefined) return { reason: `there is no C compiler (cc): ${error.message}` }
  if (status !== 0) throw new Error(`cc ${source} ended with ${status}:\n${stderr}`)
  return { path }
}
