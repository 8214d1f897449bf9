/** The assay command as a user runs it: its own process, in a directory of its own, against a server. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryDirectory } from '../../served.ts'

const assay = join(import.meta.dirname, '../../../apps/cli/bin/assay.js')

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly input?: string
  readonly node?: string
  readonly env?: Readonly<Record<string, string>>
  /** Called with the process when it is there. */
  readonly onStart?: (child: ChildProcess) => void
}

/** The same in this process, which saves the half second that a Node takes to start: for tests of what verbs do. Not for two at a time. */
async function runHere(args: readonly string[], directory: string, env: Readonly<Record<string, string>>): Promise<Ran> {
  const before = { directory: process.cwd(), env: { ...process.env }, exitCode: process.exitCode }
  const written = { out: '', err: '' }
  const { stdout, stderr } = process
  const writes = { out: stdout.write, err: stderr.write }
  const capture = (to: 'out' | 'err') =>
    ((chunk: string | Uint8Array): boolean => {
      written[to] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')
      return true
    }) as typeof stdout.write
  Object.assign(process.env, env)
  process.chdir(directory)
  process.exitCode = undefined
  // Colours are chosen when the command is loaded.
  const { run } = await import('../../../apps/cli/main.ts')
  stdout.write = capture('out')
  stderr.write = capture('err')
  try {
    const code = await run(args)
    return { code, ...written }
  } finally {
    stdout.write = writes.out
    stderr.write = writes.err
    process.chdir(before.directory)
    for (const name of Object.keys(env)) delete process.env[name]
    Object.assign(process.env, before.env)
    process.exitCode = before.exitCode
  }
}

export interface CommandLine {
  readonly directory: string
  run(args: readonly string[], options?: RunOptions): Promise<Ran>
  /** What a call prints with `-o json`. Fails when it does not end with 0. */
  json(args: readonly string[], options?: RunOptions): Promise<unknown>
  /** Writes a file below the directory and returns its path from there; an object is written as JSON. */
  file(path: string, content: object | string): string
}

/** `doors` are asked at each call: the server may start later than this is made. Without `ownProcess` the environment is the only option. */
export function commandLine(
  doors: () => { readonly http: string; readonly kafka: string },
  { ownProcess }: { readonly ownProcess: boolean }
): CommandLine {
  const directory = temporaryDirectory()
  const run = (args: readonly string[], options: RunOptions = {}): Promise<Ran> => {
    const { http, kafka } = doors()
    const given = { NO_COLOR: '1', ASSAY_REGISTRY: http, ASSAY_BOOTSTRAP: kafka, ...options.env }
    if (!ownProcess) return runHere(args, directory, given)
    const env = { ...process.env, ...given }
    const child = spawn(options.node ?? process.execPath, [assay, ...args], { cwd: directory, env })
    options.onStart?.(child)
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    // A call that fails before it reads leaves nobody to write to.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
    return new Promise(resolve => child.once('close', code => resolve({ code, out, err })))
  }
  return {
    directory,
    run,
    async json(args, options) {
      const { code, out, err } = await run([...args, '-o', 'json'], options)
      if (code !== 0) throw new Error(`assay ${args.join(' ')} ended with ${code}: ${err}`)
      return JSON.parse(out)
    },
    file(path, content) {
      const file = join(directory, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
      return path
    }
  }
}
