/** Avro references: a schema may use named types that versions of other subjects define. Here they are found, checked and put in scope. */
import { parseSchema, type Schema } from '@assay/avro'
import { AssayError } from '@assay/errors'
import type { Reference } from './content.ts'
import type { RegistryLimits } from './limits.ts'
import { latestOf, type RegisteredSchema, type State, versionAt } from './subjects.ts'

/**
 * The references with the latest version replaced by its number, so that a schema ID never changes its meaning.
 * Fails with INVALID_SCHEMA when one does not lead to a live version (for a look-up: to any), when there are too many, or when the chain is too long.
 */
export function pinReferences(
  state: State,
  requested: readonly Reference[],
  limits: Pick<RegistryLimits, 'referencesMax' | 'referenceDepthMax'> & { readonly deletedTargets: boolean }
): Reference[] {
  if (requested.length > limits.referencesMax) throw invalid(`more than ${limits.referencesMax} references`)
  return requested.map(({ name, subject, version }) => {
    const target = version === -1 ? latestOf(state, subject) : versionAt(state, subject, version)
    if (target === undefined || (target.deleted && !limits.deletedTargets)) throw notFound({ subject, version })
    if (depthBelow(state, target.schema, limits.referenceDepthMax) >= limits.referenceDepthMax) {
      throw invalid(`a chain of more than ${limits.referenceDepthMax} references`)
    }
    return { name, subject, version: target.version }
  })
}

export interface ParsedInScope {
  readonly schema: Schema
  /** The schemas whose types the text may use by name. */
  readonly scope: readonly Schema[]
}

/** Parses a new text with its references in scope, soft-deleted targets included. Fails with INVALID_SCHEMA. */
export function parseWithReferences(state: State, text: string, references: readonly Reference[]): ParsedInScope {
  const scope = scopeOf(state, references, new Set())
  return { schema: parseSchema(text, { references: scope }), scope }
}

/** The parsed schema of an ID: parsed once, and the same object for as long as the ID lives. Fails with INVALID_SCHEMA. */
export function parsedOf(state: State, schema: RegisteredSchema): Schema {
  return parseRegistered(state, schema, new Set())
}

function parseRegistered(state: State, schema: RegisteredSchema, above: Set<RegisteredSchema>): Schema {
  if (schema.parsed) return schema.parsed
  if (schema.schemaType !== 'AVRO') throw new AssayError('UNSUPPORTED_SCHEMA_TYPE', { schemaType: schema.schemaType })
  // No registration can make a circle, since a target must be there first; a log that others wrote may hold one.
  if (above.has(schema)) throw invalid(`schema ID ${schema.id} refers to itself`)
  above.add(schema)
  // Texts in the log were taken in before, perhaps by a laxer registry: their defaults are not judged again.
  schema.parsed = parseSchema(schema.text, { references: scopeOf(state, schema.references, above), validateDefaults: false })
  above.delete(schema)
  return schema.parsed
}

function scopeOf(state: State, references: readonly Reference[], above: Set<RegisteredSchema>): Schema[] {
  const scope = new Map<string, Schema>()
  for (const reference of references) addToScope(state, reference, scope, above)
  return [...scope.values()]
}

/** A type may be used by name also when only a referenced schema refers to it: Confluent puts the whole tree in scope. */
function addToScope(state: State, reference: Reference, scope: Map<string, Schema>, above: Set<RegisteredSchema>): void {
  if (scope.has(reference.name)) return
  const target = versionAt(state, reference.subject, reference.version)
  if (target === undefined) throw notFound(reference)
  const parsed = parseRegistered(state, target.schema, above)
  for (const further of target.schema.references) addToScope(state, further, scope, above)
  scope.set(reference.name, parsed)
}

/** How many references follow each other below a schema, counted up to `limit`. */
function depthBelow(state: State, schema: RegisteredSchema, limit: number): number {
  let level = new Set([schema])
  for (let depth = 0; depth < limit; depth++) {
    const next = new Set<RegisteredSchema>()
    for (const { references } of level) {
      for (const { subject, version } of references) {
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
