/**
 * The state that the journal's records add up to: subjects with their versions, one copy of each content, settings.
 * `apply` is the only way in; it takes changes in the order of the log and never fails, because a log cannot be argued with.
 */
import type { Schema } from '@assay/avro'
import type { Change, ConfigValue, Mode } from './changes.ts'
import { type Content, fingerprintOf, type Reference } from './content.ts'
import { type ParsedSchemas, parsedSchemas } from './parsed-schemas.ts'
import { contextOf, DEFAULT_CONTEXT, GLOBAL_CONTEXT, nameWithin, readQualified } from './qualified.ts'

/** A room of schema IDs of its own. */
export interface Context {
  /** With its leading dot; `.` is the default one. */
  readonly name: string
  readonly schemas: Map<number, RegisteredSchema>
  readonly idByFingerprint: Map<string, number>
  /** The highest schema ID that the log ever held here, whatever became of it. */
  maxId: number
  /** Whether one content ever had two IDs here, which only logs of others hold. */
  hasTwins: boolean
  /** Whether it is shown in lists: an emptied context that was deleted is not, though its IDs are never given again. */
  isListed: boolean
}

/** A content under its schema ID: one object per ID for as long as any version uses it. */
export interface RegisteredSchema extends Content {
  readonly id: number
  readonly context: Context
  readonly fingerprint: string
  /** Versions of any subject with this content, soft-deleted ones included, in the order of their registration. */
  readonly versions: Set<Version>
  /** Parsed on use, and dropped when it was not used for long. */
  parsed: Schema | undefined
  isUsed: boolean
}

export interface Version {
  readonly subject: string
  readonly version: number
  readonly schema: RegisteredSchema
  deleted: boolean
  /** When the record that last changed it was written, ms since 1970. */
  timestampMs: number
}

export interface State {
  /** By qualified name; versions ascending by number, soft-deleted ones included; a subject without any is not there. */
  readonly subjects: Map<string, Version[]>
  /** The names of subjects in ascending order, until one comes or goes; `namesOf` reads it. */
  sortedNames: readonly string[] | undefined
  /** The default context is always there. */
  readonly contexts: Map<string, Context>
  /** Who refers to a version, by `targetKey`; soft-deleted referrers included. */
  readonly referrers: Map<string, Set<Version>>
  /** By qualified name, by `:.context:`, and null for the default context. */
  readonly configs: Map<string | null, ConfigValue>
  readonly modes: Map<string | null, Mode>
  readonly parsedSchemas: ParsedSchemas
}

/** Of the texts whose schemas are held parsed. */
const parsedCharsMax = 8 * 1024 * 1024

export function emptyState(): State {
  return {
    subjects: new Map(),
    sortedNames: undefined,
    contexts: new Map([[DEFAULT_CONTEXT, emptyContext(DEFAULT_CONTEXT)]]),
    referrers: new Map(),
    configs: new Map(),
    modes: new Map(),
    parsedSchemas: parsedSchemas(parsedCharsMax)
  }
}

function emptyContext(name: string): Context {
  return { name, schemas: new Map(), idByFingerprint: new Map(), maxId: 0, hasTwins: false, isListed: true }
}

function contextNamed(state: State, name: string): Context {
  let context = state.contexts.get(name)
  if (context === undefined) {
    context = emptyContext(name)
    state.contexts.set(name, context)
  }
  return context
}

/** The context in which a subject, or the settings of null, stand; undefined when nothing was ever registered there. */
export const contextHolding = (state: State, subject: string | null): Context | undefined =>
  state.contexts.get(contextOf(subject))

