/** What a schema registry takes and answers, as values of ours; readers that refuse an answer of another shape. */
import { AssayError } from '@assay/errors'

export interface Reference {
  /** The name by which the schema text uses it. */
  readonly name: string
  readonly subject: string
  readonly version: number
}

export interface Metadata {
  readonly tags?: Readonly<Record<string, readonly string[]>>
  readonly properties?: Readonly<Record<string, string>>
  readonly sensitive?: readonly string[]
}

/** A data contract rule: registries store it, clients execute it. */
export interface Rule {
  readonly name?: string
  readonly doc?: string
  readonly kind?: string
  readonly mode?: string
  readonly type?: string
  readonly tags?: readonly string[]
  readonly params?: Readonly<Record<string, string>>
  readonly expr?: string
  readonly onSuccess?: string
  readonly onFailure?: string
  readonly disabled?: boolean
}

export interface RuleSet {
  readonly migrationRules?: readonly Rule[]
  readonly domainRules?: readonly Rule[]
  readonly encodingRules?: readonly Rule[]
  readonly enableAt?: string
}

/** What is registered: a schema text, what it refers to, and what is said of it. */
export interface SchemaText {
  readonly schema: string
  /** AVRO when left out. */
  readonly schemaType?: string
  readonly references?: readonly Reference[]
  readonly metadata?: Metadata
  readonly ruleSet?: RuleSet
}

export interface RegisteredVersion extends SchemaText {
  readonly subject: string
  readonly version: number
  readonly schemaId: number
  /** The same content has the same GUID in every registry; older registries answer none. */
  readonly guid?: string
  /** True after a soft delete; registries before 8.0 do not say. */
  readonly deleted?: boolean
  readonly timestampMs?: number
  /** Those that were looked for, and where they are. */
  readonly schemaTags?: readonly EntityTags[]
}

/** A schema by its ID, with the subject and version under which it was asked for. */
export interface IdentifiedSchema extends SchemaText {
  readonly subject?: string
  readonly version?: number
  readonly guid?: string
  /** The highest schema ID, when asked for. */
  readonly maxSchemaId?: number
  readonly schemaTags?: readonly EntityTags[]
}

/** Where a registration went; old registries answer the ID alone. */
export interface Registration {
  readonly schemaId: number
  readonly version?: number
  readonly guid?: string
}

export interface SubjectVersion {
  readonly subject: string
  readonly version: number
}

export type CompatibilityLevel =
  | 'NONE'
  | 'BACKWARD'
  | 'BACKWARD_TRANSITIVE'
  | 'FORWARD'
  | 'FORWARD_TRANSITIVE'
  | 'FULL'
  | 'FULL_TRANSITIVE'

export type RegistryMode = 'READWRITE' | 'READONLY' | 'READONLY_OVERRIDE' | 'IMPORT' | 'FORWARD'

/** Settings of a subject, a context or the whole registry; what is left out is not set there. */
export interface RegistryConfig {
  /** Another subject that requests for this one go to. */
  readonly alias?: string
  readonly aliasForDeks?: string
  readonly normalize?: boolean
  readonly validateFields?: boolean
  readonly validateNewSchemas?: boolean
  readonly validateRules?: boolean
  readonly compatibilityLevel?: CompatibilityLevel
  readonly compatibilityPolicy?: string
  /** The metadata property whose value tells which versions are compared with each other. */
  readonly compatibilityGroup?: string
  readonly defaultMetadata?: Metadata
  readonly overrideMetadata?: Metadata
  readonly defaultRuleSet?: RuleSet
  readonly overrideRuleSet?: RuleSet
}

/** In the order in which registries write them. */
export const registryConfigFields = [
  'alias',
  'aliasForDeks',
  'normalize',
  'validateFields',
  'validateNewSchemas',
  'validateRules',
  'compatibilityLevel',
  'compatibilityPolicy',
  'compatibilityGroup',
  'defaultMetadata',
  'overrideMetadata',
  'defaultRuleSet',
  'overrideRuleSet'
] as const satisfies readonly (keyof RegistryConfig)[]

/** One reason why a schema is incompatible, and how to mend it. */
export interface CompatibilityFinding {
  readonly type: string
  /** The earlier version that the candidate was compared with. */
  readonly version: number
  /** BACKWARD: the candidate cannot read that version; FORWARD: that version cannot read the candidate. */
  readonly direction: string
  /** JSON pointer into the schema that reads; as in Java's messages it begins anew in branches of unions. */
  readonly path: string
  /** JSON pointers into both schemas that do not. */
  readonly readerPath: string
  readonly writerPath: string
  /** Where in the data. */
  readonly place: string
  readonly says: string
  /** What is wrong, as a part of a sentence. */
  readonly reason: string
  /** Canonical text of the two types that meet, shortened. */
  readonly reader: string
  readonly writer: string
  readonly mend: string
  /** The mend for programs, tried before it was offered: attributes to add to the object at the JSON pointer. */
  readonly rewrite?: { readonly path: string; readonly add: Readonly<Record<string, unknown>> }
}

