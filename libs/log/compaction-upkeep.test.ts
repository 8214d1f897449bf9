import { CODEC, decodeBatch } from '@assay/records'
import { describe, expect, test } from 'vitest'
import { faultyDisk } from '../../test/faults/faulty-store.ts'
import type { LogOptions } from './journal-log.ts'
import type { Log, PartitionLog } from './log.ts'
import { keepForever, type Retention } from './retention-settings.ts'
import { dump } from './test/dump.ts'
import { faultySegments } from './test/faulty-segments.ts'
import { keptSegments, keyedBatch, openTestLog, TOPIC_A, testClock, turn } from './test/logs.ts'

const A0 = { topicId: TOPIC_A, partition: 0 }
const whole = { bytesMax: Number.MAX_SAFE_INTEGER }
const DAY_MS = 86_400_000

const compacting = (retention: Partial<Retention> = {}) => {
  const all: Retention = { ...keepForever, cleanup: 'compact', minCleanableDirtyRatio: 0, ...retention }
  return () => all
}

async function recordsIn(log: PartitionLog, from = log.startOffset): Promise<string[]> {
  const { records, end } = walk(await log.read(from, whole), from)
  expect(end).toBe(log.highWatermark)
  return records
}

/** Each batch begins where the one before it ended, the first at or before the offset that was asked for. */
function walk(batches: readonly Buffer[], from: number): { readonly records: string[]; readonly end: number } {
  let end = from
  for (const [at, batch] of batches.entries()) {
    const baseOffset = Number(batch.readBigInt64BE(0))
    if (at === 0) expect(baseOffset).toBeLessThanOrEqual(from)
    else expect(baseOffset).toBe(end)
    end = baseOffset + batch.readInt32BE(23) + 1
  }
  const records = batches.flatMap(batch =>
    decodeBatch(batch, 1 << 20).map(({ offset, key, value }) => `${offset}:${key}=${value}`)
  )
  return { records, end }
}

/** Each word is a batch: `a1,b2` has two records, `a-` is a tombstone, `?1` has no key. */
async function append(log: PartitionLog, words: string, options: Parameters<typeof keyedBatch>[1] = {}): Promise<void> {
  for (const word of words.split(' ')) {
    const entries = word
      .split(',')
      .map(([key, ...value]): [string | null, string | null] => [
        key === '?' ? null : key!,
        value.join('') === '-' ? null : value.join('')
      ])
    await log.append(keyedBatch(entries, options))
  }
}

const places: [string, LogOptions][] = [
  ['in the cache', {}],
  ['in the journal', { tailCacheBytes: 0 }],
  ['in the index', { tailCacheBytes: 0, checkpointBytes: 1 }],
  ['in many segments', { tailCacheBytes: 0, segmentBytes: 200 }]
]

