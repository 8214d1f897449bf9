/** How values of a union look in a program: one rule for generated types and for the codecs behind them. */
import type { Schema, UnionSchema } from '../schema.ts'

/**
 * - `plain`: values stand as they are, because no two branches share a kind of value in JavaScript.
 * - `tagged`: there are several records, and each says its full name in `$type`; other branches stand as they are.
 * - `boxed`: JavaScript cannot tell the branches apart; every value but null is `{ $type, value }`.
 */
export type UnionShape = 'plain' | 'tagged' | 'boxed'

type ValueKind = 'boolean' | 'number' | 'string' | 'bytes' | 'array' | 'object'

/** The same whatever the options of a codec are: changing an option never changes the shape of a union. */
export function unionShape(union: UnionSchema): UnionShape {
  let shape = shapes.get(union)
  if (shape === undefined) {
    shape = shapeOf(union)
    shapes.set(union, shape)
  }
  return shape
}

const shapes = new WeakMap<UnionSchema, UnionShape>()

function shapeOf(union: UnionSchema): UnionShape {
  const taken = new Map<ValueKind, Schema>()
  let shape: UnionShape = 'plain'
  for (const branch of union.branches) {
    for (const kind of valueKinds(branch)) {
      const other = taken.get(kind)
      if (other === undefined) taken.set(kind, branch)
      else if (other.kind === 'record' && branch.kind === 'record') shape = 'tagged'
      else return 'boxed'
    }
  }
  return shape
}

/** The kinds of value that a branch has under one option or another: a date is a number, or an object. */
function valueKinds(schema: Schema): readonly ValueKind[] {
  switch (schema.kind) {
    case 'null':
    case 'union':
      return []
    case 'boolean':
      return ['boolean']
    case 'string':
    case 'enum':
      return ['string']
    case 'array':
      return ['array']
    case 'record':
    case 'map':
      return ['object']
    case 'bytes':
    case 'fixed':
      if (schema.logicalType?.name === 'uuid') return ['string']
      return schema.logicalType === undefined ? ['bytes'] : ['bytes', 'object']
    default:
      return schema.logicalType === undefined ? ['number'] : ['number', 'object']
  }
}
