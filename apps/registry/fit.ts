/** Whether a value fits a JSON Schema, of the keywords that routes are written with; a schema with any other keyword is refused. */
import { assert } from '@assay/std'
import { ANY_NAME } from './json-schema.ts'

/** The first place that does not fit. */
export interface Misfit {
  /** As a JSON Pointer; empty for the value itself. */
  readonly path: string
  /** What is wanted there, such as `must be string`. */
  readonly message: string
}

/** Undefined when the value fits. */
export type Fit = (value: unknown) => Misfit | undefined

interface Schema {
  readonly type?: string
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

const CHECKED = [
  ...['type', 'const', 'anyOf', 'required', 'properties', 'patternProperties', 'additionalProperties'],
  ...['items', 'minItems', 'maxItems', 'minLength', 'minimum', 'maximum']
]
const SAID_ONLY = ['title', 'description', 'default', 'examples']
const KEYWORDS = new Set([...CHECKED, ...SAID_ONLY])

const isOfType: Readonly<Record<string, (value: unknown) => boolean>> = {
  array: Array.isArray,
  boolean: value => typeof value === 'boolean',
  integer: Number.isInteger,
  null: value => value === null,
  number: Number.isFinite,
  object: value => typeof value === 'object' && value !== null && !Array.isArray(value),
  string: value => typeof value === 'string'
}

/** The check of one schema, made once. What it says of the value is the same for the same value. */
export function fitOf(schema: object): Fit {
  const unknown = Object.keys(schema).find(keyword => !KEYWORDS.has(keyword))
  assert(unknown === undefined, `a schema has the keyword ${unknown}, which nobody would check`)
  const checks = [...checksOf(schema as Schema)]
  return value => {
    for (const check of checks) {
      const misfit = check(value)
      if (misfit !== undefined) return misfit
    }
    return undefined
  }
}

function* checksOf(schema: Schema): Generator<Fit> {
  const { type, anyOf, items, minimum, maximum, minLength } = schema
  if (type !== undefined) yield wants(`must be ${type}`, typeCheck(type))
  if ('const' in schema) yield wants('must be equal to constant', value => value === schema.const)
  if (minimum !== undefined) yield wants(`must be >= ${minimum}`, value => (value as number) >= minimum)
  if (maximum !== undefined) yield wants(`must be <= ${maximum}`, value => (value as number) <= maximum)
  if (minLength !== undefined)
    yield wants(`must not have fewer than ${minLength} characters`, value => (value as string).length >= minLength)
  if (type === 'object') yield* objectChecksOf(schema)
  if (type === 'array') yield* lengthChecksOf(schema)
  if (items !== undefined) yield itemsCheck(fitOf(items))
  if (anyOf !== undefined) yield anyOfCheck(anyOf.map(fitOf))
}

function typeCheck(type: string): (value: unknown) => boolean {
  const check = isOfType[type]
  assert(check !== undefined, `a schema has the type ${type}, which no JSON has`)
  return check
}

const wants = (message: string, fits: (value: unknown) => boolean): Fit => {
  const misfit = { path: '', message }
  return value => (fits(value) ? undefined : misfit)
}

function* objectChecksOf({ required = [], properties = {}, patternProperties, additionalProperties }: Schema): Generator<Fit> {
  const missing = (value: unknown): string[] => required.filter(name => !Object.hasOwn(value as object, name))
  yield value => {
    const names = missing(value)
    return names.length === 0 ? undefined : { path: '', message: `must have required properties ${names.join(', ')}` }
  }
  if (additionalProperties === false) {
    const known = new Set(Object.keys(properties))
    yield value => {
      const unknown = Object.keys(value as object).find(name => !known.has(name))
      return unknown === undefined ? undefined : within(unknown, { path: '', message: 'must not be there' })
    }
  }
  const fits = Object.entries(properties).map(([name, property]) => [name, fitOf(property)] as const)
  yield value => {
    for (const [name, fit] of fits) {
      if (!Object.hasOwn(value as object, name)) continue
      const misfit = fit((value as Readonly<Record<string, unknown>>)[name])
      if (misfit !== undefined) return within(name, misfit)
    }
    return undefined
  }
  if (patternProperties === undefined) return
  const values = patternProperties[ANY_NAME]
  assert(values !== undefined && Object.keys(patternProperties).length === 1, 'a map takes every key')
  const fitValue = fitOf(values)
  yield value => {
    for (const [name, member] of Object.entries(value as object)) {
      const misfit = fitValue(member)
      if (misfit !== undefined) return within(name, misfit)
    }
    return undefined
  }
}

function* lengthChecksOf({ minItems, maxItems }: Schema): Generator<Fit> {
  const lengthOf = (value: unknown): number => (value as readonly unknown[]).length
  if (minItems !== undefined) yield wants(`must not have fewer than ${minItems} items`, value => lengthOf(value) >= minItems)
  if (maxItems !== undefined) yield wants(`must not have more than ${maxItems} items`, value => lengthOf(value) <= maxItems)
}

function itemsCheck(fit: Fit): Fit {
  return value => {
    for (const [index, item] of (value as readonly unknown[]).entries()) {
      const misfit = fit(item)
      if (misfit !== undefined) return within(String(index), misfit)
    }
    return undefined
  }
}

/** Of a value that fits none, what is told is why it does not fit the first. */
function anyOfCheck(fits: readonly Fit[]): Fit {
  return value => {
    const [first, ...others] = fits
    const misfit = first?.(value)
    return misfit === undefined || others.some(fit => fit(value) === undefined) ? undefined : misfit
  }
}

const within = (name: string, { path, message }: Misfit): Misfit => ({
  path: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}${path}`,
  message
})
