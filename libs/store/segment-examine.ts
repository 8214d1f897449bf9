/**
 * Reads a segment file to the end whatever is wrong with it: every frame and row that can be told, and every fault with its place. Nothing is
 * written. Behind damage it goes on with the next frame that is one by its checksum.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { AssayError } from '@assay/errors'
import { messageOf } from './failure.ts'
import { positionsPath } from './segment-file.ts'
import {
  crcOf,
  decodeFileHeader,
  FILE_HEADER_BYTES,
  FORMAT,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  ROW_HEADER_BYTES,
  readFrameHeader,
  readRow,
  rowBytesAt
} from './segment-frames.ts'
import { loadPositions, positionsOf } from './segment-positions.ts'
import { readFully, scanFrames } from './segment-scan.ts'

export type SegmentPiece =
  | {
      readonly kind: 'row'
      readonly sequence: number
      readonly key: Buffer
      readonly value: Buffer
      /** Where the value begins in the file. */
      readonly at: number
      /** Its frame is damaged: each byte of it may be the wrong one. */
      readonly isSuspect: boolean
    }
  /** Rows from this sequence on, as far as they came before this, do not count. */
  | { readonly kind: 'end'; readonly sequence: number }
  /** A damaged frame, or bytes that are none. */
  | { readonly kind: 'fault'; readonly file: string; readonly at: number; readonly reason: string }
  /** What was being written when the server was stopped by force; it is cut off by the next start. The file is sound up to there. */
  | { readonly kind: 'torn'; readonly at: number }

