/** What a gate asks of a registry, answered from its memory. */
import type { Schema } from '@assay/avro'
import { isAssayError } from '@assay/errors'
import { type Logger, silentLogger } from '@assay/std'
import { DEFAULT_CONTEXT } from './qualified.ts'
import { parsedOf } from './references.ts'
import type { Registry } from './registry.ts'
import { latestOf, type RegisteredSchema, type Version, versionAt } from './subjects.ts'

export interface SourcedVersion {
  readonly subject: string
  readonly version: number
  readonly id: number
  /** Canonical text, as registered. */
  readonly text: string
  readonly schema: Schema
}

/**
 * Schemas as parsed objects, one per ID for as long as it is in use. A schema that cannot be parsed here (another schema type, or a text that another registry
 * took in) is told to the log once and answered as one that is not there: nothing can be checked against it.
 */
export function schemaSource(registry: Registry, logger: Logger = silentLogger) {
  const { state } = registry
  const unparsable = new WeakSet<RegisteredSchema>()

  const parsed = (schema: RegisteredSchema): Schema | undefined => {
    if (schema.parsed) {
      schema.isUsed = true
      return schema.parsed
    }
    if (unparsable.has(schema)) return undefined
    try {
      return parsedOf(state, schema)
    } catch (error) {
      if (!isAssayError(error)) throw error
      unparsable.add(schema)
      logger.warn({ schemaId: schema.id, reason: error.message }, 'a registered schema cannot be checked against')
      return undefined
    }
  }

  const sourced = (version: Version | undefined): SourcedVersion | undefined => {
    if (version === undefined || version.deleted) return undefined
    const schema = parsed(version.schema)
    return (
      schema && { subject: version.subject, version: version.version, id: version.schema.id, text: version.schema.text, schema }
    )
  }

  return {
    /** The parsed schema of an ID, soft-deleted versions included; undefined when the ID is not known. */
    schemaById(id: number): Schema | undefined {
      const schema = state.contexts.get(DEFAULT_CONTEXT)?.schemas.get(id)
      return schema && parsed(schema)
    },
    /** True when the ID is or was (soft-deleted) a version of the subject. */
    isUnder(id: number, subject: string): boolean {
      return state.subjects.get(subject)?.some(version => version.schema.id === id) ?? false
    },
    /** True when the subject has a live version. */
    hasSubject: (subject: string): boolean => latestOf(state, subject) !== undefined,
    /** A live version; undefined when there is none. */
    versionOf: (subject: string, version: number | 'latest'): SourcedVersion | undefined =>
      sourced(version === 'latest' ? latestOf(state, subject) : versionAt(state, subject, version)),
    catchUp: (): Promise<void> => registry.catchUp()
  }
}
