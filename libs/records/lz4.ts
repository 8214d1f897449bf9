/**
 * Codec 3: one LZ4 frame (KIP-57; lz4_Frame_format.md and lz4_Block_format.md).
 *
 * Inflating is our own: lz4-napi has no bound on its output, takes a frame without its end for a whole one, and is slower. Blocks are inflated
 * in WebAssembly; what that does not take is done here, and told what is wrong with it: the lengths inside the frame are added up first, and
 * only then is it inflated, into a buffer of exactly that size.
 */
import { damaged, tooLarge } from './inflate.ts'
import { type Block, inflateBlocks } from './inflate-blocks.ts'
import { lz4Frame } from './native-codecs.ts'
import type { Scratch } from './scratch.ts'
import { xxh32 } from './xxhash.ts'

const FRAME_MAGIC = 0x184d2204
const VERSION_MASK = 0xc0
const VERSION_1 = 0x40
const FLAG = {
  independentBlocks: 0x20,
  blockChecksum: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  reserved: 0x02,
  dictionary: 0x01
} as const
const BLOCK_BYTES_MAX = [64 << 10, 256 << 10, 1 << 20, 4 << 20] as const
/** The top bit of a block's length: its bytes are the output as they are. */
const STORED = 0x80000000
const MATCH_BYTES_MIN = 4
/** From this length on a native copy is cheaper than a loop over the bytes. */
const COPY_BYTES_MIN = 24

interface Frame {
  readonly blocks: readonly Block[]
  readonly blockBytesMax: number
  readonly areIndependent: boolean
  readonly contentBytes: bigint | undefined
  readonly contentChecksum: number | undefined
}

/** Independent blocks of 64 KiB without checksums, as Java's client sends them. The batch has its own CRC. */
export const compressLz4 = (bytes: Uint8Array): Buffer => lz4Frame(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))

export function decompressLz4(bytes: Buffer, limitBytes: number, scratch?: Scratch): Buffer {
  const frame = readFrame(bytes)
  const view = inflateBlocks(bytes, frame.blocks, {
    ...{ codec: 'lz4', limitBytes, areLinked: !frame.areIndependent },
    blockBytesMax: () => frame.blockBytesMax
  })
  const output = view === undefined ? inflateFrame(bytes, frame, limitBytes, scratch) : scratch ? view : Buffer.from(view)
  if (frame.contentBytes !== undefined && frame.contentBytes !== BigInt(output.length))
    throw damaged('lz4', 'its content size is wrong')
  if (frame.contentChecksum !== undefined && xxh32(output, 0, output.length) !== frame.contentChecksum) {
    throw damaged('lz4', 'the checksum of the content does not match')
  }
  return output
}

/** Finds the blocks, verifies the checksums of what it passes, and that the frame ends where the bytes do. */
function readFrame(bytes: Buffer): Frame {
  const { flags, blockBytesMax, headerBytes } = readFrameHeader(bytes)
  const blocks: Block[] = []
  let at = headerBytes
  for (;;) {
    const size = readWord(bytes, at)
    at += 4
    if (size === 0) break
    const isStored = size >= STORED
    const start = at
    const end = start + (isStored ? size - STORED : size)
    if (end > bytes.length) throw damaged('lz4', 'a block is cut off')
    at = end
    if (flags & FLAG.blockChecksum) {
      if (readWord(bytes, at) !== xxh32(bytes, start, end)) throw damaged('lz4', 'the checksum of a block does not match')
      at += 4
    }
    blocks.push({ start, end, isStored })
  }
  const contentChecksum = flags & FLAG.contentChecksum ? readWord(bytes, at) : undefined
  if (contentChecksum !== undefined) at += 4
  if (at < bytes.length) throw damaged('lz4', 'there are bytes behind its end')
  return {
    blocks,
    blockBytesMax,
    areIndependent: (flags & FLAG.independentBlocks) !== 0,
    contentBytes: flags & FLAG.contentSize ? bytes.readBigUInt64LE(6) : undefined,
    contentChecksum
  }
}

/** Fails with DECOMPRESSED_TOO_LARGE and CORRUPT_BATCH; nothing is allocated before the lengths are known. */
function inflateFrame(bytes: Buffer, frame: Frame, limitBytes: number, scratch?: Scratch): Buffer {
  const { blocks, blockBytesMax, areIndependent } = frame
  let outputBytes = 0
  for (const { start, end, isStored } of blocks) {
    const blockBytes = isStored ? end - start : outputBytesOf(bytes, start, end)
    if (blockBytes > blockBytesMax) throw damaged('lz4', `a block of ${blockBytes} bytes is larger than the frame allows`)
    outputBytes += blockBytes
    if (outputBytes > limitBytes) throw tooLarge('lz4', limitBytes)
  }
  const output = scratch?.take(outputBytes) ?? Buffer.allocUnsafe(outputBytes)
  let to = 0
  for (const block of blocks) {
    if (block.isStored) to += bytes.copy(output, to, block.start, block.end)
    else to = inflateBlock(bytes, block, output, to, areIndependent ? to : 0)
  }
  return output
}

