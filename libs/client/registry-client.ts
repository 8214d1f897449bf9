/** What can be asked of a schema registry. */
import type { Schema } from '@assay/avro'
import type {
  CompatibilityAnswer,
  CompatibilityLevel,
  ContextId,
  IdentifiedSchema,
  RegisteredVersion,
  Registration,
  RegistryConfig,
  RegistryMode,
  SchemaText,
  ServerVersion,
  SubjectVersion,
  TagChange
} from './registry-shapes.ts'

export type VersionNumber = number | 'latest'

export interface Page {
  /** Items to leave out. Default 0. */
  readonly offset?: number
  /** Most items to answer. Default all, or what the registry allows. */
  readonly limit?: number
}

export interface DeletedFilter {
  /** Soft-deleted ones, too. */
  readonly deleted?: boolean
  readonly deletedOnly?: boolean
}

export interface FormatOptions {
  /** For Avro `resolved`: the text with every reference put in its place. */
  readonly format?: string
  readonly referenceFormat?: string
}

export interface SchemaIdOptions extends FormatOptions {
  /** The subject under which the ID is looked up; also how the context of an ID is told: `:.context:`. */
  readonly subject?: string
  readonly fetchMaxId?: boolean
  readonly findTags?: string
}

export interface SchemasOptions extends Page {
  /** `:*:` for those of every context. */
  readonly prefix?: string
  readonly aliases?: boolean
  readonly deleted?: boolean
  readonly latestOnly?: boolean
  readonly ruleType?: string
  /** Versions asked for at one time. Default 1,000. */
  readonly pageSize?: number
}

export interface RegisterOptions {
  readonly normalize?: boolean
  /** Registers without a check of compatibility. */
  readonly force?: boolean
  /** Taken in mode IMPORT alone. */
  readonly schemaId?: number
  /** Must be the next outside of mode IMPORT. */
  readonly version?: number
}

export interface CompatibilityOptions {
  /** One version, or all that the level asks for. Default all. */
  readonly version?: VersionNumber | 'all'
  readonly verbose?: boolean
  readonly normalize?: boolean
}

/**
 * Every method fails with UNREACHABLE when nothing answers in time, and with PEER_REFUSED when the registry says no: its `status` fact
 * is the registry's error code (40401 for an unknown subject), its `reason` the registry's text.
 */
export interface RegistryClient {
  subjects(options?: { readonly prefix?: string } & DeletedFilter & Page): Promise<string[]>
  versions(subject: string, options?: DeletedFilter & Page): Promise<number[]>
  version(
    subject: string,
    version: VersionNumber,
    options?: { readonly deleted?: boolean } & FormatOptions & Pick<SchemaIdOptions, 'findTags'>
  ): Promise<RegisteredVersion>
  /** The same, parsed, with everything it refers to. Fails with UNSUPPORTED_SCHEMA_TYPE for what is not Avro. */
  parsedVersion(subject: string, version: VersionNumber): Promise<Schema>
  latest(subject: string, options?: FormatOptions): Promise<RegisteredVersion>
  /** The latest version whose metadata has these properties. */
  latestWith(
    subject: string,
    properties: Readonly<Record<string, string>>,
    options?: { readonly deleted?: boolean; readonly format?: string }
  ): Promise<RegisteredVersion>
  /** The schema text alone. */
  versionText(
    subject: string,
    version: VersionNumber,
    options?: { readonly deleted?: boolean; readonly format?: string }
  ): Promise<string>
  /** IDs of the schemas that refer to a version. */
  referencedBy(subject: string, version: VersionNumber, options?: { readonly deleted?: boolean } & Page): Promise<number[]>

