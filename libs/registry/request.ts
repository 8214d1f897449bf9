/** A schema as a client sends it: what is left out filled in, checked, parsed, and written in the form in which it is stored. */
import { canonicalText, normalizedText, type Schema } from '@assay/avro'
import { AssayError } from '@assay/errors'
import { configInScope } from './config.ts'
import { type Content, type Metadata, orderedRuleSet, type Reference, type RuleSet, sortedMetadata } from './content.ts'
import type { RegistryLimits } from './limits.ts'
import { parseWithReferences, pinReferences } from './references.ts'
import type { State, Version } from './subjects.ts'

/** A schema as a client sends it. */
export interface SchemaRequest {
  /** Absent: the text of the latest version, for a change of metadata or rules alone. */
  readonly schema?: string
  readonly schemaType?: string
  readonly references?: readonly Reference[]
  readonly metadata?: Metadata
  readonly ruleSet?: RuleSet
  /** Taken only in mode IMPORT. */
  readonly id?: number
  /** 0 or -1 for the next; any other must be the next. */
  readonly version?: number
}

/** Parses the text and writes it in its canonical or normal form. Fails with INVALID_SCHEMA, UNSUPPORTED_SCHEMA_TYPE. */
export function contentOf(
  state: State,
  request: SchemaRequest,
  {
    normalize,
    limits,
    deletedTargets
  }: { readonly normalize: boolean; readonly limits: RegistryLimits; readonly deletedTargets?: boolean }
): { readonly content: Content; readonly parsed: Schema } {
  const { schemaType = 'AVRO', schema = '' } = request
  if (schemaType !== 'AVRO') throw new AssayError('UNSUPPORTED_SCHEMA_TYPE', { schemaType })
  if (schema.trim() === '') throw new AssayError('INVALID_SCHEMA', { reason: 'Empty schema' })
  const pinned = pinReferences(state, request.references ?? [], { ...limits, deletedTargets: deletedTargets ?? false })
  const references = normalize ? sortedReferences(pinned) : pinned
  const asWritten = parseWithReferences(state, schema, references)
  const text = normalize ? normalizedText(asWritten.schema, asWritten.scope) : canonicalText(asWritten.schema, asWritten.scope)
  const content = {
    schemaType,
    text,
    references,
    metadata: sortedMetadata(request.metadata),
    ruleSet: orderedRuleSet(request.ruleSet)
  }
  // What is judged is what will be stored: normalisation drops defaults that could never be used.
  return { content, parsed: normalize ? parseWithReferences(state, text, references).schema : asWritten.schema }
}

/** Fails with INVALID_SUBJECT. */
export function checkSubject(subject: string, { subjectCharsMax }: Pick<RegistryLimits, 'subjectCharsMax'>): void {
  const refuse = (reason: string): never => {
    throw new AssayError('INVALID_SUBJECT', { subject: subject.slice(0, 100), reason })
  }
  if (subject === '') refuse('it is empty')
  if (subject.length > subjectCharsMax) refuse(`it is longer than ${subjectCharsMax} characters`)
  if (/\p{Cc}/u.test(subject)) refuse('it holds a control character')
  if (!subject.isWellFormed()) refuse('it holds half a surrogate pair')
  if (subject === '__GLOBAL' || subject === '__EMPTY') refuse('the name is reserved')
  // A qualified name has schema IDs of its own; taken as a plain name, it would change its meaning later.
  if (subject.startsWith(':.')) refuse('contexts are not served')
}

/** The metadata property that says which version a schema is. */
export const VERSION_PROPERTY = 'confluent:version'

/**
 * What a request leaves out is taken over from the latest version: the text with its references, metadata, rule set.
 * `confluent:version` is written when a version was asked for, and kept up to date once it is there.
 */
export function inherit(
  request: SchemaRequest,
  latest: Version | undefined,
  asked: number | undefined,
  next: number | undefined
): SchemaRequest {
  const from = latest?.schema
  const text = request.schema === undefined || request.schema.trim() === '' ? from : undefined
  const metadata = request.metadata ?? from?.metadata
  const ruleSet = request.ruleSet ?? from?.ruleSet
  const number = asked ?? (metadata?.properties?.[VERSION_PROPERTY] === undefined ? undefined : next)
  const dated =
    number === undefined ? metadata : { ...metadata, properties: { ...metadata?.properties, [VERSION_PROPERTY]: String(number) } }
  return {
    ...request,
    ...(text && { schema: text.text, schemaType: text.schemaType, references: text.references }),
    ...(dated && { metadata: dated }),
    ...(ruleSet && { ruleSet })
  }
}

/** Whether the settings in force for the subject ask to normalise. */
export const normalizesInScope = (state: State, subject: string): boolean => configInScope(state, subject).normalize ?? false

function sortedReferences(references: readonly Reference[]): Reference[] {
  const byName = new Map<string, Reference>()
  for (const reference of references) byName.set(JSON.stringify(reference), reference)
  return [...byName.entries()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, reference]) => reference)
}
