import { isControl, readHeader } from '@assay/records'
import { describe, expect, test } from 'vitest'
import { randomOf, seedOfRun } from '../../test/suites/random.ts'
import type { JournalLog, LogOptions } from './journal-log.ts'
import type { PartitionLog } from './log.ts'
import { keepForever } from './retention-settings.ts'
import { dump } from './test/dump.ts'
import { batchOf, keptSegments, openTestLog, TOPIC_A, TOPIC_B, testClock } from './test/logs.ts'
import { markerBatch } from './transactions.ts'

const A0 = { topicId: TOPIC_A, partition: 0 }
const B0 = { topicId: TOPIC_B, partition: 0 }

/**
 * `1+` a batch of producer 1 in its transaction, `1c` and `1a` commit and abort it, `1.` a batch of it outside of any; `1+k` has the key k.
 * Each takes one offset. A trailing `'` is a higher epoch.
 */
function batchesOf(history: string): Buffer[] {
  const sequences = new Map<string, number>()
  return history
    .split(' ')
    .filter(Boolean)
    .map(word => {
      const [, id, what, key, prime] = /^(\d)([+ca.])([a-z]?)('?)$/.exec(word)!
      const producer = { producerId: Number(id), producerEpoch: prime === "'" ? 1 : 0 }
      if (what === 'c' || what === 'a') return markerBatch({ ...producer, end: what === 'c' ? 'commit' : 'abort', nowMs: 1000 })
      const name = `${id}${prime}`
      const sequence = sequences.get(name) ?? 0
      sequences.set(name, sequence + 1)
      return batchOf(word, { ...producer, baseSequence: sequence, isTransactional: what === '+', ...(key && { keys: [key] }) })
    })
}

async function append(partition: PartitionLog, history: string): Promise<void> {
  for (const batch of batchesOf(history)) await partition.append(batch)
}

const rows: [name: string, history: string, stable: number, aborted: string][] = [
  ['nothing', '', 0, ''],
  ['no transaction', '1. 1. 2.', 3, ''],
  ['one that is open', '2. 1+ 2.', 1, ''],
  ['one that was committed', '1+ 1+ 1c', 3, ''],
  ['one that was aborted', '1+ 1+ 1a', 3, '1:0-2'],
  ['two, the first open', '1+ 2+ 2c', 0, ''],
  ['two, the first open, the second aborted', '1+ 2+ 2a', 0, '2:1-2'],
  ['two, the second open', '1+ 2+ 1c', 1, ''],
  ['two, one inside the other', '1+ 2+ 2a 1+ 1a', 5, '2:1-2 1:0-4'],
  ['a marker without a transaction', '1a 1c 2.', 3, ''],
  ['the next one of the same producer', "1+ 1a 1+' 1c'", 4, '1:0-1'],
  ['the next one of the same producer, open', "1+ 1a 1+'", 2, '1:0-1']
]

const told = async (partition: PartitionLog, from = 0, below = Number.MAX_SAFE_INTEGER): Promise<string> =>
  (await partition.abortedTransactions(from, below))
    .map(({ producerId, firstOffset, lastOffset }) => `${producerId}:${firstOffset}-${lastOffset}`)
    .join(' ')

describe.each(rows)('%s', (_name, history, stable, aborted) => {
  test('has its last stable offset and what was aborted, also when opened again, also without its index', async () => {
    const stores = keptSegments()
    const { log, state } = await openTestLog(stores)
    const partition = log.partition(A0)
    await append(partition, history)
    expect([partition.lastStableOffset, await told(partition)]).toEqual([stable, aborted])
    const before = await dump(state)
    // Without a checkpoint all of it is replayed.
    const replayed = await openTestLog(stores)
    expect((await dump(replayed.state)).partitions).toEqual(before.partitions)
    await replayed.log.close()
    const again = await openTestLog(stores)
    expect(await dump(again.state)).toEqual(before)
    await again.log.close()
    await stores.index.clear({})
    const rebuilt = await openTestLog(stores)
    expect(withSequences(await dump(rebuilt.state))).toEqual(withSequences(before))
  })
})

/** Without the journal's index nothing is known of a producer of which there are only markers. */
function withSequences({ partitions }: Awaited<ReturnType<typeof dump>>): unknown[] {
  const isKnown = ({ committed }: { committed: { batches: unknown[]; openFrom: unknown } }): boolean =>
    committed.batches.length > 0 || committed.openFrom !== undefined
  return Object.values(partitions).map(partition => ({
    ...partition,
    producers: (partition.producers as Parameters<typeof isKnown>[0][]).filter(isKnown)
  }))
}

test.each([
  [0, 100, '2:1-2 1:0-4 2:6-7'],
  [0, 1, '1:0-4'],
  [0, 2, '2:1-2 1:0-4'],
  [2, 5, '2:1-2 1:0-4'],
  [3, 5, '1:0-4'],
  [5, 6, ''],
  [5, 7, '2:6-7'],
  [8, 100, '']
])('a reader of %i to %i is told of %s', async (from, below, expected) => {
  const { log } = await openTestLog()
  const partition = log.partition(A0)
  await append(partition, '1+ 2+ 2a 1+ 1a 3. 2+ 2a')
  expect(await told(partition, from, below)).toBe(expected)
})

test('a producer outside of its own open transaction is refused, and nothing of a request with it is written', async () => {
  const { log } = await openTestLog()
  const [a, b] = [log.partition(A0), log.partition(B0)]
  await append(a, '1+')
  const outside = batchOf('x', { producerId: 1, producerEpoch: 0, baseSequence: 1 })
  await expect(
    log.appendAll([
      { log: b, batch: batchOf('y') },
      { log: a, batch: outside }
    ])
  ).rejects.toMatchObject({
    code: 'INVALID_TRANSACTION_STATE'
  })
  expect([a.logEndOffset, b.logEndOffset]).toEqual([1, 0])
})

test('an epoch that has only ended a transaction begins with sequence 0', async () => {
  const { log } = await openTestLog()
  const partition = log.partition(A0)
  await append(partition, "1+ 1a'")
  const batch = (baseSequence: number, producerEpoch = 1) =>
    batchOf('x', { producerId: 1, producerEpoch, baseSequence, isTransactional: true })
  await expect(partition.append(batch(1))).rejects.toMatchObject({ code: 'OUT_OF_ORDER_SEQUENCE' })
  await expect(partition.append(batch(1, 0))).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
  expect(await partition.append(batch(0))).toMatchObject({ baseOffset: 2 })
  expect(await partition.append(batch(0))).toMatchObject({ baseOffset: 2, duplicate: true })
})

test('markers of several partitions are one write, those of a dropped topic are passed over', async () => {
  const { log } = await openTestLog()
  const [a, b] = [log.partition(A0), log.partition(B0)]
  await Promise.all([append(a, '1+'), append(b, '1+')])
  await log.drop(TOPIC_B)
  const marker = (of: PartitionLog, ifKept: boolean) => ({
    ...{ log: of, ifKept },
    batch: markerBatch({ producerId: 1, producerEpoch: 0, end: 'commit', nowMs: 1000 })
  })
  await expect(log.appendAll([marker(a, true), marker(b, false)])).rejects.toMatchObject({ code: 'PARTITION_NOT_FOUND' })
  expect(a.lastStableOffset).toBe(0)
  expect((await log.appendAll([marker(a, true), marker(b, true)])).map(({ baseOffset }) => baseOffset)).toEqual([1, -1])
  expect(a.lastStableOffset).toBe(2)
})

test('a transaction that is open is remembered however long its producer is silent', async () => {
  const clock = testClock()
  const stores = keptSegments()
  const options: LogOptions = { producerExpiryMs: 1000, producersMax: 1 }
  const { log } = await openTestLog({ ...stores, ...options, clock })
  await append(log.partition(A0), '1+ 2. 3.')
  clock.advance(100_000)
  await log.close()
  const again = await openTestLog({ ...stores, ...options, clock })
  const partition = again.log.partition(A0)
  expect(partition.lastStableOffset).toBe(0)
  expect(partition.producers().map(({ id }) => id)).toContain(1)
  await append(partition, '1a')
  expect([partition.lastStableOffset, await told(partition)]).toEqual([4, '1:0-3'])
})

test('what is deleted takes its aborted transactions along, once nothing of them is left', async () => {
  const stores = keptSegments()
  const { log } = await openTestLog(stores)
  const partition = log.partition(A0)
  await append(partition, '1+ 1a 1+ 1+ 1a 2.')
  await log.deleteRecords(partition, 3)
  await log.upkeep()
  expect(await told(partition)).toBe('1:2-4')
  await log.close()
  const again = await openTestLog(stores)
  expect(await told(again.log.partition(A0))).toBe('1:2-4')
})

test('records of an open transaction can be deleted; what is left of it is still not stable', async () => {
  const { log } = await openTestLog()
  const partition = log.partition(A0)
  await append(partition, '1+ 1+ 1+')
  await log.deleteRecords(partition, 2)
  expect(partition.lastStableOffset).toBe(2)
  await append(partition, '1a')
  expect([partition.lastStableOffset, await told(partition)]).toEqual([4, '1:0-3'])
})

test('retention and compaction keep away from an open transaction', async () => {
  const clock = testClock()
  const { log } = await openTestLog({ ...keptSegments(), clock })
  log.retainBy(() => ({ ...keepForever, cleanup: 'compact,delete', retentionMs: 10, minCleanableDirtyRatio: 0 }))
  const partition = log.partition(A0)
  await append(partition, '2+k 2c 1+k 2+k 2c')
  clock.advance(10_000_000)
  await log.upkeep()
  expect(partition.startOffset).toBe(2)
  await append(partition, '1c')
  await log.upkeep()
  expect(partition.startOffset).toBe(6)
})

/** The offsets of what a reader hands on that goes by the list as clients do: from its first offset on a producer is passed over, to its marker. */
async function committedOffsets(partition: PartitionLog): Promise<number[]> {
  const offsets: number[] = []
  const end = partition.lastStableOffset
  const waiting = (await partition.abortedTransactions(partition.startOffset, end)).toSorted(
    (a, b) => a.firstOffset - b.firstOffset
  )
  const aborted = new Set<number>()
  for (let from = partition.startOffset; from < end; ) {
    for (const batch of await partition.read(from, { bytesMax: 1 << 20 })) {
      const header = readHeader(batch)
      from = header.baseOffset + header.lastOffsetDelta + 1
      if (header.baseOffset >= end) break
      while (waiting.length > 0 && waiting[0]!.firstOffset <= header.baseOffset) aborted.add(waiting.shift()!.producerId)
      if (isControl(header)) aborted.delete(header.producerId)
      else if (header.recordCount > 0 && !aborted.has(header.producerId)) offsets.push(header.baseOffset)
    }
  }
  return offsets
}

async function transactionsOf({ state, log }: JournalLog) {
  log.partition(A0)
  const {
    startOffset = 0,
    lastStableOffset = 0,
    openTransactions,
    aborted,
    producers
  } = (await dump(state)).partitions[`${TOPIC_A}-0`] ?? {}
  return { startOffset, lastStableOffset, openTransactions, aborted, producers }
}

async function play(seed: number): Promise<void> {
  const random = randomOf(seed)
  const stores = keptSegments()
  // Of those that are in the index alone the same is to be told.
  const abortedKept = [1, 2, 128][random(3)]!
  let clock = testClock()
  // A clock for each: the timers of a log that was left behind are not to ring.
  const open = (): Promise<JournalLog> => {
    clock = testClock(clock.now())
    return openTestLog({ ...stores, clock, segmentBytes: 2000, checkpointBytes: 1500, abortedKept })
  }
  let opened = await open()
  const compacts = random(2) === 0
  const cleanup = compacts ? 'compact' : 'delete'
  const retain = (): void =>
    opened.log.retainBy(() => ({ ...keepForever, cleanup, minCleanableDirtyRatio: 0, deleteRetentionMs: 0 }))
  retain()
  interface Written {
    readonly offset: number
    readonly key: string
  }
  const producers = Array.from({ length: 3 }, () => ({ epoch: 0, sequence: 0, isOpen: false, written: [] as Written[] }))
  /** What was ever committed. */
  const committed: Written[] = []

  /** Nothing is read that was not committed; what was is there, but for what is deleted, and what compaction has a later record for. */
  async function check(partition: PartitionLog): Promise<void> {
    const read = await committedOffsets(partition)
    const kept = committed.filter(({ offset }) => offset >= partition.startOffset && offset < partition.lastStableOffset)
    const offsets = kept.map(({ offset }) => offset).sort((a, b) => a - b)
    if (!compacts) return expect(read).toEqual(offsets)
    expect(read.filter(offset => !offsets.includes(offset))).toEqual([])
    const latest = new Map(kept.toSorted((a, b) => a.offset - b.offset).map(({ key, offset }) => [key, offset]))
    expect([...latest.values()].filter(offset => !read.includes(offset))).toEqual([])
  }

  async function reopen(partition: PartitionLog): Promise<void> {
    await opened.log.upkeep()
    const before = await transactionsOf(opened)
    await check(partition)
    if (random(3) > 0) await opened.log.close()
    const isIndexLost = random(3) === 0
    if (isIndexLost) await stores.index.clear({})
    opened = await open()
    retain()
    const now = opened.log.partition(A0)
    // The start offset is lost with the index: what it hid may be back.
    if (isIndexLost) {
      expect(now.lastStableOffset).toBe(before.lastStableOffset)
      // Of sequences whose batches are deleted nothing may be known any more: this is not about them.
      for (const producer of producers) Object.assign(producer, { epoch: producer.epoch + 1, sequence: 0 })
    } else expect(await transactionsOf(opened)).toEqual(before)
    await check(now)
  }

  for (let step = 0; step < 80; step++) {
    const partition = opened.log.partition(A0)
    const id = random(3)
    const producer = producers[id]!
    const what = random(100)
    if (what < 50) {
      const key = `k${random(4)}`
      const identity = { producerId: id, producerEpoch: producer.epoch, baseSequence: producer.sequence++ }
      const { baseOffset } = await partition.append(batchOf(`s${step}`, { keys: [key], ...identity, isTransactional: true }))
      producer.isOpen = true
      producer.written.push({ offset: baseOffset, key })
    } else if (what < 75) {
      if (random(2) === 0) Object.assign(producer, { epoch: producer.epoch + 1, sequence: 0 })
      const end = random(2) === 0 ? 'commit' : 'abort'
      await partition.append(markerBatch({ producerId: id, producerEpoch: producer.epoch, end, nowMs: clock.now() }))
      producer.isOpen = false
      if (end === 'commit') committed.push(...producer.written)
      producer.written = []
    } else if (what < 80) {
      const { startOffset, lastStableOffset } = partition
      await opened.log.deleteRecords(partition, startOffset + random(lastStableOffset - startOffset + 1))
    } else if (what < 88) {
      clock.advance(1000)
      await opened.log.upkeep()
    } else await reopen(partition)
    const { lastStableOffset, highWatermark } = opened.log.partition(A0)
    expect(lastStableOffset < highWatermark).toBe(producers.some(({ isOpen }) => isOpen))
  }
}

test('whatever happens to a log, it knows its transactions when it is opened again', { timeout: 60_000 }, async () => {
  const first = seedOfRun()
  for (let seed = first; seed < first + 10; seed++) {
    try {
      await play(seed)
    } catch (error) {
      throw new Error(`ASSAY_SEED=${seed} plays this again`, { cause: error })
    }
  }
})
