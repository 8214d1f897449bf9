/**
 * Parses schema text with the verdicts of Apache Avro Java 1.12.1 (strict names, defaults checked) and with limits of its own,
 * so that no text makes it slow, large or deep. What it refuses, it refuses with the place and a way to mend it.
 */
import { AssayError } from '@assay/errors'
import { JsonError, jsonLimits, locate, parseJson, printPath } from './json.ts'
import { linkNames } from './link-names.ts'
import { SchemaProblem } from './problem.ts'
import type { Schema } from './schema.ts'
import { SchemaReader } from './schema-reader.ts'

export interface SchemaLimits {
  readonly textBytesMax: number
  /** Nesting of types, counted with every name replaced by its first definition. */
  readonly depthMax: number
  /** Definitions in one text. */
  readonly namesMax: number
  /** Per record. */
  readonly fieldsMax: number
  /** Per enum. */
  readonly symbolsMax: number
  /** Per union. */
  readonly branchesMax: number
}

export const schemaLimits: SchemaLimits = {
  textBytesMax: 1024 * 1024,
  depthMax: 64,
  namesMax: 5_000,
  fieldsMax: 1_000,
  symbolsMax: 10_000,
  branchesMax: 500
}

export interface ParseSchemaOptions {
  /** Schemas whose named types, nested ones too, may be used by full name. */
  readonly references?: readonly Schema[]
  readonly limits?: Partial<SchemaLimits>
  /** Default true; false for texts that were accepted before, under laxer rules. */
  readonly validateDefaults?: boolean
  /** Given, it is told why the first default that is wrong would be refused, and the schema is read nonetheless. */
  readonly onWrongDefault?: (reason: string) => void
}

/** Throws INVALID_SCHEMA; its reason begins with the JSON path and the line and column. */
export function parseSchema(text: string, options: ParseSchemaOptions = {}): Schema {
  const limits = { ...schemaLimits, ...options.limits }
  const json = { bytesMax: limits.textBytesMax, depthMax: jsonLimits.depthMax }
  const { references = [], validateDefaults = true, onWrongDefault } = options
  const reasonOf = (problem: SchemaProblem): string => {
    const { line, column } = locate(text, problem.path, json)
    return `${cut(printPath(problem.path))} (line ${line}, column ${column}): ${cut(problem.reason)}`
  }
  try {
    const told = onWrongDefault && ((problem: SchemaProblem) => onWrongDefault(reasonOf(problem)))
    const reader = new SchemaReader({ limits, references, validateDefaults, onWrongDefault: told })
    const root = reader.read(parseJson(text, json), '', null, 1)
    return linkNames(root, reader, limits.depthMax)
  } catch (error) {
    if (error instanceof JsonError) {
      const { line, column } = error.position
      const reason = `line ${line}, column ${column}: the text is not JSON: ${cut(error.reason)}`
      throw new AssayError('INVALID_SCHEMA', { reason })
    }
    if (error instanceof SchemaProblem) throw new AssayError('INVALID_SCHEMA', { reason: reasonOf(error) })
    throw error
  }
}

/** Names may have a megabyte; an answer should not. */
const cut = (text: string): string => (text.length > 1_000 ? `${text.slice(0, 997)}...` : text)
