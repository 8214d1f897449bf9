/** Codec 1: gzip (RFC 1952), several members allowed. */
import { gunzipSync, gzipSync } from 'node:zlib'
import { inflate } from './inflate.ts'

export const compressGzip = (bytes: Uint8Array): Buffer => gzipSync(bytes)

export const decompressGzip = (bytes: Buffer, limitBytes: number): Buffer => inflate('gzip', bytes, limitBytes, gunzipSync)
