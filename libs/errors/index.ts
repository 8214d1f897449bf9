export { AssayError, type ErrorName, type FactsOf, isAssayError } from './assay-error.ts'
export { type ErrorRow, table } from './table.ts'
