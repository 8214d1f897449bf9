/** The batches of one partition as they lie in a backup, checked while they are read: framing, CRC, the chain of offsets, size and SHA-256. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { AssayError } from '@assay/errors'
import { checkBatch, FIELD_AT, LOG_OVERHEAD } from '@assay/records'
import { baseOffsetOf } from '../batch-facts.ts'
import type { Offset } from '../log.ts'
import { type BackedUpPartition, fileOf } from './manifest.ts'

const READ_BYTES = 1 << 20

/** What follows on what: used where batches are written and where they are read. */
export interface OffsetChain {
  /** Checks one batch. Fails with STORE_CORRUPT. */
  add(batch: Buffer): void
  /** Fails with STORE_CORRUPT when the last batch does not end where the partition does. */
  end(): void
  readonly batches: number
}

export function offsetChain(what: string, { startOffset, endOffset }: { startOffset: Offset; endOffset: Offset }): OffsetChain {
  let next: Offset | undefined
  let batches = 0
  return {
    get batches() {
      return batches
    },
    add(batch) {
      let lastOffsetDelta: number
      try {
        lastOffsetDelta = checkBatch(batch, { sizeMax: Number.POSITIVE_INFINITY, from: 'log' }).lastOffsetDelta
      } catch (error) {
        throw damaged(what, `the batch behind offset ${next ?? startOffset}: ${(error as Error).message}`)
      }
      const baseOffset = baseOffsetOf(batch)
      const last = baseOffset + lastOffsetDelta
      const follows = next === undefined ? baseOffset <= startOffset && last >= startOffset : baseOffset === next
      if (!follows) throw damaged(what, `a batch begins at offset ${baseOffset} where ${next ?? startOffset} was expected`)
      next = last + 1
      batches++
    },
    end() {
      const end = next ?? startOffset
      if (end !== endOffset) throw damaged(what, `it ends at offset ${end} and not at ${endOffset}`)
    }
  }
}

export const damaged = (what: string, reason: string): AssayError => new AssayError('STORE_CORRUPT', { what, reason })

/** Fails with STORE_CORRUPT at the first fault, and with STORE_FAILED when the file cannot be read. */
export async function* batchesOfFile(
  directory: string,
  partition: BackedUpPartition,
  onBytes?: (bytes: number) => void
): AsyncGenerator<Buffer> {
  const path = fileOf(directory, partition)
  const chain = offsetChain(path, partition)
  const hash = createHash('sha256')
  if (partition.batches > 0) {
    await checkSize(path, partition.bytes)
    let rest: Buffer = Buffer.alloc(0)
    for await (const chunk of chunksOf(path)) {
      hash.update(chunk)
      onBytes?.(chunk.length)
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      for (let bytes = sizeOfFirst(rest); bytes !== undefined && bytes <= rest.length; bytes = sizeOfFirst(rest)) {
        const batch = rest.subarray(0, bytes)
        rest = rest.subarray(bytes)
        chain.add(batch)
        yield batch
      }
    }
    if (rest.length > 0) throw damaged(path, `its last ${rest.length} bytes are no whole batch`)
  }
  chain.end()
  if (chain.batches !== partition.batches) throw damaged(path, `it has ${chain.batches} batches and not ${partition.batches}`)
  if (hash.digest('hex') !== partition.sha256) throw damaged(path, 'its SHA-256 does not match')
}

async function checkSize(path: string, bytes: number): Promise<void> {
  try {
    const { size } = await stat(path)
    if (size !== bytes) throw damaged(path, `it has ${size} bytes and not ${bytes}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw damaged(path, 'it is missing')
    throw error
  }
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { highWaterMark: READ_BYTES })
  } catch (error) {
    if (error instanceof AssayError) throw error
    throw new AssayError('STORE_FAILED', { action: `read ${path}: ${(error as Error).message}` }, { cause: error })
  }
}

/** Undefined while its length is not there yet. What is too short for a batch is told by the check of it. */
function sizeOfFirst(bytes: Buffer): number | undefined {
  if (bytes.length < LOG_OVERHEAD) return undefined
  return LOG_OVERHEAD + Math.max(bytes.readInt32BE(FIELD_AT.batchLength), 0)
}
