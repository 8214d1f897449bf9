/** Writes Kafka's primitive types into a row of buffers; large byte strings are put in the row as they are, not copied. */

/** Smaller ones are cheaper to copy than to hand to the socket on their own. */
const REFERENCE_BYTES_MIN = 4096
const FIRST_CHUNK_BYTES = 512

export class Writer {
  readonly #done: Buffer[] = []
  #chunk: Buffer
  #at = 0
  #start = 0
  #doneBytes = 0

  constructor(firstChunkBytes = FIRST_CHUNK_BYTES) {
    this.#chunk = Buffer.allocUnsafe(firstChunkBytes)
  }

  get size(): number {
    return this.#doneBytes + this.#at - this.#start
  }

  /** All that was written, in order. The writer is spent. */
  buffers(): Buffer[] {
    this.#seal()
    return this.#done
  }

  bool(value: boolean): void {
    // The place first: finding room may change the chunk.
    const at = this.#room(1)
    this.#chunk[at] = value ? 1 : 0
  }

  int8(value: number): void {
    const at = this.#room(1)
    this.#chunk.writeInt8(value, at)
  }

  int16(value: number): void {
    const at = this.#room(2)
    this.#chunk.writeInt16BE(value, at)
  }

  uint16(value: number): void {
    const at = this.#room(2)
    this.#chunk.writeUInt16BE(value, at)
  }

  int32(value: number): void {
    const at = this.#room(4)
    this.#chunk.writeInt32BE(value, at)
  }

  uint32(value: number): void {
    const at = this.#room(4)
    this.#chunk.writeUInt32BE(value, at)
  }

  int64(value: bigint): void {
    const at = this.#room(8)
    this.#chunk.writeBigInt64BE(value, at)
  }

  float64(value: number): void {
    const at = this.#room(8)
    this.#chunk.writeDoubleBE(value, at)
  }

  /** 32 hex digits; an empty text stands for the zero uuid. */
  uuid(value: string): void {
    const at = this.#room(16)
    this.#chunk.fill(0, at, at + 16)
    if (value !== '') this.#chunk.write(value, at, 16, 'hex')
  }

  uvarint(value: number): void {
    let at = this.#room(5)
    const first = at
    let rest = value
    while (rest > 0x7f) {
      this.#chunk[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#chunk[at++] = rest
    this.#at -= 5 - (at - first)
  }

  string(value: string | null): void {
    if (value === null) {
      this.int16(-1)
      return
    }
    const length = Buffer.byteLength(value)
    this.int16(length)
    this.#text(value, length)
  }

  compactString(value: string | null): void {
    if (value === null) {
      this.uvarint(0)
      return
    }
    const length = Buffer.byteLength(value)
    this.uvarint(length + 1)
    this.#text(value, length)
  }

  bytes(value: Buffer | readonly Buffer[] | null): void {
    if (value === null) {
      this.int32(-1)
      return
    }
    this.int32(sizeOf(value))
    this.#raw(value)
  }

  compactBytes(value: Buffer | readonly Buffer[] | null): void {
    if (value === null) {
      this.uvarint(0)
      return
    }
    this.uvarint(sizeOf(value) + 1)
    this.#raw(value)
  }

  /** The count of an array; -1 for null. */
  count(count: number): void {
    this.int32(count)
  }

  compactCount(count: number): void {
    this.uvarint(count + 1)
  }

  /** One tagged field: its tag, its size, and what `inner` wrote. */
  tagged(tag: number, inner: Writer): void {
    this.uvarint(tag)
    this.uvarint(inner.size)
    this.#raw(inner.buffers())
  }

  #raw(value: Buffer | readonly Buffer[]): void {
    if (!Buffer.isBuffer(value)) {
      for (const part of value as readonly Buffer[]) this.#raw(part)
      return
    }
    if (value.length >= REFERENCE_BYTES_MIN) {
      this.#seal()
      this.#done.push(value)
      this.#doneBytes += value.length
      return
    }
    const at = this.#room(value.length)
    value.copy(this.#chunk, at)
  }

  #text(value: string, length: number): void {
    const at = this.#room(length)
    this.#chunk.write(value, at, length, 'utf8')
  }

  /** Where the next `count` bytes go; a new chunk when this one is full. */
  #room(count: number): number {
    if (this.#at + count > this.#chunk.length) {
      const next = Math.max(this.#chunk.length * 2, count)
      this.#seal()
      this.#chunk = Buffer.allocUnsafe(Math.min(Math.max(next, count), Math.max(count, 1 << 20)))
      this.#at = 0
      this.#start = 0
    }
    const at = this.#at
    this.#at = at + count
    return at
  }

  #seal(): void {
    if (this.#at === this.#start) return
    this.#done.push(this.#chunk.subarray(this.#start, this.#at))
    this.#doneBytes += this.#at - this.#start
    this.#start = this.#at
  }
}

function sizeOf(value: Buffer | readonly Buffer[]): number {
  if (Buffer.isBuffer(value)) return value.length
  let size = 0
  for (const part of value as readonly Buffer[]) size += part.length
  return size
}
