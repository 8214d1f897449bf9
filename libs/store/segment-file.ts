/**
 * A segment as a file that only grows: rows whose keys begin with ascending, gapless sequences, written in batches that are there as a whole
 * or not at all. It is a Store of which only what a journal does with one is served: rows are put behind the last, rows from some
 * sequence on are cleared. Nothing is written twice, and a row is found by its position, which is 4 bytes in memory.
 */
import { close as closeFile, constants, fdatasync, fstat, ftruncate, open as openFile, write, writeSync, writev } from 'node:fs'
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
/**
 * Frames that are written and synced at one time: while the disk works on the one, the next comes to it. Those that are larger than what is
 * copied together stand alone.
 */
const UNDER_WAY_MAX = 2
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
  const flags = isNewest ? constants.O_RDWR : constants.O_RDONLY
  const fd = await files.open(path, flags)
  let secondFd: number | undefined
  try {
    if (isNewest) secondFd = await files.open(path, flags)
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
    return segmentFile({ path, fd, secondFd, first, salt, positions, length: end, savedLength, isDurable: !isNewest })
  } catch (error) {
    await closeAll([fd, secondFd]).catch(() => {})
    throw error
  }
}

async function closeAll(fds: readonly (number | undefined)[]): Promise<void> {
  for (const fd of fds) if (fd !== undefined) await files.close(fd)
}

