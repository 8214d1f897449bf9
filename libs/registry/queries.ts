/** Questions about contexts, subjects, versions and schemas that are answered from memory, with the failures that belong to them. */
import { AssayError } from '@assay/errors'
import { guidOf } from './content.ts'
import { contextOf, DEFAULT_CONTEXT, nameWithin, prefixFilter, prefixOf, readQualified } from './qualified.ts'
import {
  type Context,
  contextHolding,
  latestOf,
  listedContexts,
  namesOf,
  type RegisteredSchema,
  referrersOf,
  type State,
  type Version,
  versionAt,
  versionsOf
} from './subjects.ts'

/** Which versions a list shows: live ones, all, soft-deleted ones only, or all with the soft-deleted as negative numbers. */
export interface Shown {
  readonly deleted?: boolean
  readonly deletedOnly?: boolean
  readonly deletedAsNegative?: boolean
}

const isShown = (version: Version, { deleted, deletedOnly, deletedAsNegative }: Shown): boolean =>
  deletedOnly && !deletedAsNegative ? version.deleted : !version.deleted || deleted === true || deletedAsNegative === true

/** Names of contexts, the default one first, then ascending. */
export const listContexts = (state: State): string[] => listedContexts(state).map(({ name }) => name)

/** Names ascending by code unit. With `deletedOnly` subjects of which nothing is live. */
export function listSubjects(state: State, { prefix, ...shown }: Shown & { readonly prefix: string }): string[] {
  const isMeant = prefixFilter(prefix)
  return namesOf(state).filter(name => {
    if (!isMeant(name)) return false
    const isLive = state.subjects.get(name)?.some(version => !version.deleted)
    return shown.deletedOnly ? !isLive : isLive || shown.deleted
  })
}

/** Ascending by number. Fails with SUBJECT_NOT_FOUND when the subject has no version of the kind asked for. */
export function listVersions(state: State, subject: string, shown: Shown): number[] {
  const withDeleted = shown.deleted === true || shown.deletedOnly === true
  if (versionsOf(state, subject, withDeleted).length === 0) throw new AssayError('SUBJECT_NOT_FOUND', { subject })
  return versionsOf(state, subject, true)
    .filter(version => isShown(version, shown))
    .map(({ version, deleted }) => (deleted && shown.deletedAsNegative ? -version : version))
}

/**
 * A version of a subject; of a name without a context that is not there, the one that another context has.
 * Fails with SUBJECT_NOT_FOUND, VERSION_NOT_FOUND. The latest is the highest live version, also when deleted ones are asked for.
 */
export function findVersion(state: State, subject: string, number: number | 'latest', { deleted = false }: Shown = {}): Version {
  const found = (name: string): Version | undefined => {
    const version = number === 'latest' ? latestOf(state, name) : versionAt(state, name, number)
    return version && (!version.deleted || deleted) ? version : undefined
  }
  const version = found(subject) ?? elsewhere(state, subject, found)
  if (version) return version
  if (versionsOf(state, subject, deleted).length === 0) throw new AssayError('SUBJECT_NOT_FOUND', { subject })
  throw new AssayError('VERSION_NOT_FOUND', { version: number === 'latest' ? -1 : number })
}

/** The first answer for the plain name in another context than the default one. */
function elsewhere<T>(state: State, subject: string, find: (name: string) => T | undefined): T | undefined {
  if (contextOf(subject) !== DEFAULT_CONTEXT || state.contexts.size === 1) return undefined
  for (const { name } of listedContexts(state)) {
    const answer = name === DEFAULT_CONTEXT ? undefined : find(prefixOf(name) + readQualified(subject).subject)
    if (answer !== undefined) return answer
  }
  return undefined
}

/** The latest version whose metadata has all these properties. Fails with SUBJECT_NOT_FOUND, SCHEMA_NOT_IN_SUBJECT. */
export function findByMetadata(
  state: State,
  subject: string,
  properties: Readonly<Record<string, string>>,
  { deleted = false }: Shown = {}
): Version {
  const versions = versionsOf(state, subject, deleted)
  const wanted = Object.entries(properties)
  const found = versions.findLast(({ schema }) => {
    const there = schema.metadata?.properties
    return there !== undefined && wanted.every(([key, value]) => Object.hasOwn(there, key) && there[key] === value)
  })
  if (found) return found
  if (versions.length === 0) throw new AssayError('SUBJECT_NOT_FOUND', { subject })
  throw new AssayError('SCHEMA_NOT_IN_SUBJECT', {})
}

export interface FoundSchema {
  readonly schema: RegisteredSchema
  /** The version by which it was found: that of the subject asked for, or the first that was registered. */
  readonly version: Version
}

/**
 * The schema of an ID, also when all its versions are soft-deleted. A subject, or a context alone, says in which context to look; a plain
 * subject that does not hold the ID is tried in every context before its own context answers. Fails with SCHEMA_NOT_FOUND.
 */
export function findSchema(state: State, id: number, subject?: string): FoundSchema {
  const found = schemaOf(state, id, subject)
  if (found === undefined) throw new AssayError('SCHEMA_NOT_FOUND', { schema: id })
  return found
}

