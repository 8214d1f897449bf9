/**
 * Where the rows of a segment file begin, written down beside it now and then: so opening it reads what came since, and not all of it.
 * All that it speaks of was durable before. When it is missing or damaged the segment is read whole instead.
 */
import { open, readFile, rename } from 'node:fs/promises'
import { crc32c } from '@node-rs/crc32'

const MAGIC = Buffer.from('ASSAYPO1', 'latin1')
const HEADER_BYTES = 24
const CRC_BYTES = 4

/** Ascending positions, of which there may be a million: 4 bytes each. */
export interface Positions {
  readonly count: number
  at(index: number): number
  push(position: number): void
  /** Forgets those from this index on. */
  truncate(count: number): void
  /** The first so many, as bytes. */
  bytes(count: number): Buffer
}

export function positionsOf(initial: Uint32Array = new Uint32Array(0)): Positions {
  let all = initial
  let count = initial.length
  return {
    get count() {
      return count
    },
    at: index => all[index]!,
    push(position) {
      if (count === all.length) {
        const larger = new Uint32Array(Math.max(1024, all.length * 2))
        larger.set(all)
        all = larger
      }
      all[count++] = position
    },
    truncate(to) {
      count = Math.min(count, to)
    },
    bytes: wanted => Buffer.from(all.buffer, all.byteOffset, wanted * 4)
  }
}

export interface SavedPositions {
  /** Bytes of the segment file that they cover. */
  readonly length: number
  readonly positions: Uint32Array
}

/** Durable when it resolves. The positions are copied before the first wait. */
export async function savePositions(
  path: string,
  salt: number,
  { length, positions }: { length: number; positions: Buffer }
): Promise<void> {
  const bytes = Buffer.allocUnsafeSlow(HEADER_BYTES + positions.length + CRC_BYTES)
  MAGIC.copy(bytes)
  bytes.writeUInt32LE(salt, 8)
  bytes.writeUInt32LE(positions.length / 4, 12)
  bytes.writeDoubleLE(length, 16)
  positions.copy(bytes, HEADER_BYTES)
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, -CRC_BYTES)), bytes.length - CRC_BYTES)
  const file = await open(`${path}.new`, 'w')
  try {
    await file.writeFile(bytes)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}

/** Undefined when there are none, or none of this very file. */
export async function loadPositions(path: string, salt: number): Promise<SavedPositions | undefined> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (bytes === undefined || bytes.length < HEADER_BYTES + CRC_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) return undefined
  if (crc32c(bytes.subarray(0, -CRC_BYTES)) !== bytes.readUInt32LE(bytes.length - CRC_BYTES)) return undefined
  const count = bytes.readUInt32LE(12)
  if (bytes.readUInt32LE(8) !== salt || bytes.length !== HEADER_BYTES + count * 4 + CRC_BYTES) return undefined
  const positions = new Uint32Array(count)
  for (let at = 0; at < count; at++) positions[at] = bytes.readUInt32LE(HEADER_BYTES + at * 4)
  return { length: bytes.readDoubleLE(16), positions }
}