/** What the level lets through although data change their meaning; about the candidate alone where no version and direction are named. */
export type CompatibilityWarning = Omit<CompatibilityFinding, 'version' | 'direction' | 'rewrite' | 'readerPath' | 'writerPath'> &
  Partial<Pick<CompatibilityFinding, 'version' | 'direction'>>

export interface CompatibilityAnswer {
  readonly isCompatible: boolean
  /** Why not, in Confluent's words; empty unless asked for with `verbose`. */
  readonly messages: readonly string[]
  /** The same as facts; only Assay's registry answers them. */
  readonly findings: readonly CompatibilityFinding[]
  readonly warnings: readonly CompatibilityWarning[]
}

/** Tags of a record or of one of its fields, such as path `shop.Order.email` and type `sr_field`. */
export interface EntityTags {
  readonly entityPath: string
  readonly entityType: 'sr_record' | 'sr_field'
  readonly tags: readonly string[]
}

/** A new version that differs from another in tags, metadata and rules alone. */
export interface TagChange {
  /** The number that the new version must get. */
  readonly newVersion?: number
  readonly tagsToAdd?: readonly EntityTags[]
  readonly tagsToRemove?: readonly EntityTags[]
  readonly metadata?: Metadata
  readonly ruleSet?: RuleSet
  readonly rulesToMerge?: RuleSet
  /** Names of rules. */
  readonly rulesToRemove?: readonly string[]
}

/** A schema ID of one context. */
export interface ContextId {
  readonly context: string
  readonly schemaId: number
}

export interface ServerVersion {
  readonly version: string
  readonly commitId?: string
}

export function unexpected(wanted: string): never {
  throw new AssayError('PEER_REFUSED', { what: 'The registry', status: 200, reason: `the answer is not ${wanted}` })
}

export function record(answer: unknown): Readonly<Record<string, unknown>> {
  return isRecord(answer) ? answer : unexpected('an object')
}

export function list<T>(answer: unknown, item: (answer: unknown) => T): T[] {
  return Array.isArray(answer) ? answer.map(item) : unexpected('a list')
}

export function strings(answer: unknown): string[] {
  return Array.isArray(answer) && answer.every(item => typeof item === 'string') ? answer : unexpected('a list of texts')
}

export function numbers(answer: unknown): number[] {
  return Array.isArray(answer) && answer.every(item => typeof item === 'number') ? answer : unexpected('a list of numbers')
}

export function number(answer: unknown, name: string): number {
  const value = record(answer)[name]
  return typeof value === 'number' ? value : unexpected(`an object with a number ${name}`)
}