function readFrameHeader(bytes: Buffer): {
  readonly flags: number
  readonly blockBytesMax: number
  readonly headerBytes: number
} {
  if (bytes.length < 7) throw damaged('lz4', 'the frame is cut off')
  if (bytes.readUInt32LE(0) !== FRAME_MAGIC) throw damaged('lz4', 'it does not begin with a frame')
  const flags = bytes[4]!
  const descriptorEnd = flags & FLAG.contentSize ? 14 : 6
  if (descriptorEnd >= bytes.length) throw damaged('lz4', 'the frame is cut off')
  if (((xxh32(bytes, 4, descriptorEnd) >>> 8) & 0xff) !== bytes[descriptorEnd]) {
    throw damaged('lz4', 'the checksum of the frame header does not match')
  }
  if ((flags & VERSION_MASK) !== VERSION_1) throw damaged('lz4', 'the frame is not of version 1')
  if (flags & (FLAG.dictionary | FLAG.reserved)) throw damaged('lz4', 'the frame needs a dictionary')
  const blockBytesMax = BLOCK_BYTES_MAX[((bytes[5]! >> 4) & 7) - 4]
  if (blockBytesMax === undefined) throw damaged('lz4', 'the block size is not known')
  return { flags, blockBytesMax, headerBytes: descriptorEnd + 1 }
}

function readWord(bytes: Buffer, at: number): number {
  if (at + 4 > bytes.length) throw damaged('lz4', 'the frame is cut off')
  return bytes.readUInt32LE(at)
}

/** Adds up the sequences of a block: a token, literals, and a match of a two-byte distance; the last one has literals only. */
function outputBytesOf(bytes: Buffer, start: number, end: number): number {
  let total = 0
  let at = start
  for (;;) {
    if (at >= end) throw damaged('lz4', 'a block is cut off')
    const token = bytes[at++]!
    let literals = token >> 4
    for (let more = literals === 15 ? 255 : 0; more === 255; literals += more) {
      if (at >= end) throw damaged('lz4', 'a block is cut off')
      more = bytes[at++]!
    }
    at += literals
    total += literals
    if (at >= end) break
    at += 2
    let match = (token & 15) + MATCH_BYTES_MIN
    for (let more = (token & 15) === 15 ? 255 : 0; more === 255; match += more) {
      if (at >= end) throw damaged('lz4', 'a block is cut off')
      more = bytes[at++]!
    }
    total += match
  }
  if (at > end) throw damaged('lz4', 'a block is cut off')
  return total
}

/**
 * Inflates a block whose lengths `outputBytesOf` has added up, so that neither input nor output can be overrun. `origin` is how far back
 * matches reach. Gives the place behind it.
 */
function inflateBlock(bytes: Buffer, block: Block, output: Buffer, outputStart: number, origin: number): number {
  const end = block.end
  let at = block.start
  let to = outputStart
  for (;;) {
    const token = bytes[at++]!
    let length = token >> 4
    for (let more = length === 15 ? 255 : 0; more === 255; length += more) more = bytes[at++]!
    if (length >= COPY_BYTES_MIN) {
      bytes.copy(output, to, at, at + length)
      at += length
      to += length
    } else {
      for (const stop = at + length; at < stop; ) output[to++] = bytes[at++]!
    }
    if (at === end) return to

    const distance = bytes[at]! | (bytes[at + 1]! << 8)
    at += 2
    length = (token & 15) + MATCH_BYTES_MIN
    for (let more = (token & 15) === 15 ? 255 : 0; more === 255; length += more) more = bytes[at++]!
    let from = to - distance
    if (distance === 0 || from < origin) throw damaged('lz4', 'a match lies before the beginning')
    if (distance === 1) {
      output.fill(output[from]!, to, to + length)
      to += length
    } else if (length >= 2 * COPY_BYTES_MIN && distance >= length) {
      output.copyWithin(to, from, from + length)
      to += length
    } else {
      // Byte by byte: a match that overlaps its own output repeats it.
      for (const stop = to + length; to < stop; ) output[to++] = output[from++]!
    }
  }
}
