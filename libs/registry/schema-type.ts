/**
 * What a schema type is to this registry: how its texts are parsed and written, what a schema's references put in scope, and how two schemas
 * are compared. Everything else here is the same for every type. Avro is the one type that is served.
 */
import {
  type CompatibilityLevel,
  canonicalText,
  checkLevel,
  confluentMessages,
  type EarlierVersion,
  type Finding,
  type FindingWarning,
  levelWarnings,
  normalizedText,
  parseSchema,
  resolvedText,
  type Schema,
  type SchemaTags,
  tagsOf,
  unorderedText,
  withTags
} from '@assay/avro'
import { AssayError } from '@assay/errors'

export interface SchemaType {
  /** As clients name it. */
  readonly name: string
  /**
   * `references` are the parsed schemas that the text may use. A default that does not fit its type is no reason to fail: `onWrongDefault`,
   * where there is one, is told why a new text would be refused for it. Fails with INVALID_SCHEMA.
   */
  parse(text: string, options: ParseOptions): Schema
  /** The text as it is stored and compared; what is in scope is not written into it. */
  canonicalText(schema: Schema, scope: readonly Schema[]): string
  /** The same for a request that asks for the normal form. */
  normalizedText(schema: Schema, scope: readonly Schema[]): string
  /** The text with everything that it refers to in it. */
  resolvedText(schema: Schema): string
  /** Names of fields at the top, for `confluent:reserved`. */
  topLevelFields(schema: Schema): readonly string[]
  /** The text with tags added at entities inside it, then others removed. Fails with INVALID_SCHEMA for an entity that is not there. */
  withTags(text: string, tagsToAdd: readonly SchemaTags[], tagsToRemove: readonly SchemaTags[]): string
  tagsOf(schema: Schema): readonly SchemaTags[]
  /** A text that is the same for two stored texts with the same attributes in another order; the order of fields, symbols and branches counts. */
  unorderedText(text: string): string
  /**
   * What breaks the level and, when asked, what it lets through although data change their meaning.
   * Undefined when that takes more than `stepsMax`; without it, fails with INVALID_SCHEMA where the work grows too large.
   */
  compare(
    level: CompatibilityLevel,
    candidate: Schema,
    earlier: readonly EarlierVersion[],
    options: CompareOptions & { readonly stepsMax?: number }
  ): Compared | undefined
  /** Findings in Confluent's words. */
  messages(
    findings: readonly Finding[],
    context: {
      readonly level: CompatibilityLevel
      readonly earlier: readonly { readonly version: number; readonly text: string }[]
      readonly validateFields: boolean
    }
  ): string[]
}

export interface ParseOptions {
  readonly references: readonly Schema[]
  readonly onWrongDefault?: (reason: string) => void
}

export interface CompareOptions {
  /** The number that the candidate will have. */
  readonly version: number
  /** Without them the answer says of none. */
  readonly warnings: boolean
}

export interface Compared {
  readonly findings: readonly Finding[]
  readonly warnings: readonly FindingWarning[]
}

export const AVRO = 'AVRO'

const avro: SchemaType = {
  name: AVRO,
  parse: (text, { references, onWrongDefault }) =>
    parseSchema(text, { references, ...(onWrongDefault ? { onWrongDefault } : { validateDefaults: false }) }),
  canonicalText,
  normalizedText,
  resolvedText,
  withTags,
  tagsOf,
  unorderedText,
  topLevelFields: schema => (schema.kind === 'record' ? schema.fields.map(({ name }) => name) : []),
  compare(level, candidate, earlier, { version, warnings, stepsMax }) {
    const steps = stepsMax === undefined ? undefined : { left: stepsMax }
    try {
      const findings = checkLevel(level, candidate, earlier, { version, ...(steps && { steps }) })
      if (steps && steps.left <= 0) return undefined
      return { findings, warnings: warnings ? levelWarnings(level, candidate, earlier, { version }) : [] }
    } catch (error) {
      if (steps && steps.left <= 0) return undefined
      throw error
    }
  },
  messages: confluentMessages
}

const types: ReadonlyMap<string, SchemaType> = new Map([[AVRO, avro]])

/** Names of the types that can be registered. */
export const schemaTypes: readonly string[] = [...types.keys()]

/** Fails with UNSUPPORTED_SCHEMA_TYPE. */
export function schemaTypeNamed(name: string): SchemaType {
  const type = types.get(name)
  if (type === undefined)
    throw new AssayError('UNSUPPORTED_SCHEMA_TYPE', { schemaType: name.slice(0, 100), supported: schemaTypes.join(', ') })
  return type
}
