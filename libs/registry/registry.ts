/** The schema registry: a state machine over one partition. Reads are answered from memory, writes by the one writer. */
import type { SchemaTags } from '@assay/avro'
import type { PartitionLog } from '@assay/log'
import { type Clock, type Logger, silentLogger } from '@assay/std'
import type { Mode } from './changes.ts'
import { type Checked, checkCandidate } from './compatibility.ts'
import { type Config, type ConfigUpdate, configInScope, configOf, planConfig, planConfigRemoval } from './config.ts'
import { planContextDelete, planSubjectDelete, planVersionDelete } from './deletes.ts'
import { defaultLimits, type RegistryLimits } from './limits.ts'
import { modeInScope, modeOf, planMode, planModeRemoval } from './mode.ts'
import { openOffLoop, withHeavyWork } from './off-loop.ts'
import { ALL_CONTEXTS, checkName } from './qualified.ts'
import {
  aliased,
  type FoundSchema,
  findByGuid,
  findByMetadata,
  findSchema,
  findVersion,
  idsOfGuid,
  type ListedVersion,
  listAll,
  listContexts,
  listSubjects,
  listVersions,
  referrerIds,
  type Shown,
  type VersionFilter,
  versionsOfSchema
} from './queries.ts'
import { parsedOf } from './references.ts'
import { lookUp, planRegistration, type Registered, type Registration, writtenOut } from './register.ts'
import { openReplica } from './replica.ts'
import { newMeans, type SchemaRequest } from './request.ts'
import { schemaTypeNamed } from './schema-type.ts'
import type { SnapshotStore } from './snapshot.ts'
import { contextHolding, type RegisteredSchema, type State, type Version } from './subjects.ts'
import { planTags, type TagChange } from './tags.ts'
import { openWriter } from './writer.ts'

export interface RegistryParts {
  readonly log: PartitionLog
  readonly clock: Clock
  readonly logger?: Logger
  readonly limits?: Partial<RegistryLimits>
  /** Where snapshots of the state are kept; without it the whole log is read at each start. */
  readonly snapshots?: SnapshotStore
}

/** A version by number, or the highest live one. */
export type VersionNumber = number | 'latest'

/**
 * Every failure is an AssayError; writes are in force, and visible to every later read, when they resolve. Subjects are qualified names
 * in their one form (`normalizedName`): `orders`, `:.context:orders`, and `:.context:` where settings are meant.
 */
