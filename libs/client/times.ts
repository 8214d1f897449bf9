/** Dates and times that a program may write beside those that it reads: a Date, or the number of the base type. */
import type { CodecOptions, LogicalType } from '@assay/avro'

/** From what may be written to what the codec takes; anything else comes back as it was. */
export type Widen = (value: unknown) => unknown

type Options = Required<CodecOptions>

/** Nanoseconds in one unit of the base type. */
const units: Partial<Record<LogicalType['name'], bigint>> = {
  'time-millis': 1_000_000n,
  'time-micros': 1_000n,
  'timestamp-millis': 1_000_000n,
  'timestamp-micros': 1_000n,
  'timestamp-nanos': 1n,
  'local-timestamp-millis': 1_000_000n,
  'local-timestamp-micros': 1_000n,
  'local-timestamp-nanos': 1n
}
const nanosPerMs = 1_000_000n
const dayMs = 86_400_000

/** Undefined where nothing is widened: for what is no date and no time, and for what reads as its base type and is no point in time. */
export function timeWidening(name: LogicalType['name'], { time }: Options): Widen | undefined {
  const isInstant = name.startsWith('timestamp-')
  const unit = units[name]
  if (name === 'date') return time === 'raw' ? undefined : dateWidening(time)
  if (unit === undefined) return undefined
  if (time === 'temporal') {
    const make = makerOf(name)
    return value => {
      if (isInstant && value instanceof Date) return inRange(() => make(BigInt(value.getTime()) * nanosPerMs), value)
      return isWhole(value) ? inRange(() => make(BigInt(value) * unit), value) : value
    }
  }
  if (time === 'date' && name === 'timestamp-millis') return value => (isWhole(value) ? new Date(Number(value)) : value)
  if (!isInstant) return undefined
  return value => (value instanceof Date ? inRange(() => (BigInt(value.getTime()) * nanosPerMs) / unit, value) : value)
}

function dateWidening(time: 'temporal' | 'date'): Widen {
  if (time === 'date') return value => (isWhole(value) ? new Date(Number(value) * dayMs) : value)
  return value => (isWhole(value) ? inRange(() => new Temporal.PlainDate(1970, 1, 1).add({ days: Number(value) }), value) : value)
}

function makerOf(name: LogicalType['name']): (nanoseconds: bigint) => unknown {
  const instant = (nanoseconds: bigint): Temporal.Instant => Temporal.Instant.fromEpochNanoseconds(nanoseconds)
  if (name.startsWith('timestamp-')) return instant
  const local = (nanoseconds: bigint): Temporal.PlainDateTime => instant(nanoseconds).toZonedDateTimeISO('UTC').toPlainDateTime()
  if (name.startsWith('local-')) return local
  // A time of day never rolls over into the next day.
  return nanoseconds => {
    if (nanoseconds < 0n || nanoseconds >= BigInt(dayMs) * nanosPerMs) throw new RangeError('not within a day')
    return local(nanoseconds).toPlainTime()
  }
}

const isWhole = (value: unknown): value is number | bigint => typeof value === 'bigint' || Number.isSafeInteger(value)

/** What Temporal or BigInt does not take goes on as it is, so that the codec refuses it with its place. */
function inRange(make: () => unknown, value: unknown): unknown {
  try {
    return make()
  } catch (error) {
    if (error instanceof RangeError) return value
    throw error
  }
}
