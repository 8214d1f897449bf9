/**
 * Codec 4: Zstandard (RFC 8878, KIP-110).
 *
 * Batches are inflated by the library in WebAssembly: 20 KB take 33 µs where Node's own zlib takes 42 and leaves a stream object, a context of
 * 2 MB and a buffer behind, so that V8 collects its heap ten times a second (docs/decisions/006). What is very large, and whatever that
 * decoder does not take, is zlib's, which also says what is wrong with it.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { ZSTDDecoder } from 'zstddec'
import { inflate, noteExpansion, roomFor } from './inflate.ts'

const WASM_BYTES_MAX = 512 << 10

let ready: ZSTDDecoder | undefined
let isAsked = false

/** Levels -131072 to 22; 3 is the library's own choice. */
export const compressZstd = (bytes: Uint8Array, level = 3): Buffer =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } })

export function decompressZstd(bytes: Buffer, limitBytes: number): Buffer {
  const inflated = bytes.length <= WASM_BYTES_MAX ? inflateInWasm(bytes, limitBytes) : undefined
  return inflated ?? inflate('zstd', bytes, limitBytes, zstdDecompressSync)
}

/** Undefined when it is damaged, larger than was to be expected, or the decoder is not there (yet). */
function inflateInWasm(bytes: Buffer, limitBytes: number): Buffer | undefined {
  if (ready === undefined) {
    if (!isAsked) void startDecoder()
    return undefined
  }
  try {
    // Any error of the library is a length below zero, which it answers with nothing.
    const { buffer, byteOffset, byteLength } = ready.decode(bytes, Math.max(1, Math.min(roomFor(bytes), limitBytes)))
    if (byteLength === 0 || byteLength > limitBytes) return undefined
    noteExpansion(bytes, byteLength)
    return Buffer.from(buffer, byteOffset, byteLength)
  } catch {
    // WebAssembly stopped in the middle: its memory is not to be trusted any more.
    ready = undefined
    return undefined
  }
}

async function startDecoder(): Promise<void> {
  isAsked = true
  const decoder = new ZSTDDecoder()
  // The library would read its own bytes from a data: URL, and so load all of Node's HTTP client: 25 MB and 35 ms against 1 and 1.
  const { fetch } = globalThis
  Reflect.deleteProperty(globalThis, 'fetch')
  const started = decoder.init()
  globalThis.fetch = fetch
  await started.then(
    () => {
      ready = decoder
    },
    // No WebAssembly here: zlib does it all.
    () => {}
  )
}
