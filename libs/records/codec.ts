/**
 * The five compression codecs of a record batch. Whatever the bytes claim, no more than the limit is ever given out,
 * and what will be allocated is known and bounded before it is.
 *
 * Everything is synchronous: a batch is a few KiB to 1 MiB and inflates at 0.4-2 GB/s, and the four threads of the pool belong to
 * the fsyncs of the store.
 */
import { AssayError } from '@assay/errors'
import { CODEC } from './codec-name.ts'
import { compressGzip, decompressGzip } from './gzip.ts'
import { compressLz4, decompressLz4 } from './lz4.ts'
import type { Scratch } from './scratch.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import { compressZstd, decompressZstd } from './zstd.ts'

/**
 * Compresses what lies behind a batch's header. Codec 0 gives the same bytes back. `level` says how hard gzip and zstd try; the others
 * know one level. Fails with UNSUPPORTED_CODEC.
 */
export function compress(codec: number, bytes: Uint8Array, level?: number): Buffer {
  switch (codec) {
    case CODEC.none:
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    case CODEC.gzip:
      return compressGzip(bytes, level)
    case CODEC.snappy:
      return compressSnappy(bytes)
    case CODEC.lz4:
      return compressLz4(bytes)
    case CODEC.zstd:
      return compressZstd(bytes, level)
    default:
      throw new AssayError('UNSUPPORTED_CODEC', { codec })
  }
}

/**
 * Gives back what was compressed, at most `limitBytes` of it. Codec 0 gives the same bytes back: their bound is the batch's own.
 * With `scratch` the result (of snappy, lz4 and zstd) is valid until the next call with one.
 * Fails with DECOMPRESSED_TOO_LARGE, CORRUPT_BATCH (damaged, cut off, or with bytes behind its end), UNSUPPORTED_CODEC.
 */
export function decompress(codec: number, bytes: Buffer, limitBytes: number, scratch?: Scratch): Buffer {
  switch (codec) {
    case CODEC.none:
      return bytes
    case CODEC.gzip:
      return decompressGzip(bytes, limitBytes)
    case CODEC.snappy:
      return decompressSnappy(bytes, limitBytes, scratch)
    case CODEC.lz4:
      return decompressLz4(bytes, limitBytes, scratch)
    case CODEC.zstd:
      return decompressZstd(bytes, limitBytes, scratch)
    default:
      throw new AssayError('UNSUPPORTED_CODEC', { codec })
  }
}
