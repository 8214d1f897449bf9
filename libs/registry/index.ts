export type { Change, ConfigValue, Mode } from './changes.ts'
export { modes } from './changes.ts'
export type { Checked } from './compatibility.ts'
export { type Config, type ConfigUpdate, compatibilityPolicies, DEFAULT_LEVEL } from './config.ts'
export { type Content, fingerprintOf, guidOf, type Metadata, type Reference, type Rule, type RuleSet } from './content.ts'
export { type Decoded, decodeRecord, encodeChange, type JournalRecord } from './journal.ts'
export { defaultLimits, type RegistryLimits } from './limits.ts'
export {
  ALL_CONTEXTS,
  contextOf,
  DEFAULT_CONTEXT,
  GLOBAL_CONTEXT,
  nameWithin,
  normalizedName,
  prefixFilter,
  prefixOf,
  readContext,
  readQualified
} from './qualified.ts'
export type { FoundSchema, ListedVersion, Shown, VersionFilter } from './queries.ts'
export type { Registered } from './register.ts'
export { openRegistry, type Registry, type RegistryFacts, type RegistryParts, type VersionNumber } from './registry.ts'
export type { SchemaRequest } from './request.ts'
export { type SourcedVersion, schemaSource } from './schema-source.ts'
export { schemaTypes } from './schema-type.ts'
export type { SnapshotStore } from './snapshot.ts'
export { snapshotFile } from './snapshot-file.ts'
export type { RegisteredSchema, Version } from './subjects.ts'
export type { TagChange } from './tags.ts'
