/** Splits what a socket brings into frames of the Kafka protocol: four bytes of length, then the frame. */
import { AssayError } from '@assay/errors'

const LENGTH_BYTES = 4
/** A buffer costs some hundred bytes beside its content, so pieces smaller than this on average are joined when there are many. */
const PIECE_BYTES_MIN = 1024
const PIECES_MIN = 1024

export interface FrameSplitter {
  /** The frames that are complete with this chunk; a frame inside one chunk is a slice of it. Fails with FRAME_TOO_LARGE. */
  push(chunk: Buffer): Buffer[]
}

/** Bytes of an unfinished frame are held as they came, up to `frameBytesMax`: a length alone reserves nothing. */
export function frameSplitter(frameBytesMax: number): FrameSplitter {
  let held: Buffer[] = []
  let heldBytes = 0
  /** Bytes that the frame under way needs with its length; 4 until the length is known. */
  let needed = LENGTH_BYTES

  function lengthOf(bytes: Buffer): number {
    const size = bytes.readInt32BE(0)
    if (size < 0 || size > frameBytesMax) throw new AssayError('FRAME_TOO_LARGE', { size, limit: frameBytesMax })
    return size
  }

  function hold(bytes: Buffer): void {
    held.push(bytes)
    heldBytes += bytes.length
    if (held.length >= PIECES_MIN && heldBytes < held.length * PIECE_BYTES_MIN) held = [Buffer.concat(held, heldBytes)]
  }

  /** The unfinished frame with what is missing of it from the chunk, copied once; undefined while something still is. */
  function finish(chunk: Buffer): Buffer | undefined {
    if (needed === LENGTH_BYTES && heldBytes < LENGTH_BYTES) {
      const missing = LENGTH_BYTES - heldBytes
      hold(chunk.subarray(0, missing))
      if (chunk.length < missing) return undefined
      held = [Buffer.concat(held, heldBytes)]
      needed += lengthOf(held[0]!)
      return finish(chunk.subarray(missing))
    }
    const missing = needed - heldBytes
    hold(chunk.subarray(0, missing))
    return chunk.length < missing ? undefined : Buffer.concat(held, needed)
  }

  return {
    push(chunk) {
      const frames: Buffer[] = []
      let rest = chunk
      if (heldBytes > 0) {
        const before = heldBytes
        const frame = finish(chunk)
        if (frame === undefined) return frames
        frames.push(frame.subarray(LENGTH_BYTES))
        rest = chunk.subarray(needed - before)
        held = []
        heldBytes = 0
        needed = LENGTH_BYTES
      }
      while (rest.length >= LENGTH_BYTES) {
        needed = LENGTH_BYTES + lengthOf(rest)
        if (rest.length < needed) break
        frames.push(rest.subarray(LENGTH_BYTES, needed))
        rest = rest.subarray(needed)
        needed = LENGTH_BYTES
      }
      if (rest.length > 0) hold(rest)
      return frames
    }
  }
}
