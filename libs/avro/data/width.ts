/** How many bytes a value of a schema takes at least, and how much stands in a value that takes none. */
import type { Schema } from '../schema.ts'

export interface Widths {
  /** Infinity for a record that contains itself without an end: it has no values. */
  of(schema: Schema): number
  /**
   * Values in a value that takes no bytes, itself included: records of records of null grow without a byte, exponentially in the length
   * of the schema. Infinity for what takes bytes.
   */
  weightOf(schema: Schema): number
}

/** Values without bytes are free to send: so many may be items of arrays in one whole value, or stand in one record. */
export const WIDTHLESS_MAX = 1000

export function minWidths(): Widths {
  const known = new Map<Schema, number>()
  const weights = new Map<Schema, number>()

  function of(schema: Schema): number {
    const before = known.get(schema)
    if (before !== undefined) return before
    // A record inside itself adds nothing finite: only another branch of a union can end it.
    known.set(schema, Number.POSITIVE_INFINITY)
    const width = compute(schema)
    known.set(schema, width)
    return width
  }

  function compute(schema: Schema): number {
    switch (schema.kind) {
      case 'null':
        return 0
      case 'float':
        return 4
      case 'double':
        return 8
      case 'fixed':
        return schema.size
      case 'record':
        return schema.fields.reduce((sum, field) => sum + of(field.type), 0)
      case 'union':
        return 1 + Math.min(Number.POSITIVE_INFINITY, ...schema.branches.map(of))
      default:
        return 1
    }
  }

  function weightOf(schema: Schema): number {
    const before = weights.get(schema)
    if (before !== undefined) return before
    weights.set(schema, Number.POSITIVE_INFINITY)
    const weight =
      schema.kind === 'record'
        ? schema.fields.reduce((sum, field) => sum + weightOf(field.type), 1)
        : of(schema) === 0
          ? 1
          : Number.POSITIVE_INFINITY
    weights.set(schema, weight)
    return weight
  }

  return { of, weightOf }
}
