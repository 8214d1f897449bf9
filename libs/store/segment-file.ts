/**
 * A segment as a file that only grows: rows whose keys begin with ascending, gapless sequences, written in batches that are there as a whole
 * or not at all. It is a Store of which only what a journal does with one is served: rows are put behind the last, rows from some
 * sequence on are cleared. Nothing is written twice, and a row is found by its position, which is 4 bytes in memory.
 */
import { close as closeFile, constants, fdatasync, fstat, ftruncate, open as openFile, write, writev } from 'node:fs'
import { link, open, unlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import { AssayError, isAssayError } from '@assay/errors'
import { assert } from '@assay/std'
import { storeFailure } from './failure.ts'
import {
  crcOf,
  decodeFileHeader,
  encodeFileHeader,
  FILE_HEADER_BYTES,
  FORMAT,
  FRAME_HEADER_BYTES,
  type FrameKind,
  KEY_BYTES,
  ROW_HEADER_BYTES,
  readRow,
  rowBytes,
  SEQUENCE_BYTES,
  sequenceOf,
  writeFrameHeader,
  writeRowHeader
} from './segment-frames.ts'
import { loadPositions, positionsOf, savePositions } from './segment-positions.ts'
import { readFully, scanFrames } from './segment-scan.ts'
import type { Allocate, Entry, Range, Store, StoreOp } from './store.ts'

const files = {
  open: promisify(openFile),
  close: promisify(closeFile),
  stat: promisify(fstat),
  truncate: promisify(ftruncate),
  sync: promisify(fdatasync),
  write: promisify(write),
  writev: promisify(writev)
}

/** Positions have 32 bits. */
const FILE_BYTES_MAX = 2 ** 32 - 1
/** What is read at one time. */
const READ_BYTES = 1 << 20
/** Batches up to here are copied together; larger ones are written from where they lie. */
const COPIED_BYTES_MAX = 128 << 10
/** Rows smaller than this are copied together in any case: each piece that is written from its place has a price, too. */
const PIECE_BYTES_MIN = 1024
/** A write through a descriptor with this flag is one call where a write and a sync are two, each with its way to another thread and back. */
const WRITES_THROUGH = process.platform === 'linux' ? constants.O_DSYNC : undefined
/** The positions are written down each time the file has grown by this. */
const POSITIONS_EVERY_BYTES = 64 << 20

export interface TornTail {
  readonly file: string
  /** From this byte on the file is cut off. */
  readonly from: number
  readonly bytes: number
}

export interface SegmentFileOptions {
  /** The sequence of its first row. */
  readonly first: number
  /** It will be written: what was being written when power went is cut off. In others that is damage. */
  readonly isNewest: boolean
  readonly onTornTail?: ((tail: TornTail) => void) | undefined
}

/** Makes an empty one. It is there as a whole when it is there at all. Fails with EEXIST when it was there before. */
export async function createSegmentFile(path: string, header: { readonly first: number; readonly salt: number }): Promise<void> {
  const temporary = `${path}.creating`
  const file = await open(temporary, 'w')
  try {
    await file.writeFile(encodeFileHeader(header))
    await file.sync()
  } finally {
    await file.close()
  }
  // Unlike a rename it never takes the place of another.
  await link(temporary, path)
  await unlink(temporary)
}

/** Fails with STORE_CORRUPT, UNSUPPORTED_VERSION, and as the file system does. */
export async function openSegmentFile(path: string, { first, isNewest, onTornTail }: SegmentFileOptions): Promise<Store> {
  const fd = await files.open(path, isNewest ? constants.O_RDWR : constants.O_RDONLY)
  let throughFd: number | undefined
  try {
    if (isNewest && WRITES_THROUGH !== undefined) throughFd = await files.open(path, constants.O_WRONLY | WRITES_THROUGH)
    const { size } = await files.stat(fd)
    const header = Buffer.alloc(Math.min(FILE_HEADER_BYTES, size))
    await readFully(fd, header, 0)
    const said = decodeFileHeader(header)
    if ('fault' in said) throw damaged(path, said.fault)
    if ('format' in said) {
      const reason = `it has format ${said.format} and this is for format ${FORMAT}`
      throw new AssayError('UNSUPPORTED_VERSION', { what: `The segment ${path}`, reason })
    }
    if (said.first !== first) throw damaged(path, `it says that its first row is ${said.first}`)
    const { salt } = said
    const saved = await loadPositions(positionsPath(path), salt)
    if (saved !== undefined && saved.length > size)
      throw damaged(path, `it has ${size} bytes of ${saved.length} that were written`)
    const positions = positionsOf(saved?.positions)
    const { end, tail } = await scanFrames({
      ...{ fd, size, salt },
      from: saved?.length ?? FILE_HEADER_BYTES,
      next: first + positions.count,
      onRow: position => positions.push(position),
      onEnd: sequence => positions.truncate(Math.max(sequence - first, 0))
    })
    if (tail === 'torn' && !isNewest) throw damaged(path, `it ends within a frame at byte ${end}`)
    if (tail !== undefined && tail !== 'torn') throw damaged(path, tail.fault)
    if (tail === 'torn') {
      await files.truncate(fd, end)
      await files.sync(fd)
      onTornTail?.({ file: path, from: end, bytes: size - end })
    }
    const savedLength = saved?.length ?? 0
    return segmentFile({ path, fd, throughFd, first, salt, positions, length: end, savedLength, isDurable: !isNewest })
  } catch (error) {
    await closeAll([fd, throughFd]).catch(() => {})
    throw error
  }
}

async function closeAll(fds: readonly (number | undefined)[]): Promise<void> {
  for (const fd of fds) if (fd !== undefined) await files.close(fd)
}

interface OpenFile {
  readonly path: string
  readonly fd: number
  /** What is written through it is on disk when the call is over. It says nothing of what was written before. */
  readonly throughFd: number | undefined
  readonly first: number
  readonly salt: number
  readonly positions: ReturnType<typeof positionsOf>
  /** Of the file, as far as it is whole. */
  readonly length: number
  /** As far as the written positions reach. */
  readonly savedLength: number
  /** What a process wrote that was killed may not be on disk yet. */
  readonly isDurable: boolean
}

function segmentFile({ path, fd, throughFd, first, salt, positions, ...begin }: OpenFile): Store {
  let { length, savedLength, isDurable } = begin
  let saving: Promise<void> = Promise.resolve()
  /** Writes take effect one after the other. */
  let lane: Promise<unknown> = Promise.resolve()
  let failure: AssayError | undefined
  let closing: Promise<void> | undefined
  const reads = new Set<Promise<unknown>>()
  let scratch = Buffer.alloc(0)

  function scratchOf(bytes: number): Buffer {
    if (scratch.length < bytes || scratch.length > COPIED_BYTES_MAX) {
      scratch = Buffer.allocUnsafeSlow(Math.max(bytes, COPIED_BYTES_MAX))
    }
    return scratch.subarray(0, bytes)
  }

  function assertOpen(action: string): void {
    if (closing !== undefined) throw new AssayError('STORE_FAILED', { action: `${action}: it is closed` })
  }

  function writing(work: () => Promise<void>): Promise<void> {
    assertOpen('write')
    const done = lane.then(async () => {
      if (failure !== undefined) throw failure
      try {
        await work()
      } catch (error) {
        failure ??= failureOf(path, 'write', error)
        throw failure
      }
    })
    lane = done.catch(() => {})
    return done
  }

  async function reading<T>(work: () => Promise<T>): Promise<T> {
    assertOpen('read')
    const answer = work()
    reads.add(answer)
    try {
      return await answer
    } catch (error) {
      throw isAssayError(error) ? error : failureOf(path, 'read', error)
    } finally {
      reads.delete(answer)
    }
  }

  /** Rows that are there already are the same ones: to write them again with a sync makes all before durable. */
  async function append(ops: readonly StoreOp[], sync: boolean): Promise<void> {
    const rows = ops.filter(op => op.type === 'put')
    assert(rows.length === ops.length, 'rows of a segment are not deleted one by one')
    const next = first + positions.count
    const fresh = rows.filter(({ key }) => sequenceOf(key) >= next)
    assert(
      fresh.every(({ key }, at) => key.length === KEY_BYTES && sequenceOf(key) === next + at),
      'rows follow each other without a gap'
    )
    if (fresh.length > 0) await writeFrame({ kind: 'rows', sequence: next, rows: fresh, sync })
    else if (sync && !isDurable) await makeDurable()
  }

  async function writeFrame(frame: {
    kind: FrameKind
    sequence: number
    rows: readonly Extract<StoreOp, { type: 'put' }>[]
    sync: boolean
  }): Promise<void> {
    const { kind, sequence, rows, sync } = frame
    const bodyBytes = rows.reduce((sum, row) => sum + rowBytes(row), 0)
    const frameBytes = FRAME_HEADER_BYTES + bodyBytes
    if (length + frameBytes > FILE_BYTES_MAX) throw new Error(`a segment of more than ${FILE_BYTES_MAX} bytes`)
    const isCopied = frameBytes <= COPIED_BYTES_MAX || bodyBytes < rows.length * (ROW_HEADER_BYTES + PIECE_BYTES_MIN)
    const head = scratchOf(isCopied ? frameBytes : FRAME_HEADER_BYTES + rows.length * ROW_HEADER_BYTES)
    const pieces: Uint8Array[] = []
    let at = FRAME_HEADER_BYTES
    for (const row of rows) {
      writeRowHeader(head, at, row)
      if (isCopied) head.set(row.value, at + ROW_HEADER_BYTES)
      else pieces.push(head.subarray(at, at + ROW_HEADER_BYTES), row.value)
      at += isCopied ? rowBytes(row) : ROW_HEADER_BYTES
    }
    const body = isCopied ? [head.subarray(FRAME_HEADER_BYTES)] : pieces
    writeFrameHeader(head, { kind, isSynced: sync, bodyBytes, sequence, bodyCrc: crcOf(body, salt) }, salt)
    const whole = isCopied ? [head] : [head.subarray(0, FRAME_HEADER_BYTES), ...pieces]
    const writesThrough = sync && isDurable && throughFd !== undefined
    isDurable = false
    await writeAll(writesThrough ? throughFd! : fd, whole, length)
    if (writesThrough) isDurable = true
    else if (sync) await makeDurable()
    let position = length + FRAME_HEADER_BYTES
    for (const row of rows) {
      positions.push(position)
      position += rowBytes(row)
    }
    length += frameBytes
    if (isDurable && length - savedLength >= POSITIONS_EVERY_BYTES) save()
  }

  async function makeDurable(): Promise<void> {
    await files.sync(fd)
    isDurable = true
  }

  /** Not waited for by writes. What fails here costs the next opening some time, and nothing else. */
  function save(): void {
    savedLength = length
    const wanted = { length, positions: Buffer.from(positions.bytes(positions.count)) }
    saving = saving.then(() => savePositions(positionsPath(path), salt, wanted)).catch(() => {})
  }

  async function clear(range: Range): Promise<void> {
    const { gte, ...others } = range
    assert(gte?.length === SEQUENCE_BYTES && Object.keys(others).length === 0, 'rows of a segment are cleared from a sequence on')
    const from = sequenceOf(gte)
    if (from >= first + positions.count) return
    await writeFrame({ kind: 'end', sequence: Math.max(from, first), rows: [], sync: true })
    positions.truncate(Math.max(from - first, 0))
    // What was written down knows of the rows that are gone.
    save()
  }

  /** Where the row may at most end. */
  const endOf = (index: number, bounds: { count: number; length: number }): number =>
    index + 1 < bounds.count ? positions.at(index + 1) : bounds.length

  /** Rows side by side, `from` up to and without `to`, by their indexes. */
  async function readRows(from: number, to: number, allocate: Allocate = Buffer.allocUnsafe): Promise<Entry[]> {
    const bounds = { count: positions.count, length }
    const entries: Entry[] = []
    for (let begin = from; begin < to; ) {
      const at = positions.at(begin)
      let end = begin + 1
      while (end < to && endOf(end, bounds) - at <= READ_BYTES) end++
      const bytes = allocate(endOf(end - 1, bounds) - at)
      await readFully(fd, bytes, at)
      for (; begin < end; begin++) {
        const row = readRow(bytes, positions.at(begin) - at, endOf(begin, bounds) - at, first + begin)
        if (row === undefined) throw damaged(path, `row ${first + begin} at byte ${positions.at(begin)} is longer than its place`)
        entries.push(row)
      }
    }
    return entries
  }

  async function getMany(keys: readonly Uint8Array[], allocate?: Allocate): Promise<(Buffer | undefined)[]> {
    const indexes = keys.map(key => (key.length === KEY_BYTES ? sequenceOf(key) - first : -1))
    const values = new Array<Buffer | undefined>(keys.length).fill(undefined)
    const isThere = (index: number): boolean => index >= 0 && index < positions.count
    const runs: Promise<void>[] = []
    for (let at = 0; at < keys.length; ) {
      let end = at + 1
      if (!isThere(indexes[at]!)) {
        at = end
        continue
      }
      while (end < keys.length && indexes[end] === indexes[end - 1]! + 1 && isThere(indexes[end]!)) end++
      const run = { at, from: indexes[at]!, to: indexes[end - 1]! + 1 }
      const taken = async (): Promise<void> => {
        const rows = await readRows(run.from, run.to, allocate)
        for (const [index, { key, value }] of rows.entries()) {
          if (key.equals(keys[run.at + index]!)) values[run.at + index] = value
        }
      }
      runs.push(taken())
      at = end
    }
    await Promise.all(runs)
    return values
  }

  /** How many of the rows that are wanted come to so many bytes. The one at a bound may not be among those that are given. */
  function rowsWithin(page: { from: number; step: 1 | -1; wanted: number; bytesMax: number; atBound: boolean }): number {
    const { from, step, wanted, bytesMax, atBound } = page
    if (bytesMax === Number.POSITIVE_INFINITY) return wanted
    const bounds = { count: positions.count, length }
    let bytes = 0
    for (let rows = 0; rows < wanted; rows++) {
      if (bytes >= bytesMax) return rows
      const index = from + rows * step
      if (rows > 0 || !atBound) bytes += endOf(index, bounds) - positions.at(index)
    }
    return wanted
  }

  async function range(
    { gt, gte, lt, lte, reverse = false, limit = Number.POSITIVE_INFINITY, bytesMax = Number.POSITIVE_INFINITY }: Range,
    allocate?: Allocate
  ): Promise<Entry[]> {
    const lowest = Math.max(gte ? sequenceOf(gte) - first : 0, gt ? sequenceOf(gt) - first : 0, 0)
    const above = [lt, lte].map(bound => (bound ? sequenceOf(bound) - first + 1 : Number.POSITIVE_INFINITY))
    const end = Math.min(positions.count, ...above)
    // Whether the row at a bound lies outside it is told by its whole key, which has to be read for that.
    const atBound = reverse ? [lt, lte].some(bound => bound) : [gt, gte].some(bound => bound && bound.length > SEQUENCE_BYTES)
    const wanted = Math.min(limit + (atBound ? 1 : 0), Math.max(end - lowest, 0))
    const within = rowsWithin({ from: reverse ? end - 1 : lowest, step: reverse ? -1 : 1, wanted, bytesMax, atBound })
    const begin = reverse ? end - within : lowest
    const rows = await readRows(begin, begin + within, allocate)
    const fitting = rows.filter(
      ({ key }) =>
        !(gt && Buffer.compare(key, gt) <= 0) &&
        !(gte && Buffer.compare(key, gte) < 0) &&
        !(lt && Buffer.compare(key, lt) >= 0) &&
        !(lte && Buffer.compare(key, lte) > 0)
    )
    return (reverse ? fitting.reverse() : fitting).slice(0, limit)
  }

  async function close(): Promise<void> {
    await Promise.allSettled([lane, ...reads])
    if (failure === undefined && savedLength !== length) {
      try {
        if (!isDurable) await makeDurable()
        save()
      } catch {
        // Closing loses nothing that was promised: whoever wrote without a sync was told nothing.
      }
    }
    await saving
    try {
      await closeAll([fd, throughFd])
    } catch (error) {
      throw failureOf(path, 'close', error)
    }
  }

  return {
    get: key => reading(async () => (await getMany([key]))[0]),
    getMany: (keys, allocate) => reading(() => getMany(keys, allocate)),
    range: (wanted, allocate) => reading(() => range(wanted, allocate)),
    batch: async (ops, { sync }) => writing(() => append(ops, sync)),
    clear: async wanted => writing(() => clear(wanted)),
    close() {
      closing ??= close()
      return closing
    }
  }
}

export const positionsPath = (path: string): string => `${path}.positions`

async function writeAll(fd: number, buffers: readonly Uint8Array[], position: number): Promise<void> {
  let at = position
  let left = buffers
  while (left.length > 0) {
    const { bytesWritten } =
      left.length === 1 ? await files.write(fd, left[0]!, 0, left[0]!.length, at) : await files.writev(fd, left, at)
    at += bytesWritten
    left = behind(left, bytesWritten)
  }
}

/** What is left of the buffers behind so many bytes. */
function behind(buffers: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skipped = bytes
  for (const [at, buffer] of buffers.entries()) {
    if (skipped < buffer.length) return [buffer.subarray(skipped), ...buffers.slice(at + 1)]
    skipped -= buffer.length
  }
  return []
}

const damaged = (path: string, reason: string): AssayError =>
  new AssayError('STORE_CORRUPT', { what: `The segment ${path}`, reason })

const failureOf = (path: string, action: string, error: unknown): AssayError => storeFailure(`${action} ${path}`, error)
