/** How single values look in a program, both ways. Conversions throw Refusal; nothing is rounded, but times are cut to the unit of their schema. */
import { readBigDecimal, writeBigDecimal } from './big-decimal.ts'
import { bytesOf, Decimal, digitsOf, unscaledOf } from './decimal.ts'
import { durationBytes, durationOf } from './duration.ts'
import { describe, Refusal } from './faults.ts'
import type { ScalarSchema } from './resolution.ts'
import { isUuid, uuidBytes, uuidText } from './uuid.ts'

export interface CodecOptions {
  /** What a long is to a reader: exact (default), or a number, where what is beyond 2^53 is refused. */
  readonly long?: 'bigint' | 'number'
  /**
   * What dates and times are to a reader: Temporal objects (default; Node 26 has them), Dates where a Date is exact and numbers elsewhere,
   * or the numbers of the base type.
   */
  readonly time?: 'temporal' | 'date' | 'raw'
}

export type FixedOptions = Required<CodecOptions>

/** The base type's value is number or bigint for a long, Uint8Array for bytes and fixed. */
export interface TypedForm {
  fromRaw(raw: never): unknown
  toRaw(value: unknown): unknown
}

const nanosPer = { millis: 1_000_000n, micros: 1_000n, nanos: 1n } as const
const DAY_MS = 86_400_000

/** Undefined where the value is that of the base type. */
export function typedFormOf(schema: ScalarSchema, options: FixedOptions): TypedForm | undefined {
  const { logicalType } = schema
  switch (logicalType?.name) {
    case undefined:
      return undefined
    case 'decimal':
      return decimalForm(logicalType as { precision: number; scale: number }, schema.kind === 'fixed' ? schema.size : undefined)
    case 'big-decimal':
      return {
        fromRaw: (raw: Uint8Array) => readBigDecimal(raw) ?? refuse('a big-decimal', raw),
        toRaw: value => writeBigDecimal(value instanceof Decimal ? value : refuse('a Decimal', value))
      }
    case 'duration':
      return { fromRaw: durationOf, toRaw: durationBytes }
    case 'uuid':
      return uuidForm(schema)
    case 'date':
      return dateForm(options)
    default:
      return timeForm(logicalType!.name, options)
  }
}

/** What a program may write: a decimal may be a text too, `12.50`. */
export function looseForm({ logicalType }: ScalarSchema, { toRaw }: TypedForm): TypedForm['toRaw'] {
  if (logicalType?.name !== 'decimal' && logicalType?.name !== 'big-decimal') return toRaw
  const scale = logicalType.name === 'decimal' ? logicalType.scale : undefined
  return value => toRaw(typeof value === 'string' ? parsedDecimal(value, scale) : value)
}

/** Decimal.parse throws RangeError, whose text says what is wrong. */
function parsedDecimal(text: string, scale: number | undefined): Decimal {
  try {
    return Decimal.parse(text, scale)
  } catch (error) {
    throw error instanceof RangeError ? new Refusal(error.message) : error
  }
}

function decimalForm({ precision, scale }: { precision: number; scale: number }, size: number | undefined): TypedForm {
  return {
    fromRaw: (raw: Uint8Array) => new Decimal(unscaledOf(raw), scale),
    toRaw(value) {
      if (!(value instanceof Decimal)) return refuse('a Decimal', value)
      if (value.scale !== scale) throw new Refusal(`expected a Decimal of scale ${scale}, got one of scale ${value.scale}`)
      const bytes = bytesOf(value.unscaled, size)
      if (bytes === undefined || digitsOf(value.unscaled) > precision)
        throw new Refusal(`expected a Decimal of at most ${precision} digits, got ${value}`)
      return bytes
    }
  }
}

function uuidForm(schema: ScalarSchema): TypedForm {
  const checked = (value: unknown): string => (typeof value === 'string' && isUuid(value) ? value : refuse('a UUID', value))
  if (schema.kind !== 'fixed') return { fromRaw: (raw: string) => raw, toRaw: checked }
  return { fromRaw: uuidText, toRaw: value => uuidBytes(checked(value)) }
}

