export { type Assay, type AssayOptions, startAssay } from './assay.ts'
export type { Seed, StoredRecord, TestTopic } from './parts.ts'
