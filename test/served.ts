/** A served process for tests: `assay serve` on free ports and a directory of its own, started, killed and started again by its process ID. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const READY_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 20_000

export interface Served {
  /** URL of the HTTP door. */
  readonly http: string
  /** HOST:PORT of the Kafka door. */
  readonly kafka: string
  readonly pid: number
  readonly directory: string
  /** Milliseconds from spawn to the ready line. */
  readonly readyMs: number
  /** What the process wrote to stderr so far, the last 64 KiB of it. */
  log(): string
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

export interface ServeOptions {
  /** Kept over restarts; made when not given. */
  readonly directory?: string
  readonly http?: string
  readonly kafka?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

interface ReadyLine {
  readonly ready: boolean
  readonly http: string
  readonly kafka: string
  readonly pid: number
}

/** Starts the server and waits until both doors answer. The same ports come back when a former server's addresses are handed in. */
export async function serve(options: ServeOptions = {}): Promise<Served> {
  const directory = options.directory ?? temporaryDirectory()
  const started = performance.now()
  const args = ['--data', directory, '--http', options.http ?? '127.0.0.1:0', '--kafka', options.kafka ?? '127.0.0.1:0']
  const child = spawn(process.execPath, [join(root, 'apps/cli/bin/assay.js'), 'serve', ...args, ...(options.args ?? [])], {
    cwd: directory,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-65_536)
  })
  const exited = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)))
  const ready = await readyLine(child, exited, () => stderr)
  return {
    http: ready.http,
    kafka: ready.kafka,
    pid: ready.pid,
    directory,
    readyMs: performance.now() - started,
    log: () => stderr,
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      const code = await exited
      clearTimeout(timer)
      return code
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    }
  }
}

/** A directory of the system's temporary folder, gone when the test process ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'assay-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function readyLine(child: ChildProcess, exited: Promise<number | null>, log: () => string): Promise<ReadyLine> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      reject(new Error(`assay serve ${reason}; its log:\n${log()}`))
    }
    const timer = setTimeout(() => fail(`was not ready within ${READY_TIMEOUT_MS} ms`), READY_TIMEOUT_MS)
    void exited.then(code => fail(`ended with ${code} before it was ready`))
    let stdout = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      const end = stdout.indexOf('\n')
      if (end < 0) return
      clearTimeout(timer)
      resolve(JSON.parse(stdout.slice(0, end)) as ReadyLine)
    })
  })
}
