/** What the gate asks of a registry, and all it knows of one. */
import type { Schema } from '@assay/avro'

export interface SchemaVersion {
  readonly subject: string
  readonly version: number
  readonly id: number
  /** Canonical text, as registered. */
  readonly text: string
  readonly schema: Schema
}

/** Answers from memory. Schemas are immutable: the object for an ID is always the same, so it may key a cache. */
export interface SchemaSource {
  /** The parsed schema of an ID, soft-deleted versions included; undefined when the ID is not known. */
  schemaById(id: number): Schema | undefined
  /** True when the ID is or was (soft-deleted) a version of the subject. */
  isUnder(id: number, subject: string): boolean
  /** True when the subject has a live version. */
  hasSubject(subject: string): boolean
  /** A live version, `latest` for the highest; undefined when there is none. */
  versionOf(subject: string, version: number | 'latest'): SchemaVersion | undefined
  /** Resolves when all that was registered anywhere before this call can be seen here. */
  catchUp(): Promise<void>
}