export interface Registry {
  /**
   * Answers the version that holds the content, writing nothing when a live one is there already.
   * Fails with INVALID_SUBJECT, INVALID_SCHEMA, UNSUPPORTED_SCHEMA_TYPE, INVALID_RULE_SET, INCOMPATIBLE_SCHEMA (not with `force`), OPERATION_NOT_PERMITTED.
   */
  register(
    subject: string,
    request: SchemaRequest,
    options?: { readonly normalize?: boolean; readonly force?: boolean }
  ): Promise<Registered>
  /**
   * Registers the text of a version with tags inside it put in or taken out, metadata and rules changed.
   * Fails as `version` and `register`.
   */
  modifyTags(subject: string, number: VersionNumber, change: TagChange): Promise<Registered>
  /** The version with this content. Fails with SUBJECT_NOT_FOUND, SCHEMA_NOT_IN_SUBJECT, INVALID_SCHEMA. */
  lookUp(
    subject: string,
    request: SchemaRequest,
    options?: { readonly normalize?: boolean; readonly deleted?: boolean }
  ): Promise<Registered>
  /** The subject that a name stands for: where its alias leads, else itself. */
  aliased(subject: string): string
  /** Names of contexts, `.` first. */
  contexts(): string[]
  /** Takes an empty context off the list. Fails with CONTEXT_NOT_EMPTY, OPERATION_NOT_PERMITTED. */
  deleteContext(context: string): Promise<void>
  /** Names ascending; those of every context unless a prefix is given. */
  subjects(options?: Shown & { readonly prefix?: string }): string[]
  /** Versions by subject and number. */
  list(filter: VersionFilter): ListedVersion[]
  /** Numbers ascending. Fails with SUBJECT_NOT_FOUND. */
  versions(subject: string, options?: Shown): number[]
  /** Fails with SUBJECT_NOT_FOUND, VERSION_NOT_FOUND. */
  version(subject: string, number: VersionNumber, options?: Pick<Shown, 'deleted'>): Version
  /** The latest version whose metadata has all these properties. Fails with SUBJECT_NOT_FOUND, SCHEMA_NOT_IN_SUBJECT. */
  versionByMetadata(subject: string, properties: Readonly<Record<string, string>>, options?: Pick<Shown, 'deleted'>): Version
  /** IDs of the schemas that refer to a version. Fails as `version`. */
  referencedBy(subject: string, number: VersionNumber, options?: Pick<Shown, 'deleted'>): number[]
  /** Served for as long as any version holds it, soft-deleted ones included; the subject says in which context. Fails with SCHEMA_NOT_FOUND. */
  schemaById(id: number, subject?: string): FoundSchema
  /** Fails with SCHEMA_NOT_FOUND. */
  schemaByGuid(guid: string): FoundSchema
  /** Contexts that know a GUID, each with its schema ID. */
  idsOfGuid(guid: string): { readonly context: string; readonly id: number }[]
  /** Versions that hold the schema. Fails with SCHEMA_NOT_IN_SUBJECT when the ID is not known. */
  versionsById(id: number, options?: Pick<Shown, 'deleted'> & { readonly subject?: string }): Version[]
  /** The text of a schema as it is stored; in the format `resolved` with everything that it refers to in it. Fails with INVALID_SCHEMA. */
  textIn(schema: RegisteredSchema, format: string): string
  /** Records and fields that bear tags. Fails with INVALID_SCHEMA. */
  tagsOf(schema: RegisteredSchema): readonly SchemaTags[]
  /** The highest schema ID ever given in the context of the subject. */
  maxSchemaId(subject?: string): number
  /** Soft, or hard after it. Fails with SUBJECT_NOT_FOUND, VERSION_NOT_FOUND, VERSION_SOFT_DELETED, VERSION_NOT_SOFT_DELETED, REFERENCE_EXISTS. */
  deleteVersion(subject: string, number: VersionNumber, options?: { readonly permanent?: boolean }): Promise<number>
  /** Soft, or hard after it. Fails with SUBJECT_NOT_FOUND, SUBJECT_SOFT_DELETED, SUBJECT_NOT_SOFT_DELETED, REFERENCE_EXISTS. */
  deleteSubject(subject: string, options?: { readonly permanent?: boolean }): Promise<number[]>
  /** The settings of a subject or context itself, or undefined when it has none; null is the default context. */
  config(subject: string | null): Config | undefined
  /** The settings in force. */
  configInScope(subject: string | null): Config
  /** Sets what is named, keeps the rest, and answers both. Fails with INVALID_COMPATIBILITY_LEVEL, INVALID_RULE_SET, INVALID_SUBJECT. */
  setConfig(subject: string | null, update: ConfigUpdate): Promise<Config>
  /** Answers what was set. Fails with SUBJECT_NOT_FOUND when the subject has no settings. */
  deleteConfig(subject: string | null): Promise<Config>
  /** The mode of a subject or context itself, or undefined; null, the default context, always has one. */
  mode(subject: string | null): Mode | undefined
  modeInScope(subject: string | null): Mode
  /** A mode in any letter case, or null to take it away. Fails with INVALID_MODE, INVALID_SUBJECT, OPERATION_NOT_PERMITTED, REFERENCE_EXISTS. */
  setMode(subject: string | null, mode: string | null, options?: { readonly force?: boolean }): Promise<Mode | undefined>
  /** Answers what was set. Fails with SUBJECT_NOT_FOUND when the subject has no mode and others below it are not meant. */
  deleteMode(subject: string | null, options?: { readonly recursive?: boolean }): Promise<Mode | undefined>
  /**
   * Checks a candidate against one version, or against what a registration would be checked against.
   * Fails with VERSION_NOT_FOUND for a number that is not there; `latest` of an unknown subject is compatible with everything.
   */
  checkCompatibility(
    subject: string,
    against: VersionNumber | 'all',
    request: SchemaRequest,
    options?: { readonly normalize?: boolean; readonly warnings?: boolean }
  ): Promise<Checked>
  /** Counts of what is held. */
  facts(): RegistryFacts
  /** Resolves when all that was written before this call, by whomever, can be seen. */
  catchUp(): Promise<void>
  /** Waits for the writes under way and stops following the log, which it does not close. */
  close(): Promise<void>
  /** The state itself, for parts of this library. */
  readonly state: State
}

export interface RegistryFacts {
  readonly subjects: number
  /** Different contents, each with its ID. */
  readonly schemas: number
  /** The highest ID ever given in the default context. */
  readonly maxSchemaId: number
  /** The first journal offset not yet applied. */
  readonly nextOffset: number
}