export interface ExamineSegmentOptions {
  readonly first: number
  readonly isNewest: boolean
  /** Called with the bytes that were read. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

const WINDOW_BYTES = 1 << 20
/** A frame without a header is looked through as far as this. */
const SUSPECT_BYTES_MAX = 64 << 20
const SALT_AT = 20
const POSITIONS_SALT_AT = 8

/** Fails with UNSUPPORTED_VERSION at a later format, STORE_FAILED when the file cannot be read. */
export async function* examineSegmentFile(path: string, options: ExamineSegmentOptions): AsyncGenerator<SegmentPiece> {
  const file = await attempt(path, () => open(path, 'r'))
  try {
    yield* piecesOf(file, path, options)
  } catch (error) {
    throw error instanceof AssayError ? error : failed(path, error)
  } finally {
    await file.close()
  }
}

async function* piecesOf(
  file: FileHandle,
  path: string,
  { first, isNewest, onBytes }: ExamineSegmentOptions
): AsyncGenerator<SegmentPiece> {
  const { size } = await file.stat()
  const fault = (at: number, reason: string, where = path): SegmentPiece => ({ kind: 'fault', file: where, at, reason })
  const header = await readAt(file, 0, Math.min(FILE_HEADER_BYTES, size))
  const said = decodeFileHeader(header)
  if ('format' in said) {
    const reason = `it has format ${said.format} and this is for format ${FORMAT}`
    throw new AssayError('UNSUPPORTED_VERSION', { what: `The segment ${path}`, reason })
  }
  if ('fault' in said) yield fault(0, said.fault)
  else if (said.first !== first) yield fault(12, `it says that its first row is ${said.first}`)
  const salt = 'salt' in said ? said.salt : await likelySalt(file, path, header)
  if (salt === undefined) return
  const positions = positionsOf()
  let next = first
  let at = FILE_HEADER_BYTES
  let isWhole = true
  const ends: { readonly at: number; readonly sequence: number }[] = []
  while (at < size) {
    const head = size - at < FRAME_HEADER_BYTES ? undefined : readFrameHeader(await readAt(file, at, FRAME_HEADER_BYTES), 0, salt)
    const bodyAt = at + FRAME_HEADER_BYTES
    const end = bodyAt + (head?.bodyBytes ?? 0)
    const body = head !== undefined && end <= size ? await readAt(file, bodyAt, head.bodyBytes) : undefined
    const isRight = body !== undefined && crcOf([body], salt) === head!.bodyCrc
    if (!isRight) {
      const { tail } = await scanFrames({ fd: file.fd, size, salt, from: at, next, onRow() {}, onEnd() {} })
      if (tail === 'torn' && isNewest) {
        yield { kind: 'torn', at }
        break
      }
      isWhole = false
      yield fault(at, faultOf(head, body))
    }
    if (head === undefined || body === undefined) {
      const found = await nextFrame(file, { from: at + 1, size, salt, next })
      if (found === undefined) break
      // What was between is told for what it is worth: somebody else has to say whether it is right.
      const between = await readAt(file, bodyAt, Math.min(Math.max(found - bodyAt, 0), SUSPECT_BYTES_MAX))
      for (let row = 0; row < between.length; next++) {
        const length = rowBytesAt(between, row, between.length)
        if (length === undefined) break
        const { key, value } = readRow(between, row, row + length, next)!
        yield { kind: 'row', sequence: next, key, value, at: bodyAt + row + ROW_HEADER_BYTES, isSuspect: true }
        row += length
      }
      onBytes?.(found - at)
      at = found
      continue
    }
    if (head.kind === 'end') {
      next = head.sequence
      positions.truncate(Math.max(next - first, 0))
      ends.push({ at, sequence: next })
      yield { kind: 'end', sequence: next }
    } else {
      if (head.sequence !== next) isWhole = false
      next = head.sequence
    }
    for (let row = 0; row < body.length; ) {
      const length = rowBytesAt(body, row, body.length)
      if (length === undefined) {
        if (isRight) yield fault(bodyAt + row, `row ${next} goes beyond its frame`)
        break
      }
      const { key, value } = readRow(body, row, row + length, next)!
      positions.push(bodyAt + row)
      yield { kind: 'row', sequence: next, key, value, at: bodyAt + row + ROW_HEADER_BYTES, isSuspect: !isRight }
      next++
      row += length
    }
    onBytes?.(end - at)
    at = end
  }
  // Where rows are missing, nobody can say where they were.
  if (isWhole) yield* positionsFaults(path, { first, salt, size, positions, ends })
}

function faultOf(head: object | undefined, body: Buffer | undefined): string {
  if (head === undefined) return 'no frame begins'
  return body === undefined ? 'a frame is cut off' : 'the checksum of a frame does not match'
}

/** The salt of a file whose header is damaged: that of the header all the same, or the one that the positions know. */
async function likelySalt(file: FileHandle, path: string, header: Buffer): Promise<number | undefined> {
  const candidates: number[] = []
  if (header.length >= SALT_AT + 4) candidates.push(header.readUInt32BE(SALT_AT))
  const positions = await open(positionsPath(path), 'r').catch(() => undefined)
  if (positions !== undefined) {
    const bytes = Buffer.alloc(4)
    const { bytesRead } = await positions.read(bytes, 0, 4, POSITIONS_SALT_AT).finally(() => positions.close())
    if (bytesRead === 4) candidates.push(bytes.readUInt32LE(0))
  }
  const { size } = await file.stat()
  if (size < FILE_HEADER_BYTES + FRAME_HEADER_BYTES) return undefined
  const frame = await readAt(file, FILE_HEADER_BYTES, FRAME_HEADER_BYTES)
  return candidates.find(salt => readFrameHeader(frame, 0, salt) !== undefined)
}

interface Search {
  readonly from: number
  readonly size: number
  readonly salt: number
  /** Frames go on with this sequence, or a later one. */
  readonly next: number
}

async function nextFrame(file: FileHandle, { from, size, salt, next }: Search): Promise<number | undefined> {
  for (let at = from; at < size; ) {
    const bytes = await readAt(file, at, Math.min(WINDOW_BYTES, size - at))
    for (let found = bytes.indexOf(FRAME_MAGIC); found >= 0; found = bytes.indexOf(FRAME_MAGIC, found + 1)) {
      if (size - at - found < FRAME_HEADER_BYTES) return undefined
      const head = readFrameHeader(await readAt(file, at + found, FRAME_HEADER_BYTES), 0, salt)
      if (head !== undefined && (head.kind === 'end' || head.sequence >= next)) return at + found
    }
    // The magic may lie across the border.
    at += Math.max(bytes.length - FRAME_MAGIC.length + 1, 1)
  }
  return undefined
}

interface Scanned {
  readonly first: number
  readonly salt: number
  readonly size: number
  readonly positions: ReturnType<typeof positionsOf>
  /** Frames that took rows back. */
  readonly ends: readonly { readonly at: number; readonly sequence: number }[]
}

async function* positionsFaults(path: string, { first, salt, size, positions, ends }: Scanned): AsyncGenerator<SegmentPiece> {
  const file = positionsPath(path)
  const fault = (reason: string): SegmentPiece => ({ kind: 'fault', file, at: 0, reason })
  const isThere = await open(file, 'r').then(
    handle => handle.close().then(() => true),
    () => false
  )
  if (!isThere) return
  const saved = await loadPositions(file, salt)
  if (saved === undefined) yield fault('the positions are damaged, or those of another file')
  else if (saved.length > size) yield fault(`the segment has ${size} bytes of ${saved.length} that were written`)
  else {
    // What was taken back after they were written down they know as it was before.
    const behind = ends.filter(({ at }) => at >= saved.length).map(({ sequence }) => sequence - first)
    const count = Math.min(saved.positions.length, ...behind)
    const wrong = saved.positions.findIndex(
      (position, row) => row < count && (row >= positions.count || positions.at(row) !== position)
    )
    if (wrong >= 0) yield fault(`the positions are wrong from the segment's row ${wrong} on`)
  }
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  await readFully(file.fd, bytes, at)
  return bytes
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw failed(path, error)
  }
}

const failed = (path: string, error: unknown): AssayError =>
  new AssayError('STORE_FAILED', { action: `read ${path}: ${messageOf(error)}` }, { cause: error })
