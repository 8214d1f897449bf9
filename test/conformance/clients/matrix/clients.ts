/** The clients of the matrix: how each is made ready on this machine, and what is run. Nothing is installed beside the project's own cache. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { apacheKafkaJars } from '../../../peers/apache-kafka.ts'
import { javaOf } from '../../../peers/java.ts'
import { pythonEnvironment } from '../python-environment.ts'
import type { Step } from './steps.ts'

export interface Command {
  readonly file: string
  readonly args: readonly string[]
}

export interface MatrixClient {
  readonly name: string
  /** What is called with broker, prefix and steps, or why it cannot be had here. */
  prepare(): Command | { readonly missing: string }
}

const cache = join(import.meta.dirname, '../../../../.cache/matrix')
const GO_TIMEOUT_MS = 300_000
const RUN_MS_MAX = 400_000

const node = (file: string): Command => ({
  file: process.execPath,
  args: ['--conditions=source', join(import.meta.dirname, file)]
})

/** Its modules lie in the project's cache; only the installed toolchain is used. */
function goProgram(folder: string): Command | { readonly missing: string } {
  const program = join(cache, folder)
  mkdirSync(cache, { recursive: true })
  const env = {
    ...process.env,
    GOTOOLCHAIN: 'local',
    GOMODCACHE: join(cache, 'go-modules'),
    GOFLAGS: '-modcacherw -buildvcs=false'
  }
  const go = (...args: string[]): string | undefined => {
    const options = { cwd: join(import.meta.dirname, folder), env, encoding: 'utf8', timeout: GO_TIMEOUT_MS } as const
    const { status, error, stderr } = spawnSync('go', args, options)
    return status === 0 ? undefined : (error?.message ?? stderr.trim().split('\n')[0] ?? `ended with ${status}`)
  }
  const version = go('version')
  if (version) return { missing: `Go is not installed (${version})` }
  const downloaded = go('mod', 'download')
  if (downloaded) return { missing: `go mod download: ${downloaded}` }
  const built = go('build', '-o', program, '.')
  // With the modules at hand, what does not compile is this program's fault.
  if (built) throw new Error(`go build: ${built}`)
  return { file: program, args: [] }
}

function pythonProgram(script: string, packages?: readonly string[]): Command | { readonly missing: string } {
  const environment = packages === undefined ? pythonEnvironment() : pythonEnvironment('matrix-python', packages)
  if ('missing' in environment) return environment
  return { file: environment.python, args: ['-W', 'ignore', join(import.meta.dirname, script)] }
}

export const matrixClients: readonly MatrixClient[] = [
  { name: 'kafkajs', prepare: () => node('kafkajs.ts') },
  { name: '@platformatic/kafka', prepare: () => node('platformatic.ts') },
  { name: 'confluent-kafka', prepare: () => pythonProgram('confluent.py') },
  { name: 'aiokafka', prepare: () => pythonProgram('aiokafka_program.py', ['aiokafka==0.14.0', 'cramjam==2.14.0']) },
  { name: 'franz-go', prepare: () => goProgram('franz-go') },
  { name: 'sarama', prepare: () => goProgram('sarama') },
  {
    name: 'Java',
    prepare() {
      const [java, jars] = [javaOf(17), apacheKafkaJars()]
      if (java === undefined) return { missing: 'there is no Java 17' }
      if ('missing' in jars) return jars
      return { file: java, args: ['-cp', join(jars.directory, '*'), join(import.meta.dirname, 'Matrix.java')] }
    }
  },
  {
    name: 'kcat',
    prepare: () => (spawnSync('kcat', ['-V']).error ? { missing: 'kcat is not installed' } : node('kcat.ts'))
  }
]

/** Outcome by step; a client that ends before its last step has the reason in `ended`. */
export interface Outcomes {
  readonly outcomes: ReadonlyMap<Step, string>
  readonly ended?: string
}

export async function takeSteps(
  command: Command,
  { kafka, prefix, steps }: { readonly kafka: string; readonly prefix: string; readonly steps: readonly Step[] }
): Promise<Outcomes> {
  const child = spawn(command.file, [...command.args, kafka, prefix, steps.join(',')], { stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_MS_MAX)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000)
  })
  const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
  const outcomes = new Map<Step, string>()
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue
    const { step, outcome } = JSON.parse(line) as { step: Step; outcome: string }
    outcomes.set(step, outcome)
  }
  const code = await exited
  clearTimeout(timer)
  return { outcomes, ...(code !== 0 && { ended: `ended with ${code}: ${stderr}` }) }
}
