/**
 * What clients of a registry did and were told, held against what it shows later: every anomaly in words. Pure functions, so that they can
 * be tested to find fault. Each subject belongs to one client, which does one thing after the other; only the death of the server leaves
 * it in doubt whether a thing was done.
 */

export interface HeldVersion {
  readonly version: number
  /** Undefined while nobody was told: the registration was not answered. */
  readonly schemaId: number | undefined
  /** What the client calls the schema. */
  readonly content: string
  readonly deleted: boolean
}

export interface SubjectState {
  /** Ascending, soft-deleted ones included. */
  readonly versions: readonly HeldVersion[]
  readonly level: string | undefined
  readonly mode: string | undefined
}

export type Operation =
  | { readonly type: 'register'; readonly content: string }
  | { readonly type: 'delete version'; readonly version: number; readonly permanent: boolean }
  | { readonly type: 'delete subject'; readonly permanent: boolean }
  /** Undefined takes it away. */
  | { readonly type: 'set level'; readonly level: string | undefined }
  | { readonly type: 'set mode'; readonly mode: string | undefined }

export type Outcome =
  | { readonly type: 'acknowledged'; readonly schemaId?: number }
  | { readonly type: 'refused'; readonly code: number }
  | { readonly type: 'unanswered' }

/** In the order in which they happened to one subject. */
export type SubjectStep = { readonly did: Operation; readonly outcome: Outcome } | { readonly saw: SubjectState }

export const emptySubject: SubjectState = { versions: [], level: undefined, mode: undefined }

/** What a subject is after an operation, or undefined where the registry refuses it. */
export function after(state: SubjectState, operation: Operation): SubjectState | undefined {
  const isReadOnly = state.mode === 'READONLY'
  if (operation.type === 'set mode') {
    return operation.mode === undefined && state.mode === undefined ? undefined : { ...state, mode: operation.mode }
  }
  // What is live is answered without being written.
  if (isReadOnly) return operation.type === 'register' && isLive(state, operation.content) ? state : undefined
  switch (operation.type) {
    case 'register':
      return afterRegistration(state, operation.content)
    case 'delete version':
      return afterVersionDelete(state, operation)
    case 'delete subject':
      return afterSubjectDelete(state, operation)
    case 'set level':
      return operation.level === undefined && state.level === undefined ? undefined : { ...state, level: operation.level }
  }
}

/** A live version of the content is the answer; a soft-deleted one makes way for a new one with its ID. */
function afterRegistration(state: SubjectState, content: string): SubjectState {
  const { versions } = state
  if (isLive(state, content)) return state
  const before = versions.find(one => one.content === content)
  const version = (versions.at(-1)?.version ?? 0) + 1
  const kept = versions.filter(one => one.content !== content)
  return { ...state, versions: [...kept, { version, schemaId: before?.schemaId, content, deleted: false }] }
}

const isLive = ({ versions }: SubjectState, content: string): boolean =>
  versions.some(one => one.content === content && !one.deleted)

function afterVersionDelete(
  state: SubjectState,
  { version, permanent }: Operation & { type: 'delete version' }
): SubjectState | undefined {
  const { versions } = state
  const there = versions.find(one => one.version === version)
  if (there === undefined || there.deleted !== permanent) return undefined
  if (!permanent) return { ...state, versions: versions.map(one => (one === there ? { ...one, deleted: true } : one)) }
  // The settings of a subject go with its last version.
  return versions.length === 1 ? emptySubject : { ...state, versions: versions.filter(one => one !== there) }
}

function afterSubjectDelete(
  state: SubjectState,
  { permanent }: Operation & { type: 'delete subject' }
): SubjectState | undefined {
  const { versions } = state
  const hasLive = versions.some(({ deleted }) => !deleted)
  if (versions.length === 0 || hasLive === permanent) return undefined
  return permanent ? emptySubject : { ...state, versions: versions.map(one => ({ ...one, deleted: true })) }
}

/** Empty when every answer, and everything that was seen, fits to some course of what was left unanswered. */
export function subjectAnomalies(subject: string, steps: readonly SubjectStep[]): string[] {
  const anomalies: string[] = []
  let possible: readonly SubjectState[] = [emptySubject]
  for (const step of steps) {
    const next = 'saw' in step ? afterLook(possible, step.saw) : afterOutcome(possible, step.did, step.outcome)
    if (next.length > 0) {
      possible = next
      continue
    }
    // One anomaly is told once: from here on what was seen counts, or that the server was right.
    if ('saw' in step) {
      anomalies.push(...differences(possible[0]!, step.saw).map(what => `${what} (subject ${subject})`))
      possible = [step.saw]
    } else {
      const { did, outcome } = step
      const told = outcome.type === 'refused' ? `was refused with ${outcome.code}` : 'was acknowledged'
      const id = outcome.type === 'acknowledged' && outcome.schemaId !== undefined ? ` with schema ID ${outcome.schemaId}` : ''
      anomalies.push(
        `impossible: to ${say(did)} ${told}${id} when subject ${subject} was ${possible.map(sayState).join(', or ')}`
      )
      possible = outcome.type === 'acknowledged' ? possible.map(state => after(state, did) ?? state) : possible
    }
  }
  return anomalies
}

