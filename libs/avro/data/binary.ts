/**
 * Avro's binary primitives (Avro 1.12, "Binary Encoding"): a writer that grows, and a reader that trusts its bytes.
 * The reader is for bytes that a validator has accepted: it checks nothing but the end of the buffer.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { Refusal } from './faults.ts'
import { WIDTHLESS_MAX } from './width.ts'

const FIRST_BYTES = 1024
/** A buffer that grew beyond this is not kept for the next value. */
const KEPT_BYTES_MAX = 1024 * 1024
/** Up to here a loop over the characters is quicker than the call that encodes UTF-8. */
const SHORT_TEXT_CHARS = 32
/** A few bytes of a writer may stand for many defaults of the reader, in each item of an array. */
const FILLED_MAX = 2_000_000
/** More than any record may take; defaults that are left out can make much of little. */
const BYTES_MAX = 128 * 1024 * 1024

export class BinaryWriter {
  /** What is written ends here; setting it back takes back what was written since. */
  at = 0
  /** Items without bytes written so far, which are bounded for a whole value. */
  widthless = 0
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)

  /** A copy of what was written; the writer is empty again. */
  finish(): Buffer {
    const copy = Buffer.allocUnsafe(this.at)
    copy.set(this.#bytes.subarray(0, this.at))
    this.reset()
    return copy
  }

  reset(): void {
    this.at = 0
    this.widthless = 0
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  }

  /** Throws Refusal when they become too many. */
  addWidthless(items: number): void {
    this.widthless += items
    if (this.widthless > WIDTHLESS_MAX) throw new Refusal(`more than ${WIDTHLESS_MAX} items that take no bytes`)
  }

  boolean(value: boolean): void {
    this.byte(value ? 1 : 0)
  }

  byte(value: number): void {
    if (this.at === this.#bytes.length) this.#grow(1)
    this.#bytes[this.at++] = value
  }

  /** 32 bits; also for a long, a count or an index that is that small. */
  int(value: number): void {
    if (this.at + 5 > this.#bytes.length) this.#grow(5)
    const bytes = this.#bytes
    let at = this.at
    let raw = ((value << 1) ^ (value >> 31)) >>> 0
    while (raw > 0x7f) {
      bytes[at++] = (raw & 0x7f) | 0x80
      raw >>>= 7
    }
    bytes[at++] = raw
    this.at = at
  }

  /** A safe integer, or a bigint of 64 bits. */
  long(value: number | bigint): void {
    if (typeof value === 'bigint') {
      if (value > 9007199254740991n || value < -9007199254740991n) {
        this.#wideLong(value)
        return
      }
      this.long(Number(value))
      return
    }
    if ((value | 0) === value) {
      this.int(value)
      return
    }
    if (this.at + 10 > this.#bytes.length) this.#grow(10)
    const bytes = this.#bytes
    // Zigzag without leaving the safe range: the sign is the lowest bit, above it stands `value` or `-value - 1`.
    const half = value < 0 ? -value - 1 : value
    let rest = Math.floor(half / 64)
    bytes[this.at++] = ((half % 64) << 1) | (value < 0 ? 1 : 0) | 0x80
    while (rest > 0x7f) {
      bytes[this.at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    bytes[this.at++] = rest
  }

  #wideLong(value: bigint): void {
    let raw = value < 0n ? -value * 2n - 1n : value * 2n
    while (raw > 0x7fn) {
      this.byte(Number(raw & 0x7fn) | 0x80)
      raw >>= 7n
    }
    this.byte(Number(raw))
  }

  float(value: number): void {
    if (this.at + 4 > this.#bytes.length) this.#grow(4)
    this.at = this.#bytes.writeFloatLE(value, this.at)
  }

  double(value: number): void {
    if (this.at + 8 > this.#bytes.length) this.#grow(8)
    this.at = this.#bytes.writeDoubleLE(value, this.at)
  }

  bytes(value: Uint8Array): void {
    this.long(value.length)
    this.fixed(value)
  }

  fixed(value: Uint8Array): void {
    if (this.at + value.length > this.#bytes.length) this.#grow(value.length)
    this.#bytes.set(value, this.at)
    this.at += value.length
  }

  /** Throws Refusal when the text has a surrogate without its pair, which UTF-8 cannot hold. */
  string(value: string): void {
    const { length } = value
    if (length <= SHORT_TEXT_CHARS) {
      if (this.at + length + 1 > this.#bytes.length) this.#grow(length + 1)
      const bytes = this.#bytes
      const start = this.at + 1
      let index = 0
      for (; index < length; index++) {
        const code = value.charCodeAt(index)
        if (code > 0x7f) break
        bytes[start + index] = code
      }
      if (index === length) {
        bytes[start - 1] = length << 1
        this.at = start + length
        return
      }
    }
    if (!value.isWellFormed()) throw new Refusal('the text holds half of a surrogate pair, which UTF-8 cannot')
    const size = Buffer.byteLength(value)
    this.long(size)
    if (this.at + size > this.#bytes.length) this.#grow(size)
    this.#bytes.write(value, this.at, size, 'utf8')
    this.at += size
  }

  #grow(size: number): void {
    const needed = this.at + size
    if (needed > BYTES_MAX) throw new Refusal(`the value takes more than ${BYTES_MAX} bytes`)
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.at))
    this.#bytes = grown
  }
}

/** Kept for the next value. A value whose getters encode another value meanwhile finds none, and makes its own. */
let spare: BinaryWriter | undefined

/** The bytes that `write` writes. */
export function written(write: (writer: BinaryWriter) => void): Buffer {
  const writer = spare ?? new BinaryWriter()
  spare = undefined
  try {
    write(writer)
    return writer.finish()
  } finally {
    writer.reset()
    spare = writer
  }
}

/** Up to here ASCII is quicker made into a string here than by the call that decodes UTF-8. */
const SHORT_STRING_BYTES = 16
/** One array for each length, used again for each string. */
const codesOf: readonly number[][] = Array.from({ length: SHORT_STRING_BYTES + 1 }, (_, size) => new Array<number>(size).fill(0))

export class BinaryReader {
  at: number
  #filled = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes
    this.at = at
  }

  boolean(): boolean {
    return this.#bytes[this.at++] === 1
  }

  /** 32 bits; also for an index. */
  int(): number {
    const bytes = this.#bytes
    let byte = bytes[this.at++]!
    let raw = byte & 0x7f
    for (let shift = 7; byte > 0x7f; shift += 7) {
      byte = bytes[this.at++]!
      raw |= (byte & 0x7f) << shift
    }
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** A number where it is exact, else a bigint. */
  long(): number | bigint {
    const bytes = this.#bytes
    let byte = bytes[this.at++]!
    let low = byte & 0x7f
    for (let shift = 7; byte > 0x7f && shift < 28; shift += 7) {
      byte = bytes[this.at++]!
      low |= (byte & 0x7f) << shift
    }
    if (byte <= 0x7f) return (low >>> 1) ^ -(low & 1)
    let high = 0
    for (let scale = 1; byte > 0x7f; scale *= 128) {
      byte = bytes[this.at++]!
      high += (byte & 0x7f) * scale
    }
    if (high < 0x4000000) {
      const half = high * 0x8000000 + (low >>> 1)
      const value = (low & 1) === 1 ? -half - 1 : half
      if (value >= Number.MIN_SAFE_INTEGER) return value
    }
    const half = BigInt(high) * 0x8000000n + BigInt(low >>> 1)
    return (low & 1) === 1 ? -half - 1n : half
  }

  bigLong(): bigint {
    return BigInt(this.long())
  }

  /** Items in the block that starts here; 0 at the end. The size that follows a negative count is passed over. */
  count(): number {
    const first = this.#bytes[this.at]!
    if (first <= 0x7f && (first & 1) === 0) {
      this.at++
      return first >> 1
    }
    const count = Number(this.long())
    if (count >= 0) return count
    this.long()
    return -count
  }

  /** The length of bytes or of a string, nearly always of one byte. */
  #length(): number {
    const first = this.#bytes[this.at]!
    if (first > 0x7f) return Number(this.long())
    this.at++
    return first >> 1
  }

  float(): number {
    const value = this.#bytes.readFloatLE(this.at)
    this.at += 4
    return value
  }

  double(): number {
    const value = this.#bytes.readDoubleLE(this.at)
    this.at += 8
    return value
  }

  /** A copy. */
  bytes(): Uint8Array {
    return this.fixed(this.#length())
  }

  /** A copy. */
  fixed(size: number): Uint8Array {
    const copy = new Uint8Array(size)
    copy.set(this.#bytes.subarray(this.at, this.at + size))
    this.at += size
    return copy
  }

  string(): string {
    const size = this.#length()
    const start = this.at
    this.at += size
    if (size <= SHORT_STRING_BYTES) {
      const codes = codesOf[size]!
      const bytes = this.#bytes
      let all = 0
      for (let index = 0; index < size; index++) all |= codes[index] = bytes[start + index]!
      if (all <= 0x7f) return String.fromCharCode.apply(null, codes)
    }
    return this.#bytes.toString('utf8', start, start + size)
  }

  /** What was written as bytes, as a text. Throws Refusal when it is none. */
  bytesAsText(): string {
    const size = this.#length()
    const content = this.#bytes.subarray(this.at, this.at + size)
    if (!isAscii(content) && !isUtf8(content)) throw new Refusal('the bytes are not UTF-8, so they cannot be read as a string')
    this.at += size
    return content.toString('utf8')
  }

  /** A reader of a default that is filled in. Throws Refusal when there are too many of them for one value. */
  fill(values: number, bytes: Buffer): BinaryReader {
    // Sixteen bytes of a long text weigh as much as one value.
    this.#filled += values + (bytes.length >> 4)
    if (this.#filled > FILLED_MAX) throw new Refusal(`more than ${FILLED_MAX} values would be filled in from defaults`)
    return new BinaryReader(bytes)
  }

  /** Passes over `size` bytes. */
  skip(size: number): void {
    this.at += size
  }

  /** Passes over bytes or a string. */
  skipSized(): void {
    // Not `+=`, which would take the place before the length.
    const size = this.#length()
    this.at += size
  }
}
