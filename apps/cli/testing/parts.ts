/** What a test gives to an embedded server, and what it finds in it afterwards. */
import type { NewEvent } from '@assay/gate'

export interface TestTopic {
  /** Default 1. */
  readonly partitions?: number
  /** Settings of the topic, such as `{ 'assay.value.validation': 'deep' }`. */
  readonly configs?: Readonly<Record<string, string>>
}

/** What is there at the start, and again after each `reset`. */
export interface Seed {
  /** By name. */
  readonly topics?: Readonly<Record<string, TestTopic>>
  /** Folder with `<topic>/value.avsc` and `<topic>/key.avsc`, as `assay register` takes it. */
  readonly schemaFolder?: string
  /** By subject: an Avro schema as an object, or its text. */
  readonly schemas?: Readonly<Record<string, object | string>>
  /** By topic; each is encoded with the schema of its subject. */
  readonly events?: Readonly<Record<string, readonly NewEvent[]>>
}

/** A record as it is stored; a value or key without a schema is text. */
export interface StoredRecord {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: unknown
  readonly value: unknown
  readonly headers: Readonly<Record<string, string>>
}
