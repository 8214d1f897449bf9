/** Runs Apache Avro's own Java beside ours, when the machine has a JDK and Maven. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

export interface Described {
  readonly canonical?: string
  readonly parsing?: string
  readonly fingerprint?: string
  readonly refused?: string
}

export interface Compared {
  readonly incompatibilities?: readonly { readonly type: string; readonly path: string; readonly message: string }[]
  readonly thrown?: string
}

export type Question = { readonly schema: string } | { readonly reader: string; readonly writer: string }

const here = import.meta.dirname
const jars = join(here, '..', '..', '..', '.cache', 'avro-java', 'jars')

/** Why Java cannot be asked here; undefined when it can. Fetches the jars the first time. */
export function whyNoOracle(): string | undefined {
  if (spawnSync('java', ['-version']).status !== 0) return 'there is no java on this machine'
  if (existsSync(join(jars, 'avro-1.12.1.jar'))) return undefined
  mkdirSync(jars, { recursive: true })
  const goal = ['-q', '-B', '-f', join(here, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`]
  const fetched = spawnSync('mvn', goal, { encoding: 'utf8', timeout: 110_000 })
  return fetched.status === 0
    ? undefined
    : `Maven could not fetch Avro's jars: ${fetched.error?.message ?? fetched.stdout.slice(0, 300)}`
}

/** One answer for each question, in order. */
export function askOracle(questions: readonly Question[]): (Described & Compared)[] {
  const input = questions.map(question => `${JSON.stringify(question)}\n`).join('')
  const args = ['-Xmx512m', '-cp', join(jars, '*'), join(here, 'Oracle.java')]
  const run = spawnSync('java', args, { input, encoding: 'utf8', maxBuffer: 1024 ** 3 })
  if (run.status !== 0) throw new Error(`the Java oracle ended with ${run.status}: ${run.stderr.slice(0, 2000)}`)
  return run.stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Described & Compared)
}
