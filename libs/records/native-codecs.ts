/**
 * The native packages that compress with snappy and LZ4, each loaded when something is first compressed with it. A broker stores what it is
 * sent and inflates with code of its own: most never need these two, which cost 3 to 4 MB of memory each.
 */
import { createRequire } from 'node:module'

const load = createRequire(import.meta.url)

let snappy: typeof import('snappy') | undefined
let lz4: typeof import('lz4-napi') | undefined

export function snappyBlock(bytes: Uint8Array): Buffer {
  snappy ??= load('snappy') as typeof import('snappy')
  return snappy.compressSync(bytes)
}

export function lz4Frame(bytes: Buffer): Buffer {
  lz4 ??= load('lz4-napi') as typeof import('lz4-napi')
  return lz4.compressFrameSync(bytes)
}
