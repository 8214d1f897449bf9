/** The primitive values that records of `__consumer_offsets` are made of, written and read. */

export const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
export const int64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}
export const text = (value: string): Buffer[] => [int16(Buffer.byteLength(value)), Buffer.from(value)]
export const maybeText = (value: string | null): Buffer[] => (value === null ? [int16(-1)] : text(value))
export const bytesOf = (value: Buffer): Buffer[] => [int32(value.length), value]
export function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}

/** Reads from the front; a RangeError tells that the bytes end too soon. */
export class Cursor {
  #at = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }
  take(length: number): Buffer {
    if (length < 0 || this.#at + length > this.#bytes.length) throw new RangeError(`${length} bytes at ${this.#at}`)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
  int16(): number {
    return this.take(2).readInt16BE()
  }
  int32(): number {
    return this.take(4).readInt32BE()
  }
  int64(): bigint {
    return this.take(8).readBigInt64BE()
  }
  varint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.take(1)[0]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a varint of more than five bytes')
  }
  text(): string {
    return this.take(this.int16()).toString()
  }
  maybeText(): string | null {
    const length = this.int16()
    return length === -1 ? null : this.take(length).toString()
  }
  /** A copy, so that what is kept does not hold the whole batch. */
  bytes(): Buffer {
    return Buffer.from(this.take(this.int32()))
  }
  /** A cursor over the next bytes alone. */
  part(length: number): Cursor {
    return new Cursor(this.take(length))
  }
  compactText(): string {
    return this.take(this.varint() - 1).toString()
  }
  maybeCompactText(): string | null {
    const length = this.varint()
    return length === 0 ? null : this.take(length - 1).toString()
  }
  /** The elements of a compact array; null reads as empty. */
  array<T>(one: () => T): T[] {
    const values: T[] = []
    for (let left = this.varint() - 1; left > 0; left--) values.push(one())
    return values
  }
}
