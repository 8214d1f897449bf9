/**
 * Wider types that a program may write, made into those of the codec: decimals from text, times from a Date or a raw number. It judges
 * nothing: what it does not know goes on as it is, and the codec says why it does not fit.
 */
import {
  branchName,
  type CodecOptions,
  Decimal,
  type FixedSchema,
  type PrimitiveSchema,
  type RecordSchema,
  type Schema,
  type UnionSchema,
  unionShape
} from '@assay/avro'
import { timeWidening, type Widen } from './times.ts'

type Options = Required<CodecOptions>
type Values = Readonly<Record<string, unknown>>

const asItIs: Widen = value => value

/** Compiled once for a schema. Recursion is as deep as the value. */
export function widening(schema: Schema, options: Options): Widen {
  if (!someScalar(schema, scalar => scalarWidening(scalar, options) !== asItIs)) return asItIs
  const known = new Map<Schema, Widen>()
  const of = (type: Schema): Widen => {
    const made = known.get(type)
    if (made) return made
    // A recursive type meets itself while it is being made.
    let widen: Widen | undefined
    known.set(type, value => widen!(value))
    widen = make(type, options, of)
    known.set(type, widen)
    return widen
  }
  return of(schema)
}

function make(schema: Schema, options: Options, of: (schema: Schema) => Widen): Widen {
  switch (schema.kind) {
    case 'record':
      return recordWidening(schema, of)
    case 'array': {
      const item = of(schema.items)
      return value => (Array.isArray(value) ? value.map(item) : value)
    }
    case 'map': {
      const item = of(schema.values)
      return value => {
        const entries = value instanceof Map ? [...value] : isObject(value) ? Object.entries(value) : undefined
        return entries ? new Map(entries.map(([key, content]) => [key, item(content)])) : value
      }
    }
    case 'union':
      return unionWidening(schema, of)
    case 'enum':
      return asItIs
    default:
      return scalarWidening(schema, options)
  }
}

function recordWidening(schema: RecordSchema, of: (schema: Schema) => Widen): Widen {
  const fields = schema.fields.map(({ name, type }) => ({ name, widen: of(type), isInherited: name in Object.prototype }))
  return value => {
    if (!isObject(value)) return value
    // No prototype: a field may be called __proto__.
    const wide: Record<string, unknown> = Object.create(null)
    if (value['$type'] !== undefined) wide['$type'] = value['$type']
    for (const { name, widen, isInherited } of fields) {
      const content = isInherited && !Object.hasOwn(value, name) ? undefined : value[name]
      if (content !== undefined) wide[name] = widen(content)
    }
    return wide
  }
}

/** Where several branches could be meant, single values have to come in the type of their branch: generated types say the same. */
function unionWidening(union: UnionSchema, of: (schema: Schema) => Widen): Widen {
  const shape = unionShape(union)
  const branches = union.branches.filter(({ kind }) => kind !== 'null').map(schema => ({ schema, widen: of(schema) }))
  const [only] = branches
  if (!only) return asItIs
  if (branches.length === 1 && shape !== 'boxed') return value => (value === null ? null : only.widen(value))
  const named = new Map(branches.map(branch => [branchName(branch.schema), branch]))
  const list = branches.find(({ schema }) => schema.kind === 'array')
  const members = branches.filter(({ schema }) => schema.kind === 'record' || schema.kind === 'map')
  return value => {
    if (list && shape !== 'boxed' && Array.isArray(value)) return list.widen(value)
    if (!isObject(value) && !(value instanceof Map)) return value
    const type = isObject(value) ? value['$type'] : undefined
    const branch = typeof type === 'string' ? named.get(type) : undefined
    if (shape === 'boxed') return branch ? { $type: type, value: branch.widen((value as Values)['value']) } : value
    if (shape === 'tagged') return branch?.schema.kind === 'record' ? branch.widen(value) : value
    return members[0] ? members[0].widen(value) : value
  }
}

function scalarWidening(schema: PrimitiveSchema | FixedSchema, options: Options): Widen {
  const { logicalType } = schema
  if (logicalType === undefined) return asItIs
  if (logicalType.name === 'decimal') return decimalWidening((logicalType as { readonly scale: number }).scale)
  if (logicalType.name === 'big-decimal') return decimalWidening(undefined)
  return timeWidening(logicalType.name, options) ?? asItIs
}

/** A bigint is a whole number, not an unscaled one. Without a scale of the schema's own, the digits written count. */
function decimalWidening(scale: number | undefined): Widen {
  return value => {
    if (typeof value !== 'string' && typeof value !== 'bigint' && !(value instanceof Decimal)) return value
    if (scale === undefined && value instanceof Decimal) return value
    const text = String(value)
    return parsed(text, scale) ?? parsed(text, undefined) ?? value
  }
}

/** Undefined when the text is no number, or has too many digits for the scale. */
function parsed(text: string, scale: number | undefined): Decimal | undefined {
  try {
    return Decimal.parse(text, scale)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function someScalar(root: Schema, test: (scalar: PrimitiveSchema | FixedSchema) => boolean): boolean {
  const seen = new Set<Schema>()
  const visit = (schema: Schema): boolean => {
    if (seen.has(schema)) return false
    seen.add(schema)
    switch (schema.kind) {
      case 'record':
        return schema.fields.some(({ type }) => visit(type))
      case 'array':
        return visit(schema.items)
      case 'map':
        return visit(schema.values)
      case 'union':
        return schema.branches.some(visit)
      case 'enum':
        return false
      default:
        return test(schema)
    }
  }
  return visit(root)
}

/** An object that is a record or a map, and none of a class that stands for something else. */
function isObject(value: unknown): value is Values {
  if (typeof value !== 'object' || value === null) return false
  return !(
    Array.isArray(value) ||
    value instanceof Uint8Array ||
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Date
  )
}
