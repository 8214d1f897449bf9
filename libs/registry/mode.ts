/** Modes of subjects and contexts: who may write what. */
import { AssayError } from '@assay/errors'
import { type Change, type Mode, modes, type Plan } from './changes.ts'
import { contextOf, GLOBAL_CONTEXT, prefixOf, readQualified, scopesOf } from './qualified.ts'
import { referrersOf, type State, subjectsWithin, versionsOf } from './subjects.ts'

const DEFAULT_MODE: Mode = 'READWRITE'

/** The first mode set on the way from the subject to the context for all. READONLY_OVERRIDE is one like the others by now, as at Confluent's. */
export function modeInScope(state: State, subject: string | null): Mode {
  for (const scope of scopesOf(subject)) {
    const mode = state.modes.get(scope)
    if (mode !== undefined) return mode
  }
  return DEFAULT_MODE
}

/** The mode of a subject or context itself, or undefined; null and the context for all always have one. */
export function modeOf(state: State, subject: string | null): Mode | undefined {
  const isTop = subject === null || subject === prefixOf(GLOBAL_CONTEXT)
  return state.modes.get(subject) ?? (isTop ? DEFAULT_MODE : undefined)
}

/** Versions, IDs and soft deletes are taken as they come, without any check against what is there. */
export const takesAsGiven = (mode: Mode): boolean => mode === 'IMPORT' || mode === 'FORWARD'

const isReadOnly = (mode: Mode): boolean => mode === 'READONLY' || mode === 'READONLY_OVERRIDE'

/** Deletes and settings are refused in the read-only modes. */
export function refuseReadOnly(state: State, subject: string | null): void {
  if (isReadOnly(modeInScope(state, subject))) throw notPermitted(`${placeOf(subject)} is in read-only mode`)
}

/** A registration without an ID needs READWRITE; one with an ID needs IMPORT or FORWARD. */
export function refuseRegistration(state: State, subject: string, withId: boolean): void {
  const mode = modeInScope(state, subject)
  refuseReadOnly(state, subject)
  if (withId && !takesAsGiven(mode)) throw notPermitted(`${placeOf(subject)} is not in import mode`)
  if (!withId && mode !== 'READWRITE') throw notPermitted(`${placeOf(subject)} is not in read-write mode`)
}

const placeOf = (subject: string | null): string =>
  subject === null ? 'The registry' : `Subject ${subject} in context ${contextOf(subject)}`

const notPermitted = (reason: string): AssayError => new AssayError('OPERATION_NOT_PERMITTED', { reason })

/**
 * Sets a mode, named in any letter case; null takes it away. A switch to IMPORT wants the subject (or the whole context) empty, or `force`,
 * and takes away for ever what was soft-deleted there, so that IDs and versions of elsewhere find their place.
 * Fails with INVALID_MODE, OPERATION_NOT_PERMITTED, REFERENCE_EXISTS.
 */
export function planMode(
  state: State,
  subject: string | null,
  name: string | null,
  { force }: { readonly force: boolean }
): Plan<Mode | undefined> {
  const mode = name === null ? undefined : modes.find(known => known === name.toUpperCase())
  if (name !== null && mode === undefined)
    throw new AssayError('INVALID_MODE', { reason: `Valid values are ${modes.join(', ')}` })
  if (mode === 'FORWARD' && subject !== prefixOf(GLOBAL_CONTEXT)) {
    throw new AssayError('INVALID_MODE', { reason: `Forward mode only supported on global level, ${prefixOf(GLOBAL_CONTEXT)}` })
  }
  const clears = mode === 'IMPORT' && modeInScope(state, subject) !== 'IMPORT' && !force
  return { changes: [...(clears ? clearing(state, subject) : []), { type: 'mode', subject, mode }], answer: mode }
}

/** What is soft-deleted goes for ever; what is live stands in the way. */
function clearing(state: State, scope: string | null): Change[] {
  const subjects = subjectsWithin(state, scope)
  if (subjects.some(subject => versionsOf(state, subject, false).length > 0)) {
    throw notPermitted('Cannot import since found existing subjects')
  }
  const gone = subjects.flatMap(subject => versionsOf(state, subject, true))
  for (const version of gone) {
    // Referrers that go as well do not count.
    const { subject, version: number } = version
    if (referrersOf(state, version, true).every(referrer => gone.includes(referrer))) continue
    throw new AssayError('REFERENCE_EXISTS', { schema: `{magic=1,keytype=SCHEMA,subject=${subject},version=${number}}` })
  }
  const contexts = [...new Set(subjects.map(contextOf))]
  return [
    ...contexts.map(context => ({ type: 'maxId', context, maxId: state.contexts.get(context)?.maxId ?? 0 }) as const),
    ...gone.toReversed().map(({ subject, version }) => ({ type: 'tombstone', subject, version }) as const),
    { type: 'clearSubject', subject: scope }
  ]
}

/**
 * Takes a mode away, and with `recursive` those of every subject of the context; answers what it was.
 * Fails with SUBJECT_NOT_FOUND when there is none, unless it is recursive.
 */
export function planModeRemoval(
  state: State,
  subject: string | null,
  { recursive }: { readonly recursive: boolean }
): Plan<Mode | undefined> {
  const mode = modeOf(state, subject)
  if (mode === undefined && !recursive) throw new AssayError('SUBJECT_NOT_FOUND', { subject: String(subject) })
  const isContext = subject === null || readQualified(subject).subject === ''
  const below =
    recursive && isContext ? [...state.modes.keys()].filter(name => name !== null && contextOf(name) === contextOf(subject)) : []
  const removed = [...new Set([subject, ...below])].filter(name => state.modes.has(name))
  return { changes: removed.map(name => ({ type: 'mode', subject: name, mode: undefined })), answer: mode }
}
