/** A schema as a client sends it: what is left out filled in, checked, parsed, and written in the form in which it is stored. */
import type { Schema, SchemaTags } from '@assay/avro'
import { AssayError } from '@assay/errors'
import { type Config, configInScope } from './config.ts'
import {
  type Content,
  type Metadata,
  orderedRuleSet,
  type Reference,
  type Rule,
  type RuleSet,
  sortedMetadata
} from './content.ts'
import type { RegistryLimits } from './limits.ts'
import { HeavyWork } from './off-loop.ts'
import { type Recent, recent } from './recent.ts'
import { parsedOf, parseWithReferences, pinReferences, referredSchemas } from './references.ts'
import { AVRO, type Compared, schemaTypeNamed } from './schema-type.ts'
import type { State, Version } from './subjects.ts'

/** A schema as a client sends it. */
export interface SchemaRequest {
  /** Absent: the text of the latest version, for a change of metadata or rules alone. */
  readonly schema?: string
  readonly schemaType?: string
  readonly references?: readonly Reference[]
  readonly metadata?: Metadata
  readonly ruleSet?: RuleSet
  /** Taken only in the modes IMPORT and FORWARD. */
  readonly id?: number
  /** 0 or -1 for the next; any other must be the next, except in the modes IMPORT and FORWARD. */
  readonly version?: number
  /** Tags for entities inside the text, put in and taken out before it is registered. */
  readonly schemaTagsToAdd?: readonly SchemaTags[]
  readonly schemaTagsToRemove?: readonly SchemaTags[]
  /** Whether the tags inside the latest version are put into the text, too. */
  readonly propagateSchemaTags?: boolean
}

/** What reading a request takes besides the state. */
export interface Means {
  readonly limits: RegistryLimits
  /** What texts were parsed to lately. */
  readonly texts: Recent<WrittenText>
  /** What candidates were found to break lately. */
  readonly verdicts: Recent<Compared>
}

export const newMeans = (limits: RegistryLimits): Means => ({
  limits,
  texts: recent({ entriesMax: 1_000, charsMax: 8 * 1024 * 1024, keyCharsMax: 2 * limits.schemaCharsMax }),
  verdicts: recent({ entriesMax: 1_000, charsMax: 8 * 1024 * 1024, keyCharsMax: 2 * limits.schemaCharsMax })
})

export interface WrittenText {
  /** Canonical or normal form. */
  readonly text: string
  /** The form as an object; parsed on first use. */
  readonly parsed: () => Schema
  /** Why a new text would be refused: a default that does not fit its type. */
  readonly wrongDefault: string | undefined
}

export interface ContentOptions extends Means {
  readonly normalize: boolean
  /** Whether references may lead to soft-deleted versions. */
  readonly deletedTargets?: boolean
  /** False for texts that were taken in before, by whomever. */
  readonly validatesDefaults?: boolean
}

export interface ParsedContent {
  readonly content: Content
  readonly parsed: () => Schema
}

/**
 * Parses the text of a subject and writes it in its canonical or normal form.
 * Fails with INVALID_SCHEMA, UNSUPPORTED_SCHEMA_TYPE, SCHEMA_TOO_LARGE; throws HeavyWork for a large text that was not seen lately.
 */
export function contentOf(state: State, subject: string, request: SchemaRequest, options: ContentOptions): ParsedContent {
  const { normalize, limits, texts, deletedTargets = false, validatesDefaults = true } = options
  const { schemaType = AVRO, schema = '', metadata, ruleSet } = request
  const type = schemaTypeNamed(schemaType)
  if (schema.trim() === '') throw new AssayError('INVALID_SCHEMA', { reason: 'Empty schema' })
  if (schema.length > limits.schemaCharsMax) {
    throw new AssayError('SCHEMA_TOO_LARGE', { size: schema.length, limit: limits.schemaCharsMax })
  }
  const pinned = pinReferences(state, subject, request.references ?? [], { ...limits, deletedTargets })
  const references = normalize ? sortedReferences(pinned) : pinned
  const scope = referredSchemas(state, subject, references)
  const key = `${schemaType} ${normalize ? 'n' : 'c'}${scope.map(({ id, context }) => `${id}${context.name}`)} ${schema}`
  const parse = (text: string, onWrongDefault = (_reason: string): void => {}) =>
    parseWithReferences(state, subject, text, references, { type, onWrongDefault })
  const { text, parsed, wrongDefault } = texts.once(key, () => {
    if (schema.length > limits.heavyTextChars) {
      const job = {
        schemaType,
        candidate: { text: schema, scope: scope.map(referred => referred.text) },
        normalize
      }
      throw new HeavyWork(job, answer => texts.put(key, { ...answer, parsed: onFirstUse(() => parse(answer.text).schema) }))
    }
    let wrong: string | undefined
    const asWritten = parse(schema, reason => {
      wrong ??= reason
    })
    if (!normalize) {
      const canonical = type.canonicalText(asWritten.schema, asWritten.scope)
      return { text: canonical, parsed: () => asWritten.schema, wrongDefault: wrong }
    }
    // What is judged is what will be stored: normalisation drops defaults that could never be used.
    const normal = type.normalizedText(asWritten.schema, asWritten.scope)
    return { text: normal, parsed: onFirstUse(() => parse(normal).schema), wrongDefault: wrong }
  })
  if (validatesDefaults && wrongDefault !== undefined) throw new AssayError('INVALID_SCHEMA', { reason: wrongDefault })
  return {
    content: { schemaType, text, references, metadata: sortedMetadata(metadata), ruleSet: orderedRuleSet(ruleSet) },
    parsed
  }
}

