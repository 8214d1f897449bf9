import { randomBytes } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import { compressionsAlgorithms } from '@platformatic/kafka'
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { compressSync, uncompressSync } from 'snappy'
import { describe, expect, test } from 'vitest'
import { randomOf, seedOfRun } from '../../test/suites/random.ts'
import { compress, decompress } from './codec.ts'
import { CODEC, type CodecName } from './codec-name.ts'

const LIMIT = 16 << 20
/** `lz4 -BD -B4 -BX --content-size` of a short text four times. */
const LZ4_TOOL_FRAME =
  '04224d187c40dc000000000000000c44000000f0276e6f7468696e6720746861742069747320736368656d6120646f6573206e6f7420616c6c6f77206973' +
  '20657665722073746f7265642e1a000f37008a507265642e20457c1fa400000000c401ebd8'
const names = Object.keys(CODEC) as CodecName[]
const packing = names.filter(name => name !== 'none')

const text = Buffer.from('nothing that its schema does not allow is ever stored. '.repeat(3000))
const contents: [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('a')],
  ['a short text', text.subarray(0, 40)],
  ['a long text', text],
  ['noise', randomBytes(100_000)],
  ['5 MiB of zeros', Buffer.alloc(5 << 20)]
]

describe.each(names)('%s', name => {
  const codec = CODEC[name]

  test.each(contents)('gives back %s', (_what, content) => {
    expect(decompress(codec, compress(codec, content), LIMIT).equals(content)).toBe(true)
  })

  test('compresses a view and not what lies around it', () => {
    const view = new Uint8Array(text.buffer, text.byteOffset + 7, 1000)
    expect(decompress(codec, compress(codec, view), LIMIT).equals(view)).toBe(true)
  })
})

describe.each(packing)('%s', name => {
  const codec = CODEC[name]
  const packed = compress(codec, text)

  test('reads what another implementation compressed, and is read by it', () => {
    const other = compressionsAlgorithms[name]
    expect(decompress(codec, Buffer.from(other.compressSync(text)), LIMIT).equals(text)).toBe(true)
    expect(Buffer.from(other.decompressSync(packed)).equals(text)).toBe(true)
  })

  test('gives exactly the limit and not a byte more', () => {
    expect(decompress(codec, packed, text.length)).toHaveLength(text.length)
    for (const limit of [text.length - 1, 1, 0]) expectCode(() => decompress(codec, packed, limit), 'DECOMPRESSED_TOO_LARGE')
  })

  test('refuses what is cut off at any byte', () => {
    const short = compress(codec, text.subarray(0, 3000))
    for (let cut = 0; cut < short.length; cut++) {
      expectCode(() => decompress(codec, Buffer.from(short.subarray(0, cut)), LIMIT), 'CORRUPT_BATCH', `cut at ${cut}`)
    }
  })

  test('refuses bytes behind its end', () => {
    for (const tail of [Buffer.from([0]), Buffer.from('tail'), Buffer.alloc(40)]) {
      expectCode(() => decompress(codec, Buffer.concat([packed, tail]), LIMIT), 'CORRUPT_BATCH')
    }
  })

  test('survives flipped bits and noise: an answer within the limit, or an expected error', () => {
    const seed = seedOfRun()
    const random = randomOf(seed)
    const short = compress(codec, text.subarray(0, 3000))
    for (let round = 0; round < 3000; round++) {
      const damaged = Buffer.from(short)
      for (let flips = 1 + random(3); flips > 0; flips--) damaged[random(damaged.length)]! ^= 1 << random(8)
      if (random(4) === 0) for (let at = random(damaged.length); at < damaged.length; at++) damaged[at] = random(256)
      try {
        expect(decompress(codec, damaged, 5000).length).toBeLessThanOrEqual(5000)
      } catch (error) {
        expect(['CORRUPT_BATCH', 'DECOMPRESSED_TOO_LARGE'], `seed ${seed}, round ${round}: ${error}`).toContain(codeOf(error))
      }
    }
  })

  test('stops a bomb of 1 GiB at the limit, in memory as well', () => {
    const bomb = bombs[name]
    expect(bomb.length).toBeLessThan(64 << 20)
    const before = process.memoryUsage.rss()
    for (let round = 0; round < 20; round++) expectCode(() => decompress(codec, bomb, LIMIT), 'DECOMPRESSED_TOO_LARGE')
    // Twenty times the limit is 320 MiB, should nothing be collected in between; a single bomb that went off would show as 1 GiB.
    expect(process.memoryUsage.rss() - before).toBeLessThan(512 << 20)
  })
})

