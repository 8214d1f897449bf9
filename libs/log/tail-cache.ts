/** The bytes of the newest batches of all partitions together, up to a bound: consumers that keep up are served without the store. */
import type { RecentBatch } from './recent.ts'

export interface TailCache {
  /** Takes the batch's bytes in; the oldest of whatever partition make room. */
  add(batch: RecentBatch): void
  readonly bytes: number
}

/** A batch that is a slice of something larger than this many times itself is copied, so as not to keep all of that alive. */
const SLICE_RATIO_MAX = 2
const COMPACT_AT = 4096

export function tailCache(bytesMax: number): TailCache {
  let queue: RecentBatch[] = []
  let head = 0
  let bytes = 0

  function evict(): void {
    const oldest = queue[head++]!
    bytes -= oldest.sizeBytes
    oldest.bytes = undefined
    oldest.home.trim()
    if (head >= COMPACT_AT && head * 2 > queue.length) {
      queue = queue.slice(head)
      head = 0
    }
  }

  return {
    add(batch) {
      const { bytes: own } = batch
      if (own === undefined || batch.sizeBytes > bytesMax) {
        batch.bytes = undefined
        return
      }
      if (own.buffer.byteLength > SLICE_RATIO_MAX * own.length) batch.bytes = Buffer.from(own)
      queue.push(batch)
      bytes += batch.sizeBytes
      while (bytes > bytesMax) evict()
    },
    get bytes() {
      return bytes
    }
  }
}
