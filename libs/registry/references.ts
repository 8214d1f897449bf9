/** Avro references: a schema may use named types that versions of other subjects define. Here they are found, checked and put in scope. */
import type { Schema } from '@assay/avro'
import { AssayError } from '@assay/errors'
import type { Reference } from './content.ts'
import type { RegistryLimits } from './limits.ts'
import { type SchemaType, schemaTypeNamed } from './schema-type.ts'
import { latestOf, type RegisteredSchema, type State, targetOf, type Version, versionAt } from './subjects.ts'

/**
 * The references with the latest version replaced by its number, so that a schema ID never changes its meaning.
 * Fails with INVALID_SCHEMA when one does not lead to a live version (for a look-up: to any), when there are too many, or when the chain is too long.
 */
export function pinReferences(
  state: State,
  parent: string,
  requested: readonly Reference[],
  limits: Pick<RegistryLimits, 'referencesMax' | 'referenceDepthMax'> & { readonly deletedTargets: boolean }
): Reference[] {
  if (requested.length > limits.referencesMax) throw invalid(`more than ${limits.referencesMax} references`)
  return requested.map(({ name, subject, version }) => {
    const { subject: meant } = targetOf(parent, { subject, version })
    const target = version === -1 ? latestOf(state, meant) : versionAt(state, meant, version)
    if (target === undefined || (target.deleted && !limits.deletedTargets)) throw notFound({ subject, version })
    if (depthBelow(state, target.schema, limits.referenceDepthMax) >= limits.referenceDepthMax) {
      throw invalid(`a chain of more than ${limits.referenceDepthMax} references`)
    }
    return { name, subject, version: target.version }
  })
}

/** Every schema that these references lead to, directly or not, what is referred to standing before what uses it. Fails with INVALID_SCHEMA. */
export function referredSchemas(state: State, parent: string, references: readonly Reference[]): RegisteredSchema[] {
  if (references.length === 0) return []
  const found = new Set<RegisteredSchema>()
  const above = new Set<RegisteredSchema>()
  const visit = (subject: string, further: readonly Reference[]): void => {
    for (const reference of further) {
      const target = targetOf(subject, reference)
      const schema = versionAt(state, target.subject, target.version)?.schema
      if (schema === undefined) throw notFound(reference)
      if (found.has(schema)) continue
      if (above.has(schema)) throw invalid(`schema ID ${schema.id} refers to itself`)
      above.add(schema)
      visit(target.subject, schema.references)
      above.delete(schema)
      found.add(schema)
    }
  }
  visit(parent, references)
  return [...found]
}

export interface ParsedInScope {
  readonly schema: Schema
  /** The schemas whose types the text may use by name. */
  readonly scope: readonly Schema[]
}

/** Parses a text of the subject `parent` with its references in scope, soft-deleted targets included. Fails with INVALID_SCHEMA. */
export function parseWithReferences(
  state: State,
  parent: string,
  text: string,
  references: readonly Reference[],
  { type, onWrongDefault }: { readonly type: SchemaType; readonly onWrongDefault: (reason: string) => void }
): ParsedInScope {
  const scope = scopeOf(state, parent, references, new Set())
  return { schema: type.parse(text, { references: scope, onWrongDefault }), scope }
}

/** The parsed schema of an ID, the same object for as long as it is in use. Fails with INVALID_SCHEMA. */
export function parsedOf(state: State, schema: RegisteredSchema): Schema {
  return parseRegistered(state, schema, new Set())
}

function parseRegistered(state: State, schema: RegisteredSchema, above: Set<RegisteredSchema>): Schema {
  if (schema.parsed) {
    schema.isUsed = true
    return schema.parsed
  }
  const type = schemaTypeNamed(schema.schemaType)
  // No registration can make a circle, since a target must be there first; a log that others wrote may hold one.
  if (above.has(schema)) throw invalid(`schema ID ${schema.id} refers to itself`)
  above.add(schema)
  // Texts in the log were taken in before, perhaps by a laxer registry: their defaults are not judged again.
  const scope = scopeOf(state, parentOf(schema), schema.references, above)
  const parsed = type.parse(schema.text, { references: scope })
  state.parsedSchemas.keep(schema, parsed)
  above.delete(schema)
  return parsed
}

/** Any subject with the schema: all of them stand in one context, so references mean the same in each. */
const parentOf = (schema: RegisteredSchema): string =>
  (schema.versions.values().next().value as Version | undefined)?.subject ?? ''

function scopeOf(state: State, parent: string, references: readonly Reference[], above: Set<RegisteredSchema>): Schema[] {
  const scope = new Map<string, Schema>()
  for (const reference of references) addToScope(state, parent, reference, scope, above)
  return [...scope.values()]
}

/** A type may be used by name also when only a referenced schema refers to it: Confluent puts the whole tree in scope. */
function addToScope(
  state: State,
  parent: string,
  reference: Reference,
  scope: Map<string, Schema>,
  above: Set<RegisteredSchema>
): void {
  if (scope.has(reference.name)) return
  const { subject, version } = targetOf(parent, reference)
  const target = versionAt(state, subject, version)
  if (target === undefined) throw notFound(reference)
  const parsed = parseRegistered(state, target.schema, above)
  for (const further of target.schema.references) addToScope(state, subject, further, scope, above)
  scope.set(reference.name, parsed)
}

/** How many references follow each other below a schema, counted up to `limit`. */
function depthBelow(state: State, schema: RegisteredSchema, limit: number): number {
  let level = new Set([schema])
  for (let depth = 0; depth < limit; depth++) {
    const next = new Set<RegisteredSchema>()
    for (const above of level) {
      for (const reference of above.references) {
        const { subject, version } = targetOf(parentOf(above), reference)
        const target = versionAt(state, subject, version)
        if (target) next.add(target.schema)
      }
    }
    if (next.size === 0) return depth
    level = next
  }
  return limit
}

const invalid = (reason: string): AssayError => new AssayError('INVALID_SCHEMA', { reason })
const notFound = ({ subject, version }: Pick<Reference, 'subject' | 'version'>): AssayError =>
  invalid(`No schema reference found for subject "${subject}" and version ${version}`)
