import { silentLogger } from '@assay/std'
import { describe, expect, test } from 'vitest'
import { openJournalLog } from './journal-log.ts'
import { keepForever, type Retention } from './retention-settings.ts'
import { steadyClock } from './steady-clock.ts'
import { dump } from './test/dump.ts'
import { batchOf, keptSegments, TOPIC_A, testClock } from './test/logs.ts'

const A0 = { topicId: TOPIC_A, partition: 0 }
const HOUR_MS = 3_600_000
const YEAR_MS = 365 * 24 * HOUR_MS
const START_MS = 1_700_000_000_000

const jumps: [string, number][] = [
  ['an hour forward', HOUR_MS],
  ['a year forward', YEAR_MS],
  ['to the year 2100', 130 * YEAR_MS],
  ['an hour back', -HOUR_MS],
  ['a year back', -YEAR_MS],
  ['to the year 1970', 1000 - START_MS]
]

async function opened(retention: Partial<Retention>) {
  const clock = testClock(START_MS)
  const stores = keptSegments()
  const steady = steadyClock(clock, silentLogger, clock.elapsed)
  const options = { segmentBytes: 1000, tailCacheBytes: 300, segmentMs: HOUR_MS, producerExpiryMs: 24 * HOUR_MS }
  const { log, state } = await openJournalLog({ ...stores, ...options, clock: steady, logger: silentLogger })
  log.retainBy(() => ({ ...keepForever, ...retention }))
  let sequence = 0
  const append = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at++) {
      const keys = [`k${sequence % 3}`]
      const batch = { keys, baseTimestampMs: clock.now(), producerId: 1, producerEpoch: 0, baseSequence: sequence++ }
      await log.partition(A0).append(batchOf(`n${sequence}`, batch))
    }
  }
  return { log, state, clock, append, partition: log.partition(A0) }
}

describe.each(jumps)('when the clock jumps %s', (_name, jumpMs) => {
  const week = { cleanup: 'delete', retentionMs: 7 * 24 * HOUR_MS } as const

  test('and is put right within the hour, nothing is deleted, and a producer goes on where it was', async () => {
    const { log, clock, append, partition, state } = await opened(week)
    await append(20)
    clock.jump(jumpMs)
    clock.advance(60_000)
    await append(20)
    await log.upkeep()
    expect(partition.startOffset).toBe(0)
    clock.jump(-jumpMs)
    clock.advance(60_000)
    await append(20)
    await log.upkeep()
    // What bears a time of long ago is old; what bears one of the future is kept longer.
    expect([partition.startOffset, partition.highWatermark]).toEqual([0, 60])
    expect((await dump(state)).partitions[`${TOPIC_A}-0`]).toMatchObject({ highWatermark: 60, logEndOffset: 60 })
  })

  test('and stays there, passes go on, and what is written is kept for its time', async () => {
    const { log, clock, append, partition, state } = await opened({ ...week, retentionMs: HOUR_MS })
    await append(20)
    clock.jump(jumpMs)
    for (let minute = 0; minute < 90; minute += 10) {
      await append(1)
      clock.advance(10 * 60_000)
      await log.upkeep()
    }
    expect(partition.highWatermark).toBe(29)
    const { sizeBytes, batchCount } = state.partitions.get(`${TOPIC_A}-0`)!
    expect(batchCount).toBeGreaterThanOrEqual(5)
    expect(sizeBytes).toBeGreaterThan(0)
    for (const { liveBytes, liveRows, rows } of state.segments.all) {
      expect(liveBytes).toBeGreaterThanOrEqual(0)
      expect(rows).toBeGreaterThanOrEqual(liveRows)
    }
    await append(1)
    expect((await partition.read(partition.startOffset, { bytesMax: Number.MAX_SAFE_INTEGER })).length).toBeGreaterThan(5)
  })

  test('compaction leaves the last of each key', async () => {
    const lags = { minCompactionLagMs: 60_000, maxCompactionLagMs: HOUR_MS, deleteRetentionMs: HOUR_MS }
    const { log, clock, append, partition } = await opened({ cleanup: 'compact', ...lags, minCleanableDirtyRatio: 0.1 })
    await append(12)
    clock.jump(jumpMs)
    await append(12)
    await log.upkeep()
    clock.jump(-jumpMs)
    for (let hours = 0; hours < 3; hours++) {
      clock.advance(HOUR_MS)
      await log.upkeep()
    }
    const batches = await partition.read(0, { bytesMax: Number.MAX_SAFE_INTEGER })
    expect(batches.map(batch => batch.toString('latin1')).filter(text => /n(22|23|24)\./.test(text))).toHaveLength(3)
    expect(partition.highWatermark).toBe(24)
  })
})

test('timers count on: a checkpoint and a pass come in their time though the clock stands in 1970', async () => {
  const { state, clock, append } = await opened({ cleanup: 'delete', retentionBytes: 200 })
  clock.jump(1000 - START_MS)
  await append(10)
  expect(state.changed.size).toBe(1)
  clock.advance(10_000)
  await new Promise(resolve => setTimeout(resolve, 10))
  expect(state.changed.size).toBe(0)
  clock.advance(300_000)
  await new Promise(resolve => setTimeout(resolve, 20))
  expect(state.partitions.get(`${TOPIC_A}-0`)!.startOffset).toBeGreaterThan(5)
})