export function string(answer: unknown, name: string): string {
  const value = record(answer)[name]
  return typeof value === 'string' ? value : unexpected(`an object with a text ${name}`)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function schemaTextOf(answer: unknown): SchemaText {
  const { schemaType, references, metadata, ruleSet } = record(answer)
  return {
    schema: string(answer, 'schema'),
    ...(typeof schemaType === 'string' && schemaType !== 'AVRO' && { schemaType }),
    ...(Array.isArray(references) && references.length > 0 && { references: references.map(referenceOf) }),
    ...(isRecord(metadata) && { metadata: metadata as Metadata }),
    ...(isRecord(ruleSet) && { ruleSet: ruleSet as RuleSet })
  }
}

export function identifiedSchemaOf(answer: unknown): IdentifiedSchema {
  const { subject, version, guid, maxId } = record(answer)
  return {
    ...schemaTextOf(answer),
    ...(typeof subject === 'string' && { subject }),
    ...(typeof version === 'number' && { version }),
    ...(typeof guid === 'string' && { guid }),
    ...(typeof maxId === 'number' && { maxSchemaId: maxId }),
    ...tagsOf(answer)
  }
}

export function versionOf(answer: unknown): RegisteredVersion {
  const { guid, deleted, ts } = record(answer)
  return {
    ...schemaTextOf(answer),
    subject: string(answer, 'subject'),
    version: number(answer, 'version'),
    schemaId: number(answer, 'id'),
    ...(typeof guid === 'string' && { guid }),
    ...(typeof deleted === 'boolean' && { deleted }),
    ...(typeof ts === 'number' && { timestampMs: ts }),
    ...tagsOf(answer)
  }
}

export function registrationOf(answer: unknown): Registration {
  const { version, guid } = record(answer)
  return {
    schemaId: number(answer, 'id'),
    ...(typeof version === 'number' && { version }),
    ...(typeof guid === 'string' && { guid })
  }
}

function tagsOf(answer: unknown): { readonly schemaTags?: EntityTags[] } {
  const { schemaTags } = record(answer)
  if (!Array.isArray(schemaTags)) return {}
  return {
    schemaTags: schemaTags.map(found => {
      const { schemaEntity: entity, tags } = record(found)
      const entityType = string(entity, 'entityType') as EntityTags['entityType']
      return { entityPath: string(entity, 'entityPath'), entityType, tags: strings(tags) }
    })
  }
}

const referenceOf = (answer: unknown): Reference => ({
  name: string(answer, 'name'),
  subject: string(answer, 'subject'),
  version: number(answer, 'version')
})

export const subjectVersionOf = (answer: unknown): SubjectVersion => ({
  subject: string(answer, 'subject'),
  version: number(answer, 'version')
})

export const contextIdOf = (answer: unknown): ContextId => ({
  context: string(answer, 'context'),
  schemaId: number(answer, 'id')
})

export function compatibilityAnswerOf(answer: unknown): CompatibilityAnswer {
  const { is_compatible: isCompatible, messages = [], findings = [], warnings = [] } = record(answer)
  if (typeof isCompatible !== 'boolean') return unexpected('a verdict')
  return {
    isCompatible,
    messages: strings(messages),
    findings: list(findings, findingOf),
    warnings: list(warnings, warningOf)
  }
}

function findingOf(answer: unknown): CompatibilityFinding {
  const { rewrite } = record(answer)
  return {
    ...notedOf(answer),
    readerPath: string(answer, 'readerPath'),
    writerPath: string(answer, 'writerPath'),
    version: number(answer, 'version'),
    direction: string(answer, 'direction'),
    ...(isRecord(rewrite) && { rewrite: { path: string(rewrite, 'path'), add: record(rewrite['add']) } })
  }
}

function warningOf(answer: unknown): CompatibilityWarning {
  const { version, direction } = record(answer)
  return {
    ...notedOf(answer),
    ...(typeof version === 'number' && { version }),
    ...(typeof direction === 'string' && { direction })
  }
}

const notedOf = (answer: unknown) => ({
  type: string(answer, 'type'),
  path: string(answer, 'path'),
  place: string(answer, 'place'),
  says: string(answer, 'says'),
  reason: string(answer, 'reason'),
  reader: string(answer, 'reader'),
  writer: string(answer, 'writer'),
  mend: string(answer, 'mend')
})

/** GET says compatibilityLevel; PUT, and some registries' GET, say compatibility. Fields that only others know stay out. */
export function configOf(answer: unknown): RegistryConfig {
  const fields = record(answer)
  const level = fields['compatibilityLevel'] ?? fields['compatibility']
  const known: Record<string, unknown> = {}
  for (const name of registryConfigFields) if (fields[name] !== undefined && fields[name] !== null) known[name] = fields[name]
  if (typeof level === 'string') known['compatibilityLevel'] = level.toUpperCase()
  return known as RegistryConfig
}

export function levelOf(answer: unknown): CompatibilityLevel {
  return configOf(answer).compatibilityLevel ?? unexpected('a compatibility level')
}

export const clusterIdOf = (answer: unknown): string => string(record(record(answer)['scope'])['clusters'], 'kafka-cluster')

export const modeOf = (answer: unknown): RegistryMode => string(answer, 'mode') as RegistryMode

export const schemaBody = ({ schema, schemaType, references = [], metadata, ruleSet }: SchemaText): object => ({
  schema,
  ...(schemaType !== undefined && schemaType !== 'AVRO' && { schemaType }),
  ...(references.length > 0 && { references }),
  ...(metadata && { metadata }),
  ...(ruleSet && { ruleSet })
})

/** A request names the level as it did before there were other settings. */
export const configBody = ({ compatibilityLevel, ...others }: RegistryConfig): object => ({
  ...others,
  ...(compatibilityLevel && { compatibility: compatibilityLevel })
})

export const tagBody = ({ tagsToAdd, tagsToRemove, ...others }: TagChange): object => ({
  ...others,
  ...(tagsToAdd && { tagsToAdd: tagsToAdd.map(entityBody) }),
  ...(tagsToRemove && { tagsToRemove: tagsToRemove.map(entityBody) })
})

const entityBody = ({ entityPath, entityType, tags }: EntityTags): object => ({ schemaEntity: { entityPath, entityType }, tags })
