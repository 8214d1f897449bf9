import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeBatch } from '@assay/records'
import { silentLogger, systemClock } from '@assay/std'
import { memoryStore, type Segments, segmentFileName } from '@assay/store'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openLog } from './directory.ts'
import { openJournal } from './journal-segments.ts'
import type { Log, PartitionLog } from './log.ts'
import { dump } from './test/dump.ts'
import { faultySegments } from './test/faulty-segments.ts'
import { batchOf, keptSegments, openTestLog, TOPIC_A, TOPIC_B, testClock } from './test/logs.ts'

const A0 = { topicId: TOPIC_A, partition: 0 }
const B0 = { topicId: TOPIC_B, partition: 0 }
const whole = { bytesMax: Number.MAX_SAFE_INTEGER }
const SIZE = batchOf('n0').length
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const readValues = async (log: PartitionLog, from = log.startOffset): Promise<string[]> =>
  (await log.read(from, whole)).flatMap(batch => decodeBatch(batch, 1 << 20).map(({ offset, value }) => `${offset}=${value}`))

async function fill(log: Log, count: number): Promise<void> {
  for (let at = 0; at < count; at++) await log.partition(at % 2 ? B0 : A0).append(batchOf(`n${at % 10}`))
}

describe('segments', () => {
  test('begin when the one before is full, and reads go over them', async () => {
    const stores = keptSegments()
    const { log, state } = await openTestLog({ ...stores, segmentBytes: 3 * SIZE, tailCacheBytes: 0 })
    await fill(log, 10)
    const before = await dump(state)
    expect(await stores.journal.list()).toEqual([0, 3, 6, 9])
    expect(await readValues(log.partition(A0))).toEqual(['0=n0.0', '1=n2.0', '2=n4.0', '3=n6.0', '4=n8.0'])
    expect(await readValues(log.partition(B0), 3)).toEqual(['3=n7.0', '4=n9.0'])
    await log.close()
    const again = await openTestLog({ ...stores, segmentBytes: 3 * SIZE, tailCacheBytes: 0 })
    expect(await dump(again.state)).toEqual(before)
    expect(await readValues(again.log.partition(A0))).toHaveLength(5)
    await fill(again.log, 2)
    expect(await stores.journal.list()).toEqual([0, 3, 6, 9])
    await fill(again.log, 1)
    expect(await stores.journal.list()).toEqual([0, 3, 6, 9, 12])
  })

  test('begin when the one before is old, but never after an empty one', async () => {
    const stores = keptSegments()
    const clock = testClock()
    const { log } = await openTestLog({ ...stores, clock, segmentMs: 1000 })
    clock.advance(5000)
    await fill(log, 1)
    expect(await stores.journal.list()).toEqual([0])
    await fill(log, 1)
    expect(await stores.journal.list()).toEqual([0, 1])
    clock.advance(999)
    await fill(log, 1)
    expect(await stores.journal.list()).toEqual([0, 1])
    await log.close()
    clock.advance(1)
    const again = await openTestLog({ ...stores, clock, segmentMs: 1000 })
    await fill(again.log, 1)
    expect(await stores.journal.list()).toEqual([0, 1, 3])
  })

  test('are told by sequence: a unit larger than a segment is not divided', async () => {
    const stores = keptSegments()
    const { log } = await openTestLog({ ...stores, segmentBytes: SIZE })
    const unit = Array.from({ length: 5 }, (_, at) => ({ log: log.partition(at % 2 ? B0 : A0), batch: batchOf(`n${at}`) }))
    await log.appendAll(unit)
    await log.partition(A0).append(batchOf('n9'))
    expect(await stores.journal.list()).toEqual([0, 5])
  })

  test('that could not be begun stop the log, and nothing that was acknowledged is lost', async () => {
    const journal = faultySegments()
    const index = memoryStore()
    const { log } = await openTestLog({ journal: journal.open(), index: { ...index, close: async () => {} }, segmentBytes: SIZE })
    await fill(log, 2)
    journal.failNextRoll()
    await expect(log.partition(A0).append(batchOf('lost'))).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await log.close()
    const again = await openTestLog({ journal: journal.open(), index, segmentBytes: SIZE })
    expect(await readValues(again.log.partition(A0))).toEqual(['0=n0.0'])
    await fill(again.log, 3)
    expect(journal.firsts).toEqual([0, 1, 2, 3, 4])
  })

  test.each(['interval', 'never'] as const)('with flush: %s are durable before the next one is written', async flush => {
    const journal = faultySegments()
    const index = memoryStore()
    const { log } = await openTestLog({
      journal: journal.open(),
      index: { ...index, close: async () => {} },
      flush,
      segmentBytes: 3 * SIZE
    })
    await fill(log, 8)
    await journal.crash({ keepUnsynced: 0 })
    await log.close().catch(() => {})
    const again = await openTestLog({ journal: journal.open(), index, segmentBytes: 3 * SIZE })
    // The row that came first into the third segment is covered by the checkpoint of its beginning, the one behind it by nothing.
    expect([again.log.partition(A0).logEndOffset, again.log.partition(B0).logEndOffset]).toEqual([4, 3])
    expect(await readValues(again.log.partition(A0))).toHaveLength(4)
  })

  test('that are older are opened when they are read, and few stay open', async () => {
    const journal = faultySegments()
    const index = memoryStore()
    const options = {
      journal: journal.open(),
      index: { ...index, close: async () => {} },
      segmentBytes: SIZE,
      tailCacheBytes: 0,
      segmentsOpenMax: 2
    }
    const { log } = await openTestLog(options)
    await fill(log, 20)
    await turn()
    expect(journal.openCount).toBe(3)
    await log.close()
    expect(journal.openCount).toBe(0)
    const again = await openTestLog(options)
    expect(journal.openCount).toBe(1)
    await Promise.all(Array.from({ length: 10 }, (_, at) => readValues(again.log.partition(at % 2 ? B0 : A0), at)))
    expect(await readValues(again.log.partition(A0))).toHaveLength(10)
    await turn()
    expect(journal.openCount).toBeLessThanOrEqual(3)
    await again.log.close()
    expect(journal.openCount).toBe(0)
  })
})

