/** Codec 4: Zstandard (RFC 8878, KIP-110). A frame's window may be up to 128 MiB by the library's own bound, whatever its content. */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { inflate } from './inflate.ts'

export const compressZstd = (bytes: Uint8Array): Buffer => zstdCompressSync(bytes)

export const decompressZstd = (bytes: Buffer, limitBytes: number): Buffer =>
  inflate('zstd', bytes, limitBytes, zstdDecompressSync)
