/** Logs with one compacted partition, written and read in a few letters, for tests. */
import { ATTRIBUTE, decodeBatch, encodeBatch, type NewBatch, readHeader } from '@assay/records'
import { expect } from 'vitest'
import type { LogOptions } from '../journal-log.ts'
import type { PartitionLog } from '../log.ts'
import { keepForever, type Retention } from '../retention-settings.ts'
import { keptSegments, openTestLog, TOPIC_A, testClock } from './logs.ts'

export const A0 = { topicId: TOPIC_A, partition: 0 }
export const whole = { bytesMax: Number.MAX_SAFE_INTEGER }
export const INFLATE_MAX = 1 << 20

/** `a1` is the value 1 under the key a, `a-` a tombstone, `=1` has no key. */
export function recordsBatch(records: string, options: Partial<NewBatch> = {}): Buffer {
  return encodeBatch({
    baseTimestampMs: 1000,
    records: records.split(' ').map(record => ({
      key: record[0] === '=' ? null : Buffer.from(record[0]!),
      value: record[1] === '-' ? null : Buffer.from(record.slice(1))
    })),
    ...options
  })
}

export const sizeOf = (records: string): number => recordsBatch(records).length

/** `offset:key` and value of all records that can be read. */
export async function records(partition: PartitionLog, from = partition.startOffset): Promise<string> {
  const batches = await partition.read(from, whole)
  let next = from
  const found: string[] = []
  for (const batch of batches) {
    const { baseOffset, lastOffsetDelta, attributes } = readHeader(batch)
    expect(baseOffset, 'no offset lies between two batches').toBeLessThanOrEqual(next)
    next = baseOffset + lastOffsetDelta + 1
    if (attributes & ATTRIBUTE.control) found.push(`${baseOffset}:control`)
    else
      for (const { offset, key, value } of decodeBatch(batch, INFLATE_MAX)) found.push(`${offset}:${key ?? '='}${value ?? '-'}`)
  }
  expect(next).toBe(partition.highWatermark)
  return found.join(' ')
}

export const compacting = (retention: Partial<Retention> = {}): (() => Retention) => {
  const whole: Retention = { ...keepForever, cleanup: 'compact', ...retention }
  return () => whole
}

export async function opened(options: LogOptions & { readonly retention?: Partial<Retention> } = {}) {
  const { retention, ...rest } = options
  const clock = testClock(10_000)
  const stores = keptSegments()
  const { log, state } = await openTestLog({ ...stores, clock, ...rest })
  log.retainBy(compacting(retention))
  const partition = log.partition(A0)
  const inner = state.partitions.get(`${TOPIC_A}-0`)!
  return { log, state, partition, inner, clock, stores }
}

export async function fill(partition: PartitionLog, batches: readonly string[]): Promise<void> {
  for (const batch of batches) await partition.append(recordsBatch(batch))
}
