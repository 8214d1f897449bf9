/** Questions about subjects and versions that are answered from memory, with the failures that belong to them. */
import { AssayError } from '@assay/errors'
import { latestOf, type RegisteredSchema, referrersOf, type State, type Version, versionAt, versionsOf } from './subjects.ts'

/** Which versions a list shows: live ones, all, soft-deleted ones only, or all with the soft-deleted as negative numbers. */
export interface Shown {
  readonly deleted?: boolean
  readonly deletedOnly?: boolean
  readonly deletedAsNegative?: boolean
}

const isShown = (version: Version, { deleted, deletedOnly, deletedAsNegative }: Shown): boolean =>
  deletedOnly && !deletedAsNegative ? version.deleted : !version.deleted || deleted === true || deletedAsNegative === true

/** Names ascending by code unit. */
export function listSubjects(state: State, { prefix = '', ...shown }: Shown & { readonly prefix?: string }): string[] {
  const names: string[] = []
  for (const [name, versions] of state.subjects) {
    if (name.startsWith(prefix) && versions.some(version => isShown(version, shown))) names.push(name)
  }
  return names.sort()
}

/** Ascending by number. Fails with SUBJECT_NOT_FOUND when the subject has no version of the kind asked for. */
export function listVersions(state: State, subject: string, shown: Shown): number[] {
  const withDeleted = shown.deleted === true || shown.deletedOnly === true
  if (versionsOf(state, subject, withDeleted).length === 0) throw new AssayError('SUBJECT_NOT_FOUND', { subject })
  return versionsOf(state, subject, true)
    .filter(version => isShown(version, shown))
    .map(({ version, deleted }) => (deleted && shown.deletedAsNegative ? -version : version))
}

/** Fails with SUBJECT_NOT_FOUND, VERSION_NOT_FOUND. The latest is the highest live version, also when deleted ones are asked for. */
export function findVersion(state: State, subject: string, number: number | 'latest', { deleted = false }: Shown = {}): Version {
  const version = number === 'latest' ? latestOf(state, subject) : versionAt(state, subject, number)
  if (version && (!version.deleted || deleted)) return version
  if (versionsOf(state, subject, deleted).length === 0) throw new AssayError('SUBJECT_NOT_FOUND', { subject })
  throw new AssayError('VERSION_NOT_FOUND', { version: number === 'latest' ? -1 : number })
}

/** Also when all versions with this content are soft-deleted. Fails with SCHEMA_NOT_FOUND. */
export function findSchema(state: State, id: number): RegisteredSchema {
  const schema = state.schemas.get(id)
  if (schema === undefined) throw new AssayError('SCHEMA_NOT_FOUND', { schema: id })
  return schema
}

/** Versions with the content of this ID, by subject and number. Fails with SCHEMA_NOT_IN_SUBJECT when the ID is not known. */
export function versionsOfSchema(state: State, id: number, { deleted = false }: Shown = {}): Version[] {
  const schema = state.schemas.get(id)
  if (schema === undefined) throw new AssayError('SCHEMA_NOT_IN_SUBJECT', {})
  return [...schema.versions]
    .filter(version => deleted || !version.deleted)
    .sort((a, b) => (a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : a.version - b.version))
}

/** Schema IDs that refer to this version, ascending. Fails as `findVersion`. */
export function referrerIds(state: State, subject: string, number: number | 'latest', { deleted = false }: Shown = {}): number[] {
  const target = findVersion(state, subject, number, { deleted: true })
  return [...new Set(referrersOf(state, target, deleted).map(version => version.schema.id))].sort((a, b) => a - b)
}
