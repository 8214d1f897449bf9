/** What a delete writes. Soft deletes hide a version, hard deletes take it away; nothing that another schema refers to goes. */
import { AssayError } from '@assay/errors'
import type { Change, Plan } from './changes.ts'
import { refuseReadOnly } from './mode.ts'
import { contextOf, prefixOf } from './qualified.ts'
import { latestOf, referrersOf, type State, subjectsWithin, type Version, versionAt, versionsOf } from './subjects.ts'

/** Answers the number of the version, also when it was asked for as the latest. */
export function planVersionDelete(
  state: State,
  subject: string,
  number: number | 'latest',
  { permanent }: { readonly permanent: boolean }
): Plan<number> {
  const version = number === 'latest' ? latestOf(state, subject) : versionAt(state, subject, number)
  if (version === undefined) {
    if (!state.subjects.has(subject)) throw new AssayError('SUBJECT_NOT_FOUND', { subject })
    throw new AssayError('VERSION_NOT_FOUND', { version: number === 'latest' ? -1 : number })
  }
  if (!permanent && version.deleted) throw new AssayError('VERSION_SOFT_DELETED', { subject, version: version.version })
  refuseReadOnly(state, subject)
  refuseReferenced(version, referrersOf(state, version, permanent))
  if (permanent && !version.deleted) throw new AssayError('VERSION_NOT_SOFT_DELETED', { subject, version: version.version })
  if (!permanent) return { changes: [softDelete(version)], answer: version.version }
  const isLast = versionsOf(state, subject, true).length === 1
  const changes = [...hardDelete(state, subject, [version]), ...(isLast ? settingsRemoval(state, subject) : [])]
  return { changes, answer: version.version }
}

/** Answers the numbers of the versions, ascending. */
export function planSubjectDelete(state: State, subject: string, { permanent }: { readonly permanent: boolean }): Plan<number[]> {
  const all = versionsOf(state, subject, true)
  const live = all.filter(version => !version.deleted)
  if (all.length === 0) throw new AssayError('SUBJECT_NOT_FOUND', { subject })
  if (!permanent && live.length === 0) throw new AssayError('SUBJECT_SOFT_DELETED', { subject })
  refuseReadOnly(state, subject)
  const going = permanent ? all : live
  for (const version of going) {
    // Versions of one subject may refer to each other: they go together.
    refuseReferenced(
      version,
      referrersOf(state, version, permanent).filter(referrer => referrer.subject !== subject)
    )
  }
  const answer = going.map(version => version.version)
  if (!permanent) return { changes: [{ type: 'deleteSubject', subject, upTo: answer.at(-1)! }], answer }
  if (live.length > 0) throw new AssayError('SUBJECT_NOT_SOFT_DELETED', { subject })
  return { changes: [...hardDelete(state, subject, going), ...settingsRemoval(state, subject)], answer }
}

function refuseReferenced(version: Version, referrers: readonly Version[]): void {
  if (referrers.length === 0) return
  const schema = `{magic=1,keytype=SCHEMA,subject=${version.subject},version=${version.version}}`
  throw new AssayError('REFERENCE_EXISTS', { schema })
}

function softDelete({ subject, version, schema }: Version): Change {
  return { type: 'schema', subject, version, id: schema.id, content: schema, deleted: true }
}

/**
 * Tombstones from the highest version down, so that a reader who stops between them never sees a reference to nothing.
 * Compaction takes tombstones away in the end, and with them the highest ID ever given: so that is written down beside them.
 */
function hardDelete(state: State, subject: string, versions: readonly Version[]): Change[] {
  const context = contextOf(subject)
  const changes: Change[] = versions.map(({ version }) => ({ type: 'tombstone', subject, version }))
  return [{ type: 'maxId', context, maxId: state.contexts.get(context)?.maxId ?? 0 }, ...changes.reverse()]
}

function settingsRemoval(state: State, subject: string): Change[] {
  return [
    ...(state.modes.has(subject) ? [{ type: 'mode', subject, mode: undefined } as const] : []),
    ...(state.configs.has(subject) ? [{ type: 'config', subject, config: undefined } as const] : [])
  ]
}

/** Takes an empty context off the list; its settings go with it, and its IDs are never given again. Fails with CONTEXT_NOT_EMPTY. */
export function planContextDelete(state: State, context: string): Plan<void> {
  const scope = prefixOf(context) || null
  const inside =
    scope === null ? [...state.subjects.keys()].filter(name => contextOf(name) === context) : subjectsWithin(state, scope)
  if (inside.length > 0) throw new AssayError('CONTEXT_NOT_EMPTY', { context: prefixOf(context) })
  const known = state.contexts.get(context)
  if (scope === null || known === undefined) return { changes: [], answer: undefined }
  refuseReadOnly(state, scope)
  const changes: Change[] = [{ type: 'maxId', context, maxId: known.maxId }, ...settingsRemoval(state, scope)]
  return { changes: [...changes, { type: 'context', context, exists: false }], answer: undefined }
}
