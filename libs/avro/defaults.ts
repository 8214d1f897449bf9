/**
 * Says whether a JSON value may stand as a field's default, as Java's Avro decides it: texts for string, bytes, enum and fixed alike,
 * any branch of a union. The work is bounded: each pair of type and value is decided once, and a field left out of a record's default
 * is not looked into, because its own default was checked where it stands.
 */
import type { JsonPath } from './json.ts'
import { isIntegerText, isJsonArray, isJsonNumber, isJsonObject, printJson } from './json-text.ts'
import type { Field, Json, RecordSchema, Schema } from './schema.ts'
import { branchName } from './schema.ts'

export interface Misfit {
  /** From the default down to the value that does not fit. */
  readonly path: JsonPath
  readonly reason: string
  /** Java gives up here, also where another branch of a union would fit. */
  readonly final?: true
}

/** How types look while a schema is still being put together. */
export interface TypeView {
  resolve(schema: Schema): Schema
  /** Undefined while the fields are not known yet. */
  fieldsOf(record: RecordSchema): readonly Field[] | undefined
}

export const finishedTypes: TypeView = { resolve: schema => schema, fieldsOf: record => record.fields }

/** Counts down over all defaults of one schema. */
export interface Budget {
  left: number
}

/** Undefined when `value` fits `schema`. */
export function misfitOf(
  schema: Schema,
  value: Json,
  view: TypeView = finishedTypes,
  budget: Budget = { left: 1_000_000 }
): Misfit | undefined {
  const decided = new Map<Json, Map<Schema, Misfit | undefined>>()

  /** Depth is that of the value, which the parser bounds: every step down in the type is one in the value, or into a union. */
  const check = (type: Schema, at: Json): Misfit | undefined => {
    const resolved = view.resolve(type)
    if (typeof at !== 'object' || at === null) return decide(resolved, at)
    const known = decided.get(at) ?? new Map<Schema, Misfit | undefined>()
    decided.set(at, known)
    if (known.has(resolved)) return known.get(resolved)
    const misfit = decide(resolved, at)
    known.set(resolved, misfit)
    return misfit
  }

  const decide = (type: Schema, at: Json): Misfit | undefined => {
    if (budget.left-- <= 0) {
      return { ...here('the defaults of this schema take too many steps to check; make them smaller'), final: true }
    }
    switch (type.kind) {
      case 'array':
        if (!isJsonArray(at)) return here(`${excerpt(at)} is no array; write [ ]`)
        return first(at.entries(), item => check(type.items, item))
      case 'map':
        if (!isJsonObject(at)) return here(`${excerpt(at)} is no map; write { }`)
        return first(at.entries(), item => check(type.values, item))
      case 'record':
        return decideRecord(type, at)
      case 'union':
        for (const branch of type.branches) {
          const misfit = check(branch, at)
          if (misfit === undefined || misfit.final) return misfit
        }
        return here(
          `${excerpt(at)} fits no branch of the union [${branchList(type.branches.slice(0, 9).map(b => branchName(view.resolve(b))))}]`
        )
      default: {
        const reason = scalarFault(type.kind, at)
        return reason === undefined ? undefined : here(reason)
      }
    }
  }

  const decideRecord = (record: RecordSchema, at: Json): Misfit | undefined => {
    if (!isJsonObject(at)) return here(`${excerpt(at)} is no record; write an object with the fields of ${record.name}`)
    const fields = view.fieldsOf(record)
    if (fields === undefined) {
      return { ...here(`a default cannot hold a value of ${record.name}, which is still being defined here`), final: true }
    }
    for (const field of fields) {
      const item = at.get(field.name)
      if (item === undefined) {
        if (field.default === undefined)
          return here(`the field ${field.name} of ${record.name} is missing and has no default; add it`)
        continue
      }
      const misfit = check(field.type, item)
      if (misfit !== undefined) return { ...misfit, path: [field.name, ...misfit.path] }
    }
    return undefined
  }

  return check(schema, value)
}

const here = (reason: string): Misfit => ({ path: [], reason })

function first<K extends string | number>(
  entries: IterableIterator<[K, Json]>,
  check: (item: Json) => Misfit | undefined
): Misfit | undefined {
  for (const [key, item] of entries) {
    const misfit = check(item)
    if (misfit !== undefined) return { ...misfit, path: [key, ...misfit.path] }
  }
  return undefined
}

function scalarFault(kind: Exclude<Schema['kind'], 'array' | 'map' | 'record' | 'union'>, value: Json): string | undefined {
  switch (kind) {
    case 'null':
      return value === null ? undefined : `${excerpt(value)} is not null`
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `${excerpt(value)} is no boolean; write true or false`
    case 'float':
    case 'double':
      return isJsonNumber(value) ? undefined : `${excerpt(value)} is no number`
    case 'int':
    case 'long':
      return integerFault(kind, value)
    default:
      return typeof value === 'string' ? undefined : `${excerpt(value)} is no text; ${kind} defaults are written in double quotes`
  }
}

function integerFault(kind: 'int' | 'long', value: Json): string | undefined {
  if (!isJsonNumber(value)) return `${excerpt(value)} is no ${kind}`
  if (!isIntegerText(value.text)) {
    const number = Number(value.text)
    return `${value.text} is no ${kind}; ${Number.isSafeInteger(number) ? `write ${number}` : 'write it without fraction and exponent'}`
  }
  const bits = kind === 'int' ? 32 : 64
  const number = BigInt(value.text)
  if (number === BigInt.asIntN(bits, number)) return undefined
  return `${value.text} is outside the range of ${kind}${kind === 'int' ? '; make the type long' : ''}`
}

/** Short whatever the value's size: unions make one for each branch that does not fit. */
function excerpt(value: Json): string {
  if (isJsonArray(value)) return 'an array'
  if (isJsonObject(value)) return 'an object'
  const text = typeof value === 'string' ? value.slice(0, 60) : value
  return printJson(text)
}

function branchList(branches: readonly string[]): string {
  return branches.length > 8 ? `${branches.slice(0, 8).join(', ')}, ...` : branches.join(', ')
}
