/** What gzip and zstd share: Node's own zlib with a bounded output, its errors told apart, and bytes behind the end refused. */
import { AssayError, isAssayError } from '@assay/errors'
import type { CodecName } from './codec-name.ts'

/** What zlib answers with `info: true`, missing in its types. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

export interface InflateOptions {
  readonly maxOutputLength: number
  readonly chunkSize: number
  readonly info: true
}

const CHUNK_BYTES_MIN = 4096
const CHUNK_BYTES_MAX = 1 << 20
/** A chunk has room for a little more than what the batches before inflated to. */
const ROOM = 1.1

/** How many times larger than their input batches were lately: at once as large as the last, and slowly smaller. */
let expansion = 2

/** What these bytes will inflate to, in all likelihood and within bounds. */
export const roomFor = (bytes: Buffer, most = CHUNK_BYTES_MAX): number =>
  Math.max(CHUNK_BYTES_MIN, Math.min(Math.ceil(bytes.length * expansion * ROOM), most))

export function noteExpansion(bytes: Buffer, inflatedBytes: number): void {
  const last = inflatedBytes / bytes.length
  expansion = Math.max(last, expansion - (expansion - last) / 16)
}

/**
 * Runs one of zlib's synchronous functions. It allocates chunk after chunk and stops at the first that passes the limit,
 * so a bomb costs the limit and one chunk.
 */
export function inflate(
  codec: CodecName,
  bytes: Buffer,
  limitBytes: number,
  run: (bytes: Buffer, options: InflateOptions) => unknown
): Buffer {
  // zlib wants a bound of at least 1; at a limit of 0 the length is checked below.
  const maxOutputLength = Math.max(1, limitBytes)
  try {
    const { buffer, engine } = run(bytes, { maxOutputLength, chunkSize: roomFor(bytes), info: true }) as Inflated
    if (buffer.length > limitBytes) throw tooLarge(codec, limitBytes)
    if (engine.bytesWritten !== bytes.length) throw damaged(codec, 'there are bytes behind its end')
    noteExpansion(bytes, buffer.length)
    return buffer
  } catch (error) {
    if (isAssayError(error)) throw error
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(codec, limitBytes)
    throw damaged(codec, (error as Error).message, { cause: error })
  }
}

export function tooLarge(codec: CodecName, limitBytes: number): AssayError {
  return new AssayError('DECOMPRESSED_TOO_LARGE', { codec, limit: limitBytes })
}

export function damaged(codec: CodecName, reason: string, options?: ErrorOptions): AssayError {
  return new AssayError('CORRUPT_BATCH', { reason: `${codec}: ${reason}` }, options)
}