function dateForm({ time }: FixedOptions): TypedForm | undefined {
  if (time === 'raw') return undefined
  if (time === 'date') {
    return {
      fromRaw: (days: number) => dateOf(days * DAY_MS),
      toRaw: value => (isDate(value) ? Math.floor(value.getTime() / DAY_MS) : refuse('a Date', value))
    }
  }
  return {
    fromRaw: (days: number) => inRange(() => new Temporal.PlainDate(1970, 1, 1).add({ days })),
    toRaw(value) {
      if (!(value instanceof Temporal.PlainDate)) return refuse('a Temporal.PlainDate', value)
      return new Temporal.PlainDate(1970, 1, 1).until(value.withCalendar('iso8601'), { largestUnit: 'days' }).days
    }
  }
}

function timeForm(name: string, { time }: FixedOptions): TypedForm | undefined {
  if (time === 'date' && name === 'timestamp-millis') {
    return {
      fromRaw: (raw: number | bigint) => dateOf(Number(raw)),
      toRaw: value => (isDate(value) ? value.getTime() : refuse('a Date', value))
    }
  }
  if (time !== 'temporal') return undefined
  const nanos = nanosPer[name.slice(name.lastIndexOf('-') + 1) as keyof typeof nanosPer]
  if (name.startsWith('time-')) {
    return {
      fromRaw: (raw: number | bigint) => timeOfDay(BigInt(raw) * nanos),
      toRaw: value =>
        value instanceof Temporal.PlainTime ? Number(nanosOf(value) / nanos) : refuse('a Temporal.PlainTime', value)
    }
  }
  if (name.startsWith('local-')) {
    return {
      fromRaw: (raw: number | bigint) => inRange(() => instantOf(raw, nanos).toZonedDateTimeISO('UTC').toPlainDateTime()),
      toRaw: value =>
        value instanceof Temporal.PlainDateTime
          ? whole(value.withCalendar('iso8601').toZonedDateTime('UTC').epochNanoseconds, nanos)
          : refuse('a Temporal.PlainDateTime', value)
    }
  }
  return {
    fromRaw: (raw: number | bigint) => inRange(() => instantOf(raw, nanos)),
    toRaw: value =>
      value instanceof Temporal.Instant ? whole(value.epochNanoseconds, nanos) : refuse('a Temporal.Instant', value)
  }
}

/** A long that is no time in the program. */
export function longForm(long: FixedOptions['long']): TypedForm {
  return { fromRaw: long === 'bigint' ? BigInt : safeNumber, toRaw: longOf }
}

function safeNumber(raw: number | bigint): number {
  if (typeof raw === 'number') return raw
  throw new Refusal(`${raw} is beyond 2^53 and is no exact number; read longs as bigint`)
}

/** A number or a bigint, whichever way longs are read. */
export function longOf(value: unknown): number | bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value
  return refuse(typeof value === 'bigint' ? 'long, which has 64 bits' : 'long', value)
}

const isDate = (value: unknown): value is Date => value instanceof Date && !Number.isNaN(value.getTime())

function dateOf(ms: number): Date {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? refuse('a time within the years of a Date', ms) : date
}

const instantOf = (raw: number | bigint, nanos: bigint): Temporal.Instant =>
  Temporal.Instant.fromEpochNanoseconds(BigInt(raw) * nanos)

/** Stored longs may be beyond what Temporal holds. */
function inRange<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw error instanceof RangeError ? new Refusal('is beyond the years that Temporal holds; read times as raw') : error
  }
}

function timeOfDay(nanos: bigint): Temporal.PlainTime {
  if (nanos < 0n || nanos >= 86_400_000_000_000n) return refuse('a time within a day', nanos)
  return new Temporal.PlainTime().add({ nanoseconds: Number(nanos) })
}

function nanosOf(time: Temporal.PlainTime): bigint {
  const seconds = (time.hour * 60 + time.minute) * 60 + time.second
  return BigInt(seconds) * 1_000_000_000n + BigInt(time.millisecond * 1_000_000 + time.microsecond * 1_000 + time.nanosecond)
}

/** Cut off towards the past, as clocks do. */
function whole(nanoseconds: bigint, nanos: bigint): bigint {
  const rest = ((nanoseconds % nanos) + nanos) % nanos
  const value = (nanoseconds - rest) / nanos
  if (BigInt.asIntN(64, value) !== value) throw new Refusal('expected a time whose count of nanoseconds has 64 bits')
  return value
}

export function refuse(expected: string, got: unknown): never {
  throw new Refusal(`expected ${expected}, got ${describe(got)}`)
}