/** Every context with its settings and subjects, the default one first, then by name. */
export function listedContexts(state: State): Context[] {
  return [...state.contexts.values()].filter(({ isListed }) => isListed).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Makes a change visible. Answers why a change is passed over, or undefined when it was taken. */
export function apply(state: State, change: Change, timestampMs: number): string | undefined {
  switch (change.type) {
    case 'schema':
      return putVersion(state, change, timestampMs)
    case 'tombstone':
      dropVersion(state, change.subject, change.version)
      return undefined
    case 'deleteSubject':
      for (const version of state.subjects.get(change.subject) ?? []) {
        if (version.version > change.upTo || version.deleted) continue
        version.deleted = true
        version.timestampMs = timestampMs
      }
      return undefined
    case 'clearSubject':
      clearDeleted(state, change.subject)
      return undefined
    case 'context':
      contextNamed(state, change.context).isListed = change.exists || change.context === DEFAULT_CONTEXT
      return undefined
    case 'config':
      setOrDrop(state.configs, change.subject, change.config)
      return undefined
    case 'mode':
      setOrDrop(state.modes, change.subject, change.mode)
      return undefined
    case 'maxId': {
      const context = contextNamed(state, change.context)
      context.maxId = Math.max(context.maxId, change.maxId)
      return undefined
    }
  }
}

function putVersion(state: State, change: Change & { type: 'schema' }, timestampMs: number): string | undefined {
  const context = contextNamed(state, contextOf(change.subject))
  context.isListed = true
  context.maxId = Math.max(context.maxId, change.id)
  const known = context.schemas.get(change.id)
  // An ID must never change its meaning: clients cache it for ever. Whatever another writer did, the first content keeps the ID.
  if (known && known.text !== change.content.text) return `schema ID ${change.id} is known with another text`
  const schema = known ?? addSchema(context, change.id, change.content)
  let versions = state.subjects.get(change.subject)
  if (versions === undefined) {
    versions = []
    state.subjects.set(change.subject, versions)
    state.sortedNames = undefined
  }
  const place = placeOf(versions, change.version)
  const before = versions[place]
  const replaces = before?.version === change.version
  if (replaces && before.schema === schema) {
    before.deleted = change.deleted
    before.timestampMs = timestampMs
    return undefined
  }
  const version: Version = { subject: change.subject, version: change.version, schema, deleted: change.deleted, timestampMs }
  versions.splice(place, replaces ? 1 : 0, version)
  schema.versions.add(version)
  for (const reference of schema.references) {
    const key = targetKey(targetOf(version.subject, reference))
    const referrers = state.referrers.get(key)
    if (referrers) referrers.add(version)
    else state.referrers.set(key, new Set([version]))
  }
  if (replaces) forgetUse(state, before)
  return undefined
}

function addSchema(context: Context, id: number, content: Content): RegisteredSchema {
  const fingerprint = fingerprintOf(content)
  const schema: RegisteredSchema = { ...content, id, context, fingerprint, versions: new Set(), parsed: undefined, isUsed: false }
  context.schemas.set(id, schema)
  // Two IDs for one content exist in logs that others wrote; the lower one, which came first, stays the answer.
  if (!context.idByFingerprint.has(fingerprint)) context.idByFingerprint.set(fingerprint, id)
  else context.hasTwins = true
  return schema
}

/** What is soft-deleted goes: of a subject, of a context, or of everything for null. */
function clearDeleted(state: State, scope: string | null): void {
  for (const subject of subjectsWithin(state, scope)) {
    for (const { version, deleted } of [...(state.subjects.get(subject) ?? [])]) if (deleted) dropVersion(state, subject, version)
  }
}

/** The subject itself, every subject of the context that is named, or all: null and the global context stand for everything. */
export function subjectsWithin(state: State, scope: string | null): string[] {
  if (scope !== null && readQualified(scope).subject !== '') return state.subjects.has(scope) ? [scope] : []
  const context = contextOf(scope)
  const all = [...state.subjects.keys()]
  return scope === null || context === GLOBAL_CONTEXT ? all : all.filter(name => contextOf(name) === context)
}

function dropVersion(state: State, subject: string, number: number): void {
  const versions = state.subjects.get(subject)
  if (versions === undefined) return
  const place = placeOf(versions, number)
  const version = versions[place]
  if (version?.version !== number) return
  versions.splice(place, 1)
  if (versions.length === 0) {
    state.subjects.delete(subject)
    state.sortedNames = undefined
  }
  forgetUse(state, version)
}

/** The last use takes the content with it, so that a hard delete gives its memory back. */
function forgetUse(state: State, version: Version): void {
  const { schema } = version
  schema.versions.delete(version)
  for (const reference of schema.references) {
    const key = targetKey(targetOf(version.subject, reference))
    const referrers = state.referrers.get(key)
    referrers?.delete(version)
    if (referrers?.size === 0) state.referrers.delete(key)
  }
  if (schema.versions.size > 0) return
  state.parsedSchemas.forget(schema)
  const { schemas, idByFingerprint } = schema.context
  schemas.delete(schema.id)
  if (idByFingerprint.get(schema.fingerprint) !== schema.id) return
  idByFingerprint.delete(schema.fingerprint)
  if (!schema.context.hasTwins) return
  const twin = [...schemas.values()].find(other => other.fingerprint === schema.fingerprint)
  if (twin) idByFingerprint.set(twin.fingerprint, twin.id)
}

function setOrDrop<V>(map: Map<string | null, V>, key: string | null, value: V | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}

/** The index of the first version that is not below this number. */
function placeOf(versions: readonly Version[], number: number): number {
  let low = 0
  let high = versions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (versions[middle]!.version < number) low = middle + 1
    else high = middle
  }
  return low
}

