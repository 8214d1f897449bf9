/** Codec 4: Zstandard (RFC 8878, KIP-110). A frame's window may be up to 128 MiB by the library's own bound, whatever its content. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { inflate } from './inflate.ts'

/** Levels -131072 to 22; 3 is the library's own choice. */
export const compressZstd = (bytes: Uint8Array, level = 3): Buffer =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } })

export const decompressZstd = (bytes: Buffer, limitBytes: number): Buffer =>
  inflate('zstd', bytes, limitBytes, zstdDecompressSync)
