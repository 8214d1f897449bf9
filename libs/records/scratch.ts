/**
 * Memory to inflate into that is used again: what a check reads once and forgets need not be allocated for each batch, and garbage of that
 * size makes V8 collect all of its heap many times a second.
 */

/** What is larger is allocated once and not kept. */
const KEPT_BYTES_MAX = 4 << 20

export class Scratch {
  #bytes = Buffer.alloc(0)

  /** Uninitialized, and valid until it is called again. */
  take(length: number): Buffer {
    if (length > KEPT_BYTES_MAX) return Buffer.allocUnsafeSlow(length)
    if (length > this.#bytes.length)
      this.#bytes = Buffer.allocUnsafeSlow(Math.min(KEPT_BYTES_MAX, 2 ** Math.ceil(Math.log2(length))))
    return this.#bytes.subarray(0, length)
  }
}
