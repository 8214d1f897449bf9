import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeBatch } from '@assay/records'
import { silentLogger, systemClock } from '@assay/std'
import { memoryStore, type Store } from '@assay/store'
import { describe, expect, test } from 'vitest'
import { openLog } from './directory.ts'
import type { LogOptions } from './journal-log.ts'
import type { Log, PartitionLog } from './log.ts'
import { keepForever, type Retention } from './retention-settings.ts'
import { dump } from './test/dump.ts'
import { batchOf, keptSegments, keyedBatch, openTestLog, TOPIC_A, TOPIC_B, testClock, turn } from './test/logs.ts'
import { markerBatch } from './transactions.ts'

const A0 = { topicId: TOPIC_A, partition: 0 }
const B0 = { topicId: TOPIC_B, partition: 0 }
const whole = { bytesMax: Number.MAX_SAFE_INTEGER }
/** A pair of records with keys that no other pair has. */
const pairOf = (at: number, baseTimestampMs: number): Buffer =>
  batchOf(`n${at}`, { keys: [`${at % 10}.0`, `${at % 10}.1`], baseTimestampMs })
const SIZE = pairOf(0, 0).length

const readValues = async (log: PartitionLog, from = log.startOffset): Promise<string[]> =>
  (await log.read(from, whole)).flatMap(batch => decodeBatch(batch, 1 << 20).map(({ offset, value }) => `${offset}=${value}`))

/** Batches of two records each; the times rise by 100 with each of them. */
async function fill(partition: PartitionLog, count: number, startMs = 1000): Promise<void> {
  for (let at = 0; at < count; at++) await partition.append(pairOf(at, startMs + at * 100))
}

const retaining = (retention: Partial<Retention>): (() => Retention) => {
  const whole = { ...keepForever, ...retention }
  return () => whole
}

const places: [string, LogOptions][] = [
  ['in the cache', {}],
  ['in the journal', { tailCacheBytes: 0 }],
  ['in the index', { tailCacheBytes: 0, checkpointBytes: 1 }]
]

