/**
 * The format of a segment file: a header, then frames, one for each batch of rows. A frame is there as a whole or not at all: its header and
 * its body each have a CRC-32C, begun with the file's salt, so that nothing a row holds can pass for a frame.
 * Layout: docs/formats/journal.md.
 */
import { crc32c } from '@node-rs/crc32'

export const FILE_HEADER_BYTES = 28
export const FRAME_HEADER_BYTES = 28
export const ROW_HEADER_BYTES = 24
/** A key is the sequence and what follows it. */
export const KEY_BYTES = 28
export const SEQUENCE_BYTES = 8
const KEY_TAIL_BYTES = KEY_BYTES - SEQUENCE_BYTES

const FILE_MAGIC = Buffer.from('ASSAYSEG', 'latin1')
export const FORMAT = 1
export const FRAME_MAGIC = Buffer.from('ASFR', 'latin1')

/** `rows`: rows from the frame's sequence on. `end`: what was written at that sequence and behind it does not count any more. */
export type FrameKind = 'rows' | 'end'
const kinds: readonly (FrameKind | undefined)[] = [undefined, 'rows', 'end']
const SYNCED = 1
/** No frame is so small that two begin within it. */
const BESIDE_UNIT_BYTES = 64

export interface FileHeader {
  readonly first: number
  readonly salt: number
}

export function encodeFileHeader({ first, salt }: FileHeader): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES)
  FILE_MAGIC.copy(header)
  header.writeUInt32BE(FORMAT, 8)
  header.writeBigInt64BE(BigInt(first), 12)
  header.writeUInt32BE(salt, 20)
  header.writeUInt32BE(crc32c(header.subarray(0, 24)), 24)
  return header
}

/** What a file says of itself, or what is wrong with that. */
export function decodeFileHeader(bytes: Buffer): FileHeader | { readonly fault: string } | { readonly format: number } {
  if (bytes.length < FILE_HEADER_BYTES || !bytes.subarray(0, 8).equals(FILE_MAGIC))
    return { fault: 'it does not begin as a segment does' }
  if (crc32c(bytes.subarray(0, 24)) !== bytes.readUInt32BE(24)) return { fault: 'the checksum of its header does not match' }
  const format = bytes.readUInt32BE(8)
  if (format !== FORMAT) return { format }
  return { first: Number(bytes.readBigInt64BE(12)), salt: bytes.readUInt32BE(20) }
}

export interface FrameHeader {
  readonly kind: FrameKind
  /** It was made durable before anybody was told of it, and with it all before it. */
  readonly isSynced: boolean
  /**
   * How far before it the frame begins that was not known to be durable when this one was written, because both were under way: bytes, of
   * which up to 63 too many are read. 0: all before it was durable, if it is synced.
   */
  readonly besideBytes: number
  readonly bodyBytes: number
  readonly sequence: number
  readonly bodyCrc: number
}

export function writeFrameHeader(
  target: Buffer,
  { kind, isSynced, besideBytes, bodyBytes, sequence, bodyCrc }: FrameHeader,
  salt: number
): void {
  FRAME_MAGIC.copy(target)
  target[4] = kinds.indexOf(kind)
  target[5] = isSynced ? SYNCED : 0
  target.writeUInt16BE(Math.ceil(besideBytes / BESIDE_UNIT_BYTES), 6)
  target.writeUInt32BE(bodyBytes, 8)
  target.writeUInt32BE(Math.floor(sequence / 2 ** 32), 12)
  target.writeUInt32BE(sequence % 2 ** 32, 16)
  target.writeUInt32BE(bodyCrc, 20)
  target.writeUInt32BE(crc32c(target.subarray(0, 24), salt), 24)
}

/** Undefined when there is none here. */
export function readFrameHeader(bytes: Buffer, at: number, salt: number): FrameHeader | undefined {
  if (bytes.length - at < FRAME_HEADER_BYTES || bytes.readUInt32BE(at) !== FRAME_MAGIC.readUInt32BE(0)) return undefined
  if (crc32c(bytes.subarray(at, at + 24), salt) !== bytes.readUInt32BE(at + 24)) return undefined
  const kind = kinds[bytes[at + 4]!]
  if (kind === undefined) return undefined
  return {
    kind,
    isSynced: (bytes[at + 5]! & SYNCED) !== 0,
    besideBytes: bytes.readUInt16BE(at + 6) * BESIDE_UNIT_BYTES,
    bodyBytes: bytes.readUInt32BE(at + 8),
    sequence: bytes.readUInt32BE(at + 12) * 2 ** 32 + bytes.readUInt32BE(at + 16),
    bodyCrc: bytes.readUInt32BE(at + 20)
  }
}

export interface Row {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export const rowBytes = ({ value }: Row): number => ROW_HEADER_BYTES + value.length

export function writeRowHeader(target: Buffer, at: number, { key, value }: Row): void {
  target.writeUInt32BE(value.length, at)
  target.set(key.subarray(SEQUENCE_BYTES), at + 4)
}

/** A row that begins at `at` and may reach up to `end`; undefined when it does not fit there. */
export function readRow(bytes: Buffer, at: number, end: number, sequence: number): { key: Buffer; value: Buffer } | undefined {
  if (end - at < ROW_HEADER_BYTES) return undefined
  const valueAt = at + ROW_HEADER_BYTES
  const valueEnd = valueAt + bytes.readUInt32BE(at)
  if (valueEnd > end) return undefined
  const key = Buffer.allocUnsafe(KEY_BYTES)
  writeSequence(key, sequence)
  bytes.copy(key, SEQUENCE_BYTES, at + 4, at + 4 + KEY_TAIL_BYTES)
  return { key, value: bytes.subarray(valueAt, valueEnd) }
}

/** How long a row is that begins at `at`; undefined when it goes beyond `end`. */
export function rowBytesAt(bytes: Buffer, at: number, end: number): number | undefined {
  if (end - at < ROW_HEADER_BYTES) return undefined
  const length = ROW_HEADER_BYTES + bytes.readUInt32BE(at)
  return at + length > end ? undefined : length
}

export function writeSequence(key: Buffer, sequence: number): void {
  key.writeUInt32BE(Math.floor(sequence / 2 ** 32), 0)
  key.writeUInt32BE(sequence % 2 ** 32, 4)
}

/** The sequence that a key begins with. */
export function sequenceOf(key: Uint8Array): number {
  let sequence = 0
  for (let at = 0; at < SEQUENCE_BYTES; at++) sequence = sequence * 256 + key[at]!
  return sequence
}

/** The CRC of a body that lies in several pieces. */
export function crcOf(pieces: readonly Uint8Array[], salt: number): number {
  let crc = salt
  for (const piece of pieces) crc = crc32c(piece, crc)
  return crc
}
