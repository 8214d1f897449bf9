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

/** Steps for all defaults of one schema: far more than honest ones take, and done within some ten milliseconds. */
export const defaultStepsMax = 200_000

/** Undefined when `value` fits `schema`. */
export function misfitOf(
  schema: Schema,
  value: Json,
  view: TypeView = finishedTypes,
  budget: Budget = { left: defaultStepsMax }
): Misfit | undefined {
  // Nearly all defaults are this plain.
  if (schema.kind === 'union' && value === null && schema.branches[0]?.kind === 'null') return undefined
  const decided = new Map<Json, Map<Schema, Fault | undefined>>()

  /** Depth is that of the value, which the parser bounds: every step down in the type is one in the value, or into a union. */
  const check = (type: Schema, at: Json): Fault | undefined => {
    // What was decided before costs a step, too: there may be many ways to ask for it.
    if (budget.left-- <= 0) {
      return { ...here(() => 'the defaults of this schema take too many steps to check; make them smaller'), final: true }
    }
    const resolved = view.resolve(type)
    if (typeof at !== 'object' || at === null) return decide(resolved, at)
    const known = decided.get(at) ?? new Map<Schema, Fault | undefined>()
    decided.set(at, known)
    if (known.has(resolved)) return known.get(resolved)
    const misfit = decide(resolved, at)
    known.set(resolved, misfit)
    return misfit
  }

  const decide = (type: Schema, at: Json): Fault | undefined => {
    switch (type.kind) {
      case 'array':
        if (!isJsonArray(at)) return here(() => `${excerpt(at)} is no array; write [ ]`)
        return first(at.entries(), item => check(type.items, item))
      case 'map':
        if (!isJsonObject(at)) return here(() => `${excerpt(at)} is no map; write { }`)
        return first(at.entries(), item => check(type.values, item))
      case 'record':
        return decideRecord(type, at)
      case 'union':
        for (const branch of type.branches) {
          const misfit = check(branch, at)
          if (misfit === undefined || misfit.final) return misfit
        }
        return here(
          () =>
            `${excerpt(at)} fits no branch of the union [${branchList(type.branches.slice(0, 9).map(b => branchName(view.resolve(b))))}]`
        )
      default: {
        const { kind } = type
        return fitsScalar(kind, at) ? undefined : here(() => scalarFault(kind, at))
      }
    }
  }

  const decideRecord = (record: RecordSchema, at: Json): Fault | undefined => {
    if (!isJsonObject(at)) return here(() => `${excerpt(at)} is no record; write an object with the fields of ${record.name}`)
    const fields = view.fieldsOf(record)
    if (fields === undefined) {
      return { ...here(() => `a default cannot hold a value of ${record.name}, which is still being defined here`), final: true }
    }
    for (const field of fields) {
      const item = at.get(field.name)
      if (item === undefined) {
        if (field.default === undefined)
          return here(() => `the field ${field.name} of ${record.name} is missing and has no default; add it`)
        continue
      }
      const misfit = check(field.type, item)
      if (misfit !== undefined) return within(field.name, misfit)
    }
    return undefined
  }

  const fault = check(schema, value)
  if (fault === undefined) return undefined
  const path: (string | number)[] = []
  for (let step = fault.inside; step !== null; step = step.next) path.push(step.step)
  return { path, reason: fault.reason(), ...(fault.final && { final: true }) }
}

/** A misfit that nobody has asked to print: unions make one for each branch that does not fit, and keep none. */
interface Fault {
  readonly inside: Inside | null
  reason(): string
  readonly final?: true
}

interface Inside {
  readonly step: string | number
  readonly next: Inside | null
}

const here = (reason: () => string): Fault => ({ inside: null, reason })

const within = (step: string | number, fault: Fault): Fault => ({ ...fault, inside: { step, next: fault.inside } })

function first<K extends string | number>(
  entries: IterableIterator<[K, Json]>,
  check: (item: Json) => Fault | undefined
): Fault | undefined {
  for (const [key, item] of entries) {
    const misfit = check(item)
    if (misfit !== undefined) return within(key, misfit)
  }
  return undefined
}

type ScalarKind = Exclude<Schema['kind'], 'array' | 'map' | 'record' | 'union'>

function fitsScalar(kind: ScalarKind, value: Json): boolean {
  switch (kind) {
    case 'null':
      return value === null
    case 'boolean':
      return typeof value === 'boolean'
    case 'float':
    case 'double':
      return isJsonNumber(value)
    case 'int':
      return isJsonNumber(value) && isIntegerText(value.text) && isInRange(value.text, 32)
    case 'long':
      return isJsonNumber(value) && isIntegerText(value.text) && isInRange(value.text, 64)
    default:
      return typeof value === 'string'
  }
}

/** Most numbers are short, and BigInt is slow. */
function isInRange(text: string, bits: 32 | 64): boolean {
  if (text.length < (bits === 32 ? 10 : 19)) return true
  const number = BigInt(text)
  return number === BigInt.asIntN(bits, number)
}

/** Why a value that does not fit does not. */
function scalarFault(kind: ScalarKind, value: Json): string {
  switch (kind) {
    case 'null':
      return `${excerpt(value)} is not null`
    case 'boolean':
      return `${excerpt(value)} is no boolean; write true or false`
    case 'float':
    case 'double':
      return `${excerpt(value)} is no number`
    case 'int':
    case 'long':
      return integerFault(kind, value)
    default:
      return `${excerpt(value)} is no text; ${kind} defaults are written in double quotes`
  }
}

function integerFault(kind: 'int' | 'long', value: Json): string {
  if (!isJsonNumber(value)) return `${excerpt(value)} is no ${kind}`
  if (!isIntegerText(value.text)) {
    const number = Number(value.text)
    return `${value.text} is no ${kind}; ${Number.isSafeInteger(number) ? `write ${number}` : 'write it without fraction and exponent'}`
  }
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
