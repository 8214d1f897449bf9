/**
 * How single values look in JSON, both ways (docs/formats/json-events.md). Logical types have a text of their own; a stored value that
 * has none, because the bytes are not what the logical type allows, is `{"$raw": value of the base type}`, so that nothing is lost.
 */
import type { LogicalType, UnionSchema } from '../schema.ts'
import { readBigDecimal, writeBigDecimal } from './big-decimal.ts'
import { bytesOf, DECIMAL_BYTES_MAX, Decimal, digitsOf, unscaledOf } from './decimal.ts'
import { durationBytes, durationOf } from './duration.ts'
import { describe, Refusal } from './faults.ts'
import { type Digits, dateText, daysOf, timeOf, timestampOf, timestampText, timeText } from './iso-time.ts'
import type { ScalarSchema } from './resolution.ts'
import { isUuid, uuidBytes, uuidText } from './uuid.ts'

export type JsonKind = 'null' | 'boolean' | 'number' | 'text' | 'array' | 'object'

/** What a value of a base type is in memory: a long is a number where it is exact; bytes and fixed are bytes. */
export type Raw = null | boolean | number | bigint | string | Uint8Array

export interface JsonForm {
  /** The kind of JSON that values nearly always have. */
  readonly kind: JsonKind
  /** True when they always do. */
  readonly always: boolean
  toJson(raw: Raw): unknown
  /** Throws Refusal. */
  fromJson(json: unknown): Raw
}

export function jsonKindOf(json: unknown): JsonKind {
  if (json === null) return 'null'
  if (Array.isArray(json)) return 'array'
  switch (typeof json) {
    case 'boolean':
      return 'boolean'
    case 'number':
    case 'bigint':
      return 'number'
    case 'string':
      return 'text'
    default:
      return 'object'
  }
}

const forms = new WeakMap<ScalarSchema, JsonForm>()

export function jsonFormOf(schema: ScalarSchema): JsonForm {
  let form = forms.get(schema)
  if (form === undefined) {
    const base = baseForm(schema)
    const logical = logicalText(schema)
    form = logical === undefined ? base : logicalForm(base, logical)
    forms.set(schema, form)
  }
  return form
}

function baseForm(schema: ScalarSchema): JsonForm {
  switch (schema.kind) {
    case 'null':
      return { kind: 'null', always: true, toJson: asItIs, fromJson: json => (json === null ? null : refuse('null', json)) }
    case 'boolean':
      return {
        kind: 'boolean',
        always: true,
        toJson: asItIs,
        fromJson: json => (typeof json === 'boolean' ? json : refuse('boolean', json))
      }
    case 'int':
      return { kind: 'number', always: true, toJson: asItIs, fromJson: intOf }
    case 'long':
      return { kind: 'number', always: false, toJson: raw => (typeof raw === 'bigint' ? String(raw) : raw), fromJson: longOf }
    case 'float':
      return { kind: 'number', always: false, toJson: raw => shortFloat(raw as number), fromJson: floatOf }
    case 'double':
      return {
        kind: 'number',
        always: false,
        toJson: raw => finiteOrText(raw as number),
        fromJson: json => doubleOf('double', json)
      }
    case 'string':
      return {
        kind: 'text',
        always: true,
        toJson: asItIs,
        fromJson: json => (typeof json === 'string' ? json : refuse('string', json))
      }
    case 'bytes':
      return { kind: 'text', always: true, toJson: latin1, fromJson: json => bytesFrom('bytes', json) }
    case 'fixed':
      return {
        kind: 'text',
        always: true,
        toJson: latin1,
        fromJson: json => {
          const bytes = bytesFrom(schema.name, json)
          if (bytes.length === schema.size) return bytes
          throw new Refusal(`expected ${schema.size} bytes for ${schema.name}, got ${bytes.length}`)
        }
      }
  }
}

interface LogicalText {
  readonly kind: JsonKind
  /** Undefined for what the logical type does not allow. */
  toJson(raw: Raw): unknown
  fromJson(json: unknown): Raw
  /** What is written, for refusals. */
  readonly expected: string
}

function logicalForm(base: JsonForm, logical: LogicalText): JsonForm {
  return {
    kind: logical.kind,
    always: false,
    toJson: raw => logical.toJson(raw) ?? { $raw: base.toJson(raw) },
    fromJson: json => {
      const kind = jsonKindOf(json)
      if (kind === 'object') {
        const members = Object.entries(json as object)
        if (members.length === 1 && members[0]![0] === '$raw') return base.fromJson(members[0]![1])
      }
      // A number is a date or time as Avro counts it.
      if (kind === 'number' && base.kind === 'number') return base.fromJson(json)
      return kind === logical.kind ? logical.fromJson(json) : refuse(logical.expected, json)
    }
  }
}

const digitsOfUnit = { millis: 3, micros: 6, nanos: 9 } as const

function logicalText(schema: ScalarSchema): LogicalText | undefined {
  const { logicalType } = schema
  switch (logicalType?.name) {
    case undefined:
      return undefined
    case 'decimal':
      return decimalText(schema, logicalType as LogicalType & { precision: number; scale: number })
    case 'big-decimal':
      return {
        kind: 'text',
        expected: 'a decimal number as a text, as "12.50"',
        toJson: raw => readBigDecimal(raw as Uint8Array)?.toString(),
        fromJson: json => writeBigDecimal(parsed(json as string))
      }
    case 'uuid':
      return uuidForm(schema)
    case 'duration':
      return {
        kind: 'object',
        expected: 'a duration { months, days, millis }',
        toJson: raw => durationOf(raw as Uint8Array),
        fromJson: durationBytes
      }
    case 'date':
      return {
        kind: 'text',
        expected: 'a date like "2026-11-23"',
        toJson: raw => dateText(raw as number),
        fromJson: json => daysOf(json as string)
      }
    default:
      return timeForm(logicalType!.name)
  }
}