const targetKey = (target: { readonly subject: string; readonly version: number }): string =>
  `${target.version} ${target.subject}`

/** What a reference of this subject leads to: a plain name stands in the context of the subject that uses it. */
export const targetOf = (
  subject: string,
  reference: Pick<Reference, 'subject' | 'version'>
): Pick<Reference, 'subject' | 'version'> => ({
  subject: nameWithin(subject, reference.subject),
  version: reference.version
})

/** Who refers to this version; soft-deleted referrers only when asked for. */
export function referrersOf(state: State, target: Pick<Reference, 'subject' | 'version'>, withDeleted: boolean): Version[] {
  return [...(state.referrers.get(targetKey(target)) ?? [])].filter(version => withDeleted || !version.deleted)
}

/** Names of subjects, ascending by code unit: sorted once and not for every page of a list. */
export function namesOf(state: State): readonly string[] {
  state.sortedNames ??= [...state.subjects.keys()].sort()
  return state.sortedNames
}

/** Ascending by number. */
export function versionsOf(state: State, subject: string, withDeleted: boolean): Version[] {
  return (state.subjects.get(subject) ?? []).filter(version => withDeleted || !version.deleted)
}

/** The live version with the highest number, or undefined. */
export function latestOf(state: State, subject: string): Version | undefined {
  return state.subjects.get(subject)?.findLast(version => !version.deleted)
}

/** The version of this number, soft-deleted or not, or undefined. */
export function versionAt(state: State, subject: string, number: number): Version | undefined {
  const versions = state.subjects.get(subject) ?? []
  const version = versions[placeOf(versions, number)]
  return version?.version === number ? version : undefined
}

/** The schema of the context with this very content, or undefined. Compares the content too: equal fingerprints alone prove nothing. */
export function sameContent(context: Context | undefined, content: Content): RegisteredSchema | undefined {
  if (context === undefined || context.schemas.size === 0) return undefined
  const id = context.idByFingerprint.get(fingerprintOf(content))
  const schema = id === undefined ? undefined : context.schemas.get(id)
  return schema !== undefined && isSameContent(schema, content) ? schema : undefined
}

export function isSameContent(a: Content, b: Content): boolean {
  return a.text === b.text && a.schemaType === b.schemaType && attachments(a) === attachments(b)
}

/** Most schemas have none. */
const attachments = ({ references, metadata, ruleSet }: Content): string =>
  references.length === 0 && metadata === undefined && ruleSet === undefined
    ? ''
    : JSON.stringify([references, metadata, ruleSet])
