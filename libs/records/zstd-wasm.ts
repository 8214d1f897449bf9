/**
 * The zstd library in WebAssembly, as the package `zstddec` carries it. Its own `decode` gives each output in a new buffer; here both the
 * input and the output stay in memory of the library that is used again.
 */
interface Library {
  readonly memory: { readonly buffer: ArrayBuffer }
  /** 0 when there is no memory. */
  malloc(bytes: number): number
  free(address: number): void
  /** The length of what it inflated to; below zero when it is damaged, or there is no room for it. */
  ZSTD_decompress(to: number, room: number, from: number, length: number): number
}

/** One call at a time. */
export interface ZstdInWasm {
  /** A view that is valid until the next call; undefined when the input is damaged, or inflates to more than `room` bytes. */
  inflate(bytes: Buffer, room: number): Buffer | undefined
}

/** Undefined where there is no WebAssembly. */
export async function loadZstd(): Promise<ZstdInWasm | undefined> {
  const { ZSTDDecoder } = await import('zstddec')
  const decoder = new ZSTDDecoder()
  let library: Library | undefined
  decoder._init = ({ instance }) => {
    library = instance.exports as unknown as Library
  }
  // The package would read its own bytes from a data: URL, and so load all of Node's HTTP client: 25 MB and 35 ms against 1 and 1.
  const { fetch } = globalThis
  Reflect.deleteProperty(globalThis, 'fetch')
  const started = decoder.init()
  globalThis.fetch = fetch
  await started.catch(() => {})
  return library && over(library)
}

function over(library: Library): ZstdInWasm {
  let region = 0
  let regionBytes = 0

  function regionOf(bytes: number): number {
    if (bytes <= regionBytes) return region
    library.free(region)
    regionBytes = 2 ** Math.ceil(Math.log2(bytes))
    region = library.malloc(regionBytes)
    if (region === 0) regionBytes = 0
    return region
  }

  return {
    inflate(bytes, room) {
      const to = regionOf(room + bytes.length)
      if (to === 0) return undefined
      const from = to + room
      new Uint8Array(library.memory.buffer, from, bytes.length).set(bytes)
      const length = library.ZSTD_decompress(to, room, from, bytes.length)
      // Its memory may have grown, and lies elsewhere then.
      return length < 0 ? undefined : Buffer.from(library.memory.buffer, to, length)
    }
  }
}
