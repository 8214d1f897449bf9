/** Many aborted transactions: memory keeps the newest alone, and readers of old records are told of all the same. */
import { expect, test } from 'vitest'
import { randomOf, seedOfRun } from '../../test/suites/random.ts'
import { abortedKey, examineAborted } from './aborted.ts'
import type { JournalLog } from './journal-log.ts'
import type { PartitionLog } from './log.ts'
import { opened } from './test/compacting.ts'
import { batchOf, keptSegments, openTestLog, TOPIC_A, TOPIC_B } from './test/logs.ts'
import { markerBatch } from './transactions.ts'

const A0 = { topicId: TOPIC_A, partition: 0 }
const B0 = { topicId: TOPIC_B, partition: 0 }
const ALL = Number.MAX_SAFE_INTEGER

interface Known {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
}

/** Transactions of three producers that overlap as the seed will have it; gives those that were aborted, by their ends. */
async function abortMany(partition: PartitionLog, count: number, random: (below: number) => number): Promise<Known[]> {
  const open = new Map<number, number>()
  const known: Known[] = []
  while (known.length < count) {
    const producerId = random(3)
    const producer = { producerId, producerEpoch: 0 }
    const firstOffset = open.get(producerId)
    if (firstOffset === undefined) {
      const { baseOffset } = await partition.append(batchOf('v', { ...producer, baseSequence: -1, isTransactional: true }))
      open.set(producerId, baseOffset)
      continue
    }
    const end = random(4) === 0 ? 'commit' : 'abort'
    const { baseOffset: lastOffset } = await partition.append(markerBatch({ ...producer, end, nowMs: 1000 }))
    if (end === 'abort') known.push({ producerId, firstOffset, lastOffset })
    open.delete(producerId)
  }
  for (const producerId of open.keys()) {
    await partition.append(markerBatch({ producerId, producerEpoch: 0, end: 'commit', nowMs: 1000 }))
  }
  return known
}

const told = async (partition: PartitionLog, from: number, below: number): Promise<Known[]> =>
  (await partition.abortedTransactions(from, below)).map(({ producerId, firstOffset, lastOffset }) => ({
    ...{ producerId, firstOffset, lastOffset }
  }))

const inMemory = ({ state }: JournalLog): number => state.partitions.get(`${TOPIC_A}-0`)!.aborted.length

const rowsOf = async (index: ReturnType<typeof keptSegments>['index']): Promise<number> => {
  const of = (topicId: string, offset: number): Buffer => abortedKey(Buffer.from(`${topicId}00000000`, 'hex'), offset)
  return (await index.range({ gte: of(TOPIC_A, 0), lte: of(TOPIC_A, ALL) })).length
}

test('all are told of whatever a reader reads, also after a restart and a crash, also without the index', async () => {
  const seed = seedOfRun()
  const random = randomOf(seed)
  const stores = keptSegments()
  const options = { ...stores, abortedKept: 10, checkpointBytes: 2000 }
  const first = await openTestLog(options)
  // Its neighbours in the index are not to be taken for its own.
  const others = await abortMany(first.log.partition(B0), 50, random)
  const known = await abortMany(first.log.partition(A0), 300, random)
  async function check(on: JournalLog, what: string): Promise<void> {
    const partition = on.log.partition(A0)
    const end = partition.highWatermark
    for (let round = 0; round < 100; round++) {
      const from = round === 0 ? 0 : random(end)
      const below = round === 0 ? end : from + 1 + random(end - from)
      const expected = known.filter(({ firstOffset, lastOffset }) => lastOffset >= from && firstOffset < below)
      expect(await told(partition, from, below), `seed ${seed}, ${what}: ${from} to ${below}`).toEqual(expected)
    }
    expect(await told(on.log.partition(B0), 0, ALL), `seed ${seed}, ${what}`).toEqual(others)
  }
  await check(first, 'as they were appended')
  // What the last checkpoint did not see is in memory as well.
  expect(inMemory(first)).toBeLessThan(100)
  await first.log.close()
  const second = await openTestLog(options)
  await check(second, 'after a restart')
  expect(inMemory(second)).toBe(10)
  const more = await abortMany(second.log.partition(A0), 30, random)
  known.push(...more)
  await check(second, 'after a few more')
  const third = await openTestLog(options)
  await check(third, 'after a crash')
  await third.log.close()
  await stores.index.clear({})
  const fourth = await openTestLog(options)
  await check(fourth, 'without the index')
  expect(inMemory(fourth)).toBeLessThanOrEqual(20)
  await fourth.log.close()
})

