import { ATTRIBUTE, CODEC, decodeBatch, encodeBatch, readHeader, setLogAppendTime, signBatch } from '@assay/records'
import { silentLogger } from '@assay/std'
import { describe, expect, test } from 'vitest'
import type { LogOptions } from './journal-log.ts'
import type { Retention } from './retention-settings.ts'
import { A0, compacting, fill, INFLATE_MAX, opened, records, recordsBatch, sizeOf, whole } from './test/compacting.ts'
import { counts, dump } from './test/dump.ts'
import { keptSegments, openTestLog, testClock, turn } from './test/logs.ts'

const places: [string, LogOptions][] = [
  ['in the cache', {}],
  ['in the journal', { tailCacheBytes: 0 }],
  ['in segments of one batch', { tailCacheBytes: 0, checkpointBytes: 1, segmentBytes: 1 }],
  ['with room for one key', { compactionKeyMapBytes: 48 }],
  ['with room for two keys', { compactionKeyMapBytes: 72, segmentBytes: 200 }]
]

describe.each(places)('of records %s', (_name, options) => {
  test.each<[string, string[], string]>([
    ['the last of each key stays, under its offset', ['a1 b1', 'a2 c1', 'b2'], '2:a2 3:c1 4:b2'],
    ['within one batch too', ['a1 a2 b1 a3'], '2:b1 3:a3'],
    ['different keys all stay', ['a1', 'b1', 'c1 d1'], '0:a1 1:b1 2:c1 3:d1'],
    ['those without a key go', ['a1 =1', '=2', 'b1'], '0:a1 3:b1'],
    ['a tombstone stays, and what it deletes goes', ['a1', 'a- b1', 'c1'], '1:a- 2:b1 3:c1'],
    ['a key may come back', ['a1', 'a-', 'a2'], '2:a2'],
    ['one key, many times', ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'], '5:a6']
  ])('%s', async (_what, batches, expected) => {
    const { log, partition, stores, state } = await opened({ ...options, retention: { minCleanableDirtyRatio: 0 } })
    await fill(partition, batches)
    const end = partition.highWatermark
    await log.upkeep()
    expect(await records(partition)).toBe(expected)
    for (let from = 0; from <= end; from++) {
      const wanted = expected.split(' ').filter(record => Number.parseInt(record, 10) >= from)
      const found = (await records(partition, from)).split(' ').filter(record => Number.parseInt(record, 10) >= from)
      expect(found).toEqual(wanted)
    }
    const { counted, found } = await counts(state)
    expect(counted).toEqual(found)
    const live = await dump(state)
    // As after a crash, without its index, and once more.
    const again = await openTestLog(stores)
    expect(await dump(again.state)).toEqual(live)
    await again.log.close()
    await stores.index.clear({})
    const rebuilt = await openTestLog({ ...stores, clock: testClock(10_000) })
    rebuilt.log.retainBy(compacting())
    expect(await records(rebuilt.log.partition(A0))).toBe(expected)
    await rebuilt.log.upkeep()
    expect(await records(rebuilt.log.partition(A0))).toBe(expected)
    expect(await rebuilt.log.partition(A0).append(recordsBatch('z1'))).toMatchObject({ baseOffset: end })
    await rebuilt.log.close()
  })
})

test.each(Object.entries(CODEC))('batches in %s stay in it', async (_name, codec) => {
  const { log, partition } = await opened()
  await partition.append(recordsBatch('a1 b1 c1', { codec }))
  await partition.append(recordsBatch('a2', { codec }))
  await log.upkeep()
  expect(await records(partition)).toBe('1:b1 2:c1 3:a2')
  const batches = await partition.read(0, whole)
  expect(batches.map(batch => readHeader(batch).attributes & ATTRIBUTE.codec)).toEqual([codec, codec])
})

test('a batch whose records cannot be read stays as it is, and no tombstone behind it ever goes', async () => {
  const { log, partition, clock } = await opened({ retention: { deleteRetentionMs: 100 } })
  const strange = recordsBatch('a1 b1')
  strange.writeUInt8(0xff, 61)
  signBatch(strange)
  await fill(partition, ['c1', 'c-'])
  await partition.append(strange)
  await fill(partition, ['b2', 'a-', 'b3'])
  await log.upkeep()
  clock.advance(1000)
  await log.upkeep()
  await log.upkeep()
  const batches = await partition.read(0, whole)
  expect(batches.find(batch => readHeader(batch).baseOffset === 2)).toEqual(strange)
  const readable = batches.filter(batch => batch !== strange && readHeader(batch).baseOffset !== 2)
  expect(
    readable.flatMap(batch => decodeBatch(batch, INFLATE_MAX)).map(({ offset, key, value }) => `${offset}:${key}${value ?? '-'}`)
  ).toEqual(['5:a-', '6:b3'])
})

describe('tombstones', () => {
  test('go once they have been there for delete.retention.ms after the pass that met them, and not before', async () => {
    const { log, partition, inner, clock } = await opened({ retention: { deleteRetentionMs: 500 } })
    await fill(partition, ['a1 b1', 'a- c1'])
    clock.advance(10_000)
    await log.upkeep()
    expect(await records(partition)).toBe('1:b1 2:a- 3:c1')
    expect(inner.tombstonesAtMs).toBe(20_500)
    clock.advance(499)
    await log.upkeep()
    expect(await records(partition)).toBe('1:b1 2:a- 3:c1')
    clock.advance(1)
    await log.upkeep()
    expect(await records(partition)).toBe('1:b1 3:c1')
    expect(inner.tombstonesAtMs).toBe(-1)
  })

  test('keep their timestamps and those of their neighbours when the batch is marked with the time', async () => {
    const { log, partition, stores } = await opened({ retention: { deleteRetentionMs: 5_000_000_000 } })
    const timesMs = [1000, 1_700_000_000_123, 5, 2000]
    const before = encodeBatch({
      baseTimestampMs: timesMs[0]!,
      records: timesMs.map((timestampMs, at) => ({
        key: Buffer.from(`${at}`),
        value: at % 2 ? null : Buffer.from(`v${at}`),
        timestampMs,
        headers: [{ key: 'h', value: Buffer.from('x') }]
      }))
    })
    const sent = decodeBatch(before, INFLATE_MAX)
    await partition.append(Buffer.from(before))
    await log.upkeep()
    const [batch] = await partition.read(0, whole)
    expect(readHeader(batch!)).toMatchObject({ baseTimestamp: 5_000_010_000, maxTimestamp: 1_700_000_000_123, recordCount: 4 })
    expect(readHeader(batch!).attributes & ATTRIBUTE.deleteHorizon).toBe(ATTRIBUTE.deleteHorizon)
    expect(decodeBatch(batch!, INFLATE_MAX)).toEqual(sent)
    expect(await partition.offsetOfMaxTimestamp()).toEqual({ offset: 1, timestampMs: 1_700_000_000_123 })
    // The time is found again by a log that starts anew.
    const again = await openTestLog({ ...stores, clock: testClock(5_000_010_000) })
    again.log.retainBy(compacting())
    await again.log.upkeep()
    expect(await records(again.log.partition(A0))).toBe('0:0v0 2:2v2')
  })

  test('that a pass did not reach are not marked by it', async () => {
    // Room for one key: each pass gets on by one, and the batch is marked by the one that reaches its end.
    const { log, partition, clock } = await opened({ compactionKeyMapBytes: 48, retention: { deleteRetentionMs: 0 } })
    await fill(partition, ['a1 b1 c1', 'a- b- c-', 'd1'])
    await log.upkeep()
    expect(await records(partition)).toMatch(/6:d1$/)
    clock.advance(1)
    await log.upkeep()
    expect(await records(partition)).toBe('6:d1')
  })
})

describe('a pass is due', () => {
  const dirtyAfterClean = async (retention: Partial<Retention>) => {
    const all = await opened({ retention: { ...retention, minCleanableDirtyRatio: 0 } })
    await fill(all.partition, ['a1', 'b1', 'c1', 'd1'])
    await all.log.upkeep()
    expect(all.inner).toMatchObject({ cleanedTo: 4, dirtyBytes: 0 })
    all.log.retainBy(compacting(retention))
    return all
  }

  test('when so large a part has been written since the last one', async () => {
    const { log, partition, inner } = await dirtyAfterClean({ minCleanableDirtyRatio: 0.4 })
    for (const [batch, cleanedTo] of [
      ['a2', 4],
      ['a3', 4],
      ['a4', 7]
    ] as const) {
      await fill(partition, [batch])
      await log.upkeep()
      expect(inner.cleanedTo).toBe(cleanedTo)
    }
    expect(inner.dirtyBytes).toBe(0)
    expect(await records(partition)).toBe('1:b1 2:c1 3:d1 6:a4')
  })

  test('when the oldest that none has seen has waited for max.compaction.lag.ms, however little there is', async () => {
    const { log, partition, inner, clock } = await dirtyAfterClean({ minCleanableDirtyRatio: 1, maxCompactionLagMs: 700 })
    await partition.append(recordsBatch('a2', { baseTimestampMs: 10_000 }))
    clock.advance(700)
    await log.upkeep()
    expect(inner.cleanedTo).toBe(4)
    clock.advance(1)
    await log.upkeep()
    expect(inner.cleanedTo).toBe(5)
  })

  test('never for what is younger than min.compaction.lag.ms', async () => {
    const { log, partition, inner, clock } = await opened({ retention: { minCompactionLagMs: 1000 } })
    for (const baseTimestampMs of [9_000, 9_400, 9_200, 8_000]) await partition.append(recordsBatch('a1', { baseTimestampMs }))
    await log.upkeep()
    expect([inner.cleanedTo, await records(partition)]).toEqual([1, '0:a1 1:a1 2:a1 3:a1'])
    clock.advance(399)
    await log.upkeep()
    expect(inner.cleanedTo).toBe(1)
    clock.advance(1)
    await log.upkeep()
    expect([inner.cleanedTo, await records(partition)]).toEqual([4, '3:a1'])
  })

  test('by the part that is old enough: young ones do not count', async () => {
    const { log, partition, inner } = await dirtyAfterClean({ minCompactionLagMs: 1000, minCleanableDirtyRatio: 0.3 })
    await partition.append(recordsBatch('a2', { baseTimestampMs: 9_000 }))
    for (let at = 0; at < 10; at++) await partition.append(recordsBatch('a3', { baseTimestampMs: 9_999 }))
    await log.upkeep()
    expect(inner.cleanedTo).toBe(4)
    log.retainBy(compacting({ minCompactionLagMs: 1000, minCleanableDirtyRatio: 0.2 }))
    await log.upkeep()
    expect(inner.cleanedTo).toBe(5)
  })

  test('not for a topic that is not compacted', async () => {
    const { log, partition, inner } = await opened({ retention: { cleanup: 'delete', minCleanableDirtyRatio: 0 } })
    await fill(partition, ['a1', 'a2'])
    await log.upkeep()
    expect(inner).toMatchObject({ cleanedTo: 0, dirtyBytes: 2 * sizeOf('a1') })
  })

  test('only where a compacted partition still has something', async () => {
    const { log, partition, inner } = await opened()
    await fill(partition, ['a1', 'a2'])
    await log.deleteRecords(partition, 2)
    await log.upkeep()
    expect(inner).toMatchObject({ sizeBytes: 0, dirtyBytes: 0, startOffset: 2 })
    await fill(partition, ['a3', 'a4'])
    await log.upkeep()
    expect(await records(partition)).toBe('3:a4')
  })
})

test('with compact,delete the old ones go whatever their keys, and the last of each key stays of the others', async () => {
  const { log, partition } = await opened({ retention: { cleanup: 'compact,delete', retentionMs: 1000 } })
  for (const [records, baseTimestampMs] of [
    ['a1 b1', 8_000],
    ['c1', 9_100],
    ['c2 d1', 9_200]
  ] as const)
    await partition.append(recordsBatch(records, { baseTimestampMs }))
  await log.upkeep()
  expect(partition.startOffset).toBe(2)
  expect(await records(partition)).toBe('3:c2 4:d1')
})

test('the time of an append stays that of all records, and time finds what is left', async () => {
  const { log, partition } = await opened({ retention: { deleteRetentionMs: 1000 } })
  for (const [text, timeMs] of [
    ['a1 b1', 3000],
    ['a2 c-', 4000],
    ['a3', 9000],
    ['a4', 5000]
  ] as const) {
    const batch = recordsBatch(text)
    setLogAppendTime(batch, timeMs)
    await partition.append(batch)
  }
  await log.upkeep()
  const batches = await partition.read(0, whole)
  const times = batches.flatMap(batch => decodeBatch(batch, INFLATE_MAX)).map(({ offset, timestampMs }) => [offset, timestampMs])
  expect(times).toEqual([
    [1, 3000],
    [3, 4000],
    [5, 5000]
  ])
  expect(await partition.offsetAt(0)).toEqual({ offset: 1, timestampMs: 3000 })
  expect(await partition.offsetAt(3500)).toEqual({ offset: 3, timestampMs: 4000 })
  expect(await partition.offsetAt(4500)).toEqual({ offset: 5, timestampMs: 5000 })
  expect(await partition.offsetAt(5001)).toBeUndefined()
  expect(await partition.offsetOfMaxTimestamp()).toEqual({ offset: 5, timestampMs: 5000 })
})

test('a producer whose last batches were thinned out to nothing is still known, also without the index', async () => {
  const { log, partition, stores } = await opened()
  const sent = (records: string, baseSequence: number): Buffer =>
    recordsBatch(records, { producerId: 9, producerEpoch: 2, baseSequence })
  for (let at = 0; at < 7; at++) await partition.append(sent('a1', at))
  await fill(partition, ['a2'])
  await log.upkeep()
  expect(await records(partition)).toBe('7:a2')
  expect(await partition.append(sent('a1', 4))).toMatchObject({ baseOffset: 4, duplicate: true })
  await log.close()
  await stores.index.clear({})
  const rebuilt = await openTestLog(stores)
  const again = rebuilt.log.partition(A0)
  expect(await again.append(sent('a1', 6))).toMatchObject({ baseOffset: 6, duplicate: true })
  expect(await again.append(sent('b1', 7))).toMatchObject({ baseOffset: 8, duplicate: false })
})

test('an answer that is bounded has a batch with records, however many empty ones lie before it', async () => {
  const { log, partition } = await opened({ tailCacheBytes: 0 })
  for (let at = 0; at < 5; at++) await partition.append(recordsBatch('a1', { producerId: at, producerEpoch: 0, baseSequence: 0 }))
  await fill(partition, ['a2 b1', 'c1'])
  await log.upkeep()
  const batches = await partition.read(0, { bytesMax: 1 })
  expect(batches.map(batch => readHeader(batch).recordCount)).toEqual([0, 0, 0, 0, 0, 2])
})

test('empty batches become one, also with those of earlier passes', async () => {
  const { log, partition, inner } = await opened({ retention: { minCleanableDirtyRatio: 0 } })
  for (let round = 0; round < 4; round++) {
    await fill(partition, ['a1', 'a2', 'a3'])
    await log.upkeep()
    expect(inner.batchCount).toBe(2)
  }
  expect(await records(partition)).toBe('11:a3')
})

test('a damaged batch ends the pass, and what was moved until then is found', async () => {
  const errors: string[] = []
  const logger = { ...silentLogger, error: (_facts: object, message: string) => void errors.push(message) }
  const stores = keptSegments()
  const { log, state } = await openTestLog({ ...stores, logger, tailCacheBytes: 0, segmentBytes: 1 })
  log.retainBy(compacting())
  const partition = log.partition(A0)
  await fill(partition, ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'])
  const store = await stores.journal.open(3, { isNewest: false })
  const [row] = await store.range({ limit: 1 })
  row!.value[65]! ^= 1
  await store.batch([{ type: 'put', ...row! }], { sync: true })
  await log.upkeep()
  expect(errors).toContain('the upkeep of a partition failed')
  const { counted, found } = await counts(state)
  expect(counted).toEqual(found)
  expect(await partition.read(0, whole)).toHaveLength(3)
  await expect(partition.read(3, whole)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  expect(await partition.read(4, whole)).toHaveLength(2)
})

test('readers and producers go on while passes run, and nobody meets a gap or a record out of order', async () => {
  const { log, state, partition, inner, stores } = await opened({
    ...{ tailCacheBytes: 2000, segmentBytes: 3000, segmentsOpenMax: 1, compactionKeyMapBytes: 24 * 8 },
    retention: { minCleanableDirtyRatio: 0 }
  })
  const keys = 'abcdefghijkl'
  let isOver = false
  let sent = 0
  const producer = (async () => {
    for (; sent < 1500; sent++) await partition.append(recordsBatch(`${keys[sent % 12]}${sent} ${keys[(sent * 5) % 12]}${sent}`))
    isOver = true
  })()
  const readers = [0, 1, 2].map(async reader => {
    for (let from = 0; !isOver; from = (from * 7 + reader + 13) % (partition.highWatermark + 1)) {
      const batches = await partition.read(from, { bytesMax: 5000 })
      let next: number | undefined
      for (const batch of batches) {
        const { baseOffset, lastOffsetDelta } = readHeader(batch)
        if (next === undefined) expect(baseOffset).toBeLessThanOrEqual(from)
        else expect(baseOffset).toBe(next)
        next = baseOffset + lastOffsetDelta + 1
        for (const { offset, value } of decodeBatch(batch, INFLATE_MAX)) expect(value!.toString()).toBe(`${offset >> 1}`)
      }
      expect(next ?? partition.highWatermark).toBeGreaterThanOrEqual(from)
      await turn()
    }
  })
  for (; !isOver; await turn()) await log.upkeep()
  await Promise.all([producer, ...readers])
  await log.upkeep()
  const kept = (await records(partition)).split(' ')
  expect(kept).toHaveLength(12)
  expect(new Set(kept.map(record => record.split(':')[1]![0])).size).toBe(12)
  expect(inner).toMatchObject({ cleanedTo: 3000, dirtyBytes: 0 })
  const { counted, found } = await counts(state)
  expect(counted).toEqual(found)
  expect((await stores.journal.list()).length).toBeLessThan(20)
})
