/**
 * Walks over single Avro values without making any: each function answers the position behind the value, or -1 when there is no such
 * value between `at` and `end`. Varints must be in their shortest form, so that a value has one encoding.
 */
import { isUtf8 } from 'node:buffer'

/** The number read last by `scanNumber`: an out parameter that allocates nothing. */
export const scanned = { value: 0 }

const LONG_BYTES_MAX = 10
const INT_BYTES_MAX = 5
/** Up to here a loop over the bytes is quicker than the call that checks UTF-8. */
const SHORT_TEXT_BYTES = 80

export function scanLong(bytes: Uint8Array, at: number, end: number): number {
  const limit = Math.min(end, at + LONG_BYTES_MAX)
  for (let next = at; next < limit; next++) {
    const byte = bytes[next]!
    if (byte >= 0x80) continue
    if (byte === 0 && next > at) return -1
    // The tenth byte holds the last bit of 64.
    return next === at + LONG_BYTES_MAX - 1 && byte > 1 ? -1 : next + 1
  }
  return -1
}

export function scanInt(bytes: Uint8Array, at: number, end: number): number {
  const limit = Math.min(end, at + INT_BYTES_MAX)
  for (let next = at; next < limit; next++) {
    const byte = bytes[next]!
    if (byte >= 0x80) continue
    if (byte === 0 && next > at) return -1
    return next === at + INT_BYTES_MAX - 1 && byte > 0x0f ? -1 : next + 1
  }
  return -1
}

/** A long whose value is needed: a count, a length, an index. Beyond 2^53 it can only be wrong. */
export function scanNumber(bytes: Uint8Array, at: number, end: number): number {
  const behind = scanLong(bytes, at, end)
  if (behind < 0) return -1
  let raw = 0
  for (let index = behind - 1; index >= at; index--) raw = raw * 128 + (bytes[index]! & 0x7f)
  if (raw > Number.MAX_SAFE_INTEGER) return -1
  scanned.value = raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
  return behind
}

/** The position behind a length, with as many bytes as it says still there. */
function scanLength(bytes: Uint8Array, at: number, end: number): number {
  if (at < end && bytes[at]! < 0x80) {
    const byte = bytes[at]!
    scanned.value = byte >> 1
    return (byte & 1) === 1 || scanned.value > end - at - 1 ? -1 : at + 1
  }
  const start = scanNumber(bytes, at, end)
  return start < 0 || scanned.value < 0 || scanned.value > end - start ? -1 : start
}

export function scanBytes(bytes: Uint8Array, at: number, end: number): number {
  const start = scanLength(bytes, at, end)
  return start < 0 ? -1 : start + scanned.value
}

/** Strict UTF-8: no overlong forms, no surrogates. */
export function scanString(bytes: Uint8Array, at: number, end: number): number {
  const start = scanLength(bytes, at, end)
  if (start < 0) return -1
  const behind = start + scanned.value
  if (behind - start <= SHORT_TEXT_BYTES) {
    let next = start
    while (next < behind && bytes[next]! < 0x80) next++
    if (next === behind) return behind
  }
  return isUtf8(bytes.subarray(start, behind)) ? behind : -1
}
