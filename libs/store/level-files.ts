/**
 * The checksums inside LevelDB's files, which LevelDB itself does not look at when it reads: of each block of a table, and of each record
 * of a write-ahead log or manifest. Formats: LevelDB's doc/table_format.md and doc/log_format.md.
 */
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { AssayError } from '@assay/errors'
import { messageOf } from './failure.ts'
import { liveTables } from './level-manifest.ts'

/** What is wrong with a file, and where in it. */
export interface FileFault {
  readonly file: string
  readonly at: number
  readonly reason: string
  /** It may just as well be the end of a write that was cut off with the power: what such a write held was never acknowledged. */
  readonly isTornTail: boolean
}

export interface FileCheckOptions {
  readonly crc32c: (bytes: Uint8Array, start?: number, end?: number) => number
  /** Leaves logs and manifests out. Default false. */
  readonly tablesOnly?: boolean
  /** Called with the bytes that were read. */
  readonly onBytes?: (bytes: number) => void
}

type Faults = AsyncGenerator<Omit<FileFault, 'file'>>

const TABLE_PATTERN = /\.(ldb|sst)$/
const LOG_PATTERN = /^(\d+\.log|MANIFEST-\d+)$/
const FOOTER_BYTES = 48
const TRAILER_BYTES = 5
const HANDLES_BYTES_MAX = 40
const TABLE_MAGIC = 0xdb4775248b80fb57n
const MASK_DELTA = 0xa282ead8
const LOG_BLOCK_BYTES = 32_768
const LOG_HEADER_BYTES = 7

/** Every fault in the files of one database. Fails with STORE_FAILED when a file cannot be read at all. */
export async function* levelFaults(directory: string, options: FileCheckOptions): AsyncGenerator<FileFault> {
  const names = (await attempt(directory, () => readdir(directory))).sort()
  const live = await liveTables(directory)
  for (const name of names) {
    // What no manifest names is no part of the database: it may be there in part, and is deleted at the next start.
    if (TABLE_PATTERN.test(name) && live?.has(Number.parseInt(name, 10)) === false) continue
    const check = TABLE_PATTERN.test(name) ? tableFaults : !options.tablesOnly && LOG_PATTERN.test(name) ? logFaults : undefined
    if (check === undefined) continue
    const path = join(directory, name)
    const file = await attempt(path, () => open(path, 'r'))
    try {
      for await (const fault of check(file, options)) yield { file: path, ...fault }
    } catch (error) {
      throw failed(path, error)
    } finally {
      await file.close()
    }
  }
}

interface BlockHandle {
  readonly at: number
  readonly size: number
}

async function* tableFaults(file: FileHandle, options: FileCheckOptions): Faults {
  const { size } = await file.stat()
  const damaged = (at: number, reason: string) => ({ at, reason, isTornTail: false })
  if (size < FOOTER_BYTES) return yield damaged(0, `a table of ${size} bytes is cut off`)
  const footer = await readAt(file, size - FOOTER_BYTES, FOOTER_BYTES, options)
  const handles = readHandles(footer)
  const isPadded = handles !== undefined && footer.subarray(handles.end, HANDLES_BYTES_MAX).every(byte => byte === 0)
  if (footer.readBigUInt64LE(FOOTER_BYTES - 8) !== TABLE_MAGIC || handles === undefined || !isPadded) {
    return yield damaged(size - FOOTER_BYTES, 'the footer of the table is damaged')
  }
  const read = async (what: string, { at, size: bytes }: BlockHandle) => {
    if (at + bytes + TRAILER_BYTES > size - FOOTER_BYTES) return { fault: damaged(at, `${what} lies outside of the table`) }
    const block = await readAt(file, at, bytes + TRAILER_BYTES, options)
    const crc = options.crc32c(block, 0, bytes + 1)
    if (block.readUInt32LE(bytes + 1) !== masked(crc)) return { fault: damaged(at, `the checksum of ${what} does not match`) }
    return { block: block.subarray(0, bytes), isPlain: block[bytes] === 0 }
  }
  for (const [what, handle, item] of [
    ['the index of filters', handles.meta, 'a filter'],
    ['the index block', handles.index, 'a data block']
  ] as const) {
    const list = await read(what, handle)
    const blocks = list.isPlain ? blocksOf(list.block) : undefined
    if (blocks === undefined) yield list.fault ?? damaged(handle.at, `${what} cannot be read`)
    for (const block of blocks ?? []) {
      const { fault } = await read(item, block)
      if (fault) yield fault
    }
  }
}

