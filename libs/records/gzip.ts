/** Codec 1: gzip (RFC 1952), several members allowed. */
import { gunzipSync, gzipSync } from 'node:zlib'
import { inflate } from './inflate.ts'

/** Levels 1 to 9; -1 leaves it to the library. */
export const compressGzip = (bytes: Uint8Array, level = -1): Buffer => gzipSync(bytes, { level })

export const decompressGzip = (bytes: Buffer, limitBytes: number): Buffer => inflate('gzip', bytes, limitBytes, gunzipSync)