/** Each inflates to 1 GiB. gzip takes members and zstd frames one after another; an lz4 frame is one block repeated. */
const bombs: Record<(typeof packing)[number], Buffer> = {
  gzip: repeat(compress(CODEC.gzip, Buffer.alloc(64 << 20)), 16),
  zstd: repeat(compress(CODEC.zstd, Buffer.alloc(64 << 20)), 16),
  snappy: repeat(xerial([Buffer.alloc(1 << 20)]).subarray(16), 1024, xerial([])),
  lz4: lz4Bomb(1024)
}

describe('snappy', () => {
  const blocks = [text.subarray(0, 32768), text.subarray(32768, 50_000), text.subarray(50_000)]

  test('reads the blocks of xerial, which Java sends', () => {
    expect(decompress(CODEC.snappy, xerial(blocks), LIMIT).equals(text)).toBe(true)
    expect(decompress(CODEC.snappy, xerial([text]), LIMIT).equals(text)).toBe(true)
    expect(decompress(CODEC.snappy, xerial([]), LIMIT)).toHaveLength(0)
  })

  test('bounds the sum of the blocks', () => {
    expect(decompress(CODEC.snappy, xerial(blocks), text.length)).toHaveLength(text.length)
    expectCode(() => decompress(CODEC.snappy, xerial(blocks), text.length - 1), 'DECOMPRESSED_TOO_LARGE')
  })

  test('refuses xerial blocks that are cut off at any byte, and keeps whole ones apart', () => {
    const whole = xerial([text.subarray(0, 100), text.subarray(100, 200)])
    const ends = [16, 16 + 4 + whole.readInt32BE(16)]
    for (let cut = 0; cut < whole.length; cut++) {
      if (ends.includes(cut)) continue
      expectCode(() => decompress(CODEC.snappy, Buffer.from(whole.subarray(0, cut)), LIMIT), 'CORRUPT_BATCH', `cut at ${cut}`)
    }
  })

  const lies: [string, number[]][] = [
    ['4 GiB in six bytes', [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00]],
    ['a length that never ends', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['1 MiB in four bytes', [0x80, 0x80, 0x40, 0x00]],
    ['less than it holds', [0x01, 0x04, 0x61, 0x62]],
    ['more than it holds', [0x03, 0x04, 0x61, 0x62]]
  ]
  test.each(lies)('refuses a block that claims %s', (_name, bytes) => {
    expectCode(() => decompress(CODEC.snappy, Buffer.from(bytes), 2 ** 33), 'CORRUPT_BATCH')
  })
})

describe('lz4', () => {
  const frames: [string, string, string][] = [
    [
      'blocks that lean on those before',
      '04224d184040c0240000806173736179206b6565707320776861742069747320736368656d6120616c6c6f77732e200a0000000f24003550646f6e652e00000000',
      `${'assay keeps what its schema allows. '.repeat(3)}done.`
    ],
    [
      'block checksums, content size and content checksum, as the lz4 tool writes them',
      LZ4_TOOL_FRAME,
      'nothing that its schema does not allow is ever stored. '.repeat(4)
    ]
  ]
  test.each(frames)('reads a frame with %s', (_name, hex, expected) => {
    const frame = Buffer.from(hex, 'hex')
    expect(decompress(CODEC.lz4, frame, expected.length).toString()).toBe(expected)
    expectCode(() => decompress(CODEC.lz4, frame, expected.length - 1), 'DECOMPRESSED_TOO_LARGE')
    for (let cut = 0; cut < frame.length; cut++) {
      expectCode(() => decompress(CODEC.lz4, Buffer.from(frame.subarray(0, cut)), LIMIT), 'CORRUPT_BATCH', `cut at ${cut}`)
    }
  })

  test('finds a flipped bit by the checksums of the frame', () => {
    const frame = Buffer.from(LZ4_TOOL_FRAME, 'hex')
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const damaged = Buffer.from(frame)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      expectCode(() => decompress(CODEC.lz4, damaged, LIMIT), 'CORRUPT_BATCH', `bit ${bit}`)
    }
  })

  test('verifies the checksums of frames of every length, and reads what the library packs with them', () => {
    for (let length = 0; length < 200; length++) {
      const content = text.subarray(length, 2 * length)
      const frame = compressFrameSync(Buffer.from(content), { contentChecksum: true, blockChecksums: true })
      expect(decompress(CODEC.lz4, frame, length).equals(content), `length ${length}`).toBe(true)
    }
  })

  test('refuses a content size that the blocks do not hold', () => {
    const frame = Buffer.from(LZ4_TOOL_FRAME, 'hex')
    frame.writeBigUInt64LE(2n ** 60n, 6)
    expectCode(() => decompress(CODEC.lz4, frame, LIMIT), 'CORRUPT_BATCH')
  })
})

