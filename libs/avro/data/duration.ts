/** Avro's duration: three counts that stand for themselves, because a month has no fixed number of days (Avro 1.12, "Duration"). */
import { describe, Refusal } from './faults.ts'

/** Each from 0 to 2^32 - 1. */
export interface Duration {
  readonly months: number
  readonly days: number
  readonly millis: number
}

const parts = ['months', 'days', 'millis'] as const
const UINT32_MAX = 0xffffffff

export function durationOf(bytes: Uint8Array): Duration {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { months: view.getUint32(0, true), days: view.getUint32(4, true), millis: view.getUint32(8, true) }
}

/** Throws Refusal. */
export function durationBytes(value: unknown): Uint8Array {
  const bytes = new Uint8Array(12)
  const view = new DataView(bytes.buffer)
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== parts.length) refuse(value)
  for (const [index, part] of parts.entries()) {
    const count: unknown = Object.hasOwn(value, part) ? (value as Duration)[part] : undefined
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 0 || count > UINT32_MAX) refuse(count)
    view.setUint32(index * 4, count, true)
  }
  return bytes
}

function refuse(value: unknown): never {
  throw new Refusal(`expected a duration { months, days, millis } of whole numbers up to ${UINT32_MAX}, got ${describe(value)}`)
}
