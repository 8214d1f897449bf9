/** Why a record is refused, in facts and in words. */
import type { Part } from './policy.ts'

export interface Rejection {
  /** The record's place in its batch, from 0: what `record_errors` calls batch_index (KIP-467). */
  readonly index: number
  /** Key or value; `record` when the record itself is at fault. */
  readonly part: Part | 'record'
  /** Where in the payload: `items[3].price`; empty for the payload as a whole. */
  readonly path: string
  /** Without index and path: `expected double, 3 bytes left`. */
  readonly reason: string
  /** The ID that the payload names, when it names one. */
  readonly schemaId?: number
  /** The subject that the ID had to be registered under. */
  readonly subject?: string
}

/** Part and path in one: `value.items[3].price`. */
export function placeOf({ part, path }: Rejection): string {
  if (path === '') return part
  return path.startsWith('[') ? `${part}${path}` : `${part}.${path}`
}

/** One line for people: `value.items[3].price: expected double, 3 bytes left (schema ID 7, subject orders-value)`. */
export function describeRejection(rejection: Rejection): string {
  const { reason, schemaId, subject } = rejection
  const schema = schemaId === undefined ? undefined : `schema ID ${schemaId}`
  const context = [schema, subject === undefined ? undefined : `subject ${subject}`].filter(text => text !== undefined)
  return `${placeOf(rejection)}: ${reason}${context.length > 0 ? ` (${context.join(', ')})` : ''}`
}
