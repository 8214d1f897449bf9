/**
 * Codec 2: snappy, in the two framings that clients send: xerial's blocks (Java) and one raw block (librdkafka, franz-go).
 * A block opens with the length that it claims (format_description.txt); that claim is checked before it is allocated.
 *
 * Inflating is our own: the snappy package is slower. It is done in WebAssembly; what that does not take is done here, and told what is wrong
 * with it.
 */
import { damaged, tooLarge } from './inflate.ts'
import { type Block, inflateBlocks } from './inflate-blocks.ts'
import { snappyBlock } from './native-codecs.ts'
import type { Scratch } from './scratch.ts'

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
/** Magic, version and lowest compatible version, each number four bytes. */
const XERIAL_HEADER_BYTES = 16
/** The shortest element, a copy of three bytes, gives 64: a claim beyond this ratio cannot be true. */
const RATIO_MAX = 22
const LENGTH_VARINT_BYTES_MAX = 5
/** From this length on a native copy is cheaper than a loop over the bytes. */
const COPY_BYTES_MIN = 24

interface SnappyBlock extends Block {
  /** Bytes of its output, as it says itself. */
  readonly claimed: number
}

/** One raw block: every client reads it, Java's included. */
export const compressSnappy = (bytes: Uint8Array): Buffer => snappyBlock(bytes)

export function decompressSnappy(bytes: Buffer, limitBytes: number, scratch?: Scratch): Buffer {
  if (bytes.length >= XERIAL_HEADER_BYTES && bytes.compare(XERIAL_MAGIC, 0, XERIAL_MAGIC.length, 0, XERIAL_MAGIC.length) === 0) {
    return decompressXerial(bytes, limitBytes, scratch)
  }
  return decompressOne(bytes, limitBytes, scratch)
}

function decompressXerial(bytes: Buffer, limitBytes: number, scratch?: Scratch): Buffer {
  const blocks: SnappyBlock[] = []
  let total = 0
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw damaged('snappy', 'a block length is cut off')
    const blockBytes = bytes.readInt32BE(at)
    at += 4
    if (blockBytes < 0 || at + blockBytes > bytes.length) throw damaged('snappy', 'a block is cut off')
    const block = readBlock(bytes, at, at + blockBytes)
    total += block.claimed
    if (total > limitBytes) throw tooLarge('snappy', limitBytes)
    blocks.push(block)
    at = block.end
  }
  return decompressBlocks(bytes, blocks, total, scratch)
}

function decompressOne(bytes: Buffer, limitBytes: number, scratch?: Scratch): Buffer {
  const block = readBlock(bytes, 0, bytes.length)
  if (block.claimed > limitBytes) throw tooLarge('snappy', limitBytes)
  return decompressBlocks(bytes, [block], block.claimed, scratch)
}

function decompressBlocks(bytes: Buffer, blocks: readonly SnappyBlock[], total: number, scratch?: Scratch): Buffer {
  const view = inflateBlocks(bytes, blocks, {
    ...{ codec: 'snappy', limitBytes: total, areLinked: false },
    blockBytesMax: at => blocks[at]!.claimed
  })
  // A block that fell short of its claim left less in all.
  if (view?.length === total) return scratch ? view : Buffer.from(view)
  const output = scratch?.take(total) ?? Buffer.allocUnsafe(total)
  let to = 0
  for (const block of blocks) to = inflateBlock(bytes, block, output, to)
  return output
}

/** The length that the first varint of `bytes[start..end)` claims for the output, and where the elements begin. */
function readBlock(bytes: Buffer, start: number, end: number): SnappyBlock {
  let claimed = 0
  for (let at = 0; at < LENGTH_VARINT_BYTES_MAX; at++) {
    if (start + at >= end) throw damaged('snappy', 'the length is cut off')
    const byte = bytes[start + at]!
    claimed += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) {
      if (claimed > (end - start) * RATIO_MAX) throw damaged('snappy', `${end - start} bytes cannot hold ${claimed}`)
      return { start: start + at + 1, end, isStored: false, claimed }
    }
  }
  throw damaged('snappy', 'the length is not a varint of 32 bits')
}

/** Fills the output from `outputStart` on with what the block claims, exactly. Gives the place behind it. */
function inflateBlock(bytes: Buffer, block: SnappyBlock, output: Buffer, outputStart: number): number {
  const end = outputStart + block.claimed
  let at = block.start
  let to = outputStart
  while (at < block.end) {
    const tag = bytes[at++]!
    const kind = tag & 3
    if (kind === 0) {
      let length = tag >> 2
      if (length >= 60) {
        const lengthBytes = length - 59
        if (at + lengthBytes > block.end) throw damaged('snappy', 'a literal is cut off')
        length = bytes.readUIntLE(at, lengthBytes)
        at += lengthBytes
      }
      length++
      if (at + length > block.end || to + length > end) throw damaged('snappy', 'a literal is cut off')
      if (length >= COPY_BYTES_MIN) {
        bytes.copy(output, to, at, at + length)
        at += length
        to += length
      } else {
        for (const stop = at + length; at < stop; ) output[to++] = bytes[at++]!
      }
      continue
    }

    const offsetBytes = kind === 3 ? 4 : kind
    if (at + offsetBytes > block.end) throw damaged('snappy', 'a copy is cut off')
    let length = (tag >> 2) + 1
    let distance = 0
    if (kind === 1) {
      length = ((tag >> 2) & 7) + 4
      distance = ((tag >> 5) << 8) | bytes[at]!
    } else {
      distance = kind === 2 ? bytes[at]! | (bytes[at + 1]! << 8) : bytes.readUInt32LE(at)
    }
    at += offsetBytes
    let from = to - distance
    if (distance === 0 || from < outputStart || to + length > end) throw damaged('snappy', 'a copy lies outside the block')
    if (length >= 2 * COPY_BYTES_MIN && distance >= length) {
      output.copyWithin(to, from, from + length)
      to += length
    } else {
      // Byte by byte: a copy that overlaps its own output repeats it.
      for (const stop = to + length; to < stop; ) output[to++] = output[from++]!
    }
  }
  if (to !== end) throw damaged('snappy', `it holds ${to - outputStart} bytes and claims ${block.claimed}`)
  return end
}