function afterOutcome(possible: readonly SubjectState[], operation: Operation, outcome: Outcome): SubjectState[] {
  return possible.flatMap(state => {
    const next = after(state, operation)
    if (outcome.type === 'refused') return next === undefined ? [state] : []
    if (outcome.type === 'unanswered') return next === undefined || next === state ? [state] : [state, next]
    return next === undefined ? [] : withSchemaId(next, operation, outcome.schemaId)
  })
}

/** Fills in the ID that a registration was told; none when it is known to be another. */
function withSchemaId(state: SubjectState, operation: Operation, schemaId: number | undefined): SubjectState[] {
  if (operation.type !== 'register' || schemaId === undefined) return [state]
  const versions = state.versions.map(one =>
    one.content === operation.content ? { ...one, schemaId: one.schemaId ?? schemaId } : one
  )
  return versions.some(one => one.content === operation.content && one.schemaId !== schemaId) ? [] : [{ ...state, versions }]
}

function afterLook(possible: readonly SubjectState[], seen: SubjectState): SubjectState[] {
  return possible.some(state => differences(state, seen).length === 0) ? [seen] : []
}

/** What is otherwise than it must be, in words. */
function differences(due: SubjectState, seen: SubjectState): string[] {
  const found = new Map(seen.versions.map(one => [one.version, one]))
  const known = new Set(due.versions.map(({ version }) => version))
  const said = due.versions.flatMap(one => {
    const there = found.get(one.version)
    const name = `version ${one.version} with ${one.content}`
    if (there === undefined) return [`lost: ${name} is gone`]
    if (there.content !== one.content) return [`replaced: ${name} is ${there.content} now`]
    if (one.schemaId !== undefined && there.schemaId !== one.schemaId)
      return [`changed: ${name} had schema ID ${one.schemaId} and has ${there.schemaId}`]
    if (there.deleted !== one.deleted)
      return [one.deleted ? `back: ${name} was deleted and is live` : `hidden: ${name} is deleted, and nobody did it`]
    return []
  })
  for (const { version, content } of seen.versions)
    if (!known.has(version)) said.push(`back: version ${version} with ${content} is there`)
  if (due.level !== seen.level) said.push(`forgotten: the level was ${due.level ?? 'not set'} and is ${seen.level ?? 'not set'}`)
  if (due.mode !== seen.mode) said.push(`forgotten: the mode was ${due.mode ?? 'not set'} and is ${seen.mode ?? 'not set'}`)
  return said
}

function say(operation: Operation): string {
  switch (operation.type) {
    case 'register':
      return `register ${operation.content}`
    case 'delete version':
      return `delete version ${operation.version}${operation.permanent ? ' for ever' : ''}`
    case 'delete subject':
      return `delete the subject${operation.permanent ? ' for ever' : ''}`
    case 'set level':
      return operation.level === undefined ? 'take the level away' : `set the level ${operation.level}`
    case 'set mode':
      return operation.mode === undefined ? 'take the mode away' : `set the mode ${operation.mode}`
  }
}

function sayState({ versions, level, mode }: SubjectState): string {
  const held = versions.map(
    ({ version, content, schemaId, deleted }) => `${version}:${content}#${schemaId ?? '?'}${deleted ? ' deleted' : ''}`
  )
  return `[${[...held, ...(level === undefined ? [] : [level]), ...(mode === undefined ? [] : [mode])].join(' ')}]`
}

/** What an ID stood for when somebody was told: in a registration's answer, in a version, or asked for by itself. */
export interface IdSighting {
  readonly schemaId: number
  readonly content: string
}

/** Schema IDs that stood for two schemas, whoever was told, and whatever was deleted in between. */
export function idAnomalies(sightings: readonly IdSighting[]): string[] {
  const meaning = new Map<number, string>()
  const anomalies: string[] = []
  for (const { schemaId, content } of sightings) {
    const before = meaning.get(schemaId)
    if (before === undefined) meaning.set(schemaId, content)
    else if (before !== content) anomalies.push(`reused: schema ID ${schemaId} was ${before} and is ${content}`)
  }
  return [...new Set(anomalies)]
}

/** A record of the registry's journal, in its order: a schema under its ID, or the highest ID ever given. */
export type JournalStep = IdSighting | { readonly maxId: number }

/** IDs in the journal that changed their meaning, or were given although higher ones had been given before. The journal is whole. */
export function journalAnomalies(steps: readonly JournalStep[]): string[] {
  const known = new Set<number>()
  const anomalies: string[] = []
  let highest = 0
  for (const step of steps) {
    if ('maxId' in step) highest = Math.max(highest, step.maxId)
    else {
      const { schemaId, content } = step
      if (!known.has(schemaId) && schemaId <= highest)
        anomalies.push(`given again: schema ID ${schemaId} is new for ${content} in the journal, where ${highest} had been given`)
      known.add(schemaId)
      highest = Math.max(highest, schemaId)
    }
  }
  return [...idAnomalies(steps.filter(step => 'schemaId' in step)), ...anomalies]
}

/** IDs that were told and are not in the journal. */
export function unwrittenAnomalies(told: readonly IdSighting[], journal: readonly JournalStep[]): string[] {
  const written = new Set(journal.map(step => ('schemaId' in step ? step.schemaId : undefined)))
  return [...new Set(told.map(({ schemaId }) => schemaId))]
    .filter(schemaId => !written.has(schemaId))
    .map(schemaId => `lost: schema ID ${schemaId} was told to a client and is not in the journal`)
}
