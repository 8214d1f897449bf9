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

  return {
    push(chunk) {
      held.push(chunk)
      heldBytes += chunk.length
      if (heldBytes < needed) {
        if (held.length >= PIECES_MIN && heldBytes < held.length * PIECE_BYTES_MIN) held = [Buffer.concat(held, heldBytes)]
        return []
      }
      let bytes = held.length === 1 ? chunk : Buffer.concat(held, heldBytes)
      const frames: Buffer[] = []
      for (needed = LENGTH_BYTES; bytes.length >= LENGTH_BYTES; ) {
        needed = LENGTH_BYTES + lengthOf(bytes)
        if (bytes.length < needed) break
        frames.push(bytes.subarray(LENGTH_BYTES, needed))
        bytes = bytes.subarray(needed)
        needed = LENGTH_BYTES
      }
      held = bytes.length > 0 ? [bytes] : []
      heldBytes = bytes.length
      return frames
    }
  }
}
