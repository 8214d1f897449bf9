import { AssayError } from '@assay/errors'
import { CODEC, decodeBatch, hasRightCrc, readHeader, setLogAppendTime } from '@assay/records'
import { expect, test } from 'vitest'
import { faultyDisk } from '../../test/faults/faulty-store.ts'
import type { PartitionLog } from './log.ts'
import { dump } from './test/dump.ts'
import { batchOf, keptStores, openTestLog, TOPIC_A, TOPIC_B, testClock } from './test/logs.ts'

const A0 = { topicId: TOPIC_A, partition: 0 }
const A1 = { topicId: TOPIC_A, partition: 1 }
const B0 = { topicId: TOPIC_B, partition: 0 }

const whole = { bytesMax: Number.MAX_SAFE_INTEGER }
const valuesOf = (batches: readonly Buffer[]): string[] =>
  batches.flatMap(batch => decodeBatch(batch, 1 << 20).map(({ offset, value }) => `${offset}=${value}`))
const readValues = async (log: PartitionLog, from = 0): Promise<string[]> => valuesOf(await log.read(from, whole))
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('appends take dense offsets in the order of the calls and are read as they were sent', async () => {
  const { log } = await openTestLog()
  const partition = log.partition(A0)
  const sent = [batchOf('x', { count: 2 }), batchOf('y'), batchOf('z', { count: 3, codec: CODEC.zstd })]
  const places = await Promise.all(sent.map(batch => partition.append(batch)))
  expect(places.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])).toEqual([
    [0, 1],
    [2, 2],
    [3, 5]
  ])
  expect(await readValues(partition)).toEqual(['0=x.0', '1=x.1', '2=y.0', '3=z.0', '4=z.1', '5=z.2'])
  const read = await partition.read(0, whole)
  expect(read.map(batch => batch.subarray(16).toString('hex'))).toEqual(sent.map(batch => batch.subarray(16).toString('hex')))
  expect(read.every(hasRightCrc)).toBe(true)
  expect([partition.startOffset, partition.logEndOffset, partition.highWatermark, partition.lastStableOffset]).toEqual([
    0, 6, 6, 6
  ])
  expect(log.partition({ ...A0 })).toBe(partition)
})

test('the high watermark follows the disk, the log end offset the calls', async () => {
  const { log } = await openTestLog()
  const partition = log.partition(A0)
  const appended = partition.append(batchOf('x', { count: 3 }))
  expect([partition.logEndOffset, partition.highWatermark]).toEqual([3, 0])
  expect(await partition.read(0, whole)).toEqual([])
  await expect(partition.read(1, whole)).rejects.toMatchObject({
    code: 'OFFSET_OUT_OF_RANGE',
    facts: { offset: 1, start: 0, end: 0 }
  })
  await appended
  expect(partition.highWatermark).toBe(3)
})