/** The request with the tags that it asks for in its text. Fails with INVALID_SCHEMA for an entity that is not there. */
export function withRequestedTags(state: State, request: SchemaRequest, latest: Version | undefined): SchemaRequest {
  const { schema, schemaType = AVRO, schemaTagsToAdd = [], schemaTagsToRemove = [], propagateSchemaTags } = request
  const kept =
    propagateSchemaTags && latest ? schemaTypeNamed(latest.schema.schemaType).tagsOf(parsedOf(state, latest.schema)) : []
  if (schema === undefined || kept.length + schemaTagsToAdd.length + schemaTagsToRemove.length === 0) return request
  const type = schemaTypeNamed(schemaType)
  return { ...request, schema: type.withTags(schema, [...kept, ...schemaTagsToAdd], schemaTagsToRemove) }
}

function onFirstUse<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** The metadata property that says which version a schema is. */
export const VERSION_PROPERTY = 'confluent:version'

/**
 * What a request leaves out is taken over from the latest version: the text with its references, metadata, rule set; the settings in scope
 * lay their defaults beneath and their overrides on top. `confluent:version` is written when a version was asked for, and kept up to date
 * once it is there.
 */
export function inherit(
  request: SchemaRequest,
  latest: Version | undefined,
  config: Config,
  { asked, next }: { readonly asked?: number | undefined; readonly next?: number | undefined } = {}
): SchemaRequest {
  const from = latest?.schema
  const text = request.schema === undefined || request.schema.trim() === '' ? from : undefined
  const metadata = mergedMetadata(
    mergedMetadata(config.defaultMetadata, request.metadata ?? from?.metadata),
    config.overrideMetadata
  )
  const ruleSet = mergedRuleSets(mergedRuleSets(config.defaultRuleSet, request.ruleSet ?? from?.ruleSet), config.overrideRuleSet)
  const number = asked ?? (metadata?.properties?.[VERSION_PROPERTY] === undefined ? undefined : next)
  const dated = number === undefined ? metadata : withVersion(metadata, number)
  return {
    ...request,
    ...(text && { schema: text.text, schemaType: text.schemaType, references: text.references }),
    ...(dated && { metadata: dated }),
    ...(ruleSet && { ruleSet })
  }
}

export const withVersion = (metadata: Metadata | undefined, version: number): Metadata => ({
  ...metadata,
  properties: { ...metadata?.properties, [VERSION_PROPERTY]: String(version) }
})

/** Key by key, the upper one winning; sensitive names are put together. */
function mergedMetadata(lower: Metadata | undefined, upper: Metadata | undefined): Metadata | undefined {
  if (lower === undefined || upper === undefined) return upper ?? lower
  const tags = mergedKeys(lower.tags, upper.tags)
  const properties = mergedKeys(lower.properties, upper.properties)
  const sensitive = lower.sensitive || upper.sensitive ? [...(lower.sensitive ?? []), ...(upper.sensitive ?? [])] : undefined
  return { ...(tags && { tags }), ...(properties && { properties }), ...(sensitive && { sensitive }) }
}

function mergedKeys<V>(
  lower: Readonly<Record<string, V>> | undefined,
  upper: Readonly<Record<string, V>> | undefined
): Record<string, V> | undefined {
  if (lower === undefined && upper === undefined) return undefined
  return Object.fromEntries(new Map([...Object.entries(lower ?? {}), ...Object.entries(upper ?? {})]))
}

/** Rules of the upper set replace those of the same name; the others stay in front. */
export function mergedRuleSets(lower: RuleSet | undefined, upper: RuleSet | undefined): RuleSet | undefined {
  if (lower === undefined || upper === undefined) return upper ?? lower
  const migrationRules = mergedRules(lower.migrationRules, upper.migrationRules)
  const domainRules = mergedRules(lower.domainRules, upper.domainRules)
  const encodingRules = mergedRules(lower.encodingRules, upper.encodingRules)
  const enableAt = upper.enableAt ?? lower.enableAt
  return {
    ...(migrationRules && { migrationRules }),
    ...(domainRules && { domainRules }),
    ...(encodingRules && { encodingRules }),
    ...(enableAt !== undefined && { enableAt })
  }
}

function mergedRules(lower: readonly Rule[] | undefined, upper: readonly Rule[] | undefined): readonly Rule[] | undefined {
  if (!lower?.length || !upper?.length) return upper?.length ? upper : (lower ?? upper)
  const replaced = new Set(upper.map(({ name }) => name))
  return [...lower.filter(({ name }) => !replaced.has(name)), ...upper]
}

/** Whether the settings in force for the subject ask to normalise. */
export const normalizesInScope = (state: State, subject: string): boolean => configInScope(state, subject).normalize ?? false

function sortedReferences(references: readonly Reference[]): Reference[] {
  const byName = new Map<string, Reference>()
  for (const reference of references) byName.set(JSON.stringify(reference), reference)
  return [...byName.entries()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, reference]) => reference)
}
