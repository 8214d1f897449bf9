/**
 * One client of the registry: does one random thing after the other to subjects of its own, sends nothing twice, and takes down what it was
 * told. When a thing was not answered it looks first what became of it.
 */
import { type Called, type HttpCaller, httpCaller, isUnheard } from '../http-caller.ts'
import {
  after,
  emptySubject,
  type HeldVersion,
  type IdSighting,
  type Operation,
  type SubjectState,
  type SubjectStep
} from './registry-history.ts'

export interface WriterOptions {
  readonly url: string
  readonly name: string
  readonly seed: (below: number) => number
  readonly signal: AbortSignal
  /** Called for every change that was acknowledged. */
  readonly onAcknowledged?: () => void
}

export interface WriterReport {
  readonly steps: ReadonlyMap<string, readonly SubjectStep[]>
  readonly told: readonly IdSighting[]
  readonly unanswered: number
}

const SUBJECTS = 6
/** Schemas that every writer registers, so that they come to have versions in subjects of several. */
const SHARED_SCHEMAS = 40
const VERSIONS_MAX = 12
const CALL_TIMEOUT_MS = 10_000
const levels = ['BACKWARD', 'FULL', 'NONE', 'FORWARD_TRANSITIVE', 'FULL_TRANSITIVE']
/** Read and write fail alike when a server dies: what it answers then may not be what it did. */
const SERVER_FAULT = 500

/** The text of the schema that is called so. Any two are compatible in both directions. */
export const textOf = (content: string): string =>
  JSON.stringify({ type: 'record', name: 'Kept', fields: [{ name: content, type: 'int', default: 0 }] })

/** What the schema of a text is called; the text itself when it is none of ours. */
export function contentOf(text: string): string {
  const { fields } = JSON.parse(text) as { fields?: readonly { name?: string }[] }
  const name = fields?.[0]?.name
  return name !== undefined && textOf(name) === text ? name : text
}

export async function registryWriter({
  url,
  name,
  seed: random,
  signal,
  onAcknowledged = () => {}
}: WriterOptions): Promise<WriterReport> {
  const server = httpCaller(url, { timeoutMs: CALL_TIMEOUT_MS })
  const subjects = Array.from({ length: SUBJECTS }, (_, at) => `${name}-${at}`)
  const steps = new Map<string, SubjectStep[]>(subjects.map(subject => [subject, []]))
  const states = new Map<string, SubjectState>(subjects.map(subject => [subject, emptySubject]))
  const told: IdSighting[] = []
  let contents = 0
  let unanswered = 0

  const see = async (subject: string): Promise<void> => {
    const seen = await look(server, subject, signal)
    if (seen === undefined) return
    steps.get(subject)!.push({ saw: seen })
    states.set(subject, seen)
    for (const { schemaId, content } of seen.versions) told.push({ schemaId: schemaId!, content })
  }

  const doOne = async (subject: string): Promise<void> => {
    const state = states.get(subject)!
    const did = choose(state, random, () => `${name}${contents++}`)
    const note = (outcome: Extract<SubjectStep, { did: unknown }>['outcome']): void =>
      void steps.get(subject)!.push({ did, outcome })
    let called: Called
    try {
      called = await perform(server, subject, did)
    } catch (error) {
      if (isUnheard(error)) return pause(10)
      note({ type: 'unanswered' })
      unanswered++
      return see(subject)
    }
    const { status, body } = called
    if (status >= SERVER_FAULT) {
      note({ type: 'unanswered' })
      unanswered++
      return see(subject)
    }
    if (status >= 400) {
      note({ type: 'refused', code: (JSON.parse(body) as { error_code: number }).error_code })
      return see(subject)
    }
    onAcknowledged()
    if (did.type === 'register') {
      const { id: schemaId } = JSON.parse(body) as { id: number }
      told.push({ schemaId, content: did.content })
      note({ type: 'acknowledged', schemaId })
      const next = after(state, did)
      const versions = next?.versions.map(one => (one.content === did.content ? { ...one, schemaId } : one))
      states.set(subject, { ...(next ?? state), ...(versions && { versions }) })
    } else {
      note({ type: 'acknowledged' })
      states.set(subject, after(state, did) ?? state)
    }
  }

  while (!signal.aborted) {
    const subject = subjects[random(SUBJECTS)]!
    if (random(20) === 0) await see(subject)
    else await doOne(subject)
  }
  server.close()
  return { steps, told, unanswered }
}

