/**
 * Puts a snapshot into a registry by its REST API, IDs and versions kept. The registry is in mode IMPORT meanwhile and gets its mode
 * back whatever happens. What is there already under the same ID is passed over, so that an import that broke off is simply run again.
 */
import { type RegisteredVersion, type RegistryClient, type RegistryMode, refusedWith } from '@assay/client'
import { AssayError, isAssayError } from '@assay/errors'
import { inParallel } from '../in-parallel.ts'
import type { Progress } from '../progress-bar.ts'
import { ownMode } from '../scope.ts'
import { allVersions, keyOf } from './all-versions.ts'
import { type ModeChange, referencesOf, type Snapshot, scopeOf, type VersionChange } from './snapshot.ts'

export interface ImportPlan {
  readonly snapshot: Snapshot
  readonly toRegister: readonly VersionChange[]
  readonly toDelete: readonly VersionChange[]
  /** How many versions are there already. */
  readonly alreadyThere: number
  /** Contexts that hold subjects already; null is the default one. */
  readonly inUse: ReadonlySet<string | null>
}

export interface ImportOptions {
  /** Beside subjects that the snapshot does not hold. */
  readonly force: boolean
}

const ROUTE_NOT_FOUND = 404
const METHOD_NOT_ALLOWED = 405
const REGISTRATIONS_AT_ONCE = 16
const NAMES_SHOWN = 3

/** Compares a snapshot with what is there. Fails with IMPORT_REFUSED when they cannot live together. */
export async function planImport(registry: RegistryClient, snapshot: Snapshot, { force }: ImportOptions): Promise<ImportPlan> {
  const there = await versionsIn(registry, new Set(snapshot.versions.map(({ subject }) => scopeOf(subject))))
  const other = snapshot.versions.filter(version => {
    const found = there.get(keyOf(version))
    return found !== undefined && found.schemaId !== version.id
  })
  if (other.length > 0) {
    const shown = other.map(
      version => `${keyOf(version)} has ID ${there.get(keyOf(version))!.schemaId} there and ${version.id} in the file`
    )
    throw refused(
      `the registry holds other schemas under the same names: ${listed(shown)}; import into an empty registry or context`
    )
  }
  const named = new Set(snapshot.versions.map(keyOf))
  const strangers = new Set([...there.values()].filter(version => !named.has(keyOf(version))).map(({ subject }) => subject))
  if (strangers.size > 0 && !force) {
    throw refused(`the registry is not empty: the file does not hold ${listed([...strangers])}; --force imports beside them`)
  }
  const toRegister = snapshot.versions.filter(version => {
    const found = there.get(keyOf(version))
    return found === undefined || (found.deleted === true && !version.deleted)
  })
  return {
    snapshot,
    toRegister,
    // What refers to others goes before them.
    toDelete: snapshot.versions.filter(version => version.deleted && there.get(keyOf(version))?.deleted !== true).reverse(),
    alreadyThere: snapshot.versions.length - toRegister.length,
    inUse: new Set([...there.values()].map(({ subject }) => scopeOf(subject)))
  }
}

/** Soft-deleted ones, too; each says whether it is. */
async function versionsIn(registry: RegistryClient, scopes: ReadonlySet<string | null>): Promise<Map<string, RegisteredVersion>> {
  const found = new Map<string, RegisteredVersion>()
  for (const scope of scopes) {
    for (const version of await allVersions(registry, { prefix: scope ?? undefined, deleted: true })) {
      if (scopeOf(version.subject) === scope) found.set(keyOf(version), version)
    }
  }
  return found
}

/** Does what was planned. Stops between two requests when `signal` says so, and fails with IMPORT_REFUSED then. */
export async function runImport(
  registry: RegistryClient,
  plan: ImportPlan,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: (what: string, total: number) => Progress }
): Promise<void> {
  const { snapshot, toRegister, toDelete, inUse } = plan
  const going = (): void => {
    if (signal.aborted) throw refused('stopped before the end; run it again to go on')
  }
  const scopes = new Set(toRegister.map(({ subject }) => scopeOf(subject)))
  const before = new Map<string | null, RegistryMode | undefined>()
  try {
    for (const scope of scopes) {
      before.set(scope, await ownMode(registry, scope ?? undefined))
      await startImport(registry, scope, inUse.has(scope))
    }
    const bar = progress('schemas registered', toRegister.length)
    try {
      await registerInOrder(registry, toRegister, () => {
        bar.step()
        going()
      })
    } finally {
      bar.end()
    }
    for (const { subject, version } of toDelete) {
      going()
      await registry.deleteVersion(subject, version)
    }
    for (const { subject, config } of snapshot.configs) {
      going()
      await registry.setConfig(config as ConfigFields, subject ?? undefined)
    }
  } catch (error) {
    await restoreModes(registry, before, []).catch(lost => {
      throw new AssayError(
        'IMPORT_REFUSED',
        { reason: `${messageOf(error)} After that the mode could not be put back: ${messageOf(lost)}` },
        { cause: error }
      )
    })
    throw error
  }
  await restoreModes(registry, before, snapshot.modes)
}