describe.each(places)('records %s', (_name, options) => {
  test('are deleted up to an offset, at once and for good', async () => {
    const stores = keptSegments()
    const { log } = await openTestLog({ ...stores, ...options })
    const partition = log.partition(A0)
    await fill(partition, 5)
    expect(await log.deleteRecords(partition, 5)).toBe(5)
    expect([partition.startOffset, partition.logEndOffset]).toEqual([5, 10])
    await expect(partition.read(4, whole)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', facts: { offset: 4, start: 5 } })
    // The batch that holds the offset is whole, as it was sent.
    expect(await readValues(partition)).toEqual(['4=n2.0', '5=n2.1', '6=n3.0', '7=n3.1', '8=n4.0', '9=n4.1'])
    expect(await log.deleteRecords(partition, 3)).toBe(5)
    await expect(log.deleteRecords(partition, 11)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    await expect(log.deleteRecords(partition, -1)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    await log.upkeep()
    expect(await readValues(partition)).toHaveLength(6)
    // As after a crash: without closing.
    const again = await openTestLog({ ...stores, ...options })
    expect(again.log.partition(A0).startOffset).toBe(5)
    expect(await readValues(again.log.partition(A0))).toHaveLength(6)
    expect(again.state.partitions.get(`${TOPIC_A}-0`)).toMatchObject({ batchCount: 3, sizeBytes: 3 * SIZE })
  })

  test('may all be deleted, and the next one goes on where they ended', async () => {
    const stores = keptSegments()
    const { log } = await openTestLog({ ...stores, ...options })
    const partition = log.partition(A0)
    await fill(partition, 3)
    expect(await log.deleteRecords(partition, 6)).toBe(6)
    expect(await partition.read(6, whole)).toEqual([])
    expect([await partition.offsetAt(0), await partition.offsetOfMaxTimestamp()]).toEqual([undefined, undefined])
    await log.upkeep()
    await log.close()
    const again = await openTestLog({ ...stores, ...options })
    expect(await again.log.partition(A0).append(batchOf('on'))).toMatchObject({ baseOffset: 6 })
    expect(await readValues(again.log.partition(A0))).toEqual(['6=on.0'])
  })

  test('are found by time among those that are left', async () => {
    const { log } = await openTestLog(options)
    const partition = log.partition(A0)
    for (const [at, timesMs] of [[900], [100, 500], [300, 300], [200], [400]].entries()) {
      await partition.append(batchOf(`t${at}`, { timesMs }))
    }
    await log.deleteRecords(partition, 2)
    await log.upkeep()
    expect(await partition.offsetAt(0)).toEqual({ offset: 2, timestampMs: 500 })
    expect(await partition.offsetOfMaxTimestamp()).toEqual({ offset: 2, timestampMs: 500 })
    await log.deleteRecords(partition, 3)
    await log.upkeep()
    expect(await partition.offsetAt(350)).toEqual({ offset: 6, timestampMs: 400 })
    expect(await partition.offsetAt(450)).toBeUndefined()
    expect(await partition.offsetOfMaxTimestamp()).toEqual({ offset: 6, timestampMs: 400 })
  })

  test.each<[string, Partial<Retention>, number]>([
    ['nothing is bounded', {}, 0],
    ['they are younger than that', { retentionMs: 10_000 }, 0],
    ['three batches are older', { retentionMs: 700 }, 6],
    ['all are older', { retentionMs: 0 }, 20],
    ['the size is not reached', { retentionBytes: 10 * SIZE }, 0],
    ['a batch would fit in half', { retentionBytes: 9 * SIZE + 1 }, 0],
    ['there is one batch too many', { retentionBytes: 9 * SIZE }, 2],
    ['only a little is to be kept', { retentionBytes: 2 * SIZE + 5 }, 14],
    ['nothing is to be kept', { retentionBytes: 0 }, 20],
    ['size asks for more than time', { retentionMs: 700, retentionBytes: 5 * SIZE }, 10],
    ['time asks for more than size', { retentionMs: 700, retentionBytes: 9 * SIZE }, 6],
    ['they are compacted and not deleted', { cleanup: 'compact', retentionMs: 700, retentionBytes: 0 }, 0]
  ] as [string, Partial<Retention>, number][])('are kept when %s', async (_why, retention, start) => {
    const { log } = await openTestLog({ ...options, clock: testClock(2000) })
    const partition = log.partition(A0)
    if (retention.cleanup === undefined) await fill(partition, 10)
    else for (let at = 0; at < 20; at++) await partition.append(keyedBatch([[`k${at}`, 'x']]))
    log.retainBy(retaining(retention))
    await log.upkeep()
    expect(partition.startOffset).toBe(start)
    expect(await readValues(partition)).toHaveLength(20 - start)
  })
})

test('retention is seen to by itself, and a batch in front that is young holds back older ones behind it', async () => {
  const clock = testClock(10_000)
  const { log } = await openTestLog({ clock, retentionCheckIntervalMs: 500 })
  log.retainBy(retaining({ retentionMs: 1000 }))
  const partition = log.partition(A0)
  for (const time of [5000, 9500, 6000]) await partition.append(batchOf('x', { baseTimestampMs: time }))
  clock.advance(500)
  for (let turns = 20; turns > 0; turns--) await turn()
  expect(partition.startOffset).toBe(1)
})

test('a batch without a time is as old as the segment behind its own', async () => {
  const clock = testClock(10_000)
  const { log } = await openTestLog({ ...keptSegments(), clock, segmentBytes: SIZE })
  log.retainBy(retaining({ retentionMs: 1000 }))
  const partition = log.partition(A0)
  for (let at = 0; at < 3; at++) {
    await partition.append(pairOf(0, -1))
    clock.advance(600)
  }
  await log.upkeep()
  expect(partition.startOffset).toBe(2)
})

describe('space', () => {
  const rowsIn = async (stores: ReturnType<typeof keptSegments>): Promise<number[]> => stores.journal.list()

  test('comes back as segments of which nothing is alive', async () => {
    const stores = keptSegments()
    const { log } = await openTestLog({ ...stores, segmentBytes: 3 * SIZE })
    await fill(log.partition(A0), 12)
    expect(await rowsIn(stores)).toEqual([0, 3, 6, 9])
    await log.deleteRecords(log.partition(A0), 11)
    await log.upkeep()
    // One batch of three is alive in the second: more than a quarter.
    expect(await rowsIn(stores)).toEqual([3, 6, 9])
    await log.deleteRecords(log.partition(A0), 24)
    await log.upkeep()
    expect(await rowsIn(stores)).toEqual([12])
    const again = await openTestLog(stores)
    expect(again.log.partition(A0).startOffset).toBe(24)
  })

  test('comes back when a topic is dropped, and what else lay there is copied forward', async () => {
    const stores = keptSegments()
    const { log, state } = await openTestLog({ ...stores, segmentBytes: 8 * SIZE, tailCacheBytes: 0 })
    const sent = (baseSequence: number): Buffer =>
      batchOf(`n${baseSequence}`, { keys: ['0.0', '0.1'], producerId: 7, producerEpoch: 0, baseSequence })
    for (let at = 0; at < 3; at++) {
      await log.partition(B0).append(sent(at * 2))
      await fill(log.partition(A0), 7)
    }
    await log.partition(B0).append(sent(6))
    const before = await readValues(log.partition(B0))
    expect(await rowsIn(stores)).toEqual([0, 8, 16, 24])
    await log.drop(TOPIC_A)
    await log.upkeep()
    expect(await rowsIn(stores)).toEqual([24])
    expect(await readValues(log.partition(B0))).toEqual(before)
    expect(state.segments.all).toMatchObject([{ first: 24, rows: 4, liveRows: 4, liveBytes: state.segments.newest!.bytes }])
    const live = await dump(state)
    // As after a crash, and then also without its index: the batch that came last is the first row that is left.
    const again = await openTestLog(stores)
    expect(await dump(again.state)).toEqual(live)
    expect(await again.log.partition(B0).append(sent(6))).toMatchObject({ duplicate: true })
    await again.log.close()
    await stores.index.clear({})
    const warned: string[] = []
    const logger = { ...silentLogger, warn: (_facts: object, message: string) => void warned.push(message) }
    const rebuilt = await openTestLog({ ...stores, logger })
    expect(await readValues(rebuilt.log.partition(B0))).toEqual(before)
    expect(await rebuilt.log.partition(B0).append(sent(8))).toMatchObject({ baseOffset: 8, duplicate: false })
    expect(warned[0]).toMatch(/segments are missing from the journal/)
  })

  test.each<[string, boolean]>([
    ['without transactions', false],
    ['with transactions', true]
  ])('takes batches of a producer along, and an index made anew then knows nothing of it (%s)', async (_, isTransactional) => {
    const stores = keptSegments()
    const { log } = await openTestLog({ ...stores, segmentBytes: 3 * SIZE, tailCacheBytes: 0 })
    const [a, b] = [log.partition(A0), log.partition(B0)]
    const sent = (baseSequence: number, more: object = {}): Buffer =>
      batchOf('n0', { keys: ['0.0', '0.1'], producerId: 7, producerEpoch: 0, baseSequence, ...more })
    // The first of its batches lies between others that live on, and stays where it is though it is deleted.
    await fill(b, 1)
    await a.append(sent(0, { isTransactional }))
    await fill(b, 1)
    for (const baseSequence of [2, 4, 6]) await a.append(sent(baseSequence, { isTransactional }))
    if (isTransactional) await a.append(markerBatch({ producerId: 7, producerEpoch: 0, end: 'commit', nowMs: 1000 }))
    await fill(a, 3)
    await log.deleteRecords(a, a.highWatermark - 6)
    await log.upkeep()
    expect((await rowsIn(stores)).slice(0, 2)).toEqual([0, 6])
    await log.close()
    await stores.index.clear({})
    const again = await openTestLog(stores)
    expect(again.log.partition(A0).startOffset).toBeGreaterThanOrEqual(8)
    expect(again.log.partition(A0).producers()).toEqual([])
    expect(await again.log.partition(A0).append(sent(8))).toMatchObject({ duplicate: false })
    await again.log.close()
  })

  test('what is copied forward is right after a crash at any write', async () => {
    for (let writes = 0; writes < 25; writes++) {
      const stores = keptSegments()
      const first = await openTestLog({ ...stores, segmentBytes: 8 * SIZE, tailCacheBytes: 0 })
      for (let at = 0; at < 3; at++) {
        await first.log.partition(B0).append(batchOf(`b${at}`))
        await fill(first.log.partition(A0), 7)
      }
      await first.log.close()
      let left = writes
      const cut = (store: Store): Store => ({
        ...store,
        batch: (ops, how) => (left-- > 0 ? store.batch(ops, how) : new Promise(() => {})),
        clear: range => (left-- > 0 ? store.clear(range) : new Promise(() => {}))
      })
      const journal = {
        ...stores.journal,
        open: async (at: number, how: { readonly isNewest: boolean }) => cut(await stores.journal.open(at, how)),
        drop: (at: number) => (left-- > 0 ? stores.journal.drop(at) : new Promise<void>(() => {}))
      }
      const second = await openTestLog({ journal, index: cut(stores.index), segmentBytes: 8 * SIZE, tailCacheBytes: 0 })
      const done = second.log.drop(TOPIC_A).then(() => second.log.upkeep())
      await Promise.race([done, new Promise(resolve => setTimeout(resolve, 20))])
      const third = await openTestLog({ ...stores, tailCacheBytes: 0 })
      expect(await readValues(third.log.partition(B0)), `after ${writes} writes`).toEqual(['0=b0.0', '1=b1.0', '2=b2.0'])
      await third.log.keepOnly(new Set([TOPIC_B]))
      await third.log.upkeep()
      expect(await readValues(third.log.partition(B0)), `after ${writes} writes`).toEqual(['0=b0.0', '1=b1.0', '2=b2.0'])
      expect((await rowsIn(stores)).length).toBeLessThanOrEqual(2)
      await third.log.close()
    }
  })

  test('a batch that is damaged keeps its segment, and no other', async () => {
    const stores = keptSegments()
    const errors: string[] = []
    const logger = { ...silentLogger, error: (_facts: object, message: string) => void errors.push(message) }
    const { log } = await openTestLog({ ...stores, logger, segmentBytes: 8 * SIZE, tailCacheBytes: 0 })
    for (let at = 0; at < 3; at++) {
      await log.partition(B0).append(batchOf(`b${at}`, { keys: ['0.0', '0.1'] }))
      await fill(log.partition(A0), 7)
    }
    const store = await stores.journal.open(8, { isNewest: false })
    const [row] = await store.range({ limit: 1 })
    row!.value[65]! ^= 1
    await store.batch([{ type: 'put', ...row! }], { sync: true })
    await log.drop(TOPIC_A)
    await log.upkeep()
    expect(errors).toEqual(['a segment holds batches that cannot be read, and stays'])
    expect((await rowsIn(stores)).filter(first => first < 16)).toEqual([8])
    expect(await log.partition(B0).read(0, whole)).toHaveLength(1)
    await expect(log.partition(B0).read(2, whole)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    expect(await readValues(log.partition(B0), 4)).toEqual(['4=b2.0', '5=b2.1'])
    await log.upkeep()
    expect(errors).toHaveLength(1)
  })

  test('readers and producers go on while it comes back', async () => {
    const stores = keptSegments()
    const { log } = await openTestLog({
      ...stores,
      segmentBytes: 10 * SIZE,
      tailCacheBytes: 0,
      segmentsOpenMax: 1
    })
    const kept = log.partition(B0)
    for (let at = 0; at < 20; at++) {
      await kept.append(batchOf(`b${at}`))
      await fill(log.partition(A0), 9)
    }
    let isOver = false
    const readers = Array.from({ length: 4 }, async () => {
      for (; !isOver; await turn()) {
        expect((await readValues(kept)).slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, at) => `${at}=b${at}.0`))
      }
    })
    const producer = (async () => {
      while (!isOver) await kept.append(batchOf('more'))
    })()
    await log.drop(TOPIC_A)
    await log.upkeep()
    isOver = true
    await Promise.all([...readers, producer])
    expect((await rowsIn(stores))[0]).toBeGreaterThanOrEqual(190)
  })

  test('is really given back on disk', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'assay-space-'))
    const open = (): Promise<Log> =>
      openLog({ directory, clock: systemClock, logger: silentLogger, segmentBytes: 2 << 20, tailCacheBytes: 0 })
    const log = await open()
    const big = 'x'.repeat(64 << 10)
    for (let at = 0; at < 160; at++) await log.partition(at % 10 ? A0 : B0).append(batchOf(`${at}${big}`))
    const full = await bytesUnder(directory)
    expect(full).toBeGreaterThan(10 << 20)
    await log.drop(TOPIC_A)
    await log.upkeep()
    expect(await bytesUnder(directory)).toBeLessThan(full / 3)
    expect(await log.partition(B0).read(0, whole)).toHaveLength(16)
    await log.close()
    const again = await open()
    expect(await again.partition(B0).read(0, whole)).toHaveLength(16)
    await again.deleteRecords(again.partition(B0), 16)
    await again.upkeep()
    expect(await bytesUnder(directory)).toBeLessThan(4 << 20)
    await again.close()
    await rm(directory, { recursive: true })
  })
})

async function bytesUnder(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const sizes = entries.filter(entry => entry.isFile()).map(entry => stat(join(entry.parentPath, entry.name)))
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0)
}

test('an upkeep under way ends with the log', async () => {
  const stores = { ...keptSegments(), index: { ...memoryStore() } }
  const { log } = await openTestLog({ ...stores, segmentBytes: 3 * SIZE })
  await fill(log.partition(A0), 30)
  await log.deleteRecords(log.partition(A0), 60)
  const kept = log.upkeep()
  await log.close()
  await kept
  await expect(log.deleteRecords(log.partition(A0), 60)).rejects.toMatchObject({ code: 'STORE_FAILED' })
})
