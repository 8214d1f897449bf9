/**
 * The state that the journal's records add up to: subjects with their versions, one copy of each content, settings.
 * `apply` is the only way in; it takes changes in the order of the log and never fails, because a log cannot be argued with.
 */
import type { Schema } from '@assay/avro'
import type { Change, ConfigValue, Mode } from './changes.ts'
import { type Content, fingerprintOf, type Reference } from './content.ts'

/** A content under its schema ID: one object per ID for as long as any version uses it. */
export interface RegisteredSchema extends Content {
  readonly id: number
  readonly fingerprint: string
  /** Versions of any subject with this content, soft-deleted ones included, in the order of their registration. */
  readonly versions: Set<Version>
  /** Parsed on first use. */
  parsed: Schema | undefined
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
  /** Versions ascending by number, soft-deleted ones included; a subject without any is not there. */
  readonly subjects: Map<string, Version[]>
  readonly schemas: Map<number, RegisteredSchema>
  readonly idByFingerprint: Map<string, number>
  /** Who refers to a version, by `targetKey`; soft-deleted referrers included. */
  readonly referrers: Map<string, Set<Version>>
  /** Key null is the global setting. */
  readonly configs: Map<string | null, ConfigValue>
  readonly modes: Map<string | null, Mode>
  /** The highest schema ID that the log ever held, whatever became of it. */
  maxId: number
}

export function emptyState(): State {
  return {
    subjects: new Map(),
    schemas: new Map(),
    idByFingerprint: new Map(),
    referrers: new Map(),
    configs: new Map(),
    modes: new Map(),
    maxId: 0
  }
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
      for (const version of [...(state.subjects.get(change.subject) ?? [])]) dropVersion(state, change.subject, version.version)
      return undefined
    case 'config':
      setOrDrop(state.configs, change.subject, change.config)
      return undefined
    case 'mode':
      setOrDrop(state.modes, change.subject, change.mode)
      return undefined
    case 'maxId':
      state.maxId = Math.max(state.maxId, change.maxId)
      return undefined
  }
}

function putVersion(state: State, change: Change & { type: 'schema' }, timestampMs: number): string | undefined {
  state.maxId = Math.max(state.maxId, change.id)
  const known = state.schemas.get(change.id)
  // An ID must never change its meaning: clients cache it for ever. Whatever another writer did, the first content keeps the ID.
  if (known && known.text !== change.content.text) return `schema ID ${change.id} is known with another text`
  const schema = known ?? addSchema(state, change.id, change.content)
  let versions = state.subjects.get(change.subject)
  if (versions === undefined) {
    versions = []
    state.subjects.set(change.subject, versions)
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
    const key = targetKey(reference)
    const referrers = state.referrers.get(key)
    if (referrers) referrers.add(version)
    else state.referrers.set(key, new Set([version]))
  }
  if (replaces) forgetUse(state, before)
  return undefined
}

function addSchema(state: State, id: number, content: Content): RegisteredSchema {
  const fingerprint = fingerprintOf(content)
  const schema: RegisteredSchema = { ...content, id, fingerprint, versions: new Set(), parsed: undefined }
  state.schemas.set(id, schema)
  // Two IDs for one content exist in logs that others wrote; the lower one, which came first, stays the answer.
  if (!state.idByFingerprint.has(fingerprint)) state.idByFingerprint.set(fingerprint, id)
  return schema
}

function dropVersion(state: State, subject: string, number: number): void {
  const versions = state.subjects.get(subject)
  if (versions === undefined) return
  const place = placeOf(versions, number)
  const version = versions[place]
  if (version?.version !== number) return
  versions.splice(place, 1)
  if (versions.length === 0) state.subjects.delete(subject)
  forgetUse(state, version)
}

/** The last use takes the content with it, so that a hard delete gives its memory back. */
function forgetUse(state: State, version: Version): void {
  const { schema } = version
  schema.versions.delete(version)
  for (const reference of schema.references) {
    const key = targetKey(reference)
    const referrers = state.referrers.get(key)
    referrers?.delete(version)
    if (referrers?.size === 0) state.referrers.delete(key)
  }
  if (schema.versions.size > 0) return
  state.schemas.delete(schema.id)
  if (state.idByFingerprint.get(schema.fingerprint) === schema.id) state.idByFingerprint.delete(schema.fingerprint)
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

/** Who refers to this version; soft-deleted referrers only when asked for. */
export function referrersOf(state: State, target: Pick<Reference, 'subject' | 'version'>, withDeleted: boolean): Version[] {
  return [...(state.referrers.get(targetKey(target)) ?? [])].filter(version => withDeleted || !version.deleted)
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

/** The schema with this very content, or undefined. Compares the content too: equal fingerprints alone prove nothing. */
export function sameContent(state: State, content: Content): RegisteredSchema | undefined {
  const id = state.idByFingerprint.get(fingerprintOf(content))
  const schema = id === undefined ? undefined : state.schemas.get(id)
  return schema !== undefined && schema.text === content.text && attachments(schema) === attachments(content) ? schema : undefined
}

const attachments = (content: Content): string =>
  JSON.stringify([content.schemaType, content.references, content.metadata, content.ruleSet])
