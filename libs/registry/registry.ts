/** The schema registry: a state machine over one partition. Reads are answered from memory, writes by the one writer. */
import type { PartitionLog } from '@assay/log'
import { type Clock, type Logger, silentLogger } from '@assay/std'
import type { Mode } from './changes.ts'
import { type Checked, checkCandidate } from './compatibility.ts'
import { type Config, type ConfigUpdate, configInScope, configOf, planConfig, planConfigRemoval } from './config.ts'
import { planSubjectDelete, planVersionDelete } from './deletes.ts'
import { defaultLimits, type RegistryLimits } from './limits.ts'
import { modeInScope } from './mode.ts'
import { findSchema, findVersion, listSubjects, listVersions, referrerIds, type Shown, versionsOfSchema } from './queries.ts'
import { lookUp, planRegistration, type Registered } from './register.ts'
import { openReplica } from './replica.ts'
import { checkSubject, type SchemaRequest } from './request.ts'
import type { RegisteredSchema, State, Version } from './subjects.ts'
import { openWriter } from './writer.ts'

export interface RegistryParts {
  readonly log: PartitionLog
  readonly clock: Clock
  readonly logger?: Logger
  readonly limits?: Partial<RegistryLimits>
}

/** A version by number, or the highest live one. */
export type VersionNumber = number | 'latest'

/** Every failure is an AssayError; writes are in force, and visible to every later read, when they resolve. */
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
  /** The version with this content. Fails with SUBJECT_NOT_FOUND, SCHEMA_NOT_IN_SUBJECT, INVALID_SCHEMA. */
  lookUp(
    subject: string,
    request: SchemaRequest,
    options?: { readonly normalize?: boolean; readonly deleted?: boolean }
  ): Registered
  /** Names ascending. */
  subjects(options?: Shown & { readonly prefix?: string }): string[]
  /** Numbers ascending. Fails with SUBJECT_NOT_FOUND. */
  versions(subject: string, options?: Shown): number[]
  /** Fails with SUBJECT_NOT_FOUND, VERSION_NOT_FOUND. */
  version(subject: string, number: VersionNumber, options?: Pick<Shown, 'deleted'>): Version
  /** IDs of the schemas that refer to a version. Fails as `version`. */
  referencedBy(subject: string, number: VersionNumber, options?: Pick<Shown, 'deleted'>): number[]
  /** Served for as long as any version holds it, soft-deleted ones included. Fails with SCHEMA_NOT_FOUND. */
  schemaById(id: number): RegisteredSchema
  /** Versions that hold the schema. Fails with SCHEMA_NOT_IN_SUBJECT when the ID is not known. */
  versionsById(id: number, options?: Pick<Shown, 'deleted'>): Version[]
  /** Soft, or hard after it. Fails with SUBJECT_NOT_FOUND, VERSION_NOT_FOUND, VERSION_SOFT_DELETED, VERSION_NOT_SOFT_DELETED, REFERENCE_EXISTS. */
  deleteVersion(subject: string, number: VersionNumber, options?: { readonly permanent?: boolean }): Promise<number>
  /** Soft, or hard after it. Fails with SUBJECT_NOT_FOUND, SUBJECT_SOFT_DELETED, SUBJECT_NOT_SOFT_DELETED, REFERENCE_EXISTS. */
  deleteSubject(subject: string, options?: { readonly permanent?: boolean }): Promise<number[]>
  /** The settings of a subject itself, or undefined when it has none; subject null is the whole registry. */
  config(subject: string | null): Config | undefined
  /** The settings in force for a subject. */
  configInScope(subject: string): Config
  /** Sets what is named, keeps the rest, and answers both. Fails with INVALID_COMPATIBILITY_LEVEL, INVALID_SUBJECT. */
  setConfig(subject: string | null, update: ConfigUpdate): Promise<Config>
  /** Answers what was set. Fails with SUBJECT_NOT_FOUND when the subject has no settings. */
  deleteConfig(subject: string | null): Promise<Config>
  /** The mode of a subject itself, or undefined; subject null is the whole registry, which always has one. */
  mode(subject: string | null): Mode | undefined
  modeInScope(subject: string): Mode
  /**
   * Checks a candidate against one version, or against what a registration would be checked against.
   * Fails with VERSION_NOT_FOUND for a number that is not there; `latest` of an unknown subject is compatible with everything.
   */
  checkCompatibility(
    subject: string,
    against: VersionNumber | 'all',
    request: SchemaRequest,
    options?: { readonly normalize?: boolean }
  ): Checked
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
  /** The highest ID ever given. */
  readonly maxSchemaId: number
  /** The first journal offset not yet applied. */
  readonly nextOffset: number
}

/** Replays the log and takes up its work. One writer per log: two open registries on one log would both give out IDs. */
export async function openRegistry({ log, clock, logger = silentLogger, limits: given }: RegistryParts): Promise<Registry> {
  const limits = { ...defaultLimits, ...given }
  const replica = await openReplica({ log, logger, limits })
  const writer = openWriter({ log, replica, clock, limits })
  const { state } = replica
  logger.info(
    { subjects: state.subjects.size, schemas: state.schemas.size, offset: replica.nextOffset },
    'registry journal replayed'
  )
  return {
    state,
    register: (subject, request, { normalize = false, force = false } = {}) =>
      writer.write(now => planRegistration(now, subject, request, { normalize, force, limits })),
    lookUp: (subject, request, { normalize = false, deleted = false } = {}) =>
      lookUp(state, subject, request, { normalize, deleted, limits }),
    subjects: (options = {}) => listSubjects(state, options),
    versions: (subject, options = {}) => listVersions(state, subject, options),
    version: (subject, number, options = {}) => findVersion(state, subject, number, options),
    referencedBy: (subject, number, options = {}) => referrerIds(state, subject, number, options),
    schemaById: id => findSchema(state, id),
    versionsById: (id, options = {}) => versionsOfSchema(state, id, options),
    deleteVersion: (subject, number, { permanent = false } = {}) =>
      writer.write(now => planVersionDelete(now, subject, number, { permanent })),
    deleteSubject: (subject, { permanent = false } = {}) => writer.write(now => planSubjectDelete(now, subject, { permanent })),
    config: subject => configOf(state, subject),
    configInScope: subject => configInScope(state, subject),
    setConfig: (subject, update) =>
      writer.write(now => {
        if (subject !== null) checkSubject(subject, limits)
        return planConfig(now, subject, update)
      }),
    deleteConfig: subject => writer.write(now => planConfigRemoval(now, subject)),
    mode: subject => (subject === null ? (state.modes.get(null) ?? 'READWRITE') : state.modes.get(subject)),
    modeInScope: subject => modeInScope(state, subject),
    checkCompatibility: (subject, against, request, { normalize = false } = {}) =>
      checkCandidate(state, subject, against, request, { normalize, limits }),
    facts: () => ({
      subjects: state.subjects.size,
      schemas: state.schemas.size,
      maxSchemaId: state.maxId,
      nextOffset: replica.nextOffset
    }),
    catchUp: () => replica.catchUp(),
    async close() {
      await writer.close()
      await replica.close()
    }
  }
}
