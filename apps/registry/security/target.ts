/** What a request is about, read from its path and query alone, so that it can be judged before its body has arrived. */
import { isAssayError } from '@assay/errors'
import {
  contextOf,
  DEFAULT_CONTEXT,
  GLOBAL_CONTEXT,
  normalizedName,
  prefixOf,
  type RegisteredSchema,
  type Registry,
  readContext,
  readQualified
} from '@assay/registry'
import { type Operation, REGISTRY, type Resource, type Rights } from '@assay/security'
import { deniedSchema, deniedTo } from './denial.ts'
import { holderFor } from './holder.ts'

/** One thing that the caller must have a right to. */
export interface Target {
  /** For the audit; null for a schema, on which there are no ACLs. */
  readonly resource: Resource | null
  readonly isAllowed: (rights: Rights, operation: Operation) => boolean
  /** What is said to who may not. */
  readonly denial: (principal: string, rights: Rights, operation: Operation) => Error
}

export interface Asked {
  readonly params: Readonly<Record<string, string | undefined>>
  readonly query: Readonly<Record<string, string | string[] | undefined>>
}

type Names = Pick<Registry, 'schemaById' | 'idsOfGuid'>

const registryTarget = targetOn(REGISTRY)

/** The first is what the path names; a path that names nothing is about the registry. */
export function targetsOf({ params, query }: Asked, registry: Names): Target[] {
  const subjects = [query['subject']].flat().filter(name => name !== undefined && readQualified(name).subject !== '') as string[]
  const further = subjects.map(name => targetOn({ type: 'subject', name: normalizedName(name) }))
  return [pathTarget(params, [query['subject']].flat()[0], registry), ...further]
}

function pathTarget({ subject, topic, context, id, guid }: Asked['params'], within: string | undefined, registry: Names): Target {
  if (subject !== undefined) return subjectTarget(subject)
  if (topic !== undefined) return targetOn({ type: 'topic', name: topic })
  if (context !== undefined) return contextTarget(context)
  if (id !== undefined) return schemaTarget(`schema ID ${id.slice(0, 20)}`, () => schemasOfId(Number(id), within, registry))
  if (guid !== undefined) return schemaTarget(`schema GUID ${guid.slice(0, 50)}`, () => schemasOfGuid(guid, registry))
  return registryTarget
}

/** What is set for every context is set for the registry. */
function subjectTarget(name: string): Target {
  return contextOf(name) === GLOBAL_CONTEXT || normalizedName(name) === '' ? registryTarget : targetOn({ type: 'subject', name })
}

/** A context is what the names of its subjects begin with, so that one prefixed ACL covers it and them. */
function contextTarget(text: string): Target {
  try {
    const context = readContext(text)
    return context === DEFAULT_CONTEXT || context === GLOBAL_CONTEXT
      ? registryTarget
      : targetOn({ type: 'subject', name: prefixOf(context) })
  } catch (error) {
    if (isAssayError(error)) return registryTarget
    throw error
  }
}

function targetOn(resource: Resource): Target {
  const { type, name } = resource
  return {
    resource,
    isAllowed: (rights, operation) => rights.may(operation, type, name),
    denial: (principal, rights, operation) => deniedTo(principal, operation, resource, rights)
  }
}

/** To be seen by who may read one subject that holds it. One that nobody holds is not there, and that anybody may be told. */
function schemaTarget(label: string, schemas: () => readonly RegisteredSchema[]): Target {
  return {
    resource: null,
    isAllowed(rights, operation) {
      const found = schemas()
      return found.length === 0 || found.some(schema => holderFor(rights, operation, schema) !== undefined)
    },
    denial: (principal, _rights, operation) => deniedSchema(principal, operation, label)
  }
}

function schemasOfId(id: number, within: string | undefined, registry: Pick<Registry, 'schemaById'>): RegisteredSchema[] {
  try {
    return [registry.schemaById(id, within).schema]
  } catch (error) {
    if (isAssayError(error, 'SCHEMA_NOT_FOUND')) return []
    throw error
  }
}

const schemasOfGuid = (guid: string, registry: Names): RegisteredSchema[] =>
  registry.idsOfGuid(guid).flatMap(({ context, id }) => schemasOfId(id, prefixOf(context), registry))
