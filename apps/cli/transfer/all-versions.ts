/** Every version of every subject: in one bulk read where the registry has it, else subject by subject. */
import { type RegisteredVersion, type RegistryClient, refusedWith } from '@assay/client'
import { inParallel } from '../in-parallel.ts'

export interface VersionsWanted {
  readonly prefix?: string | undefined
  readonly deleted: boolean
  readonly latestOnly?: boolean
}

/** Redpanda and Apicurio have no bulk read, or one that does not say which subject a schema is of. */
const NO_BULK_READ = [404, 405]
const SUBJECT_NOT_FOUND = 40401
const QUESTIONS_AT_ONCE = 16

/** With `deleted`, each version says whether it is soft-deleted, also when the registry does not. */
export async function allVersions(registry: RegistryClient, wanted: VersionsWanted): Promise<RegisteredVersion[]> {
  const versions = await listed(registry, wanted)
  if (!wanted.deleted || versions.every(({ deleted }) => deleted !== undefined)) return versions
  const live = new Set((await listed(registry, { ...wanted, deleted: false })).map(keyOf))
  return versions.map(version => ({ ...version, deleted: !live.has(keyOf(version)) }))
}

export const keyOf = ({ subject, version }: { readonly subject: string; readonly version: number }): string =>
  `${subject}@${version}`

async function listed(
  registry: RegistryClient,
  { prefix, deleted, latestOnly = false }: VersionsWanted
): Promise<RegisteredVersion[]> {
  const named = prefix === undefined ? {} : { prefix }
  try {
    const versions: RegisteredVersion[] = []
    for await (const version of registry.schemas({ ...named, deleted, latestOnly })) versions.push(version)
    return versions
  } catch (error) {
    if (!refusedWith(error, ...NO_BULK_READ)) throw error
  }
  const subjects = await registry.subjects({ ...named, deleted })
  const found = await inParallel(
    // Not every registry knows prefixes.
    subjects.filter(subject => subject.startsWith(prefix ?? '')),
    QUESTIONS_AT_ONCE,
    async subject => {
      const numbers = await registry.versions(subject, { deleted }).catch(error => {
        // Deleted since the subjects were listed.
        if (refusedWith(error, SUBJECT_NOT_FOUND)) return []
        throw error
      })
      const wanted = latestOnly ? numbers.slice(-1) : numbers
      return inParallel(wanted, 1, version => registry.version(subject, version, { deleted }))
    }
  )
  return found.flat()
}
