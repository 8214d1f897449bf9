import { encodeBatch, readHeader } from '@assay/records'
import { describe, expect, test } from 'vitest'
import { A0, fill, opened, records, recordsBatch, whole } from './test/compacting.ts'
import { openTestLog, testClock } from './test/logs.ts'

describe('compaction of transactions', () => {
  const inTransaction = (records: string, producerId: number): Buffer =>
    recordsBatch(records, { isTransactional: true, producerId, producerEpoch: 0 })
  const endOf = (producerId: number, type: 'abort' | 'commit'): Buffer =>
    encodeBatch({
      ...{ baseTimestampMs: 1000, isTransactional: true, isControl: true, producerId, producerEpoch: 0 },
      records: [{ key: Buffer.from([0, 0, 0, type === 'commit' ? 1 : 0]), value: Buffer.alloc(6) }]
    })
  const batchFrom = (text: string): Buffer => {
    const [, producer, records] = /^(?:(\d)\/)?(.*)$/.exec(text)!
    if (producer === undefined) return recordsBatch(records!)
    if (records === 'abort' || records === 'commit') return endOf(Number(producer), records)
    return inTransaction(records!, Number(producer))
  }

  describe.each([
    ['with room for all keys', {}],
    ['with room for one key', { compactionKeyMapBytes: 48 }]
  ])('%s', (_name, options) => {
    test.each<[string, string[], string, number]>([
      ['what was committed counts', ['a1', '1/a2 b1', '1/commit', 'c1'], '1:a2 2:b1 3:control 4:c1', 5],
      ['what was aborted goes, and deletes nothing', ['a1', '1/a2 b1', '1/abort', 'c1'], '0:a1 3:control 4:c1', 5],
      ['nothing is done from an open one on', ['a1', 'a2', '1/b1', 'a3', 'a4'], '1:a2 2:b1 3:a3 4:a4', 2],
      ['of several, the first that is open', ['a1', '1/a2', '2/a3', '1/commit', 'a4'], '1:a2 2:a3 3:control 4:a4', 2],
      ['two of one producer have two ends', ['1/a1', '1/abort', '1/b1', '1/commit', 'b2'], '1:control 3:control 4:b2', 5],
      ['they may overlap', ['1/a1', '2/a2', '1/a3', '2/abort', 'a4', '1/commit'], '3:control 4:a4 5:control', 6],
      ['an end without records stays', ['1/abort', '1/commit', 'a1'], '0:control 1:control 2:a1', 3],
      [
        'many short ones pass while one is long',
        ['1/a1', '2/b1', '2/commit', '2/b2', '2/commit', '2/b3', '2/abort', '1/commit'],
        '0:a1 2:control 3:b2 4:control 6:control 7:control',
        8
      ]
    ])('%s', async (_what, batches, expected, cleanedTo) => {
      const { log, partition, inner } = await opened({ ...options, retention: { minCleanableDirtyRatio: 0 } })
      for (const batch of batches) await partition.append(batchFrom(batch))
      await log.upkeep()
      expect([await records(partition), inner.cleanedTo]).toEqual([expected, cleanedTo])
    })
  })

  test('one that was open is seen to once it has its end', async () => {
    const { log, partition } = await opened({ retention: { minCleanableDirtyRatio: 0 } })
    for (const batch of ['a1', '1/a2', 'b1', '1/a3', 'b2']) await partition.append(batchFrom(batch))
    await log.upkeep()
    expect(await records(partition)).toBe('0:a1 1:a2 2:b1 3:a3 4:b2')
    await partition.append(batchFrom('1/commit'))
    await log.upkeep()
    expect(await records(partition)).toBe('3:a3 4:b2 5:control')
  })

  describe('the end of one stays as long as anybody may need it', () => {
    const steps = async (batches: readonly string[], later: readonly string[] = []) => {
      const all = await opened({ retention: { minCleanableDirtyRatio: 0, deleteRetentionMs: 500 } })
      for (const batch of batches) await all.partition.append(batchFrom(batch))
      const found: string[] = []
      for (const batch of [...later, '']) {
        await all.log.upkeep()
        found.push(await records(all.partition))
        if (batch !== '') await all.partition.append(batchFrom(batch))
      }
      return { ...all, found: found.at(-1)! }
    }

    test('that of an aborted one for delete.retention.ms after its records went, and not longer', async () => {
      const { log, partition, inner, clock, found, stores } = await steps(['1/a1', '1/abort', 'b1'])
      expect([found, inner.tombstonesAtMs]).toEqual(['1:control 2:b1', 10_500])
      clock.advance(499)
      await log.upkeep()
      expect(await records(partition)).toBe('1:control 2:b1')
      clock.advance(1)
      await log.upkeep()
      expect([await records(partition), inner.tombstonesAtMs]).toEqual(['2:b1', -1])
      const again = await openTestLog({ ...stores, clock: testClock(10_500) })
      expect(await records(again.log.partition(A0))).toBe('2:b1')
    })

    test('that of a committed one as long as one of its records is there', async () => {
      const { log, partition, inner, clock, found } = await steps(['1/a1', '1/b1', '1/commit'], ['a2'])
      expect([found, inner.tombstonesAtMs]).toEqual(['1:b1 2:control 3:a2', -1])
      clock.advance(10_000)
      await log.upkeep()
      expect(await records(partition)).toBe('1:b1 2:control 3:a2')
      await fill(partition, ['b2'])
      await log.upkeep()
      expect([await records(partition), inner.tombstonesAtMs]).toEqual(['2:control 3:a2 4:b2', 20_500])
      clock.advance(500)
      await log.upkeep()
      expect(await records(partition)).toBe('3:a2 4:b2')
    })

    test('one that is aborted after another is not taken for its end', async () => {
      const { log, partition, clock, found } = await steps(['1/a1', '1/commit', '1/b1', '1/abort'])
      expect(found).toBe('0:a1 1:control 3:control')
      clock.advance(500)
      await log.upkeep()
      expect(await records(partition)).toBe('0:a1 1:control')
    })

    test('that of one whose producer is remembered by its empty batches', async () => {
      const { log, partition, clock } = await opened({ retention: { minCleanableDirtyRatio: 0, deleteRetentionMs: 500 } })
      await partition.append(recordsBatch('a1', { isTransactional: true, producerId: 1, producerEpoch: 0, baseSequence: 0 }))
      await partition.append(batchFrom('1/abort'))
      await log.upkeep()
      clock.advance(500)
      await log.upkeep()
      const batches = await partition.read(0, whole)
      expect(batches.map(batch => readHeader(batch))).toMatchObject([{ producerId: 1, recordCount: 0 }, { recordCount: 1 }])
    })
  })
})