test.each([
  ['behind the end', 7, 1],
  ['before the start', -1, 1],
  ['not a number', Number.NaN, 1]
])('a read %s is out of range', async (_name, from) => {
  const { log } = await openTestLog()
  await log.partition(A0).append(batchOf('x', { count: 6 }))
  await expect(log.partition(A0).read(from, whole)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
})

test.each([
  ['from the tail cache', { tailCacheBytes: 1 << 20 }],
  ['from the journal', { tailCacheBytes: 0 }],
  ['from the journal by the index', { tailCacheBytes: 0, checkpointBytes: 1 }],
  ['from all three', { tailCacheBytes: 300, checkpointBytes: 700 }]
])('reads %s stop before the batch that is too much, begin inside batches, and give the first whole', async (_name, options) => {
  const { log } = await openTestLog(options)
  const partition = log.partition(A0)
  const other = log.partition(A1)
  for (let at = 0; at < 20; at++) {
    await Promise.all([partition.append(batchOf(`v${at}`, { count: 2 })), other.append(batchOf('other'))])
    await turn()
  }
  const size = (await partition.read(0, { bytesMax: 1 }))[0]!.length
  const countAt = async (from: number, bytesMax: number): Promise<number[]> =>
    (await partition.read(from, { bytesMax })).map(batch => readHeader(batch).baseOffset)
  expect(await countAt(0, 0)).toEqual([0])
  expect(await countAt(5, 1)).toEqual([4])
  expect(await countAt(0, size * 3)).toEqual([0, 2, 4])
  expect(await countAt(0, size * 3 - 1)).toEqual([0, 2])
  expect(await countAt(39, whole.bytesMax)).toEqual([38])
  expect(await countAt(40, whole.bytesMax)).toEqual([])
  expect((await countAt(1, whole.bytesMax)).length).toBe(20)
  expect(await readValues(other)).toHaveLength(20)
})

test('one write serves all that wait', async () => {
  const disk = faultyDisk()
  const journal = await disk.open()
  let writes = 0
  const counting = {
    ...journal,
    batch: ((ops, options) => {
      writes++
      return journal.batch(ops, options)
    }) as typeof journal.batch
  }
  const { log } = await openTestLog({ journal: counting })
  disk.slowWrites(5)
  const first = log.partition(A0).append(batchOf('first'))
  await turn()
  const others = Array.from({ length: 50 }, (_, at) =>
    log.partition({ topicId: TOPIC_B, partition: at % 7 }).append(batchOf(`${at}`))
  )
  await Promise.all([first, ...others])
  expect(writes).toBe(2)
})

test('several partitions are appended to together or not at all', async () => {
  const { log } = await openTestLog()
  const good = batchOf('good', { producerId: 1, producerEpoch: 0, baseSequence: 0 })
  const bad = batchOf('bad', { producerId: 2, producerEpoch: 0, baseSequence: 5 })
  await log.partition(B0).append(batchOf('before', { producerId: 2, producerEpoch: 0, baseSequence: 0 }))
  const untouched = Buffer.from(good)
  const both = [
    { log: log.partition(A0), batch: good },
    { log: log.partition(B0), batch: bad }
  ]
  await expect(log.appendAll(both)).rejects.toMatchObject({ code: 'OUT_OF_ORDER_SEQUENCE' })
  expect(good).toEqual(untouched)
  expect([log.partition(A0).logEndOffset, log.partition(B0).logEndOffset]).toEqual([0, 1])
  // Nothing is remembered of the good one either.
  expect(await log.partition(A0).append(good)).toMatchObject({ baseOffset: 0, duplicate: false })
  expect(await log.appendAll([])).toEqual([])
})

test('one unit may hold several batches of one producer, and a duplicate among them', async () => {
  const { log } = await openTestLog()
  const partition = log.partition(A0)
  const sent = (baseSequence: number): Buffer => batchOf(`s${baseSequence}`, { producerId: 1, producerEpoch: 0, baseSequence })
  const places = await log.appendAll([0, 1, 0, 2].map(sequence => ({ log: partition, batch: sent(sequence) })))
  expect(places.map(({ baseOffset, duplicate }) => [baseOffset, duplicate])).toEqual([
    [0, false],
    [1, false],
    [0, true],
    [2, false]
  ])
  expect(await readValues(partition)).toEqual(['0=s0.0', '1=s1.0', '2=s2.0'])
})

test('a duplicate is told its first place once that is on disk', async () => {
  const disk = faultyDisk()
  const { log } = await openTestLog({ journal: await disk.open() })
  disk.slowWrites(20)
  const sent = (): Buffer => batchOf('x', { count: 2, producerId: 9, producerEpoch: 3, baseSequence: 0 })
  const partition = log.partition(A0)
  const settled: string[] = []
  const first = partition.append(sent()).then(place => {
    settled.push('first')
    return place
  })
  await turn()
  const again = partition.append(sent()).then(place => {
    settled.push('again')
    return place
  })
  expect(await again).toEqual({ baseOffset: 0, lastOffset: 1, logAppendTimeMs: -1, duplicate: true })
  expect(await first).toMatchObject({ duplicate: false })
  expect(settled).toEqual(['first', 'again'])
  expect(await partition.append(sent())).toMatchObject({ baseOffset: 0, duplicate: true })
  expect(partition.logEndOffset).toBe(2)
})

test('the time of the append is told when the batch bears it, to a duplicate too', async () => {
  const { log } = await openTestLog()
  const sent = (): Buffer => {
    const batch = batchOf('x', { producerId: 9, producerEpoch: 3, baseSequence: 0 })
    setLogAppendTime(batch, 777)
    return batch
  }
  expect(await log.partition(A0).append(sent())).toMatchObject({ logAppendTimeMs: 777, duplicate: false })
  expect(await log.partition(A0).append(sent())).toMatchObject({ logAppendTimeMs: 777, duplicate: true })
})

test('a producer that was silent too long may begin anywhere', async () => {
  const clock = testClock()
  const { log } = await openTestLog({ clock, producerExpiryMs: 500 })
  const sent = (baseSequence: number): Buffer => batchOf('x', { producerId: 9, producerEpoch: 0, baseSequence })
  await log.partition(A0).append(sent(0))
  await expect(log.partition(A0).append(sent(7))).rejects.toMatchObject({ code: 'OUT_OF_ORDER_SEQUENCE' })
  clock.advance(500)
  expect(await log.partition(A0).append(sent(7))).toMatchObject({ baseOffset: 1, duplicate: false })
})

test('a producer ID beyond all that are given out is refused', async () => {
  const { log } = await openTestLog()
  const batch = batchOf('x', { producerId: 2 ** 60, producerEpoch: 0, baseSequence: 0 })
  await expect(log.partition(A0).append(batch)).rejects.toMatchObject({ code: 'INVALID_BATCH' })
})

test('appends beyond the queue bound wait in order', async () => {
  const size = batchOf('n0').length
  const { log } = await openTestLog({ appendQueueBytesMax: size * 2 })
  const partition = log.partition(A0)
  const appends = Array.from({ length: 9 }, (_, at) => partition.append(batchOf(`n${at}`)))
  expect(partition.logEndOffset).toBe(2)
  expect((await Promise.all(appends)).map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
})

test('listeners hear each rise in order, until they stop, and cannot break the log', async () => {
  const { log } = await openTestLog()
  const partition = log.partition(A0)
  const heard: string[] = []
  partition.onAppend(() => {
    throw new Error('a listener of this test fails')
  })
  const stop = partition.onAppend(() => heard.push(`one ${partition.highWatermark}`))
  partition.onAppend(() => heard.push(`two ${partition.highWatermark}`))
  await partition.append(batchOf('x'))
  stop()
  await log.partition(A1).append(batchOf('elsewhere'))
  await partition.append(batchOf('y'))
  expect(heard).toEqual(['one 1', 'two 1', 'two 2'])
})

test.each([
  ['a write', (disk: ReturnType<typeof faultyDisk>) => disk.failWrite(1)],
  ['a sync', (disk: ReturnType<typeof faultyDisk>) => disk.failNextSync()]
])('after %s has failed nothing is acknowledged any more, and reads go on', async (_name, breakDisk) => {
  const disk = faultyDisk()
  const { log } = await openTestLog({ journal: await disk.open(), tailCacheBytes: 0, appendQueueBytesMax: 1 })
  const partition = log.partition(A0)
  await partition.append(batchOf('kept'))
  breakDisk(disk)
  const pending = [
    partition.append(batchOf('lost')),
    partition.append(batchOf('queued')),
    log.partition(B0).append(batchOf('waiting'))
  ]
  const outcomes = await Promise.allSettled(pending)
  for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_FAILED' } })
  await expect(partition.append(batchOf('later'))).rejects.toThrow(/an earlier write failed .*Mend the disk, then start again/)
  await expect(log.drop(TOPIC_A)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  expect(await readValues(partition)).toEqual(['0=kept.0'])
  await log.close()
})

test('a failed write is not acknowledged to a duplicate that waits for it', async () => {
  const disk = faultyDisk()
  const { log } = await openTestLog({ journal: await disk.open() })
  disk.slowWrites(5)
  disk.failNextSync()
  const sent = (): Buffer => batchOf('x', { producerId: 9, producerEpoch: 0, baseSequence: 0 })
  const first = log.partition(A0).append(sent())
  await turn()
  const again = log.partition(A0).append(sent())
  expect((await Promise.allSettled([first, again])).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})

test('a failed checkpoint stops the log: its index rows would pile up', async () => {
  const disk = faultyDisk()
  const { log } = await openTestLog({ index: await disk.open(), checkpointBytes: 1 })
  disk.failWrite(1)
  await log.partition(A0).append(batchOf('x'))
  await turn()
  await turn()
  await expect(log.partition(A0).append(batchOf('y'))).rejects.toMatchObject({ code: 'STORE_FAILED' })
  expect(await readValues(log.partition(A0))).toEqual(['0=x.0'])
})

test('after close nothing is taken, and what was taken before is there', async () => {
  const stores = keptStores()
  const { log } = await openTestLog({ ...stores, appendQueueBytesMax: 1 })
  const appends = Array.from({ length: 5 }, (_, at) => log.partition(A0).append(batchOf(`n${at}`)))
  const closed = log.close()
  expect(log.close()).toBe(closed)
  await expect(log.partition(A0).append(batchOf('late'))).rejects.toThrow('the log is closed')
  await closed
  await Promise.all(appends)
  const again = await openTestLog(stores)
  expect(await readValues(again.log.partition(A0))).toHaveLength(5)
})

test.each([
  ['commit', 0],
  ['interval', 3],
  ['never', 3]
] as const)('flush: %s leaves %i appends unsynced', async (flush, unsynced) => {
  const clock = testClock()
  const disk = faultyDisk()
  const index = faultyDisk()
  const { log } = await openTestLog({ journal: await disk.open(), index: await index.open(), clock, flush, flushIntervalMs: 50 })
  for (const name of ['x', 'y', 'z']) await log.partition(A0).append(batchOf(name))
  expect(log.partition(A0).highWatermark).toBe(3)
  expect(disk.unsyncedCount()).toBe(unsynced)
  clock.advance(50)
  await turn()
  expect(disk.unsyncedCount()).toBe(flush === 'never' ? 3 : 0)
  await log.close()
  expect(disk.unsyncedCount()).toBe(0)
  const again = await openTestLog({ journal: await disk.open(), index: await index.open() })
  expect(await readValues(again.log.partition(A0))).toEqual(['0=x.0', '1=y.0', '2=z.0'])
})

test('dropped partitions are gone, for their holders and after a restart; others stay', async () => {
  const stores = keptStores()
  const { log } = await openTestLog({ ...stores, checkpointBytes: 400 })
  const [a0, a1, b0] = [log.partition(A0), log.partition(A1), log.partition(B0)]
  const sent = (name: string, baseSequence: number): Buffer => batchOf(name, { producerId: 4, producerEpoch: 0, baseSequence })
  for (let at = 0; at < 5; at++)
    await log.appendAll([a0, a1, b0].map(partition => ({ log: partition, batch: sent(`n${at}`, at) })))
  const onItsWay = a0.append(batchOf('on its way'))
  await log.drop(TOPIC_A)
  await onItsWay
  for (const gone of [a0, a1]) {
    await expect(gone.append(batchOf('x'))).rejects.toMatchObject({ code: 'PARTITION_NOT_FOUND' })
    await expect(gone.read(0, whole)).rejects.toMatchObject({ code: 'PARTITION_NOT_FOUND' })
    await expect(gone.offsetAt(0)).rejects.toMatchObject({ code: 'PARTITION_NOT_FOUND' })
  }
  await b0.append(sent('n5', 5))
  await log.drop(TOPIC_A)
  // As after a crash: without closing.
  const again = await openTestLog(stores)
  expect(Object.keys((await dump(again.state)).partitions)).toEqual([`${TOPIC_B}-0`])
  expect(again.log.partition(A0).highWatermark).toBe(0)
  expect(await readValues(again.log.partition(B0))).toHaveLength(6)
  expect(await stores.index.range({ gte: Buffer.from('b'), lt: Buffer.from('c') })).toHaveLength(6)
  expect(await stores.index.range({ gte: Buffer.from('q'), lt: Buffer.from('r') })).toHaveLength(1)
})

test('keepOnly drops the rest', async () => {
  const stores = keptStores()
  const { log } = await openTestLog(stores)
  for (const key of [A0, A1, B0]) await log.partition(key).append(batchOf('x'))
  await log.keepOnly(new Set([TOPIC_B]))
  await log.close()
  const again = await openTestLog(stores)
  expect(Object.keys((await dump(again.state)).partitions)).toEqual([`${TOPIC_B}-0`])
})

const TIMES: readonly (readonly number[])[] = [[100, 120], [90, 95], [200, 150, 180], [160], [300]]

test.each([
  ['cached', { tailCacheBytes: 1 << 20 }],
  ['stored', { tailCacheBytes: 0 }],
  ['indexed', { tailCacheBytes: 0, checkpointBytes: 1 }],
  ['half indexed', { tailCacheBytes: 0, checkpointBytes: 300 }]
])('offsets are found by time: %s', async (_name, options) => {
  const { log } = await openTestLog(options)
  const partition = log.partition(A0)
  expect(await partition.offsetAt(0)).toBeUndefined()
  expect(await partition.offsetOfMaxTimestamp()).toBeUndefined()
  for (const [at, timesMs] of TIMES.entries()) {
    await partition.append(batchOf(`t${at}`, { timesMs, codec: at % 2 ? CODEC.gzip : CODEC.none }))
    await turn()
  }
  const flat = TIMES.flat()
  for (let timestampMs = 80; timestampMs <= 310; timestampMs += 5) {
    const offset = flat.findIndex(time => time >= timestampMs)
    const expected = offset < 0 ? undefined : { offset, timestampMs: flat[offset]! }
    expect(await partition.offsetAt(timestampMs), `at ${timestampMs}`).toEqual(expected)
  }
  expect(await partition.offsetOfMaxTimestamp()).toEqual({ offset: 8, timestampMs: 300 })
  await partition.append(batchOf('again', { timesMs: [300] }))
  expect(await partition.offsetOfMaxTimestamp()).toEqual({ offset: 8, timestampMs: 300 })
})

test('a batch appended twice is a fault of the caller that does not reach the disk', async () => {
  const { log } = await openTestLog()
  const batch = batchOf('x')
  const outcomes = await Promise.allSettled([log.partition(A0).append(batch), log.partition(A0).append(batch)])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect((outcomes[0] as PromiseRejectedResult).reason).toBeInstanceOf(AssayError)
})
