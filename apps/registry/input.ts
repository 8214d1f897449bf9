/** Turns what HTTP brings (texts, bytes) into the checked input of a route. Bodies are checked as they are; path and query are read from text. */
import { AssayError } from '@assay/errors'
import type { TObject, TSchema } from 'typebox'
import { fitOf } from './fit.ts'

/** Deeper JSON is refused before it is parsed: parsing megabytes of brackets takes seconds. */
const JSON_DEPTH_MAX = 100

/** Parses a body. Fails with INVALID_REQUEST_BODY. Nothing in it, nothing read: undefined. */
export function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined
  if (depthOf(bytes) > JSON_DEPTH_MAX) throw invalidBody(`JSON nested deeper than ${JSON_DEPTH_MAX} levels`)
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch (error) {
    throw new AssayError('INVALID_REQUEST_BODY', { reason: `The body is not JSON: ${messageOf(error)}` }, { cause: error })
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The part of JSON Schema that says where null has a meaning. */
interface Shape {
  readonly type?: string
  readonly anyOf?: readonly Shape[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
}

/** A field that is null is a field that is not there, as in Confluent's server, unless its schema takes null. */
function withoutNulls(value: unknown, { anyOf, ...shape }: Shape): unknown {
  const { properties, items } = anyOf?.find(one => one.properties) ?? shape
  if (Array.isArray(value)) return items ? value.map(item => withoutNulls(item, items)) : value
  if (typeof value !== 'object' || value === null || properties === undefined) return value
  const kept: [string, unknown][] = []
  for (const [name, field] of Object.entries(value)) {
    const shape = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (field === null && shape && !takesNull(shape)) continue
    kept.push([name, shape ? withoutNulls(field, shape) : field])
  }
  return Object.fromEntries(kept)
}

/** A schema without a type, like that of an event's value, takes anything. */
const takesNull = ({ type, anyOf }: Shape): boolean => (anyOf ? anyOf.some(takesNull) : type === undefined || type === 'null')

/** How deep brackets nest outside strings; counting stops once it is too deep. */
function depthOf(bytes: Buffer): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let at = 0; at < bytes.length && deepest <= JSON_DEPTH_MAX; at++) {
    const byte = bytes[at]
    if (inString) {
      if (byte === 0x5c) at++
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return deepest
}

/** A checker for bodies of one schema. Fails with INVALID_REQUEST_BODY, which names the first place that does not fit. */
export function bodyCheck(schema: TSchema): (body: unknown) => unknown {
  const misfitOf = fitOf(schema)
  return body => {
    const value = body === undefined ? {} : withoutNulls(body, schema as Shape)
    const misfit = misfitOf(value)
    if (misfit === undefined) return value
    throw invalidBody(`${misfit.path || 'The body'} ${misfit.message}`)
  }
}

/**
 * A reader for path or query: texts become the booleans and integers that the schema wants, absent ones take their defaults. Of a parameter
 * that is given more than once the first counts, unless its schema is a list. `fail` is called with the name and what is wrong.
 */
export function textReader(
  schema: TObject,
  fail: (name: string, reason: string) => never
): (texts: unknown) => Record<string, unknown> {
  const misfitOf = fitOf(schema)
  const properties = Object.entries(schema.properties as Record<string, { type?: string; default?: unknown }>)
  return texts => {
    const given = texts as Record<string, string | string[] | undefined>
    const read: Record<string, unknown> = {}
    for (const [name, { type, default: absent }] of properties) {
      const value = Object.hasOwn(given, name) ? given[name] : undefined
      if (type === 'array') {
        read[name] = value === undefined ? [] : [value].flat()
        continue
      }
      const text = Array.isArray(value) ? value[0] : value
      const typed = text === undefined ? absent : readText(text, type)
      if (typed === undefined && text !== undefined) fail(name, `'${text}' is not an integer`)
      if (typed !== undefined) read[name] = typed
    }
    const misfit = misfitOf(read)
    return misfit === undefined ? read : fail(misfit.path.slice(1) || 'of the path or the query', misfit.message)
  }
}

/** Booleans as Java reads them: `true` in any letter case, everything else is false. */
function readText(text: string, type: string | undefined): unknown {
  if (type === 'boolean') return text.toLowerCase() === 'true'
  if (type !== 'integer') return text
  const number = Number(text)
  return /^-?\d{1,10}$/.test(text) && Math.abs(number) < 2 ** 31 ? number : undefined
}

const invalidBody = (reason: string): AssayError => new AssayError('INVALID_REQUEST_BODY', { reason })
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