function timeForm(name: string): LogicalText {
  const digits: Digits = digitsOfUnit[name.slice(name.lastIndexOf('-') + 1) as keyof typeof digitsOfUnit]
  if (name.startsWith('time-')) {
    return {
      kind: 'text',
      expected: 'a time like "01:02:03.004"',
      toJson: raw => timeText(raw as number, digits),
      fromJson: json => exact(timeOf(json as string, digits))
    }
  }
  const local = name.startsWith('local-')
  return {
    kind: 'text',
    expected: `a time like "2026-11-23T01:02:03.004${local ? '' : 'Z'}"`,
    toJson: raw => timestampText(raw as number | bigint, digits, local),
    fromJson: json => exact(timestampOf(json as string, digits, local))
  }
}

function uuidForm(schema: ScalarSchema): LogicalText {
  const expected = 'a UUID like "123e4567-e89b-12d3-a456-426614174000"'
  const checked = (json: unknown): string => (isUuid(json as string) ? (json as string) : refuse(expected, json))
  if (schema.kind === 'fixed') {
    return { kind: 'text', expected, toJson: raw => uuidText(raw as Uint8Array), fromJson: json => uuidBytes(checked(json)) }
  }
  return { kind: 'text', expected, toJson: raw => (isUuid(raw as string) ? raw : undefined), fromJson: checked }
}

function decimalText(schema: ScalarSchema, { precision, scale }: { precision: number; scale: number }): LogicalText {
  const size = schema.kind === 'fixed' ? schema.size : undefined
  const fit = (unscaled: bigint): Uint8Array | undefined => (digitsOf(unscaled) > precision ? undefined : bytesOf(unscaled, size))
  return {
    kind: 'text',
    expected: 'a decimal number as a text, as "12.50"',
    toJson: raw => {
      const bytes = raw as Uint8Array
      if (bytes.length > DECIMAL_BYTES_MAX || scale > SCALE_MAX) return undefined
      const unscaled = unscaledOf(bytes)
      // Bytes that are more than needed would not come back the same.
      return fit(unscaled)?.length === bytes.length ? new Decimal(unscaled, scale).toString() : undefined
    },
    fromJson: json => {
      const { unscaled } = parsed(json as string, scale)
      return fit(unscaled) ?? refuse(`a decimal of at most ${precision} digits`, json)
    }
  }
}

const SCALE_MAX = 1_000

/** Decimal.parse throws RangeError, whose text says what is wrong. */
function parsed(text: string, scale?: number): Decimal {
  try {
    if (scale !== undefined && scale > SCALE_MAX)
      throw new RangeError(`a scale of ${scale} cannot be written as a text; write {"$raw": bytes}`)
    return Decimal.parse(text, scale)
  } catch (error) {
    throw error instanceof RangeError ? new Refusal(error.message) : error
  }
}

const asItIs = (raw: Raw): unknown => raw
const latin1 = (raw: Raw): unknown => {
  const { buffer, byteOffset, length } = raw as Uint8Array
  return Buffer.from(buffer, byteOffset, length).toString('latin1')
}

function refuse(expected: string, got: unknown): never {
  throw new Refusal(`expected ${expected}, got ${describe(got)}`)
}

const exact = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value)

function intOf(json: unknown): number {
  if (typeof json !== 'number') return refuse('int', json)
  if ((json | 0) === json) return json
  return refuse(Number.isInteger(json) ? 'int, which has 32 bits' : 'int', json)
}

function longOf(json: unknown): number | bigint {
  if (typeof json === 'number') {
    if (Number.isSafeInteger(json)) return json
    if (!Number.isInteger(json)) refuse('long', json)
    throw new Refusal(`expected long, got a number beyond 2^53, which JSON may have rounded to ${json}; write it as a text`)
  }
  if (typeof json === 'string' ? !/^-?(0|[1-9][0-9]{0,18})$/.test(json) : typeof json !== 'bigint') return refuse('long', json)
  const value = BigInt(json as string | bigint)
  return value === BigInt.asIntN(64, value) ? exact(value) : refuse('long, which has 64 bits', json)
}

const specials: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0]
])

function doubleOf(kind: 'float' | 'double', json: unknown): number {
  return typeof json === 'number' ? json : (specials.get(json) ?? refuse(`${kind} or "NaN", "Infinity", "-Infinity"`, json))
}

function floatOf(json: unknown): number {
  const value = doubleOf('float', json)
  return Number.isFinite(value) && !Number.isFinite(Math.fround(value)) ? refuse('float, which has 32 bits', json) : value
}

/** JSON has no number for these, and JSON.stringify writes -0 as 0. */
const finiteOrText = (value: number): unknown => (Object.is(value, -0) ? '-0' : Number.isFinite(value) ? value : String(value))

/** The fewest digits that are the same float: 0.1 and not 0.10000000149011612. */
function shortFloat(value: number): unknown {
  if (value === 0 || !Number.isFinite(value)) return finiteOrText(value)
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return value
}

function bytesFrom(kind: string, json: unknown): Uint8Array {
  if (typeof json !== 'string') return refuse(`${kind} as a text of characters up to U+00FF`, json)
  for (let index = 0; index < json.length; index++) {
    if (json.charCodeAt(index) > 0xff)
      throw new Refusal(`expected ${kind} as a text of characters up to U+00FF, got ${describe(json[index])}`)
  }
  return Buffer.from(json, 'latin1')
}

/** The branches that are not null, by their place in the union. */
export const otherBranches = (union: UnionSchema): number[] =>
  union.branches.flatMap((branch, index) => (branch.kind === 'null' ? [] : [index]))
