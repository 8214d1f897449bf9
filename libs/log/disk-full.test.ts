import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AssayError } from '@assay/errors'
import { silentLogger, systemClock } from '@assay/std'
import { memorySegments, type Store } from '@assay/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { smallDisk } from '../../test/disk-full/small-disk.ts'
import { faultyDisk } from '../../test/faults/faulty-store.ts'
import { openLog } from './directory.ts'
import { openJournalLog } from './journal-log.ts'
import type { Log, PartitionLog } from './log.ts'
import { dump } from './test/dump.ts'
import { faultySegments } from './test/faulty-segments.ts'
import { fullDisk } from './test/full-disk.ts'
import { batchOf, keptStores, openTestLog, TOPIC_A, TOPIC_B, testClock } from './test/logs.ts'

const A0 = { topicId: TOPIC_A, partition: 0 }
const B0 = { topicId: TOPIC_B, partition: 0 }
const whole = { bytesMax: Number.MAX_SAFE_INTEGER }
const MEBIBYTE = 1 << 20

const outcome = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { code?: string }) => error.code ?? error
  )

describe('with less space than is to be kept free', () => {
  async function opened() {
    let free = 10 * MEBIBYTE
    const clock = testClock()
    const logged: string[] = []
    const logger = { ...silentLogger, error: (_facts: object, text: string) => void logged.push(text) }
    const parts = { ...keptStores(), clock, logger, diskFreeBytesMin: 5 * MEBIBYTE, freeBytes: async () => free }
    const { log, state } = await openJournalLog(parts)
    const look = async (bytes: number): Promise<void> => {
      free = bytes
      clock.advance(1000)
      await new Promise(resolve => setImmediate(resolve))
    }
    await look(free)
    return { log, state, look, logged, partition: log.partition(A0) }
  }

  test('appends are refused, reads and deletions go on, and so do appends once there is enough', async () => {
    const { log, look, logged, partition } = await opened()
    await partition.append(batchOf('x', { count: 3 }))
    await look(5 * MEBIBYTE - 1)
    expect(log.refusal).toMatchObject({ code: 'STORE_FULL' })
    await expect(partition.append(batchOf('y'))).rejects.toMatchObject({
      code: 'STORE_FULL',
      row: { kafka: 'KAFKA_STORAGE_ERROR' }
    })
    expect(partition.logEndOffset).toBe(3)
    expect(await partition.read(0, whole)).toHaveLength(1)
    expect(await log.deleteRecords(partition, 2)).toBe(2)
    expect(await log.appendAll([{ log: partition, batch: batchOf('z') }], { fromReserve: true })).toMatchObject([
      { baseOffset: 3 }
    ])
    await look(5 * MEBIBYTE)
    expect(log.refusal).toBeUndefined()
    expect(await partition.append(batchOf('y'))).toMatchObject({ baseOffset: 4 })
    expect(logged).toEqual(['there is too little space on the disk; appends are refused, reads go on'])
  })

  test('a disk that cannot be asked refuses nothing', async () => {
    const freeBytes = (): Promise<number> => Promise.reject(new Error('no such call'))
    const { log } = await openJournalLog({ ...keptStores(), clock: testClock(), logger: silentLogger, freeBytes })
    expect(await log.partition(A0).append(batchOf('x'))).toMatchObject({ baseOffset: 0 })
  })
})

