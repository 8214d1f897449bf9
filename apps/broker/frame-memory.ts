/**
 * Memory for large frames, used again and again: a broker that takes hundreds of megabytes a second in buffers that live for a
 * moment would spend more time collecting garbage than on anything else.
 */

export interface Lease {
  /** At least as long as was asked for. */
  readonly bytes: Buffer
  /** Gives the memory back. Nobody may look at it after that. A second call does nothing. */
  release(): void
}

export interface FrameMemory {
  take(bytes: number): Lease
}

/** Small frames cost little, and many of them are kept by whoever answers them. */
const LENT_BYTES_MIN = 8 << 10
const LENT_BYTES_MAX = 4 << 20

/** Keeps up to `keptBytesMax` of what was given back. */
export function frameMemory(keptBytesMax: number): FrameMemory {
  /** By the binary logarithm of their sizes. */
  const free: Buffer[][] = Array.from({ length: Math.log2(LENT_BYTES_MAX) + 1 }, () => [])
  let keptBytes = 0

  return {
    take(bytes) {
      if (bytes < LENT_BYTES_MIN || bytes > LENT_BYTES_MAX) return { bytes: Buffer.allocUnsafe(bytes), release() {} }
      const power = 32 - Math.clz32(bytes - 1)
      const kept = free[power]!.pop()
      if (kept !== undefined) keptBytes -= kept.length
      const lent = kept ?? Buffer.allocUnsafeSlow(2 ** power)
      let isReleased = false
      return {
        bytes: lent,
        release() {
          if (isReleased) return
          isReleased = true
          if (keptBytes + lent.length > keptBytesMax) return
          keptBytes += lent.length
          free[power]!.push(lent)
        }
      }
    }
  }
}
