/** Dates and times as ISO 8601 texts, exact to the unit in which Avro counts them. What has no text, or loses digits, is said to. */
import { Refusal } from './faults.ts'

/** Units per second, as digits behind the point: 3, 6 or 9. */
export type Digits = 3 | 6 | 9

const DAY_MS = 86_400_000
/** The days from 1970-01-01 that a Date can hold. */
const DAYS_MAX = 100_000_000

/** `2026-11-23`; undefined beyond the years that a Date holds. */
export function dateText(days: number): string | undefined {
  if (Math.abs(days) > DAYS_MAX) return undefined
  return new Date(days * DAY_MS).toISOString().slice(0, -'T00:00:00.000Z'.length)
}

const datePattern = /^(\d{4}|[+-]\d{6})-(\d\d)-(\d\d)$/

export function daysOf(text: string): number {
  const parts = datePattern.exec(text)
  const days = parts === null ? undefined : dayNumber(parts[1]!, parts[2]!, parts[3]!)
  if (days === undefined) throw new Refusal(`expected a date like 2026-11-23, got ${quoted(text)}`)
  return days
}

/** `01:02:03.004`; undefined when it is not within a day. */
export function timeText(raw: number | bigint, digits: Digits): string | undefined {
  const scale = 10n ** BigInt(digits)
  const value = BigInt(raw)
  if (value < 0n || value >= 86_400n * scale) return undefined
  const seconds = Number(value / scale)
  return `${new Date(seconds * 1000).toISOString().slice(11, 19)}.${fractionText(value % scale, digits)}`
}

const timePattern = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/

export function timeOf(text: string, digits: Digits): bigint {
  const parts = timePattern.exec(text)
  const seconds = parts === null ? undefined : secondsOf(parts[1]!, parts[2]!, parts[3]!)
  if (seconds === undefined) throw new Refusal(`expected a time like 01:02:03.${'4'.padStart(digits, '0')}, got ${quoted(text)}`)
  return BigInt(seconds) * 10n ** BigInt(digits) + fractionOf(parts![4] ?? '', digits)
}

/** `2026-11-23T01:02:03.004Z`, without the Z when local; undefined beyond the years that a Date holds. */
export function timestampText(raw: number | bigint, digits: Digits, local: boolean): string | undefined {
  const scale = 10n ** BigInt(digits)
  const value = BigInt(raw)
  const fraction = ((value % scale) + scale) % scale
  const seconds = (value - fraction) / scale
  if (seconds < -8_640_000_000_000n || seconds >= 8_640_000_000_000n) return undefined
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, -'.000Z'.length)
  return `${text}.${fractionText(fraction, digits)}${local ? '' : 'Z'}`
}

const timestampPattern = /^(\d{4}|[+-]\d{6})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?$/

/** The point in time that a text with Z or an offset names; when local, a text without either. */
export function timestampOf(text: string, digits: Digits, local: boolean): bigint {
  const parts = timestampPattern.exec(text)
  const days = parts === null ? undefined : dayNumber(parts[1]!, parts[2]!, parts[3]!)
  const seconds = parts === null ? undefined : secondsOf(parts[4]!, parts[5]!, parts[6]!)
  const offset = parts === null ? undefined : offsetOf(parts[8])
  if (
    parts === null ||
    days === undefined ||
    seconds === undefined ||
    offset === undefined ||
    (parts[8] === undefined) !== local
  ) {
    const example = local ? '2026-11-23T01:02:03.004 without an offset' : '2026-11-23T01:02:03.004Z or with an offset like +01:00'
    throw new Refusal(`expected a time like ${example}, got ${quoted(text)}`)
  }
  const value = BigInt(days * 86_400 + seconds - offset) * 10n ** BigInt(digits) + fractionOf(parts[7] ?? '', digits)
  if (value !== BigInt.asIntN(64, value)) throw new Refusal(`${quoted(text)} is beyond 64 bits`)
  return value
}

function dayNumber(year: string, month: string, day: string): number | undefined {
  if (year === '-000000') return undefined
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  // A day that is not there, as the 30th of February, rolls over into another month.
  if (Number.isNaN(date.getTime()) || date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day))
    return undefined
  return date.getTime() / DAY_MS
}

function secondsOf(hour: string, minute: string, second: string): number | undefined {
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  return Number(hour) * 3600 + Number(minute) * 60 + Number(second)
}

/** Seconds east of UTC. */
function offsetOf(text: string | undefined): number | undefined {
  if (text === undefined || text === 'Z') return 0
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(4, 6))
  if (hours > 23 || minutes > 59) return undefined
  return (text.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60)
}

const fractionText = (fraction: bigint, digits: Digits): string => String(fraction).padStart(digits, '0')

function fractionOf(text: string, digits: Digits): bigint {
  if (/[1-9]/.test(text.slice(digits))) throw new Refusal(`expected at most ${digits} digits behind the second, got .${text}`)
  return BigInt(text.slice(0, digits).padEnd(digits, '0'))
}

const quoted = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
