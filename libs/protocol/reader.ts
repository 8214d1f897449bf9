/** Reads Kafka's primitive types from a frame. Nothing is allocated from a length before the bytes are known to be there. */

/** What is wrong with the bytes; the codec adds API, version and field. */
export class WireFault extends Error {}

const UVARINT_BYTES_MAX = 5

export class Reader {
  /** The field that is being read, for the error text. */
  field = ''
  readonly #buffer: Buffer
  #at: number
  #end: number
  #elementsLeft: number

  constructor(buffer: Buffer, start: number, end: number, elementsMax = Number.POSITIVE_INFINITY) {
    this.#buffer = buffer
    this.#at = start
    this.#end = end
    this.#elementsLeft = elementsMax
  }

  get left(): number {
    return this.#end - this.#at
  }

  get at(): number {
    return this.#at
  }

  #take(count: number): number {
    const at = this.#at
    if (count > this.#end - at) throw new WireFault(`needs ${count} bytes, ${this.#end - at} left`)
    this.#at = at + count
    return at
  }

  bool(): boolean {
    return this.#buffer[this.#take(1)] !== 0
  }

  int8(): number {
    return this.#buffer.readInt8(this.#take(1))
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#take(2))
  }

  uint16(): number {
    return this.#buffer.readUInt16BE(this.#take(2))
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#take(4))
  }

  uint32(): number {
    return this.#buffer.readUInt32BE(this.#take(4))
  }

  int64(): bigint {
    return this.#buffer.readBigInt64BE(this.#take(8))
  }

  float64(): number {
    return this.#buffer.readDoubleBE(this.#take(8))
  }

  uuid(): string {
    const at = this.#take(16)
    return this.#buffer.toString('hex', at, at + 16)
  }

  /** Unsigned varint of at most 32 bits (KIP-482). */
  uvarint(): number {
    let value = 0
    for (let count = 0; count < UVARINT_BYTES_MAX; count++) {
      const byte = this.#buffer[this.#take(1)]!
      if (count === UVARINT_BYTES_MAX - 1 && byte > 0x0f) break
      value += (byte & 0x7f) * 2 ** (7 * count)
      if (byte < 0x80) return value
    }
    throw new WireFault('a varint is longer than 32 bits')
  }

  /** The length of a string: -1 stands for null. */
  length16(): number {
    return this.#checked(this.int16())
  }

  /** The length of bytes, or the count of an array: -1 stands for null. */
  length32(): number {
    return this.#checked(this.int32())
  }

  /** Length or count plus one: 0 stands for null. */
  compactLength(): number {
    return this.#checked(this.uvarint() - 1)
  }

  /** Every element takes at least a byte, so a count beyond the bytes left is a lie told at once. */
  #checked(length: number): number {
    if (length < -1) throw new WireFault(`a length of ${length}`)
    if (length > this.left) throw new WireFault(`a length of ${length}, ${this.left} bytes left`)
    return length
  }

  /** Counts the elements of all arrays together: a few bytes on the wire become a hundred times as many in memory. */
  spend(elements: number): void {
    this.#elementsLeft -= elements
    if (this.#elementsLeft < 0) throw new WireFault('more array elements than a request may have')
  }

  text(length: number): string {
    const at = this.#take(length)
    return this.#buffer.toString('utf8', at, at + length)
  }

  slice(length: number): Buffer {
    const at = this.#take(length)
    return this.#buffer.subarray(at, at + length)
  }

  /** Narrows the view to the next `length` bytes; `leave` gives the rest back and wants them used up. */
  enter(length: number): number {
    if (length > this.left) throw new WireFault(`a tagged field of ${length} bytes, ${this.left} left`)
    const outer = this.#end
    this.#end = this.#at + length
    return outer
  }

  leave(outer: number): void {
    if (this.left !== 0) throw new WireFault(`${this.left} bytes left over in a tagged field`)
    this.#end = outer
  }

  skipTags(): void {
    const count = this.compactCount()
    for (let index = 0; index < count; index++) {
      this.uvarint()
      this.#take(this.uvarint())
    }
  }

  /** The number of tagged fields, each of at least two bytes. */
  compactCount(): number {
    const count = this.uvarint()
    if (count * 2 > this.left) throw new WireFault(`${count} tagged fields in ${this.left} bytes`)
    return count
  }

  refuseNull(): never {
    throw new WireFault('null where a value is needed')
  }

  finish(): void {
    if (this.left !== 0) throw new WireFault(`${this.left} bytes left over`)
  }
}
