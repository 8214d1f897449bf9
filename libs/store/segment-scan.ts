/**
 * Reads the frames of a segment file one after the other and tells where they end. Behind the last whole frame there may be one that was
 * being written when power went; that one nobody was told of. It must not be mistaken for damage, nor damage for it.
 *
 * What a torn frame looks like: the file ends within it, or a part of it was never written and is zeros, in whole sectors. A frame of full length
 * that is wrong in any other way was changed after it had been written: that is damage, and so is anything wrong when a frame follows that was
 * written after it was durable. Two frames may be under way at one time: the second of them is cut off with the first.
 * Not told apart is damage to the very last frame of a file that was not closed, when that frame holds a whole sector of zeros.
 */
import { read } from 'node:fs'
import { promisify } from 'node:util'
import { crcOf, FRAME_HEADER_BYTES, FRAME_MAGIC, type FrameHeader, readFrameHeader, rowBytesAt } from './segment-frames.ts'

const readInto = promisify(read)
const WINDOW_BYTES = 1 << 20
const SECTOR_BYTES = 512

export interface ScanOptions {
  readonly fd: number
  /** Bytes of the file. */
  readonly size: number
  readonly salt: number
  /** Where the first frame begins that is not known yet, and which sequence comes next. */
  readonly from: number
  readonly next: number
  /** The position of each row; they come in the order of their sequences. */
  readonly onRow: (position: number) => void
  /** From this sequence on the rows do not count. */
  readonly onEnd: (sequence: number) => void
}

export interface Scanned {
  /** Behind the last whole frame. */
  readonly end: number
  /** What is wrong behind it; undefined when the file ends there. */
  readonly tail: undefined | 'torn' | { readonly fault: string }
}

export async function scanFrames({ fd, size, salt, from, next: begin, onRow, onEnd }: ScanOptions): Promise<Scanned> {
  let window = Buffer.alloc(0)
  let windowAt = 0
  let next = begin

  /** These bytes, or as many of them as the file has. They are good until the next call. */
  async function bytesAt(at: number, length: number): Promise<Buffer> {
    const wanted = Math.min(length, size - at)
    if (at < windowAt || at + wanted > windowAt + window.length) {
      window = Buffer.allocUnsafeSlow(Math.min(Math.max(wanted, WINDOW_BYTES), size - at))
      windowAt = at
      await readFully(fd, window, at)
    }
    return window.subarray(at - windowAt, at - windowAt + wanted)
  }

  /** Whether a sector, or what of it lies between these positions, is zeros. */
  async function hasBlankSector(begin: number, end: number): Promise<boolean> {
    for (let at = begin; at < end; ) {
      const sectorEnd = Math.min((Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES, size)
      if ((await bytesAt(at, sectorEnd - at)).every(byte => byte === 0)) return true
      at = sectorEnd
    }
    return false
  }

  /** Whether a frame behind `begin` says that what begins at `broken` was durable before. */
  async function wasDurable(broken: number, begin: number): Promise<boolean> {
    for (let at = begin; at < size; ) {
      const bytes = await bytesAt(at, WINDOW_BYTES)
      for (let found = bytes.indexOf(FRAME_MAGIC); found >= 0; found = bytes.indexOf(FRAME_MAGIC, found + 1)) {
        const header = readFrameHeader(await bytesAt(at + found, FRAME_HEADER_BYTES), 0, salt)
        if (header?.isSynced && (header.besideBytes === 0 || at + found - header.besideBytes > broken)) return true
      }
      // The magic may lie across the border.
      at += Math.max(bytes.length - FRAME_MAGIC.length + 1, 1)
    }
    return false
  }

  async function wrong(at: number, header: FrameHeader | undefined, fault: string): Promise<Scanned> {
    const end = at + FRAME_HEADER_BYTES + (header?.bodyBytes ?? 0)
    if (end > size) return { end: at, tail: 'torn' }
    if (!(await hasBlankSector(at, end)) || (await wasDurable(at, header === undefined ? at + 1 : end))) {
      return { end: at, tail: { fault: `${fault} at byte ${at}` } }
    }
    return { end: at, tail: 'torn' }
  }

  let at = from
  while (at < size) {
    const header = readFrameHeader(await bytesAt(at, FRAME_HEADER_BYTES), 0, salt)
    if (header === undefined) return wrong(at, undefined, 'no frame begins')
    const bodyAt = at + FRAME_HEADER_BYTES
    const end = bodyAt + header.bodyBytes
    if (end > size) return wrong(at, header, 'a frame is cut off')
    const body = await bytesAt(bodyAt, header.bodyBytes)
    if (crcOf([body], salt) !== header.bodyCrc) return wrong(at, header, 'the checksum of a frame does not match')
    if (header.kind === 'end' ? header.sequence > next : header.sequence !== next) {
      return { end: at, tail: { fault: `row ${header.sequence} stands at byte ${at} where row ${next} was expected` } }
    }
    if (header.kind === 'end') {
      next = header.sequence
      onEnd(next)
    }
    for (let row = 0; row < body.length; next++) {
      const length = rowBytesAt(body, row, body.length)
      if (length === undefined) return { end: at, tail: { fault: `row ${next} at byte ${bodyAt + row} goes beyond its frame` } }
      onRow(bodyAt + row)
      row += length
    }
    at = end
  }
  return { end: at, tail: undefined }
}

/** Fills the buffer from this position. Throws where the file ends before. */
export async function readFully(fd: number, buffer: Buffer, position: number): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    const { bytesRead } = await readInto(fd, buffer, done, buffer.length - done, position + done)
    if (bytesRead === 0) throw new Error(`the file ends at byte ${position + done}`)
    done += bytesRead
  }
}
