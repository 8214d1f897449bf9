/**
 * Looks whether LevelDB's logs are whole before LevelDB reads them, because it drops what it cannot read without a word: rows that were
 * acknowledged, and with a damaged MANIFEST whole tables. Format: LevelDB's doc/log_format.md.
 *
 * After an orderly close each file ends with a whole record and has the length that the marker of that close tells, so any damage is found.
 * After a crash there is no such marker, and what was being written may be there in part: the file ends within a record, or pieces of a
 * record between two sectors are zeros, as they are where a file system made room and had not written yet. Everything else is
 * damage. A length that was changed so that its record seems to end behind the file is told from a torn one by trying the other lengths.
 * What cannot be told apart then: damage to a record that happens to hold such a piece of zeros, and a file that lost its end exactly
 * between two records. Neither can be in what a checkpoint of the log speaks of without the log's own books (counts, offsets) showing it.
 */
import { open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32c } from '@node-rs/crc32'
import { corrupt, syncDirectory, syncFile } from './directory.ts'

const CLOSED_FILE = 'CLOSED'
const LOG_PATTERN = /^\d+\.log$/
const BLOCK_BYTES = 32_768
const HEADER_BYTES = 7
const SECTOR_BYTES = 512
/** What file systems make room for and write at a time. */
const PAGE_BYTES = 4096
/** A shorter row of zeros is nothing unusual in sound data, but at the border of a page. */
const ZEROS_MIN = 16
const MASK_DELTA = 0xa282ead8
const TYPE = { full: 1, first: 2, middle: 3, last: 4 } as const

/** To be called before LevelDB opens the directory. Fails with STORE_CORRUPT, naming file and byte. */
export async function checkLogs(directory: string): Promise<void> {
  const closed = await readClosed(directory)
  // Another manifest than this is one that LevelDB was about to begin, or to delete.
  const manifest = (await readFile(join(directory, 'CURRENT'), 'latin1')).trim()
  const names = (await readdir(directory)).filter(name => name === manifest || LOG_PATTERN.test(name)).sort()
  for (const name of closed?.keys() ?? []) {
    if (!names.includes(name)) throw corrupt(directory, `${name} is missing`)
  }
  for (const name of names) {
    const bytes = await readFile(join(directory, name))
    const length = closed?.get(name)
    if (length !== undefined && bytes.length !== length)
      throw corrupt(directory, `${name} has ${bytes.length} bytes, and had ${length} when it was closed`)
    const fault = logFault(bytes, { wasClosed: length !== undefined })
    if (fault !== undefined) throw corrupt(directory, `${name} is damaged at byte ${fault.at}: ${fault.reason}`)
  }
}