describe('a row of segments', () => {
  async function filled(): Promise<{ readonly journal: Segments; readonly index: ReturnType<typeof keptSegments>['index'] }> {
    const stores = keptSegments()
    const { log } = await openTestLog({ ...stores, segmentBytes: 3 * SIZE })
    await fill(log, 11)
    await log.close()
    return stores
  }

  test.each<[string, (journal: Segments) => Promise<void>, RegExp]>([
    ['without its first', journal => journal.drop(0), /segment 0, with rows 0 to 2, is missing/],
    ['without one in the middle', journal => journal.drop(6), /segment 6, with rows 6 to 8, is missing/],
    ['without its last', journal => journal.drop(9), /segment 9, with rows 9 to 10, is missing/],
    ['with a foreign one', async journal => (await journal.roll(4)).close(), /segment 4 does not belong to it/],
    // Nothing says that it is foreign but the rows that are missing in between.
    [
      'with a foreign one at the end',
      async journal => (await journal.roll(40)).close(),
      /row 11 is missing; the next segment begins with row 40/
    ]
  ])('%s is told, again and again', async (_name, damage, complaint) => {
    const stores = await filled()
    await damage(stores.journal)
    for (let times = 2; times > 0; times--) {
      const error = await openTestLog(stores).catch((caught: unknown) => caught)
      expect(error).toMatchObject({ code: 'STORE_CORRUPT', message: expect.stringMatching(complaint) })
    }
  })

  test('in which one has lost its rows harms only those who read that one', async () => {
    const stores = await filled()
    const store = await stores.journal.open(3, { isNewest: false })
    await store.clear({})
    await store.close()
    const { log } = await openTestLog({ ...stores, tailCacheBytes: 0 })
    expect(await readValues(log.partition(A0), 0)).toHaveLength(2)
    await expect(log.partition(A0).read(2, whole)).rejects.toThrow(/its first row is missing/)
    expect(await readValues(log.partition(A0), 3)).toHaveLength(3)
    expect(await log.partition(A0).append(batchOf('on'))).toMatchObject({ baseOffset: 6 })
  })

  test('whose tail of an older one is gone is told when that is opened', async () => {
    const stores = await filled()
    const store = await stores.journal.open(3, { isNewest: false })
    const rows = await store.range({})
    await store.batch([{ type: 'del', key: rows.at(-1)!.key }], { sync: true })
    await store.close()
    const { log } = await openTestLog({ ...stores, tailCacheBytes: 0 })
    await expect(log.partition(A0).read(2, whole)).rejects.toThrow(/its last row is 4 and not 5/)
  })

  test('without its index is read again, and told to have a gap where one is missing', async () => {
    const stores = await filled()
    const before = await openTestLog(stores)
    const expected = await dump(before.state)
    await before.log.close()
    await stores.index.clear({})
    const again = await openTestLog(stores)
    expect(await dump(again.state)).toEqual(expected)
    await again.log.close()
  })
})

test('a journal is not begun where one is known to have been', async () => {
  const { journal } = keptSegments()
  const opening = openJournal(journal, { openMax: 1, mustExist: true, endOf: () => undefined })
  await expect(opening).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
})

describe('on disk', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'assay-segments-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))
  const open = (segmentBytes = 3 * SIZE): Promise<Log> =>
    openLog({ directory, clock: systemClock, logger: silentLogger, segmentBytes, tailCacheBytes: 0 })

  test('segments are files named by their first sequence', async () => {
    const log = await open()
    await fill(log, 7)
    const names = (await readdir(join(directory, 'journal'))).filter(name => !name.endsWith('.positions'))
    expect(names.sort()).toEqual([0, 3, 6].map(segmentFileName))
    expect(await readValues(log.partition(A0))).toHaveLength(4)
    await log.close()
    const again = await open()
    expect(await readValues(again.partition(A0))).toHaveLength(4)
    await again.close()
  })

  test('a copy of a segment in the place of another is told', async () => {
    const log = await open()
    await fill(log, 11)
    await log.close()
    const place = (first: number): string => join(directory, 'journal', segmentFileName(first))
    await copyFile(place(6), place(3))
    await copyFile(`${place(6)}.positions`, `${place(3)}.positions`)
    const again = await open()
    expect(await readValues(again.partition(A0), 0)).toHaveLength(2)
    await expect(again.partition(A0).read(2, whole)).rejects.toThrow(/it says that its first row is 6/)
    await again.close()
  })
})
