/** Bounds on what a registry takes in. Each is crossed with a row of the error table. */
export interface RegistryLimits {
  /** Bytes that one page of the journal is read in. */
  readonly pageBytesMax: number
  /** Records of the journal after which a snapshot is written; at the end a tenth of that is enough. */
  readonly snapshotEveryRecords: number
  /** Bytes that a compressed batch of the journal may inflate to. */
  readonly inflatedBytesMax: number
  /** References of one schema. */
  readonly referencesMax: number
  /** Longest chain of references below a schema. */
  readonly referenceDepthMax: number
  /** Characters of a subject. */
  readonly subjectCharsMax: number
  /** Characters of the text of a schema. */
  readonly schemaCharsMax: number
  /** A longer text is parsed beside the event loop, and so is a comparison with more characters that were never parsed, or more in all. */
  readonly heavyTextChars: number
  readonly heavyUnreadChars: number
  readonly heavyComparedChars: number
  /** Steps of a comparison after which it begins anew beside the event loop: some ten milliseconds. */
  readonly heavySteps: number
  /** Requests that may wait for such work, and how long one piece of it may take. */
  readonly heavyJobsMax: number
  readonly heavyTimeMaxMs: number
  /** Writes that may wait for the writer. */
  readonly queuedWritesMax: number
  /** Writes that share one batch, and bytes after which no other joins. */
  readonly batchWritesMax: number
  readonly batchBytesMax: number
}

export const defaultLimits: RegistryLimits = {
  pageBytesMax: 4 * 1024 * 1024,
  snapshotEveryRecords: 20_000,
  inflatedBytesMax: 64 * 1024 * 1024,
  referencesMax: 1000,
  referenceDepthMax: 64,
  subjectCharsMax: 1024,
  schemaCharsMax: 1024 * 1024,
  heavyTextChars: 48 * 1024,
  heavyUnreadChars: 128 * 1024,
  heavyComparedChars: 16 * 1024 * 1024,
  heavySteps: 50_000,
  heavyJobsMax: 100,
  heavyTimeMaxMs: 10_000,
  queuedWritesMax: 10_000,
  batchWritesMax: 200,
  batchBytesMax: 512 * 1024
}
