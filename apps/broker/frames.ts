/** Splits what a socket brings into frames of the Kafka protocol: four bytes of length, then the frame. */
import { AssayError } from '@assay/errors'
import type { FrameMemory, Lease } from './frame-memory.ts'

const LENGTH_BYTES = 4
/** What is reserved for a frame of which nothing has come yet, and how much more than has come for any other. */
const RESERVED_BYTES = 16 << 10
const RESERVED_TIMES = 4

export interface Frame {
  readonly bytes: Buffer
  /** Gives the memory of the bytes back: nobody may look at them after that. A frame that is not released is left to the garbage collector. */
  release(): void
}

export interface FrameSplitter {
  /** The frames that are complete with this chunk, which is copied and may be written over afterwards. Fails with FRAME_TOO_LARGE. */
  push(chunk: Uint8Array): Frame[]
}

/** The memory of an unfinished frame grows with what has come of it, up to `frameBytesMax`: a length alone reserves next to nothing. */
export function frameSplitter(frameBytesMax: number, memory: FrameMemory): FrameSplitter {
  const length = Buffer.alloc(LENGTH_BYTES)
  let lengthFilled = 0
  /** Of the frame under way, once its length is known. */
  let size = 0
  let filled = 0
  let lease: Lease | undefined

  function sizeOf(): number {
    const said = length.readInt32BE(0)
    if (said < 0 || said > frameBytesMax) throw new AssayError('FRAME_TOO_LARGE', { size: said, limit: frameBytesMax })
    return said
  }

  /** A lease that has room for so many bytes of the frame. */
  function leaseFor(bytes: number): Lease {
    if (lease !== undefined && lease.bytes.length >= bytes) return lease
    const larger = memory.take(Math.min(size, Math.max(RESERVED_BYTES, bytes * RESERVED_TIMES)))
    lease?.bytes.copy(larger.bytes, 0, 0, filled)
    lease?.release()
    return larger
  }

  return {
    push(chunk) {
      const frames: Frame[] = []
      let at = 0
      while (at < chunk.length || (lengthFilled === LENGTH_BYTES && filled === size)) {
        if (lengthFilled < LENGTH_BYTES) {
          length[lengthFilled++] = chunk[at++]!
          if (lengthFilled === LENGTH_BYTES) size = sizeOf()
          continue
        }
        const taken = Math.min(size - filled, chunk.length - at)
        lease = leaseFor(filled + taken)
        lease.bytes.set(chunk.subarray(at, at + taken), filled)
        filled += taken
        at += taken
        if (filled < size) break
        const { bytes, release } = lease
        frames.push({ bytes: bytes.length === size ? bytes : bytes.subarray(0, size), release })
        lease = undefined
        lengthFilled = 0
        size = 0
        filled = 0
      }
      return frames
    }
  }
}