describe.each(places)('compaction of batches %s', (_place, options) => {
  test.each<[string, string, string[]]>([
    ['the last record of each key stays', 'a1 b1 a2 c1 a3', ['1:b=1', '3:c=1', '4:a=3']],
    ['inside batches, too', 'a1,b1,a2 c1,a3,b2', ['3:c=1', '4:a=3', '5:b=2']],
    ['where nothing is to be done, nothing is', 'a1 b1 c1', ['0:a=1', '1:b=1', '2:c=1']],
    ['a batch may lose all', 'a1,b1 a2,b2 a3,b3', ['4:a=3', '5:b=3']],
    ['a record without a key goes', 'a1 ?1 b1,?2', ['0:a=1', '2:b=1']],
    ['a tombstone hides what was before it, and stays for now', 'a1 b1 a-', ['1:b=1', '2:a=null']],
    ['the last offset stays, though its record goes', 'a1 ?1', ['0:a=1']]
  ])('%s', async (_name, words, kept) => {
    const stores = keptSegments()
    const { log, state } = await openTestLog({ ...stores, ...options, clock: testClock(2000) })
    const partition = log.partition(A0)
    await append(partition, words)
    const end = partition.logEndOffset
    log.retainBy(compacting())
    await log.upkeep()
    expect(await recordsIn(partition)).toEqual(kept)
    expect([partition.startOffset, partition.logEndOffset, partition.highWatermark]).toEqual([0, end, end])
    for (let from = 0; from < end; from++) {
      const after = kept.filter(record => Number.parseInt(record, 10) >= from)
      expect((await recordsIn(partition, from)).filter(record => Number.parseInt(record, 10) >= from)).toEqual(after)
    }
    await log.upkeep()
    expect(await recordsIn(partition), 'a second pass changes nothing').toEqual(kept)
    const live = await dump(state)
    const again = await openTestLog({ ...stores, ...options, clock: testClock(2000) })
    expect(await recordsIn(again.log.partition(A0))).toEqual(kept)
    expect(await dump(again.state)).toEqual(live)
    await append(partition, 'z9')
    expect(await recordsIn(partition)).toEqual([...kept, `${end}:z=9`])
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('%s batches are thinned out and compressed again', async codec => {
    const { log } = await openTestLog({ ...keptSegments(), ...options, clock: testClock(2000) })
    const partition = log.partition(A0)
    await append(partition, 'a1,b1,c1 a2,d1', { codec: CODEC[codec] })
    log.retainBy(compacting())
    await log.upkeep()
    expect(await recordsIn(partition)).toEqual(['1:b=1', '2:c=1', '3:a=2', '4:d=1'])
    const [first] = await partition.read(0, whole)
    expect(first!.readInt16BE(21) & 7, 'the codec in the attributes').not.toBe(0)
  })

  test('a tombstone goes when its time has come, and not before (KIP-534)', async () => {
    const clock = testClock(2000)
    const { log } = await openTestLog({ ...keptSegments(), ...options, clock })
    const partition = log.partition(A0)
    await append(partition, 'a1 b1 a-')
    log.retainBy(compacting({ deleteRetentionMs: DAY_MS }))
    await log.upkeep()
    const [, , tombstone] = await partition.read(0, whole)
    const record = decodeBatch((await partition.read(2, whole))[0]!, 1 << 20)[0]!
    expect(record.timestampMs, 'its own time is not touched').toBe(1000)
    expect(tombstone === undefined || (tombstone.readInt16BE(21) & 0x40) !== 0).toBe(true)
    clock.advance(DAY_MS - 1)
    await log.upkeep()
    expect(await recordsIn(partition)).toEqual(['1:b=1', '2:a=null'])
    clock.advance(1)
    await log.upkeep()
    expect(await recordsIn(partition)).toEqual(['1:b=1'])
    expect(partition.logEndOffset).toBe(3)
  })

  test('young records are left alone, and make a pass worth its while when they are old', async () => {
    const clock = testClock(10_000)
    const { log } = await openTestLog({ ...keptSegments(), ...options, clock })
    const partition = log.partition(A0)
    await append(partition, 'a1 a2', { baseTimestampMs: 1000 })
    await append(partition, 'a3 a4', { baseTimestampMs: 9000 })
    log.retainBy(compacting({ minCompactionLagMs: 5000 }))
    await log.upkeep()
    expect(await recordsIn(partition)).toEqual(['1:a=2', '2:a=3', '3:a=4'])
    log.retainBy(compacting({ minCleanableDirtyRatio: 1, maxCompactionLagMs: 5000 }))
    await log.upkeep()
    expect(await recordsIn(partition)).toEqual(['1:a=2', '2:a=3', '3:a=4'])
    clock.advance(5000)
    await log.upkeep()
    expect(await recordsIn(partition)).toEqual(['3:a=4'])
  })

  test('a pass waits until enough is dirty', async () => {
    const { log } = await openTestLog({ ...keptSegments(), ...options, clock: testClock(2000) })
    const partition = log.partition(A0)
    await append(partition, 'a1 b1 c1 d1')
    log.retainBy(compacting())
    await log.upkeep()
    log.retainBy(compacting({ minCleanableDirtyRatio: 0.4 }))
    await append(partition, 'a2 b2')
    await log.upkeep()
    expect(await recordsIn(partition)).toHaveLength(6)
    await append(partition, 'c2')
    await log.upkeep()
    expect(await recordsIn(partition)).toEqual(['3:d=1', '4:a=2', '5:b=2', '6:c=2'])
  })

  test('compact,delete does both', async () => {
    const { log } = await openTestLog({ ...keptSegments(), ...options, clock: testClock(10_000) })
    const partition = log.partition(A0)
    await append(partition, 'a1 b1', { baseTimestampMs: 1000 })
    await append(partition, 'c1 c2', { baseTimestampMs: 9000 })
    log.retainBy(compacting({ cleanup: 'compact,delete', retentionMs: 5000 }))
    await log.upkeep()
    expect(partition.startOffset).toBe(2)
    expect(await recordsIn(partition)).toEqual(['3:c=2'])
  })
})

test('more keys than the map holds take several passes', async () => {
  const { log, state } = await openTestLog({ ...keptSegments(), clock: testClock(2000), compactionKeyMapBytes: 24 * 14 })
  const partition = log.partition(A0)
  const keys = Array.from('abcdefghijklmnopqrstuvwxyz')
  for (const round of ['1', '2']) for (const key of keys) await append(partition, key + round)
  log.retainBy(compacting())
  await log.upkeep()
  expect(await recordsIn(partition)).toEqual(keys.map((key, at) => `${26 + at}:${key}=2`))
  expect([...state.partitions.values()][0]).toMatchObject({ cleanedTo: 52, dirtyBytes: 0 })
})

test('what nobody needs is given back, and what is kept is counted', async () => {
  const { log, state } = await openTestLog({ ...keptSegments(), clock: testClock(2000), segmentBytes: 1000, tailCacheBytes: 0 })
  const partition = log.partition(A0)
  for (let round = 0; round < 200; round++) await append(partition, `a${round % 10},b${round % 10}`)
  log.retainBy(compacting())
  await log.upkeep()
  const kept = await recordsIn(partition)
  expect(kept).toEqual(['398:a=9', '399:b=9'])
  const { batches } = (await dump(state)).partitions[`${TOPIC_A}-0`]!
  const sizeBytes = batches.reduce((sum, batch) => sum + batch.sizeBytes, 0)
  expect([...state.partitions.values()][0]).toMatchObject({ sizeBytes, batchCount: batches.length, dirtyBytes: 0 })
  const liveBytes = state.segments.all.reduce((sum, segment) => sum + segment.liveBytes, 0)
  expect(liveBytes).toBe(sizeBytes)
  expect(state.segments.all.reduce((sum, segment) => sum + segment.bytes, 0)).toBeLessThan(3000)
})

test('readers and producers go on while a partition is compacted', async () => {
  const { log } = await openTestLog({ ...keptSegments(), clock: testClock(2000), segmentBytes: 500, tailCacheBytes: 300 })
  const partition = log.partition(A0)
  log.retainBy(compacting())
  let isOver = false
  const latest = new Map<string, string>()
  const producing = (async () => {
    for (let round = 0; round < 300; round++) {
      const key = 'abcdefg'[round % 7]!
      latest.set(key, String(round % 10))
      await append(partition, `${key}${round % 10}`)
    }
    isOver = true
  })()
  const reading = (async () => {
    for (; !isOver; await turn()) {
      const { records } = walk(await partition.read(0, whole), 0)
      const seen = new Map(records.map(record => record.split(/[:=]/).slice(1) as [string, string]))
      expect([...seen.keys()].every(key => 'abcdefg'.includes(key))).toBe(true)
    }
  })()
  for (; !isOver; await turn()) await log.upkeep()
  await Promise.all([producing, reading])
  await log.upkeep()
  const values = (await recordsIn(partition)).map(record => record.split(':')[1]).sort()
  expect(values).toEqual([...latest].map(([key, value]) => `${key}=${value}`).sort())
})

describe('a crash in the middle of a pass', () => {
  const WORDS = 'a1,b1 a2 c1,b2 a3,d1 e1 a4 b3,c2 f1'
  const kept = ['6:d=1', '7:e=1', '8:a=4', '9:b=3', '10:c=2', '11:f=1']

  async function filled(disks: ReturnType<typeof faultySegments>, index: ReturnType<typeof faultyDisk>): Promise<Log> {
    const { log } = await openTestLog({
      journal: disks.open(),
      index: await index.open(),
      segmentBytes: 200,
      clock: testClock(2000)
    })
    return log
  }

  for (let at = 1; at <= 12; at++) {
    test(`at write ${at} of the ${at % 2 === 0 ? 'journal' : 'index'} loses nothing`, async () => {
      const disks = faultySegments()
      const index = faultyDisk()
      const log = await filled(disks, index)
      await append(log.partition(A0), WORDS)
      const before = await recordsIn(log.partition(A0))
      log.retainBy(compacting())
      if (at % 2 === 0) disks.failWrite(Math.ceil(at / 2))
      else index.failWrite(Math.ceil(at / 2))
      await log.upkeep()
      await Promise.all([disks.crash({ keepUnsynced: at % 3 }), index.crash({ keepUnsynced: at % 3 })])
      await log.close().catch(() => {})
      const again = await filled(disks, index)
      const found = await recordsIn(again.partition(A0))
      expect(before).toEqual(expect.arrayContaining(found))
      expect(found).toEqual(expect.arrayContaining(kept))
      again.retainBy(compacting())
      await again.upkeep()
      expect(await recordsIn(again.partition(A0))).toEqual(kept)
      await again.close()
    })
  }
})
