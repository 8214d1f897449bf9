/** Exact decimal numbers, and the two's complement bytes that Avro's `decimal` keeps them in. */

/** `unscaled` divided by ten to the power of `scale`; 12.50 is `new Decimal(1250n, 2)`. */
export class Decimal {
  readonly unscaled: bigint
  readonly scale: number

  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled
    this.scale = scale
  }

  /**
   * `12.5` with scale 2 is 12.50; without a scale it has the digits that are written. Throws RangeError for a text that is no plain decimal
   * number, or has more digits behind the point than the scale: nothing is rounded.
   */
  static parse(text: string, scale?: number): Decimal {
    const parts = /^(-?)([0-9]+)(?:\.([0-9]+))?$/.exec(text)
    if (parts === null || text.length > TEXT_CHARS_MAX) throw new RangeError(`"${text.slice(0, 40)}" is no decimal number`)
    const fraction = parts[3] ?? ''
    const wanted = scale ?? fraction.length
    if (/[1-9]/.test(fraction.slice(Math.max(0, wanted)))) {
      throw new RangeError(`"${text.slice(0, 40)}" has more digits behind the point than the scale of ${wanted}`)
    }
    const digits = parts[2]! + fraction.slice(0, Math.max(0, wanted)).padEnd(wanted, '0')
    const unscaled = BigInt(digits)
    return new Decimal(parts[1] === '-' ? -unscaled : unscaled, wanted)
  }

  /** As it is written by hand, with all digits of the scale: `12.50`. */
  toString(): string {
    const negative = this.unscaled < 0n
    const digits = String(negative ? -this.unscaled : this.unscaled)
    const sign = negative ? '-' : ''
    if (this.scale <= 0) return sign + digits + (this.unscaled === 0n ? '' : '0'.repeat(-this.scale))
    const padded = digits.padStart(this.scale + 1, '0')
    return `${sign}${padded.slice(0, -this.scale)}.${padded.slice(-this.scale)}`
  }

  /** The same as `toString`, so that JSON keeps every digit. */
  toJSON(): string {
    return this.toString()
  }
}

const TEXT_CHARS_MAX = 4_000
/** Decimal digits of an unscaled number of this many bytes stay below the limit of a text. */
export const DECIMAL_BYTES_MAX = 1_024

/** Decimal digits, the sign left out. */
export const digitsOf = (unscaled: bigint): number => String(unscaled < 0n ? -unscaled : unscaled).length

/** Two's complement, big end first; no bytes are zero. */
export function unscaledOf(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`))
}

/** Two's complement in as few bytes as possible, or in exactly `size`; undefined when they do not suffice. */
export function bytesOf(unscaled: bigint, size?: number): Uint8Array | undefined {
  const bits = (unscaled < 0n ? -unscaled - 1n : unscaled).toString(2)
  // A zero has no bit of its own beside the sign.
  const needed = Math.ceil(((bits === '0' ? 0 : bits.length) + 1) / 8)
  const length = size ?? needed
  if (needed > length) return undefined
  const hex = BigInt.asUintN(length * 8, unscaled)
    .toString(16)
    .padStart(length * 2, '0')
  return length === 0 ? new Uint8Array(0) : Uint8Array.from(Buffer.from(hex, 'hex'))
}
