/** Bounds on what a registry takes in. Each is crossed with a row of the error table. */
export interface RegistryLimits {
  /** Bytes that one page of the journal is read in. */
  readonly pageBytesMax: number
  /** Bytes that a compressed batch of the journal may inflate to. */
  readonly inflatedBytesMax: number
  /** References of one schema. */
  readonly referencesMax: number
  /** Longest chain of references below a schema. */
  readonly referenceDepthMax: number
  /** Characters of a subject. */
  readonly subjectCharsMax: number
  /** Writes that may wait for the writer. */
  readonly queuedWritesMax: number
}

export const defaultLimits: RegistryLimits = {
  pageBytesMax: 4 * 1024 * 1024,
  inflatedBytesMax: 64 * 1024 * 1024,
  referencesMax: 1000,
  referenceDepthMax: 64,
  subjectCharsMax: 1024,
  queuedWritesMax: 10_000
}
