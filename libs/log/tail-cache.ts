/**
 * The bytes of the newest batches of all partitions together, up to a bound: consumers that keep up are served without the store. They lie
 * in one piece of memory, written round and round, so that a stream of batches leaves no garbage: buffers that live for seconds and then die
 * cost the garbage collector more than all other work of an append.
 */
import type { RecentBatch } from './recent.ts'

export interface TailCache {
  /** Takes a copy of the batch's bytes, which replaces them until they are overwritten and gone; the oldest of whatever partition make room. */
  add(batch: RecentBatch): void
  /** Bytes of the batches that are held. */
  readonly bytes: number
}

interface Place {
  readonly batch: RecentBatch
  readonly at: number
}

const COMPACT_AT = 4096

export function tailCache(bytesMax: number): TailCache {
  // Not touched before it is used, so it takes memory as it fills.
  const ring = Buffer.allocUnsafeSlow(bytesMax)
  /** Oldest first; in the ring they follow each other, round its end. */
  let queue: Place[] = []
  let head = 0
  let next = 0
  let bytes = 0

  function evict(): void {
    const { batch } = queue[head++]!
    bytes -= batch.sizeBytes
    batch.bytes = undefined
    batch.home.trim()
    if (head >= COMPACT_AT && head * 2 > queue.length) {
      queue = queue.slice(head)
      head = 0
    }
  }

  /** Frees all that reaches into these bytes. What lies from `next` on to the end of the ring is always older than what lies before. */
  function clear(from: number, to: number): void {
    for (let oldest = queue[head]; oldest !== undefined; oldest = queue[head]) {
      if (oldest.at >= to || oldest.at + oldest.batch.sizeBytes <= from) return
      evict()
    }
  }

  return {
    add(batch) {
      const { bytes: own, sizeBytes } = batch
      if (own === undefined || sizeBytes > bytesMax) {
        batch.bytes = undefined
        return
      }
      if (next + sizeBytes > bytesMax) {
        clear(next, bytesMax)
        next = 0
      }
      clear(next, next + sizeBytes)
      own.copy(ring, next)
      batch.bytes = ring.subarray(next, next + sizeBytes)
      queue.push({ batch, at: next })
      next += sizeBytes
      bytes += sizeBytes
    },
    get bytes() {
      return bytes
    }
  }
}
