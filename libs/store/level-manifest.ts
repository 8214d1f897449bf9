/**
 * Which tables a LevelDB database is made of, by its manifest. Others may lie beside them: one that was being written when the server was
 * stopped by force, or one that a compaction has replaced. LevelDB deletes those when it is opened, and what they hold is of no account.
 * Format: LevelDB's doc/log_format.md, and `VersionEdit` in its sources.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const BLOCK_BYTES = 32_768
const HEADER_BYTES = 7
const LAST_FRAGMENT: ReadonlySet<number> = new Set([1, 4])
const FIRST_FRAGMENT: ReadonlySet<number> = new Set([1, 2])
const TAG = { comparator: 1, log: 2, next: 3, sequence: 4, pointer: 5, deleted: 6, added: 7, previousLog: 9 } as const

/** The numbers of the tables; undefined when the manifest cannot be read so far, of which LevelDB tells when it is opened. */
export async function liveTables(directory: string): Promise<ReadonlySet<number> | undefined> {
  let manifest: Buffer
  try {
    const name = (await readFile(join(directory, 'CURRENT'), 'latin1')).trim()
    manifest = await readFile(join(directory, name))
  } catch {
    return undefined
  }
  const live = new Set<number>()
  try {
    for (const edit of records(manifest)) apply(edit, live)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
  return live
}

/** The records as far as they are whole: what was cut off is not in force. */
function* records(log: Buffer): Generator<Buffer> {
  let fragments: Buffer[] = []
  for (let at = 0; log.length - at >= HEADER_BYTES; ) {
    const blockLeft = BLOCK_BYTES - (at % BLOCK_BYTES)
    if (blockLeft < HEADER_BYTES) {
      at += blockLeft
      continue
    }
    const length = log.readUInt16LE(at + 4)
    const type = log[at + 6]!
    const end = at + HEADER_BYTES + length
    if (end > log.length || type === 0) return
    if (FIRST_FRAGMENT.has(type)) fragments = []
    fragments.push(log.subarray(at + HEADER_BYTES, end))
    if (LAST_FRAGMENT.has(type)) yield Buffer.concat(fragments)
    at = end
  }
}

/** Throws a RangeError at what is no edit. */
function apply(edit: Buffer, live: Set<number>): void {
  let at = 0
  const number = (): number => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = edit.readUInt8(at++)
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      if (factor > 2 ** 56) throw new RangeError('a number that does not end')
    }
  }
  const skipText = (): void => {
    const length = number()
    at += length
  }
  while (at < edit.length) {
    const tag = number()
    switch (tag) {
      case TAG.comparator:
        skipText()
        break
      case TAG.log:
      case TAG.next:
      case TAG.sequence:
      case TAG.previousLog:
        number()
        break
      case TAG.pointer:
        number()
        skipText()
        break
      case TAG.deleted:
        number()
        live.delete(number())
        break
      case TAG.added: {
        number()
        const table = number()
        number()
        skipText()
        skipText()
        live.add(table)
        break
      }
      default:
        throw new RangeError(`tag ${tag}`)
    }
  }
}