test('those of deleted records go from the index, too', async () => {
  const stores = keptSegments()
  const { log, state } = await openTestLog({ ...stores, abortedKept: 5, checkpointBytes: 500 })
  const partition = log.partition(A0)
  const known = await abortMany(partition, 60, randomOf(1))
  await log.upkeep()
  expect(await rowsOf(stores.index)).toBe(60)
  const middle = known[39]!.lastOffset + 1
  await log.deleteRecords(partition, middle)
  await log.upkeep()
  expect(await rowsOf(stores.index)).toBe(20)
  expect(await told(partition, middle, ALL)).toEqual(known.slice(40))
  await log.deleteRecords(partition, partition.highWatermark)
  await log.upkeep()
  expect([await rowsOf(stores.index), await told(partition, partition.startOffset, ALL)]).toEqual([0, []])
  await log.drop(TOPIC_A)
  expect(state.partitions.has(`${TOPIC_A}-0`)).toBe(false)
})

test('those whose ends compaction takes away are told of no more, also where the index alone knows them', async () => {
  const { log, partition, inner, stores, clock } = await opened({
    ...{ abortedKept: 2, checkpointBytes: 500 },
    retention: { minCleanableDirtyRatio: 0, deleteRetentionMs: 0 }
  })
  for (let at = 0; at < 40; at++) {
    const producer = { producerId: 1, producerEpoch: 0 }
    await partition.append(batchOf(`v${at}`, { ...producer, keys: ['k'], baseSequence: -1, isTransactional: true }))
    await partition.append(markerBatch({ ...producer, end: at % 2 === 0 ? 'abort' : 'commit', nowMs: clock.now() }))
  }
  await log.upkeep()
  expect(inner.aborted.length).toBeLessThanOrEqual(4)
  clock.advance(1000)
  await log.upkeep()
  await log.upkeep()
  // What is left of the ends is told of, and nothing else.
  const ends = new Set<number>()
  for (const batch of await partition.read(0, { bytesMax: ALL }))
    if ((batch.readInt16BE(21) & 0x20) !== 0) ends.add(Number(batch.readBigInt64BE(0)))
  const still = (await told(partition, 0, ALL)).map(({ lastOffset }) => lastOffset)
  expect(still.filter(offset => !ends.has(offset))).toEqual([])
  expect(still.length).toBeLessThan(5)
  expect(await rowsOf(stores.index)).toBe(still.length)
})

test('a damaged row is told to those who need it, and to who examines the index', async () => {
  const stores = keptSegments()
  const { log } = await openTestLog({ ...stores, abortedKept: 5, checkpointBytes: 500 })
  const partition = log.partition(A0)
  const known = await abortMany(partition, 60, randomOf(1))
  await log.upkeep()
  await examineAborted(stores.index)
  const key = abortedKey(Buffer.from(`${TOPIC_A}00000000`, 'hex'), known[7]!.lastOffset)
  const value = (await stores.index.get(key))!
  value[3]! ^= 1
  await stores.index.batch([{ type: 'put', key, value }], { sync: true })
  await expect(partition.abortedTransactions(0, ALL)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  expect(await told(partition, known[7]!.lastOffset + 1, ALL)).toEqual(known.slice(8))
  await expect(examineAborted(stores.index)).rejects.toThrow(/aborted transaction is damaged/)
  await log.close()
  // A start reads the newest alone.
  const again = await openTestLog({ ...stores, abortedKept: 5 })
  await expect(again.log.partition(A0).abortedTransactions(0, ALL)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
})
