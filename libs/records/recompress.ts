/**
 * A batch with another codec: the same records byte for byte, the same header but for the codec, the length and the CRC, so that what an
 * idempotent producer counts by stays as it was sent.
 */
import { ATTRIBUTE, type BatchHeader, codecOf, FIELD_AT, HEADER_BYTES, LOG_OVERHEAD, signBatch } from './batch.ts'
import { compress, decompress } from './codec.ts'
import type { Codec } from './codec-name.ts'

export interface Recompression {
  readonly codec: Codec
  /** As `compress` takes it; default the library's own. */
  readonly level?: number
  /** Most bytes that the batch may inflate to. */
  readonly limitBytes: number
}

/** The batch itself when it has the codec already. Fails with DECOMPRESSED_TOO_LARGE, CORRUPT_BATCH, UNSUPPORTED_CODEC. */
export function recompressBatch(batch: Buffer, header: BatchHeader, { codec, level, limitBytes }: Recompression): Buffer {
  if (codecOf(header) === codec) return batch
  const section = compress(codec, decompress(codecOf(header), batch.subarray(HEADER_BYTES), limitBytes), level)
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + section.length)
  batch.copy(bytes, 0, 0, HEADER_BYTES)
  section.copy(bytes, HEADER_BYTES)
  bytes.writeInt32BE(bytes.length - LOG_OVERHEAD, FIELD_AT.batchLength)
  bytes.writeInt16BE((header.attributes & ~ATTRIBUTE.codec) | codec, FIELD_AT.attributes)
  signBatch(bytes)
  return bytes
}