function schemaOf(state: State, id: number, subject = ''): FoundSchema | undefined {
  const { subject: plain } = readQualified(subject)
  const first = (context: Context | undefined): FoundSchema | undefined => {
    const schema = context?.schemas.get(id)
    return schema && { schema, version: schema.versions.values().next().value as Version }
  }
  const of = (name: string): FoundSchema | undefined => {
    const schema = contextHolding(state, name)?.schemas.get(id)
    const version = schema && [...schema.versions].findLast(use => use.subject === name)
    return schema && version && { schema, version }
  }
  if (plain === '') return first(contextHolding(state, subject))
  if (contextOf(subject) !== DEFAULT_CONTEXT) return of(subject)
  return of(subject) ?? elsewhere(state, subject, of) ?? first(contextHolding(state, subject))
}

/** The schema of a GUID; the default context first. Fails with SCHEMA_NOT_FOUND. */
export function findByGuid(state: State, guid: string): FoundSchema {
  const fingerprint = guid.replaceAll('-', '').toLowerCase()
  for (const context of listedContexts(state)) {
    const id = context.idByFingerprint.get(fingerprint)
    const schema = id === undefined ? undefined : context.schemas.get(id)
    if (schema && guidOf(schema.fingerprint) === guid.toLowerCase()) {
      return { schema, version: schema.versions.values().next().value as Version }
    }
  }
  throw new AssayError('SCHEMA_NOT_FOUND', { schema: guid.slice(0, 100) })
}

/** Where a GUID is known, and under which schema ID; empty when nowhere. */
export function idsOfGuid(state: State, guid: string): { readonly context: string; readonly id: number }[] {
  const fingerprint = guid.replaceAll('-', '').toLowerCase()
  return listedContexts(state).flatMap(({ name, idByFingerprint }) => {
    const id = idByFingerprint.get(fingerprint)
    return id === undefined ? [] : [{ context: name, id }]
  })
}

/** Versions with the content of this ID, by subject and number. Fails with SCHEMA_NOT_IN_SUBJECT when the ID is not known. */
export function versionsOfSchema(
  state: State,
  id: number,
  { subject, deleted = false }: Shown & { readonly subject?: string }
): Version[] {
  const found = schemaOf(state, id, subject)
  if (found === undefined) throw new AssayError('SCHEMA_NOT_IN_SUBJECT', {})
  return [...found.schema.versions].filter(version => deleted || !version.deleted).sort(byName)
}

const byName = (a: Version, b: Version): number =>
  a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : a.version - b.version

/** Schema IDs that refer to this version, ascending. Fails as `findVersion`. */
export function referrerIds(state: State, subject: string, number: number | 'latest', { deleted = false }: Shown = {}): number[] {
  const target = findVersion(state, subject, number, { deleted: true })
  return [...new Set(referrersOf(state, target, deleted).map(version => version.schema.id))].sort((a, b) => a - b)
}

export interface VersionFilter extends Shown {
  readonly prefix: string
  /** The latest version of each subject alone. */
  readonly latestOnly?: boolean
  /** Only schemas with a rule of this type. */
  readonly ruleType?: string
  /** Subjects that an alias within the prefix leads to are listed, too. */
  readonly aliases?: boolean
  /** Subjects of which this says no are passed over. Default: none. */
  readonly isVisible?: (subject: string) => boolean
  /** How many to pass over. Default 0. */
  readonly offset?: number
  /** How many to answer. Default: all. */
  readonly limit?: number
}

export interface ListedVersion {
  readonly version: Version
  /** Subjects whose alias leads here, when they were asked for. */
  readonly aliases: readonly string[]
}

/** Versions by subject and number; no more are looked at than it takes to fill the page. */
export function listAll(state: State, filter: VersionFilter): ListedVersion[] {
  const { prefix, aliases, isVisible = () => true, offset = 0, limit = Infinity } = filter
  const isMeant = prefixFilter(prefix)
  const aliasesOf = aliases ? aliasTargets(state, isMeant) : new Map<string, string[]>()
  const page: ListedVersion[] = []
  let passed = 0
  for (const name of namesOf(state)) {
    if (page.length >= limit) break
    if ((!isMeant(name) && !aliasesOf.has(name)) || !isVisible(name)) continue
    for (const version of listedOf(state.subjects.get(name) ?? [], filter)) {
      if (passed++ >= offset && page.length < limit) page.push({ version, aliases: aliasesOf.get(name) ?? [] })
    }
  }
  return page
}

/** Of the versions of one subject. */
function listedOf(versions: readonly Version[], { latestOnly, ruleType = '', ...shown }: VersionFilter): Version[] {
  const latest = latestOnly ? versions.findLast(version => isShown(version, shown)) : undefined
  const listed = latestOnly ? (latest ? [latest] : []) : versions.filter(version => isShown(version, shown))
  return ruleType === '' ? listed : listed.filter(({ schema }) => hasRuleOf(schema, ruleType))
}

function hasRuleOf({ ruleSet }: RegisteredSchema, type: string): boolean {
  const { migrationRules = [], domainRules = [], encodingRules = [] } = ruleSet ?? {}
  return [...migrationRules, ...domainRules, ...encodingRules].some(rule => rule.type === type)
}

function aliasTargets(state: State, isMeant: (name: string) => boolean): Map<string, string[]> {
  const targets = new Map<string, string[]>()
  for (const [name, config] of state.configs) {
    const alias = config['alias']
    if (name === null || typeof alias !== 'string' || alias === '' || !isMeant(name)) continue
    const target = nameWithin(name, alias)
    targets.set(target, [...(targets.get(target) ?? []), name])
  }
  return targets
}

/** The subject that a name stands for: where its alias leads, else itself. */
export function aliased(state: State, subject: string): string {
  const alias = state.configs.get(subject)?.['alias']
  return typeof alias === 'string' && alias !== '' ? nameWithin(subject, alias) : subject
}
