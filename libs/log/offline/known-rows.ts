/**
 * What an examination has seen of the journal's rows that are whole: kept on disk, for there may be more of them than fit into memory.
 * Found again by sequence.
 */
import { join } from 'node:path'
import { openLevel, type Store, type StoreOp } from '@assay/store'
import { readInt64, writeInt64 } from '../int64.ts'
import type { Offset } from '../log.ts'
import { PREFIX_BYTES } from '../partition.ts'

export interface KnownRow {
  readonly sequence: number
  /** Topic ID and partition, 20 bytes. */
  readonly prefix: Buffer
  readonly baseOffset: Offset
  readonly lastOffset: Offset
  readonly maxTimestampMs: number
  readonly sizeBytes: number
  /** Where the batch begins in the file of its segment. */
  readonly at: number
}

export interface KnownRows {
  add(row: KnownRow): Promise<void>
  /** Forgets the rows from this sequence on. */
  dropFrom(sequence: number): Promise<void>
  /** In the order of the sequences, undefined where none was added. */
  find(sequences: readonly number[]): Promise<(KnownRow | undefined)[]>
  /** All of them, by sequence. */
  all(): AsyncGenerator<KnownRow>
  close(): Promise<void>
}

const KEY_BYTES = 8
const AT = { baseOffset: PREFIX_BYTES, lastOffset: 28, maxTimestamp: 36, size: 44, at: 48 } as const
const VALUE_BYTES = 56
const WRITTEN_AT_ONCE = 2048
const PAGE_ROWS = 4096

export async function knownRows(scratch: string): Promise<KnownRows> {
  const store: Store = await openLevel(join(scratch, 'rows'))
  let waiting: StoreOp[] = []

  async function flush(): Promise<void> {
    const ops = waiting
    waiting = []
    if (ops.length > 0) await store.batch(ops, { sync: false })
  }

  return {
    async add(row) {
      waiting.push({ type: 'put', key: rowKey(row.sequence), value: rowValue(row) })
      if (waiting.length >= WRITTEN_AT_ONCE) await flush()
    },
    async dropFrom(sequence) {
      await flush()
      await store.clear({ gte: rowKey(sequence) })
    },
    async find(sequences) {
      await flush()
      const values = await store.getMany(sequences.map(rowKey))
      return values.map((value, at) => value && readRow(sequences[at]!, value))
    },
    async *all() {
      await flush()
      let after: Buffer = Buffer.alloc(0)
      for (;;) {
        const entries = await store.range({ gt: after, limit: PAGE_ROWS })
        for (const { key, value } of entries) yield readRow(readInt64(key, 0), value)
        if (entries.length < PAGE_ROWS) return
        after = entries.at(-1)!.key
      }
    },
    close: () => store.close()
  }
}

function rowKey(sequence: number): Buffer {
  const key = Buffer.alloc(KEY_BYTES)
  writeInt64(key, sequence, 0)
  return key
}

function rowValue(row: KnownRow): Buffer {
  const value = Buffer.alloc(VALUE_BYTES)
  row.prefix.copy(value)
  writeInt64(value, row.baseOffset, AT.baseOffset)
  writeInt64(value, row.lastOffset, AT.lastOffset)
  writeInt64(value, row.maxTimestampMs, AT.maxTimestamp)
  value.writeUInt32BE(row.sizeBytes, AT.size)
  writeInt64(value, row.at, AT.at)
  return value
}

function readRow(sequence: number, value: Buffer): KnownRow {
  return {
    sequence,
    prefix: value.subarray(0, PREFIX_BYTES),
    baseOffset: readInt64(value, AT.baseOffset),
    lastOffset: readInt64(value, AT.lastOffset),
    maxTimestampMs: readInt64(value, AT.maxTimestamp),
    sizeBytes: value.readUInt32BE(AT.size),
    at: readInt64(value, AT.at)
  }
}