type ConfigFields = Parameters<RegistryClient['setConfig']>[0]

async function startImport(registry: RegistryClient, scope: string | null, inUse: boolean): Promise<void> {
  try {
    // Without force, a registry would refuse because of what is there, or clear what is soft-deleted.
    await registry.setMode('IMPORT', scope ?? undefined, { force: inUse })
  } catch (error) {
    if (refusedWith(error, ROUTE_NOT_FOUND, METHOD_NOT_ALLOWED)) {
      throw new AssayError(
        'IMPORT_REFUSED',
        { reason: 'this registry has no mode IMPORT, and so takes no schema IDs' },
        { cause: error }
      )
    }
    throw error
  }
}

/** Several at a time, each after what it refers to and after the earlier versions of its subject. */
async function registerInOrder(registry: RegistryClient, versions: readonly VersionChange[], onEach: () => void): Promise<void> {
  const ends = new Map(versions.map(version => [keyOf(version), Promise.withResolvers<void>()]))
  const last = new Map<string, string>()
  const needs = versions.map(version => {
    const earlier = last.get(version.subject)
    last.set(version.subject, keyOf(version))
    return [...referencesOf(version), ...(earlier === undefined ? [] : [earlier])]
  })
  // Whoever waits gets the failure; one that nobody waits for is told by inParallel alone.
  for (const { promise } of ends.values()) promise.catch(() => {})
  await inParallel(versions, REGISTRATIONS_AT_ONCE, async (version, index) => {
    const end = ends.get(keyOf(version))!
    try {
      for (const key of needs[index]!) if (key !== keyOf(version)) await ends.get(key)?.promise
      await registerOne(registry, version)
      onEach()
      end.resolve()
    } catch (error) {
      end.reject(error)
      throw error
    }
  })
}

async function registerOne(registry: RegistryClient, { subject, version, id, content }: VersionChange): Promise<void> {
  const { text: schema, schemaType, references, metadata, ruleSet } = content
  const about = { ...(metadata && { metadata }), ...(ruleSet && { ruleSet }) }
  try {
    await registry.registerVersion(subject, { schema, schemaType, references, ...about }, { schemaId: id, version })
  } catch (error) {
    if (!isAssayError(error, 'PEER_REFUSED')) throw error
    const reason = `${keyOf({ subject, version })} with ID ${id}: ${error.facts.reason}`
    throw new AssayError('PEER_REFUSED', { ...error.facts, reason }, { cause: error })
  }
}

/** Those of the snapshot, subjects first; for what was in mode IMPORT and has none there, what it was before. */
async function restoreModes(
  registry: RegistryClient,
  before: ReadonlyMap<string | null, RegistryMode | undefined>,
  modes: readonly ModeChange[]
): Promise<void> {
  const wanted = new Map<string | null, RegistryMode | undefined>([
    ...before,
    ...modes.map(({ subject, mode }) => [subject, mode] as const)
  ])
  const widest = (subject: string | null): number => (subject === null ? 2 : scopeOf(subject) === subject ? 1 : 0)
  for (const [subject, mode] of [...wanted].sort(([a], [b]) => widest(a) - widest(b))) {
    if (mode === undefined) await registry.deleteMode(subject ?? undefined)
    else await registry.setMode(mode, subject ?? undefined, { force: mode === 'IMPORT' })
  }
}

/** What is not in the registry as the snapshot has it, in words; nothing when everything is. */
export async function differences(registry: RegistryClient, { versions }: Snapshot): Promise<string[]> {
  const there = await versionsIn(registry, new Set(versions.map(({ subject }) => scopeOf(subject))))
  return versions.flatMap(version => {
    const found = there.get(keyOf(version))
    if (!found) return [`${keyOf(version)} is not there`]
    if (found.schemaId !== version.id) return [`${keyOf(version)} has ID ${found.schemaId} instead of ${version.id}`]
    if (found.deleted !== version.deleted) return [`${keyOf(version)} is ${found.deleted ? '' : 'not '}soft-deleted`]
    return []
  })
}

function listed(names: readonly string[]): string {
  const rest = names.length - NAMES_SHOWN
  return names.slice(0, NAMES_SHOWN).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}

const refused = (reason: string): AssayError => new AssayError('IMPORT_REFUSED', { reason })
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