/** Makes the logs of a closed database durable, and tells their lengths to the next start. */
export async function tellClosed(directory: string): Promise<void> {
  const manifest = (await readFile(join(directory, 'CURRENT'), 'latin1')).trim()
  const lines = [manifest]
  for (const name of (await readdir(directory)).filter(entry => entry === manifest || LOG_PATTERN.test(entry)).sort()) {
    await syncFile(join(directory, name))
    lines.push(`${name} ${(await stat(join(directory, name))).size}`)
  }
  const text = `${lines.join('\n')}\n`
  const path = join(directory, CLOSED_FILE)
  const file = await open(`${path}.new`, 'w')
  try {
    await file.writeFile(`${text}${crc32c(text)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  await syncDirectory(directory)
}

/**
 * Length by name. Undefined when the database was not closed, or was opened since: every opening begins a new
 * manifest, and with that the marker is out of date. Fails with STORE_CORRUPT when the marker is damaged: it appears whole or not at all.
 */
async function readClosed(directory: string): Promise<Map<string, number> | undefined> {
  let text: string
  try {
    text = await readFile(join(directory, CLOSED_FILE), 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return undefined
  }
  const end = text.lastIndexOf('\n', text.length - 2) + 1
  if (text.slice(end) !== `${crc32c(text.slice(0, end))}\n`) throw corrupt(directory, `${CLOSED_FILE} is damaged`)
  const [current, ...lines] = text.slice(0, end - 1).split('\n')
  if ((await readFile(join(directory, 'CURRENT'), 'latin1')).trim() !== current) return undefined
  return new Map(lines.map(line => [line.split(' ')[0]!, Number(line.split(' ')[1])]))
}

export interface LogFault {
  readonly at: number
  readonly reason: string
}

/** The first fault in a log that no crash explains; with `wasClosed` nothing explains one. */
export function logFault(log: Buffer, { wasClosed }: { readonly wasClosed: boolean }): LogFault | undefined {
  /** In the middle of what was written as one; undefined where a hole makes that unknown. */
  let isWithin: boolean | undefined = false
  for (let blockAt = 0; blockAt < log.length; blockAt += BLOCK_BYTES) {
    const blockEnd = Math.min(blockAt + BLOCK_BYTES, log.length)
    for (let at = blockAt; at < blockEnd; ) {
      const record = readRecord(log, at, blockEnd)
      if (record.kind === 'filler') break
      if (record.kind === 'whole') {
        const continues = record.type === TYPE.middle || record.type === TYPE.last
        // A process that died between the pieces of a row leaves the beginning; the next one begins a new log.
        if (isWithin !== undefined && continues !== isWithin) return { at, reason: 'a part of a row is missing before it' }
        isWithin = record.type === TYPE.first || record.type === TYPE.middle
        at = record.end
        continue
      }
      if (wasClosed || !mayBeUnfinished(log, at, blockEnd)) return { at, reason: record.reason }
      // Nothing tells where the next record of this block begins.
      isWithin = undefined
      break
    }
  }
  return isWithin && wasClosed ? { at: log.length, reason: 'the rest of the last row is missing' } : undefined
}

type LogRecord =
  | { readonly kind: 'whole'; readonly type: number; readonly end: number }
  | { readonly kind: 'filler' }
  | { readonly kind: 'broken'; readonly reason: string }

function readRecord(log: Buffer, at: number, blockEnd: number): LogRecord {
  if (blockEnd - at < HEADER_BYTES) {
    const isFiller = blockEnd % BLOCK_BYTES === 0 && isZero(log, at, blockEnd)
    return isFiller ? { kind: 'filler' } : { kind: 'broken', reason: 'a record is cut off' }
  }
  const end = endOf(log, at)
  if (end > blockEnd) return { kind: 'broken', reason: 'a record is cut off' }
  const type = log[at + 6]!
  if (!isRight(log, at, end) || type < TYPE.full || type > TYPE.last)
    return { kind: 'broken', reason: 'the checksum of a record does not match' }
  return { kind: 'whole', type, end }
}

function mayBeUnfinished(log: Buffer, at: number, blockEnd: number): boolean {
  if (blockEnd === log.length && (blockEnd - at < HEADER_BYTES || endOf(log, at) > blockEnd))
    return !isOfAnotherLength(log, at, blockEnd) || hasUnwritten(log, at, blockEnd)
  const end = isZero(log, at, Math.min(at + HEADER_BYTES, blockEnd)) ? blockEnd : Math.min(endOf(log, at), blockEnd)
  return hasUnwritten(log, at, end)
}

/** One byte of the length is wrong, and with another in its place all is right. */
function isOfAnotherLength(log: Buffer, at: number, blockEnd: number): boolean {
  if (blockEnd - at < HEADER_BYTES) return false
  const length = log.readUInt16LE(at + 4)
  for (let byte = 0; byte < 256; byte++) {
    for (const other of [(length & 0xff00) | byte, (length & 0xff) | (byte << 8)]) {
      const end = at + HEADER_BYTES + other
      if (end <= blockEnd && isRight(log, at, end)) return true
    }
  }
  return false
}

/** Between two sectors, or between one and an end of the record, there is nothing but zeros. */
function hasUnwritten(log: Buffer, at: number, end: number): boolean {
  for (let from = at; from < end; ) {
    const to = Math.min(from - (from % SECTOR_BYTES) + SECTOR_BYTES, end)
    const isLong = to - from >= ZEROS_MIN || end === log.length || from % PAGE_BYTES === 0 || to % PAGE_BYTES === 0
    if (isLong && isZero(log, from, to)) return true
    from = to
  }
  return false
}

const endOf = (log: Buffer, at: number): number => at + HEADER_BYTES + log.readUInt16LE(at + 4)
const isRight = (log: Buffer, at: number, end: number): boolean =>
  log.readUInt32LE(at) === masked(crc32c(log.subarray(at + 6, end)))
const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0

function isZero(log: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if (log[at] !== 0) return false
  }
  return true
}