  /** Returns the schema ID; that of before when the subject has this schema already. */
  register(subject: string, text: SchemaText, options?: RegisterOptions): Promise<number>
  /** The same, with the version where the registry tells it. */
  registerVersion(subject: string, text: SchemaText, options?: RegisterOptions): Promise<Registration>
  /** The version of the subject that has this schema; undefined when none has, or when there is no such subject. */
  lookUp(
    subject: string,
    text: SchemaText,
    options?: { readonly normalize?: boolean; readonly deleted?: boolean; readonly format?: string }
  ): Promise<RegisteredVersion | undefined>
  /** Registers a version that differs from this one in tags, metadata and rules alone. */
  editTags(subject: string, version: VersionNumber, change: TagChange): Promise<Registration>
  /** Soft unless `permanent`; returns the versions that are gone. */
  deleteSubject(subject: string, options?: { readonly permanent?: boolean }): Promise<number[]>
  deleteVersion(subject: string, version: VersionNumber, options?: { readonly permanent?: boolean }): Promise<number>

  /** Versions of every subject, asked for page by page as they are read. */
  schemas(options?: SchemasOptions): AsyncIterableIterator<RegisteredVersion>
  schemaTypes(): Promise<string[]>
  /** Asked once for each ID: an ID never changes its meaning. */
  schemaById(schemaId: number): Promise<SchemaText>
  /** The same, parsed, with everything it refers to. Fails with UNSUPPORTED_SCHEMA_TYPE for what is not Avro. */
  parsedById(schemaId: number): Promise<Schema>
  /** A schema by its ID as the options ask for it; asked anew each time. */
  identifiedSchema(schemaId: number, options?: SchemaIdOptions): Promise<IdentifiedSchema>
  textById(schemaId: number, options?: Pick<SchemaIdOptions, 'subject' | 'format'>): Promise<string>
  subjectsById(schemaId: number, options?: { readonly subject?: string; readonly deleted?: boolean } & Page): Promise<string[]>
  versionsById(
    schemaId: number,
    options?: { readonly subject?: string; readonly deleted?: boolean } & Page
  ): Promise<SubjectVersion[]>
  schemaByGuid(guid: string, options?: { readonly format?: string }): Promise<IdentifiedSchema>
  /** The IDs that this content has, one for each context that holds it. */
  idsByGuid(guid: string): Promise<ContextId[]>

  /** Whether the schema could be registered, judged against one version or against all that the level asks for. */
  compatibility(subject: string, text: SchemaText, options?: CompatibilityOptions): Promise<CompatibilityAnswer>
  /** The level in force. */
  compatibilityLevel(subject?: string): Promise<CompatibilityLevel>
  setCompatibilityLevel(level: CompatibilityLevel, subject?: string): Promise<void>
  /** A subject's own settings, those of a context (`:.context:`), or without a subject those of the registry; 40408 when it has none. */
  config(subject?: string, options?: { readonly defaultToGlobal?: boolean }): Promise<RegistryConfig>
  /** Sets what is given and keeps the rest. */
  setConfig(config: RegistryConfig, subject?: string): Promise<RegistryConfig>
  /** Returns what was set. */
  deleteConfig(subject?: string): Promise<RegistryConfig>
  /** 40409 when the subject has no mode of its own. */
  mode(subject?: string, options?: { readonly defaultToGlobal?: boolean }): Promise<RegistryMode>
  /** `force` switches to IMPORT although there are subjects. */
  setMode(mode: RegistryMode, subject?: string, options?: { readonly force?: boolean }): Promise<RegistryMode>
  /** Returns what it was. `recursive` takes away the modes of a context's subjects, too. */
  deleteMode(subject?: string, options?: { readonly recursive?: boolean }): Promise<RegistryMode>

  /** Names of contexts: `.` is the default one. */
  contexts(options?: { readonly prefix?: string } & Page): Promise<string[]>
  /** Only one without subjects. */
  deleteContext(context: string): Promise<void>
  serverVersion(): Promise<ServerVersion>
  /** ID of the Kafka cluster that holds the registry's topic. */
  clusterId(): Promise<string>
}
