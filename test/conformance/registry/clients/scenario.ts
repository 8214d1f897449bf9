/** What every client is asked to do, step by step, and how one that runs in a process of its own is asked and heard. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** In the order in which the scripts take them; each script prints one line a step. */
export const steps = [
  'registers, and gets the same ID again',
  'registers with references and lists who refers',
  'reads by ID, by version and the latest',
  'reads by GUID',
  'looks up a schema, and is told 40403 when it is not there',
  'is told what is compatible and what is not',
  'is refused an incompatible schema with its reasons',
  'sets, reads and deletes settings',
  'sets, reads and deletes modes, and imports an ID',
  'lists subjects and versions, deleted ones too',
  'deletes softly, then hard',
  'keeps contexts apart',
  'keeps metadata and rules, and finds by metadata',
  'serializes with registration on the way, and reads it back',
  'serializes with the latest version, and reads it back with another'
] as const

export type StepName = (typeof steps)[number]

export interface Client {
  readonly name: string
  /** Steps for which the client has no call, each with what it lacks. */
  readonly lacks: Partial<Readonly<Record<StepName, string>>>
  /** Makes ready what the client needs on this machine. Answers the command to run, without the registry's URL; or why it cannot be had. */
  prepare(): Promise<Command | { readonly missing: string }>
}

export interface Command {
  readonly file: string
  readonly args: readonly string[]
}

/** What a script said of each step: nothing when it passed, else what went wrong. */
export type Outcome = ReadonlyMap<string, string | undefined>

const TIME_LIMIT_MS = 60_000

/** Runs a script to its end. Rejects when it ends with another code than 0, which it does only when it cannot run at all. */
export async function runScript({ file, args }: Command, url: string): Promise<Outcome> {
  const child = spawn(file, [...args, url], { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIME_LIMIT_MS, killSignal: 'SIGKILL' })
  const exited = once(child, 'exit') as Promise<[number | null]>
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-8192)
  })
  const outcome = new Map<string, string | undefined>()
  for await (const line of createInterface({ input: child.stdout })) {
    // A client may print lines of its own.
    if (!line.startsWith('{"step":')) continue
    const { step, error } = JSON.parse(line) as { step: string; error?: string }
    outcome.set(step, error)
  }
  const [code] = await exited
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}:\n${stderr}`)
  return outcome
}