function readHandles(
  footer: Buffer
): { readonly meta: BlockHandle; readonly index: BlockHandle; readonly end: number } | undefined {
  const reader = { bytes: footer.subarray(0, HANDLES_BYTES_MAX), at: 0 }
  const [metaAt, metaSize, indexAt, indexSize] = [varint(reader), varint(reader), varint(reader), varint(reader)]
  if (metaAt === undefined || metaSize === undefined || indexAt === undefined || indexSize === undefined) return undefined
  return { meta: { at: metaAt, size: metaSize }, index: { at: indexAt, size: indexSize }, end: reader.at }
}

/** The values of an index block; undefined when it is none. Its keys do not matter here. */
function blocksOf(block: Buffer): BlockHandle[] | undefined {
  if (block.length < 4) return undefined
  const end = block.length - 4 - 4 * block.readUInt32LE(block.length - 4)
  if (end < 0) return undefined
  const handles: BlockHandle[] = []
  const reader = { bytes: block.subarray(0, end), at: 0 }
  while (reader.at < end) {
    const [shared, unshared, valueBytes] = [varint(reader), varint(reader), varint(reader)]
    if (shared === undefined || unshared === undefined || valueBytes === undefined) return undefined
    const valueAt = reader.at + unshared
    const value = { bytes: reader.bytes.subarray(valueAt, valueAt + valueBytes), at: 0 }
    const [at, size] = [varint(value), varint(value)]
    if (at === undefined || size === undefined) return undefined
    handles.push({ at, size })
    reader.at = valueAt + valueBytes
  }
  return handles
}

interface Reader {
  readonly bytes: Buffer
  at: number
}

function varint(reader: Reader): number | undefined {
  let value = 0
  for (let factor = 1; factor < 2 ** 53; factor *= 128) {
    const byte = reader.bytes[reader.at++]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * factor
    // A zero in the end is never written: a flipped bit in the byte before it would go unseen.
    if (byte === 0 && factor > 1) return undefined
    if (byte < 0x80) return Number.isSafeInteger(value) ? value : undefined
  }
  return undefined
}

async function* logFaults(file: FileHandle, options: FileCheckOptions): Faults {
  const { size } = await file.stat()
  for (let blockAt = 0; blockAt < size; blockAt += LOG_BLOCK_BYTES) {
    const block = await readAt(file, blockAt, Math.min(LOG_BLOCK_BYTES, size - blockAt), options)
    const isLast = blockAt + block.length === size
    for (let at = 0; at < block.length; ) {
      const left = block.length - at
      const end = at + LOG_HEADER_BYTES + (left < LOG_HEADER_BYTES ? 0 : block.readUInt16LE(at + 4))
      const fault = recordFault(block, at, end, options)
      if (fault === undefined) {
        at = left < LOG_HEADER_BYTES ? block.length : end
        continue
      }
      const isTornTail = isLast && (end > block.length || block.subarray(at).every(byte => byte === 0))
      yield { at: blockAt + at, reason: fault, isTornTail }
      // Nothing tells where the next record of this block begins.
      break
    }
  }
}

/** Undefined for a whole record, and for the bytes at a block's end that hold none. */
function recordFault(block: Buffer, at: number, end: number, { crc32c }: FileCheckOptions): string | undefined {
  const left = block.length - at
  if (left < LOG_HEADER_BYTES) {
    const isFiller = block.length === LOG_BLOCK_BYTES && block.subarray(at).every(byte => byte === 0)
    return isFiller ? undefined : 'a record of the log is cut off'
  }
  if (end > block.length) return 'a record of the log is cut off'
  const isRight = block.readUInt32LE(at) === masked(crc32c(block, at + 6, end))
  const type = block[at + 6]!
  return isRight && type >= 1 && type <= 4 ? undefined : 'the checksum of a record of the log does not match'
}

const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0

async function readAt(file: FileHandle, at: number, size: number, { onBytes }: FileCheckOptions): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size)
  const { bytesRead } = await file.read(bytes, 0, size, at)
  if (bytesRead < size) throw new Error(`it ended at ${at + bytesRead} while it was read`)
  onBytes?.(size)
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
