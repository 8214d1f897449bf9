/** What a registry holds, as the records of `_schemas` that say it: nothing that was replaced, nothing that is gone. */
import { type Change, contextOf, nameWithin, normalizedName, prefixOf } from '@assay/registry'
import { keyOf } from './all-versions.ts'

export type VersionChange = Change & { readonly type: 'schema' }
export type ConfigChange = Change & { readonly type: 'config' }
export type ModeChange = Change & { readonly type: 'mode' }

export interface Snapshot {
  /** By context and ID, but what a schema refers to always before it. */
  readonly versions: readonly VersionChange[]
  readonly configs: readonly ConfigChange[]
  readonly modes: readonly ModeChange[]
}

/** What the changes add up to, in their order. */
export function snapshotOf(changes: Iterable<Change>): Snapshot {
  const versions = new Map<string, VersionChange>()
  const configs = new Map<string | null, ConfigChange>()
  const modes = new Map<string | null, ModeChange>()
  for (const change of changes) {
    switch (change.type) {
      case 'schema':
        versions.set(keyOf(change), change)
        break
      case 'tombstone':
        versions.delete(keyOf(change))
        break
      case 'deleteSubject':
        for (const [key, version] of versions) {
          if (version.subject === change.subject && version.version <= change.upTo)
            versions.set(key, { ...version, deleted: true })
        }
        break
      case 'clearSubject':
        for (const [key, version] of versions)
          if (version.deleted && isWithin(version.subject, change.subject)) versions.delete(key)
        break
      case 'config':
        if (change.config === undefined) configs.delete(change.subject)
        else configs.set(change.subject, change)
        break
      case 'mode':
        if (change.mode === undefined) modes.delete(change.subject)
        else modes.set(change.subject, change)
        break
      default:
    }
  }
  return { versions: inOrder([...versions.values()]), configs: sorted([...configs.values()]), modes: sorted([...modes.values()]) }
}

/** Only subjects that begin so, and without soft-deleted versions unless they are wanted. */
export function selected(
  snapshot: Snapshot,
  { prefix, deleted }: { readonly prefix: string; readonly deleted: boolean }
): Snapshot {
  const isWanted = ({ subject }: { readonly subject: string | null }): boolean =>
    prefix === '' || subject?.startsWith(prefix) === true
  return {
    versions: snapshot.versions.filter(version => isWanted(version) && (deleted || !version.deleted)),
    configs: snapshot.configs.filter(isWanted),
    modes: snapshot.modes.filter(isWanted)
  }
}

/** The same in another context, `:.sales:`: what stands in the default context goes there, other contexts stay. Empty changes nothing. */
export function movedTo(snapshot: Snapshot, prefix: string): Snapshot {
  if (prefix === '') return snapshot
  const moved = (subject: string): string => (contextOf(subject) === contextOf(null) ? prefix + subject : subject)
  const scope = <T extends ConfigChange | ModeChange>(change: T): T => ({
    ...change,
    subject: change.subject === null ? prefix : moved(change.subject)
  })
  return {
    versions: snapshot.versions.map(version => ({ ...version, subject: moved(version.subject) })),
    configs: snapshot.configs.map(scope),
    modes: snapshot.modes.map(scope)
  }
}

/** The versions that a version refers to, by `subject@version`. */
export const referencesOf = ({ subject, content }: VersionChange): string[] =>
  content.references.map(reference => keyOf({ subject: nameWithin(subject, reference.subject), version: reference.version }))

/** The scope that a subject's mode comes from when it has none of its own: null is the default context. */
export const scopeOf = (subject: string): string | null => prefixOf(contextOf(subject)) || null

function isWithin(subject: string, scope: string | null): boolean {
  if (scope === null) return true
  return scope === scopeOf(subject) || normalizedName(scope) === subject
}

function inOrder(versions: VersionChange[]): VersionChange[] {
  versions.sort(
    (a, b) =>
      compare(contextOf(a.subject), contextOf(b.subject)) || a.id - b.id || compare(a.subject, b.subject) || a.version - b.version
  )
  const byKey = new Map(versions.map(version => [keyOf(version), version]))
  const ordered = new Set<VersionChange>()
  const seen = new Set<VersionChange>()
  // IDs grow in the order of registration, and so a target has the lower one; only where IDs came from elsewhere it may be otherwise.
  const visit = (version: VersionChange): void => {
    if (seen.has(version)) return
    seen.add(version)
    for (const key of referencesOf(version)) {
      const target = byKey.get(key)
      if (target) visit(target)
    }
    ordered.add(version)
  }
  for (const version of versions) visit(version)
  return [...ordered]
}

function sorted<T extends ConfigChange | ModeChange>(changes: T[]): T[] {
  return changes.sort((a, b) => compare(a.subject ?? '', b.subject ?? ''))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
