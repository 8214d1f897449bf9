/**
 * Walks the records of a decompressed records section without making an object per record. Every length is checked against the bytes
 * that are there before it is used, so any bytes at all end in a walk or in INVALID_BATCH that names the record.
 */
import { AssayError } from '@assay/errors'

/** The shortest record: seven fields of one byte. */
export const RECORD_BYTES_MIN = 7

export interface CursorOptions {
  /** Records must bear the offset deltas 0, 1, 2 ..., as a producer's batch does; after compaction a stored one need not. Default false. */
  readonly dense?: boolean
}

export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** The fields are those of the record that the last `next` came to; positions are in `bytes`. */
export class RecordCursor {
  readonly bytes: Buffer
  readonly recordCount: number
  /** From 0; -1 before the first `next`. */
  index = -1
  recordStart = 0
  recordEnd = 0
  /** Exact up to 2^53. */
  timestampDelta = 0
  offsetDelta = 0
  /** -1 when the key is null. */
  keyStart = -1
  keyEnd = -1
  /** -1 when the value is null: a tombstone. */
  valueStart = -1
  valueEnd = -1
  headerCount = 0
  headersStart = 0

  #at = 0
  readonly #dense: boolean

  /** `bytes` is what follows the header of a batch, decompressed; `recordCount` is what that header tells. */
  constructor(bytes: Buffer, recordCount: number, options: CursorOptions = {}) {
    this.bytes = bytes
    this.recordCount = recordCount
    this.#dense = options.dense ?? false
    if (recordCount < 0 || recordCount * RECORD_BYTES_MIN > bytes.length) {
      throw new AssayError('INVALID_BATCH', { reason: `${recordCount} records cannot lie in ${bytes.length} bytes` })
    }
  }

  /** Goes to the next record and checks it; false behind the last, once it is sure that no bytes are left. Fails with INVALID_BATCH. */
  next(): boolean {
    this.index++
    if (this.index >= this.recordCount) {
      if (this.#at !== this.bytes.length) this.#fail(`${this.bytes.length - this.#at} bytes follow the last record`)
      return false
    }
    this.recordStart = this.#at
    const length = this.#varint(this.bytes.length)
    const start = this.#at
    const end = start + length
    if (length < 0 || end > this.bytes.length) this.#fail(`its length is ${length} with ${this.bytes.length - start} bytes left`)
    this.recordEnd = end

    // The record's attributes: one byte that has no use yet.
    this.#at++
    this.timestampDelta = this.#varlong(end)
    this.offsetDelta = this.#varint(end)
    if (this.#dense && this.offsetDelta !== this.index) this.#fail(`its offset delta is ${this.offsetDelta}`)

    this.keyStart = this.#blob(end, 'key')
    this.keyEnd = this.keyStart < 0 ? -1 : this.#at
    this.valueStart = this.#blob(end, 'value')
    this.valueEnd = this.valueStart < 0 ? -1 : this.#at

    this.headerCount = this.#varint(end)
    if (this.headerCount < 0) this.#fail(`it has ${this.headerCount} headers`)
    this.headersStart = this.#at
    for (let left = this.headerCount; left > 0; left--) {
      if (this.#blob(end, 'header key') < 0) this.#fail('a header has no key')
      this.#blob(end, 'header value')
    }
    if (this.#at !== end) this.#fail(`${end - this.#at} bytes of it are left over`)
    return true
  }

  /** A view of the key, not a copy. */
  key(): Buffer | null {
    return this.keyStart < 0 ? null : this.bytes.subarray(this.keyStart, this.keyEnd)
  }

  /** A view of the value, not a copy. */
  value(): Buffer | null {
    return this.valueStart < 0 ? null : this.bytes.subarray(this.valueStart, this.valueEnd)
  }

  /** The headers of the record, values as views. A key that is not UTF-8 reads with replacement characters. */
  headers(): RecordHeader[] {
    const after = this.#at
    const headers: RecordHeader[] = []
    this.#at = this.headersStart
    for (let left = this.headerCount; left > 0; left--) {
      const keyStart = this.#blob(this.recordEnd, 'header key')
      const key = this.bytes.toString('utf8', keyStart, this.#at)
      const valueStart = this.#blob(this.recordEnd, 'header value')
      headers.push({ key, value: valueStart < 0 ? null : this.bytes.subarray(valueStart, this.#at) })
    }
    this.#at = after
    return headers
  }

  /** Steps over a length and that many bytes; gives where they start, or -1 for null. */
  #blob(end: number, what: string): number {
    const length = this.#varint(end)
    if (length === -1) return -1
    const start = this.#at
    if (length < 0 || length > end - start) this.#fail(`its ${what} has length ${length} with ${end - start} bytes left`)
    this.#at = start + length
    return start
  }

  /** A zigzag varint of 32 bits. */
  #varint(end: number): number {
    const bytes = this.bytes
    let at = this.#at
    if (at >= end) this.#fail('it is cut off')
    let byte = bytes[at++]!
    let raw = byte & 0x7f
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (at >= end) this.#fail('it is cut off')
      byte = bytes[at++]!
      // The fifth byte has room for four bits.
      if (shift === 28 && byte > 0x0f) this.#fail('a varint exceeds 32 bits')
      raw |= (byte & 0x7f) << shift
    }
    this.#at = at
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** A zigzag varint of 64 bits: 28 bits as an integer, which is three days of milliseconds, what lies above as two. */
  #varlong(end: number): number {
    const bytes = this.bytes
    let at = this.#at
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) this.#fail('it is cut off')
      const byte = bytes[at++]!
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.#at = at
        return (low >>> 1) ^ -(low & 1)
      }
    }
    let high = 0
    for (let factor = 1, left = 6; ; factor *= 128, left--) {
      if (at >= end) this.#fail('it is cut off')
      const byte = bytes[at++]!
      // The tenth byte has room for one bit.
      if (left === 1 && byte > 1) this.#fail('a varlong exceeds 64 bits')
      high += (byte & 0x7f) * factor
      if (byte < 0x80) break
    }
    this.#at = at
    const half = high * 2 ** 27 + (low >>> 1)
    return low & 1 ? -half - 1 : half
  }

  #fail(reason: string): never {
    throw new AssayError('INVALID_BATCH', { reason: `record ${this.index}: ${reason}` })
  }
}