describe('after the disk has refused a write', () => {
  async function opened() {
    const disk = fullDisk()
    const clock = testClock()
    const faulty = faultyDisk()
    const index = await disk.store(faulty.open)
    const journal = disk.segments(faultySegments().open())
    const freeBytes = async (): Promise<number> => (disk.isFull ? 0 : 1 << 30)
    const { log, state } = await openJournalLog({ journal, index, clock, freeBytes, logger: silentLogger, diskFreeBytesMin: 0 })
    const recover = async (): Promise<void> => {
      disk.free()
      clock.advance(1000)
      for (let turns = 0; log.refusal !== undefined && turns < 100; turns++) await new Promise(resolve => setImmediate(resolve))
    }
    return { disk, log, state, recover, partition: log.partition(A0) }
  }

  test.each([
    ['is not there', false],
    ['is there, and goes', true]
  ])('what was refused %s, and its offsets and sequences are given again', async (_name, isLate) => {
    const { disk, log, recover, partition } = await opened()
    const sequenced = (name: string, baseSequence: number) => batchOf(name, { producerId: 7, producerEpoch: 0, baseSequence })
    await partition.append(sequenced('a', 0))
    disk.fill({ isLate })
    expect(await outcome(partition.append(sequenced('b', 1)))).toBe('STORE_FULL')
    expect(await outcome(partition.append(batchOf('c')))).toBe('STORE_FULL')
    expect([partition.highWatermark, (await partition.read(0, whole)).length]).toEqual([1, 1])
    await recover()
    expect(log.refusal).toBeUndefined()
    expect(await partition.append(batchOf('d'))).toMatchObject({ baseOffset: 1 })
    expect(await partition.append(sequenced('b', 1))).toMatchObject({ baseOffset: 2, duplicate: false })
  })

  test('it stays as it is until there is space, and readers are told so of nothing', async () => {
    const { disk, log, recover, partition } = await opened()
    await partition.append(batchOf('a'))
    disk.fill()
    expect(await outcome(partition.append(batchOf('b')))).toBe('STORE_FULL')
    for (let tries = 0; tries < 3; tries++) {
      await new Promise(resolve => setTimeout(resolve, 5))
      expect(log.refusal).toMatchObject({ code: 'STORE_FULL' })
      expect(await partition.read(0, whole)).toHaveLength(1)
    }
    await recover()
    expect(await partition.append(batchOf('b'))).toMatchObject({ baseOffset: 1 })
  })

  test('a topic whose deletion was refused is deleted by itself', async () => {
    const { disk, log, state, recover, partition } = await opened()
    await log.appendAll([
      { log: partition, batch: batchOf('a') },
      { log: log.partition(B0), batch: batchOf('b') }
    ])
    disk.fill()
    expect(await outcome(log.drop(TOPIC_A))).toBe('STORE_FULL')
    await recover()
    await log.upkeep()
    expect(Object.keys((await dump(state)).partitions)).toEqual([`${TOPIC_B}-0`])
    expect([...state.partitions.keys()]).toEqual([`${TOPIC_B}-0`])
    expect(state.segments.newest).toMatchObject({ rows: 2, liveRows: 1 })
  })

  test('a failure of another kind stops it until it is opened again, and each answer says so', async () => {
    const logged: string[] = []
    const logger = { ...silentLogger, error: (_facts: object, text: string) => void logged.push(text) }
    const disks = faultySegments()
    const clock = testClock()
    const { log } = await openJournalLog({
      ...keptStores(),
      journal: disks.open(),
      clock,
      logger,
      freeBytes: async () => 1 << 30
    })
    const partition = log.partition(A0)
    await partition.append(batchOf('a'))
    disks.failNextSync()
    expect(await outcome(partition.append(batchOf('b')))).toBe('STORE_FAILED')
    for (let seconds = 0; seconds < 5; seconds++) {
      clock.advance(1000)
      await new Promise(resolve => setImmediate(resolve))
      await expect(partition.append(batchOf('b'))).rejects.toThrow(/an earlier write failed .*start again/)
    }
    expect(log.refusal).toMatchObject({ code: 'STORE_FAILED' })
    expect(await partition.read(0, whole)).toHaveLength(1)
    expect(logged).toEqual(['a write failed; the log takes no more appends until it is started again, reads go on'])
  })

  test('with an index that nobody can open again it stays stopped', async () => {
    const disk = fullDisk()
    const clock = testClock()
    const { index: kept } = keptStores()
    const batch = (...of: Parameters<Store['batch']>): Promise<void> =>
      disk.isFull ? Promise.reject(new AssayError('STORE_FULL', { action: 'write' })) : kept.batch(...of)
    const { log } = await openTestLog({ index: { ...kept, batch }, journal: disk.segments(memorySegments()), clock })
    disk.fill()
    expect(await outcome(log.partition(A0).append(batchOf('a')))).toBe('STORE_FULL')
    disk.free()
    clock.advance(1000)
    await new Promise(resolve => setImmediate(resolve))
    expect(log.refusal).toMatchObject({ code: 'STORE_FAILED' })
  })
})

describe('on a disk of 24 MiB', () => {
  let disk: ReturnType<typeof smallDisk>
  let lives = 0
  beforeAll(() => {
    disk = smallDisk(24)
  })
  afterAll(() => disk?.unmount())

  const names = (batches: readonly Buffer[]): number[] => batches.map(batch => Number(batch.readBigInt64BE(0)))
  /** One record of 100,000 bytes. */
  const large = (name: string): Buffer => batchOf(name, { values: [name.padEnd(100_000, '.')] })

  async function appendUntilRefused(partition: PartitionLog): Promise<number> {
    for (let count = 0; ; count++) {
      const code = await outcome(partition.append(large(`n${count}`)))
      if (code === 'done') continue
      expect(code).toBe('STORE_FULL')
      return count
    }
  }

  async function whenSpaceIsBack(log: Log): Promise<number> {
    const startedMs = performance.now()
    while (log.refusal !== undefined) {
      expect(performance.now() - startedMs, `it goes on by itself: ${log.refusal.message}`).toBeLessThan(5000)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    return performance.now() - startedMs
  }

  test.each([
    ['only the disk refuses', 0],
    ['the log refuses before', 6 * MEBIBYTE]
  ])(
    'nothing acknowledged is lost, reads go on, and it takes appends again within five seconds when %s',
    async (_name, diskFreeBytesMin) => {
      if (disk === undefined) return console.log('skipped: this user may not mount a file system')
      const directory = join(disk.path, String(++lives))
      const filler = join(disk.path, 'filler')
      const options = { directory, clock: systemClock, logger: silentLogger, diskFreeBytesMin, checkpointBytes: MEBIBYTE }
      const log = await openLog(options)
      const partition = log.partition(A0)
      for (let cycle = 0; cycle < 2; cycle++) {
        await writeFile(filler, Buffer.alloc(8 * MEBIBYTE))
        const before = partition.highWatermark
        const count = await appendUntilRefused(partition)
        expect(partition.highWatermark).toBe(before + count)
        expect((await partition.read(before, { bytesMax: 1 })).length).toBe(1)
        await rm(filler)
        await whenSpaceIsBack(log)
        expect(await partition.append(large('again'))).toMatchObject({ baseOffset: before + count })
        // Makes room for the next round.
        await log.deleteRecords(partition, partition.highWatermark)
        await partition.append(large('kept'))
        await log.upkeep()
      }
      const { startOffset, highWatermark } = partition
      const kept = names(await partition.read(startOffset, whole))
      await log.close()
      const again = await openLog(options)
      expect(again.partition(A0)).toMatchObject({ startOffset, highWatermark })
      expect(names(await again.partition(A0).read(startOffset, whole))).toEqual(kept)
      await again.close()
      await rm(directory, { recursive: true })
    },
    60_000
  )
})