describe('zstd', () => {
  /** A frame as streams make it, of unknown content size: the header says the window instead, by its exponent less 10. */
  const withWindow = (log: number): Buffer => {
    const frame = zstdCompressSync(text)
    const [descriptor, sizeBytes] = [frame[4]!, 4]
    expect(descriptor & 0xe0).toBe(0xa0)
    return Buffer.concat([frame.subarray(0, 4), Buffer.from([descriptor & 0x04, (log - 10) << 3]), frame.subarray(5 + sizeBytes)])
  }

  test('reads a frame with a window of 128 MiB', () => {
    expect(decompress(CODEC.zstd, withWindow(27), LIMIT).equals(text)).toBe(true)
  })

  test('refuses a window of 2 GiB before it is allocated', () => {
    const before = process.memoryUsage.rss()
    expectCode(() => decompress(CODEC.zstd, withWindow(31), LIMIT), 'CORRUPT_BATCH')
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 << 20)
  })
})

test('our inflating and the libraries’ agree on data of every kind of repetition', () => {
  const seed = seedOfRun()
  const random = randomOf(seed)
  for (let round = 0; round < 300; round++) {
    const content = patchwork(random)
    const hint = `seed ${seed}, round ${round}`
    expect(decompress(CODEC.snappy, compressSync(content), LIMIT).equals(content), hint).toBe(true)
    expect(decompress(CODEC.lz4, compressFrameSync(content), LIMIT).equals(content), hint).toBe(true)
  }
})

test('damaged blocks are refused by ours where the libraries refuse them, and read the same where they do not', () => {
  const seed = seedOfRun()
  const random = randomOf(seed)
  let read = 0
  for (let round = 0; round < 3000; round++) {
    const content = patchwork(random).subarray(0, 2000)
    for (const [codec, packed, library] of [
      [CODEC.snappy, compressSync(content), (bytes: Buffer) => uncompressSync(bytes) as Buffer],
      [CODEC.lz4, compressFrameSync(content), decompressFrameSync]
    ] as const) {
      const damaged = Buffer.from(packed)
      // Behind the lz4 header and the first block's length; what the frame says of itself is told apart in other tests.
      damaged[11 + random(Math.max(1, damaged.length - 15))]! ^= 1 << random(8)
      const theirs = outcomeOf(() => library(damaged))
      const ours = outcomeOf(() => decompress(codec, damaged, LIMIT))
      if (theirs !== undefined && ours !== undefined) read++
      expect(ours, `seed ${seed}, round ${round}, codec ${codec}`).toEqual(theirs)
    }
  }
  expect(read).toBeGreaterThan(100)
})

test('gzip of several members is read as one', () => {
  const members = Buffer.concat([compress(CODEC.gzip, Buffer.from('one ')), compress(CODEC.gzip, Buffer.from('two'))])
  expect(decompress(CODEC.gzip, members, LIMIT).toString()).toBe('one two')
})

test.each([5, 6, 7, -1])('codec %i is not known', codec => {
  expectCode(() => compress(codec, text), 'UNSUPPORTED_CODEC')
  expectCode(() => decompress(codec, text, LIMIT), 'UNSUPPORTED_CODEC')
})

/** Noise, runs, and copies of what went before at any distance. */
function patchwork(random: (below: number) => number): Buffer {
  let content = randomBytes(1 + random(50))
  while (content.length < 100_000 && random(25) !== 0) {
    const from = random(content.length)
    const pieces = [
      randomBytes(random(200)),
      Buffer.alloc(random(500), random(256)),
      content.subarray(from, from + 1 + random(30_000))
    ]
    content = Buffer.concat([content, pieces[random(3)]!])
  }
  return content
}

function outcomeOf(run: () => Buffer): string | undefined {
  try {
    return run().toString('latin1')
  } catch {
    return undefined
  }
}

function xerial(blocks: Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])]
  for (const block of blocks) {
    const packed = compressSync(block)
    const length = Buffer.alloc(4)
    length.writeInt32BE(packed.length)
    parts.push(length, packed)
  }
  return Buffer.concat(parts)
}

/** A frame of `count` blocks of 64 KiB, taken from a real frame. */
function lz4Bomb(megabytes: number): Buffer {
  const frame = compress(CODEC.lz4, Buffer.alloc(64 << 10))
  const header = frame.subarray(0, 7)
  const block = frame.subarray(7, frame.length - 4)
  return Buffer.concat([repeat(block, megabytes * 16, header), Buffer.alloc(4)])
}

function repeat(bytes: Buffer, count: number, before: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([before, ...Array.from({ length: count }, () => bytes)])
}

function expectCode(run: () => unknown, code: string, hint?: string): void {
  let outcome: unknown = 'no error'
  try {
    run()
  } catch (error) {
    outcome = codeOf(error) ?? error
  }
  expect(outcome, hint).toBe(code)
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code
}