interface OpenFile {
  readonly path: string
  readonly fd: number
  /** Two syncs at one time need a descriptor each: a disk's failure is told to a descriptor once, and would be to one of the two. */
  readonly secondFd: number | undefined
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

/** On its way to the disk. */
interface UnderWay {
  readonly start: number
  readonly bytes: number
  readonly rows: readonly PutOp[]
  /** Its rows can be read, and those of all frames before it. Rejects when one of them could not be made durable. */
  readonly done: Promise<void>
}

type PutOp = Extract<StoreOp, { type: 'put' }>

function segmentFile({ path, fd, secondFd, first, salt, positions, ...begin }: OpenFile): Store {
  /** Of what can be read: behind it there may be frames that are under way. */
  let { length, savedLength, isDurable } = begin
  const underWay: UnderWay[] = []
  let usesSecondFd = false
  let saving: Promise<void> = Promise.resolve()
  /** Writes begin one after the other. */
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

  /** `work` may leave a frame under way behind; the next write begins all the same. */
  function writing(work: () => Promise<UnderWay | undefined>): Promise<void> {
    assertOpen('write')
    const begun = lane.then(async () => {
      if (failure !== undefined) throw failure
      try {
        return await work()
      } catch (error) {
        throw failed(error)
      }
    })
    lane = begun.catch(() => {})
    return begun.then(frame => frame?.done)
  }

  function failed(error: unknown): AssayError {
    failure ??= failureOf(path, 'write', error)
    return failure
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

  const rowsUnderWay = (): number => underWay.reduce((sum, { rows }) => sum + rows.length, 0)

  /** Rows that are there already are the same ones: to write them again with a sync makes all before durable. */
  async function append(ops: readonly StoreOp[], sync: boolean): Promise<UnderWay | undefined> {
    const rows = ops.filter(op => op.type === 'put')
    assert(rows.length === ops.length, 'rows of a segment are not deleted one by one')
    const next = first + positions.count + rowsUnderWay()
    const fresh = rows.filter(({ key }) => sequenceOf(key) >= next)
    assert(
      fresh.every(({ key }, at) => key.length === KEY_BYTES && sequenceOf(key) === next + at),
      'rows follow each other without a gap'
    )
    const frameBytes = FRAME_HEADER_BYTES + fresh.reduce((sum, row) => sum + rowBytes(row), 0)
    if (fresh.length > 0 && sync && isDurable && frameBytes <= COPIED_BYTES_MAX) return beginFrame(next, fresh)
    await allDone()
    if (fresh.length > 0) await writeFrame({ kind: 'rows', sequence: next, rows: fresh, sync })
    else if (sync && !isDurable) await makeDurable()
    return undefined
  }

  async function allDone(): Promise<void> {
    await underWay.at(-1)?.done
  }

  /**
   * Writes a small frame and lets it be synced, at most beside one other. It is written before this returns control: what was written first
   * is in the file first, so that a process that dies never leaves a gap. That is a copy of some 20 µs, where to have another thread make it
   * takes longer.
   */
  async function beginFrame(sequence: number, rows: readonly PutOp[]): Promise<UnderWay> {
    while (underWay.length >= UNDER_WAY_MAX) await underWay[0]!.done
    const before = underWay.at(-1)
    const start = before === undefined ? length : before.start + before.bytes
    const { bytes, whole } = frameOf(
      { kind: 'rows', sequence, rows, sync: true, besideBytes: before ? start - before.start : 0 },
      start
    )
    for (let done = 0; done < bytes; ) done += writeSync(fd, whole[0]!, done, bytes - done, start + done)
    usesSecondFd = !usesSecondFd
    const synced = files.sync(usesSecondFd ? secondFd! : fd)
    const frame: UnderWay = { start, bytes, rows, done: published() }
    underWay.push(frame)
    return frame

    async function published(): Promise<void> {
      try {
        await Promise.all([before?.done, synced])
        if (failure !== undefined) throw failure
      } catch (error) {
        throw failed(error)
      }
      underWay.shift()
      publish(frame)
    }
  }

  interface Frame {
    readonly kind: FrameKind
    readonly sequence: number
    readonly rows: readonly PutOp[]
    readonly sync: boolean
    readonly besideBytes: number
  }

  /** Its bytes, one piece after the other: one piece when they are copied together. They are good until the next frame is made. */
  function frameOf({ kind, sequence, rows, sync, besideBytes }: Frame, start: number): { bytes: number; whole: Uint8Array[] } {
    const bodyBytes = rows.reduce((sum, row) => sum + rowBytes(row), 0)
    const bytes = FRAME_HEADER_BYTES + bodyBytes
    if (start + bytes > FILE_BYTES_MAX) throw new Error(`a segment of more than ${FILE_BYTES_MAX} bytes`)
    const isCopied = bytes <= COPIED_BYTES_MAX || bodyBytes < rows.length * (ROW_HEADER_BYTES + PIECE_BYTES_MIN)
    const head = scratchOf(isCopied ? bytes : FRAME_HEADER_BYTES + rows.length * ROW_HEADER_BYTES)
    const pieces: Uint8Array[] = []
    let at = FRAME_HEADER_BYTES
    for (const row of rows) {
      writeRowHeader(head, at, row)
      if (isCopied) head.set(row.value, at + ROW_HEADER_BYTES)
      else pieces.push(head.subarray(at, at + ROW_HEADER_BYTES), row.value)
      at += isCopied ? rowBytes(row) : ROW_HEADER_BYTES
    }
    const body = isCopied ? [head.subarray(FRAME_HEADER_BYTES)] : pieces
    writeFrameHeader(head, { kind, isSynced: sync, besideBytes, bodyBytes, sequence, bodyCrc: crcOf(body, salt) }, salt)
    return { bytes, whole: isCopied ? [head] : [head.subarray(0, FRAME_HEADER_BYTES), ...pieces] }
  }

  /** Nothing else is under way. */
  async function writeFrame(frame: Omit<Frame, 'besideBytes'>): Promise<void> {
    const { bytes, whole } = frameOf({ ...frame, besideBytes: 0 }, length)
    isDurable = false
    await writeAll(fd, whole, length)
    if (frame.sync) await makeDurable()
    publish({ start: length, bytes, rows: frame.rows })
  }

  /** What lies in the file up to its end can be read from now on. */
  function publish({ start, bytes, rows }: Pick<UnderWay, 'start' | 'bytes' | 'rows'>): void {
    let position = start + FRAME_HEADER_BYTES
    for (const row of rows) {
      positions.push(position)
      position += rowBytes(row)
    }
    length = start + bytes
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

  async function clear(range: Range): Promise<undefined> {
    await allDone()
    const { gte, ...others } = range
    assert(gte?.length === SEQUENCE_BYTES && Object.keys(others).length === 0, 'rows of a segment are cleared from a sequence on')
    const from = sequenceOf(gte)
    if (from >= first + positions.count) return undefined
    await writeFrame({ kind: 'end', sequence: Math.max(from, first), rows: [], sync: true })
    positions.truncate(Math.max(from - first, 0))
    // What was written down knows of the rows that are gone.
    save()
    return undefined
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
    await lane
    await Promise.allSettled([...underWay.map(({ done }) => done), ...reads])
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
      await closeAll([fd, secondFd])
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
