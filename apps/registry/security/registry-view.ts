/**
 * The registry as one caller sees it: subjects that he may not read are not listed, not found under another name, and not
 * reached by references or schema IDs. Whether he may do at all what he asks for was judged before (guard.ts).
 */
import { AssayError } from '@assay/errors'
import {
  type FoundSchema,
  nameWithin,
  prefixOf,
  type Registered,
  type Registry,
  type SchemaRequest,
  type Version
} from '@assay/registry'
import { type Rights, superRights } from '@assay/security'
import { type Caller, mayReadSubject } from './caller.ts'
import { deniedSchema, deniedTo } from './denial.ts'
import { holderFor } from './holder.ts'

/** Gives each caller his view, made once for as long as his rights are the same. */
export function registryViews(registry: Registry): (caller: Caller) => Registry {
  const views = new WeakMap<Rights, Registry>()
  return caller => {
    if (caller.rights === superRights) return registry
    let view = views.get(caller.rights)
    if (view === undefined) {
      view = viewFor(caller, registry)
      views.set(caller.rights, view)
    }
    return view
  }
}

function viewFor(caller: Caller, registry: Registry): Registry {
  const isVisible = (subject: string): boolean => mayReadSubject(caller, subject)

  /** A plain name can be found in another context: what is there is not there for who may not read it. */
  const seen = <T extends { readonly subject: string }>(found: T, asked: string): T => {
    if (found.subject === asked || isVisible(found.subject)) return found
    throw new AssayError('SUBJECT_NOT_FOUND', { subject: asked })
  }

  /** Who refers to a schema gets its text, written out, so he must be one who may read it. */
  const checkReferences = (subject: string, { references = [] }: SchemaRequest): void => {
    for (const reference of references) {
      const name = nameWithin(subject, reference.subject)
      if (!isVisible(name)) throw deniedTo(caller.principal, 'read', { type: 'subject', name }, caller.rights)
    }
  }

  const visibleUse = (found: FoundSchema, label: string): FoundSchema => {
    if (isVisible(found.version.subject)) return found
    const version = holderFor(caller.rights, 'read', found.schema)
    if (version) return { schema: found.schema, version }
    throw deniedSchema(caller.principal, 'read', label)
  }

  const isVisibleContext = (name: string, subjects: readonly string[]): boolean => {
    const prefix = prefixOf(name)
    return prefix === '' || isVisible(prefix) || subjects.some(subject => subject.startsWith(prefix))
  }

  const isVisibleSchema = (id: number, within: string): boolean =>
    holderFor(caller.rights, 'read', registry.schemaById(id, within).schema) !== undefined

  return {
    ...registry,
    async register(subject, request, options) {
      checkReferences(subject, request)
      return registry.register(subject, request, options)
    },
    async modifyTags(subject, number, change) {
      seen(registry.version(subject, number), subject)
      return registry.modifyTags(subject, number, change)
    },
    async lookUp(subject, request, options): Promise<Registered> {
      checkReferences(subject, request)
      return seen(await registry.lookUp(subject, request, options), subject)
    },
    async checkCompatibility(subject, against, request, options) {
      checkReferences(subject, request)
      return registry.checkCompatibility(subject, against, request, options)
    },
    contexts() {
      const subjects = registry.subjects({ deleted: true }).filter(isVisible)
      return registry.contexts().filter(name => isVisibleContext(name, subjects))
    },
    subjects: options => registry.subjects(options).filter(isVisible),
    list: filter =>
      registry
        .list({ ...filter, isVisible })
        .map(({ version, aliases }) => ({ version, aliases: aliases.length === 0 ? aliases : aliases.filter(isVisible) })),
    version: (subject, number, options): Version => seen(registry.version(subject, number, options), subject),
    referencedBy(subject, number, options) {
      const { subject: found } = seen(registry.version(subject, number, { deleted: true }), subject)
      return registry.referencedBy(subject, number, options).filter(id => isVisibleSchema(id, found))
    },
    schemaById: (id, subject) => visibleUse(registry.schemaById(id, subject), `schema ID ${id}`),
    schemaByGuid(guid) {
      const label = `schema GUID ${guid.slice(0, 50)}`
      const found = registry.schemaByGuid(guid)
      // The same content may be held in several contexts, of which the first is not the one that he may see.
      for (const { context, id } of registry.idsOfGuid(guid)) {
        if (isVisibleSchema(id, prefixOf(context))) return visibleUse(registry.schemaById(id, prefixOf(context)), label)
      }
      return visibleUse(found, label)
    },
    idsOfGuid: guid => registry.idsOfGuid(guid).filter(({ context, id }) => isVisibleSchema(id, prefixOf(context))),
    versionsById: (id, options) => registry.versionsById(id, options).filter(({ subject }) => isVisible(subject))
  }
}
