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
  const guess = Math.max(CHUNK_BYTES_MIN, Math.min(bytes.length * 5, CHUNK_BYTES_MAX))
  // zlib wants a bound of at least 1; at a limit of 0 the length is checked below.
  const maxOutputLength = Math.max(1, limitBytes)
  try {
    const { buffer, engine } = run(bytes, { maxOutputLength, chunkSize: guess, info: true }) as Inflated
    if (buffer.length > limitBytes) throw tooLarge(codec, limitBytes)
    if (engine.bytesWritten !== bytes.length) throw damaged(codec, 'there are bytes behind its end')
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