/** Replays the log and takes up its work. One writer per log: two open registries on one log would both give out IDs. */
export async function openRegistry({
  log,
  clock,
  logger = silentLogger,
  limits: given,
  snapshots
}: RegistryParts): Promise<Registry> {
  const limits = { ...defaultLimits, ...given }
  const replica = await openReplica({ log, logger, limits, snapshots })
  const writer = openWriter({ log, replica, clock, limits })
  const { state } = replica
  const means = newMeans(limits)
  const offLoop = openOffLoop(limits)
  const countSchemas = (): number => [...state.contexts.values()].reduce((sum, { schemas }) => sum + schemas.size, 0)
  logger.info({ subjects: state.subjects.size, schemas: countSchemas(), offset: replica.nextOffset }, 'registry journal replayed')
  /** The next version of the subject will be compared with this one: it need not be parsed again. */
  const keepParsed = ({ parsed, ...registered }: Registration): Registered => {
    const schema = contextHolding(state, registered.subject)?.schemas.get(registered.id)
    if (parsed && schema && !schema.parsed && schema.text.length <= limits.heavyTextChars)
      state.parsedSchemas.keep(schema, parsed())
    return registered
  }
  const checkSettingsName = (subject: string | null): void => {
    if (subject !== null) checkName(subject, limits, { contextAlone: true })
  }
  return {
    state,
    register: (subject, request, { normalize = false, force = false } = {}) =>
      withHeavyWork(offLoop, async () =>
        keepParsed(
          await writer.write(
            (now, underway) => planRegistration(now, subject, request, { ...means, normalize, force }, underway),
            subject
          )
        )
      ),
    modifyTags: (subject, number, change) =>
      withHeavyWork(offLoop, async () =>
        keepParsed(await writer.write((now, underway) => planTags(now, subject, number, change, { ...means, underway }), subject))
      ),
    lookUp: (subject, request, { normalize = false, deleted = false } = {}) =>
      withHeavyWork(offLoop, () => lookUp(state, subject, request, { ...means, normalize, deleted })),
    aliased: subject => aliased(state, subject),
    contexts: () => listContexts(state),
    deleteContext: context => writer.write(now => planContextDelete(now, context)),
    subjects: ({ prefix = ALL_CONTEXTS, ...shown } = {}) => listSubjects(state, { prefix, ...shown }),
    list: filter => listAll(state, filter),
    versions: (subject, options = {}) => listVersions(state, subject, options),
    version: (subject, number, options = {}) => findVersion(state, subject, number, options),
    versionByMetadata: (subject, properties, options = {}) => findByMetadata(state, subject, properties, options),
    referencedBy: (subject, number, options = {}) => referrerIds(state, subject, number, options),
    schemaById: (id, subject) => findSchema(state, id, subject),
    schemaByGuid: guid => findByGuid(state, guid),
    idsOfGuid: guid => idsOfGuid(state, guid),
    versionsById: (id, options = {}) => versionsOfSchema(state, id, options),
    textIn: (schema, format) => (format.toLowerCase() === 'resolved' ? writtenOut(state, schema) : schema.text),
    tagsOf: schema => schemaTypeNamed(schema.schemaType).tagsOf(parsedOf(state, schema)),
    maxSchemaId: (subject = '') => contextHolding(state, subject)?.maxId ?? 0,
    deleteVersion: (subject, number, { permanent = false } = {}) =>
      writer.write(now => planVersionDelete(now, subject, number, { permanent })),
    deleteSubject: (subject, { permanent = false } = {}) => writer.write(now => planSubjectDelete(now, subject, { permanent })),
    config: subject => configOf(state, subject),
    configInScope: subject => configInScope(state, subject),
    setConfig: (subject, update) =>
      writer.write(now => {
        checkSettingsName(subject)
        return planConfig(now, subject, update)
      }),
    deleteConfig: subject => writer.write(now => planConfigRemoval(now, subject)),
    mode: subject => modeOf(state, subject),
    modeInScope: subject => modeInScope(state, subject),
    setMode: (subject, mode, { force = false } = {}) =>
      writer.write(now => {
        checkSettingsName(subject)
        return planMode(now, subject, mode, { force })
      }),
    deleteMode: (subject, { recursive = false } = {}) => writer.write(now => planModeRemoval(now, subject, { recursive })),
    checkCompatibility: (subject, against, request, { normalize = false, warnings = false } = {}) =>
      withHeavyWork(offLoop, () => checkCandidate(state, subject, against, request, { ...means, normalize, warnings })),
    facts: () => ({
      subjects: state.subjects.size,
      schemas: countSchemas(),
      maxSchemaId: contextHolding(state, null)?.maxId ?? 0,
      nextOffset: replica.nextOffset
    }),
    catchUp: () => replica.catchUp(),
    async close() {
      await offLoop.close()
      await writer.close()
      await replica.close()
    }
  }
}
