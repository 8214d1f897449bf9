/**
 * Codec 4: Zstandard (RFC 8878, KIP-110).
 *
 * Batches are inflated by the library in WebAssembly: 20 KB take 33 µs where Node's own zlib takes 42 and leaves a stream object, a context of
 * 2 MB and a buffer behind, so that V8 collects its heap ten times a second (docs/decisions/006). What is very large, and whatever that
 * does not take, is zlib's, which also says what is wrong with it.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { inflate, noteExpansion, roomFor } from './inflate.ts'
import type { Scratch } from './scratch.ts'
import { loadZstd, type ZstdInWasm } from './zstd-wasm.ts'

const INPUT_BYTES_MAX = 1 << 20
const OUTPUT_BYTES_MAX = 4 << 20

let wasm: ZstdInWasm | undefined
let isAsked = false

/** Levels -131072 to 22; 3 is the library's own choice. */
export const compressZstd = (bytes: Uint8Array, level = 3): Buffer =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } })

export function decompressZstd(bytes: Buffer, limitBytes: number, scratch?: Scratch): Buffer {
  const view = bytes.length <= INPUT_BYTES_MAX ? inflateInWasm(bytes, limitBytes) : undefined
  if (view === undefined) return inflate('zstd', bytes, limitBytes, zstdDecompressSync)
  return scratch === undefined ? Buffer.from(view) : view
}

/** Undefined when it is damaged, larger than was to be expected, or the library is not there (yet). */
function inflateInWasm(bytes: Buffer, limitBytes: number): Buffer | undefined {
  if (wasm === undefined) {
    if (!isAsked) void load()
    return undefined
  }
  try {
    const view = wasm.inflate(bytes, Math.min(roomFor(bytes, OUTPUT_BYTES_MAX), limitBytes))
    if (view !== undefined) noteExpansion(bytes, view.length)
    return view
  } catch {
    // It stopped in the middle: its memory is not to be trusted any more.
    wasm = undefined
    return undefined
  }
}

async function load(): Promise<void> {
  isAsked = true
  wasm = await loadZstd()
}
