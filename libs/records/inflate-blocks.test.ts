/** What WebAssembly says of a batch, JavaScript says, too: of whole ones, of damaged ones, and of such as are larger than allowed. */
import fc from 'fast-check'
import { beforeAll, expect, test, vi } from 'vitest'
import type * as Codecs from './codec.ts'
import { compress, decompress } from './codec.ts'
import { CODEC } from './codec-name.ts'
import { inflateBlocks } from './inflate-blocks.ts'

const LIMIT = 1 << 20
const seed = Number(process.env['ASSAY_SEED'] ?? 20_261_123)
let inJavaScript: typeof Codecs

beforeAll(async () => {
  vi.resetModules()
  inJavaScript = await import('./codec.ts')
  vi.stubGlobal('WebAssembly', undefined)
  inJavaScript.decompress(CODEC.lz4, compress(CODEC.lz4, Buffer.from('the code is not there')), LIMIT)
  vi.unstubAllGlobals()
})

/** Short pieces again and again: matches of every small distance, many of which overlap themselves. */
const content = fc
  .array(
    fc.record({
      piece: fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.uint8Array({ minLength: 200, maxLength: 400 })),
      times: fc.integer({ min: 1, max: 60 })
    }),
    { maxLength: 40 }
  )
  .map(pieces => Buffer.concat(pieces.flatMap(({ piece, times }) => new Array<Uint8Array>(times).fill(piece))))

const codec = fc.constantFrom(CODEC.lz4, CODEC.snappy)

test(`whole batches (seed ${seed})`, () => {
  fc.assert(
    fc.property(content, codec, (bytes, by) => {
      const batch = compress(by, bytes)
      expect(outcome(() => decompress(by, batch, LIMIT))).toEqual(outcome(() => bytes))
      expect(outcome(() => inJavaScript.decompress(by, batch, LIMIT))).toEqual(outcome(() => bytes))
    }),
    { seed, numRuns: 500 }
  )
})

test(`batches with a byte changed, or with too little room (seed ${seed})`, () => {
  let refused = 0
  fc.assert(
    fc.property(content, codec, fc.nat(), fc.nat(255), fc.boolean(), (bytes, by, where, value, isNarrow) => {
      const batch = Buffer.from(compress(by, bytes))
      // Behind the header of an lz4 frame: what that says has a checksum.
      const header = by === CODEC.lz4 ? 7 : 0
      batch[header + (where % (batch.length - header))] = value
      const limit = isNarrow ? where % (bytes.length + 1) : LIMIT
      const said = outcome(() => decompress(by, batch, limit))
      expect(said).toEqual(outcome(() => inJavaScript.decompress(by, batch, limit)))
      if ('refused' in said) refused++
    }),
    { seed, numRuns: 3000 }
  )
  expect(refused).toBeGreaterThan(300)
})

test('nothing of the batch before shows, and nothing is written behind the limit', () => {
  const long = Buffer.alloc(300_000, 'before ')
  decompress(CODEC.lz4, compress(CODEC.lz4, long), LIMIT)
  const short = Buffer.from('short')
  expect(decompress(CODEC.lz4, compress(CODEC.lz4, short), LIMIT)).toEqual(short)
  const stored = { start: 0, end: 5, isStored: true }
  const options = { codec: 'lz4', areLinked: false, limitBytes: 4, blockBytesMax: () => 64 } as const
  expect(inflateBlocks(short, [stored], options)).toBeUndefined()
  expect(inflateBlocks(short, [stored], { ...options, limitBytes: 5 })).toEqual(short)
  expect(inflateBlocks(short, [stored, stored], { ...options, limitBytes: 9 })).toBeUndefined()
})

function outcome(run: () => Buffer): { readonly bytes: string } | { readonly refused: string } {
  try {
    return { bytes: run().toString('base64') }
  } catch (error) {
    return { refused: (error as Error).message }
  }
}