/** Mostly what can be done, now and then what must be refused. */
function choose({ versions, mode, level }: SubjectState, random: (below: number) => number, newContent: () => string): Operation {
  const any = versions.length === 0 ? undefined : versions[random(versions.length)]
  const roll = random(100)
  if (mode === 'READONLY' && roll < 60) return { type: 'set mode', mode: random(2) === 0 ? undefined : 'READWRITE' }
  if (any && roll < 15) return { type: 'register', content: any.content }
  if (any && roll < 30) return { type: 'delete version', version: any.version, permanent: any.deleted === random(10) > 0 }
  if (roll < 35 || versions.length > VERSIONS_MAX)
    return { type: 'delete subject', permanent: versions.every(({ deleted }) => deleted) }
  if (roll < 45)
    return { type: 'set level', level: level !== undefined && random(3) === 0 ? undefined : levels[random(levels.length)] }
  if (roll < 48)
    return {
      type: 'set mode',
      mode: mode !== undefined && random(3) === 0 ? undefined : (['READONLY', 'READWRITE'] as const)[random(2)]
    }
  if (roll < 65) return { type: 'register', content: `shared${random(SHARED_SCHEMAS)}` }
  return { type: 'register', content: newContent() }
}

function perform(server: HttpCaller, subject: string, operation: Operation): Promise<Called> {
  switch (operation.type) {
    case 'register':
      return server.call('POST', `/subjects/${subject}/versions`, { schema: textOf(operation.content) })
    case 'delete version':
      return server.call('DELETE', `/subjects/${subject}/versions/${operation.version}?permanent=${operation.permanent}`)
    case 'delete subject':
      return server.call('DELETE', `/subjects/${subject}?permanent=${operation.permanent}`)
    case 'set level':
      return operation.level === undefined
        ? server.call('DELETE', `/config/${subject}`)
        : server.call('PUT', `/config/${subject}`, { compatibility: operation.level })
    case 'set mode':
      return operation.mode === undefined
        ? server.call('DELETE', `/mode/${subject}`)
        : server.call('PUT', `/mode/${subject}`, { mode: operation.mode })
  }
}

/** What the subject is, asked until it is answered; undefined when the writer is stopped before. Nobody else changes the subject. */
async function look(server: HttpCaller, subject: string, signal: AbortSignal): Promise<SubjectState | undefined> {
  while (!signal.aborted) {
    try {
      return await lookOnce(server, subject)
    } catch {
      await pause(10)
    }
  }
  return undefined
}

/** Rejects when any of its questions is not answered. */
export async function lookOnce(server: HttpCaller, subject: string): Promise<SubjectState> {
  const listed = await server.call('GET', `/schemas?subjectPrefix=${subject}&deleted=true`)
  const config = await server.call('GET', `/config/${subject}`)
  const mode = await server.call('GET', `/mode/${subject}`)
  for (const { status, body } of [listed, config, mode]) if (status >= SERVER_FAULT) throw new Error(body)
  type Listed = {
    readonly subject: string
    readonly version: number
    readonly id: number
    readonly schema: string
    readonly deleted?: boolean
  }
  const versions = (JSON.parse(listed.body) as readonly Listed[])
    .filter(one => one.subject === subject)
    .map(
      ({ version, id, schema, deleted = false }): HeldVersion => ({ version, schemaId: id, content: contentOf(schema), deleted })
    )
    .sort((a, b) => a.version - b.version)
  const { compatibilityLevel: level } = JSON.parse(config.body) as { compatibilityLevel?: string }
  return { versions, level, mode: (JSON.parse(mode.body) as { mode?: string }).mode }
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
