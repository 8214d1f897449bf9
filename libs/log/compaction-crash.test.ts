import type { Store } from '@assay/store'
import { describe, expect, test } from 'vitest'
import { faultyDisk } from '../../test/faults/faulty-store.ts'
import { A0, compacting, fill, records, recordsBatch } from './test/compacting.ts'
import { counts } from './test/dump.ts'
import { faultySegments } from './test/faulty-segments.ts'
import { openTestLog } from './test/logs.ts'

describe('power may go while a partition is compacted', () => {
  const options = { tailCacheBytes: 0, segmentBytes: 500, compactionKeyMapBytes: 24 * 4 }
  const batches = ['a1 b1', 'c1', 'a2', '=1 d1', 'b- c2', 'e1 a3', 'f1', 'd- e2', 'f2 b2', 'g1']
  const lastOf = '7:c2 9:a3 11:d- 12:e2 13:f2 14:b2 15:g1'

  async function filled() {
    const disks = { journal: faultySegments(), index: faultyDisk() }
    const { log } = await openTestLog({ ...options, journal: disks.journal.open(), index: await disks.index.open() })
    await fill(log.partition(A0), batches)
    await log.close()
    return disks
  }

  /** Lets the first `writes` writes to any store through, and no more. */
  const cut = (store: Store, left: { writes: number }): Store => ({
    ...store,
    batch: (ops, how) => (left.writes-- > 0 ? store.batch(ops, how) : new Promise(() => {})),
    clear: range => (left.writes-- > 0 ? store.clear(range) : new Promise(() => {}))
  })

  test('after any write of a pass: no key loses its last record, and the next pass ends what it began', async () => {
    let isWhole = false
    for (let writes = 0; !isWhole; writes++) {
      const disks = await filled()
      const left = { writes }
      const journal = disks.journal.open()
      const { log } = await openTestLog({
        ...options,
        index: cut(await disks.index.open(), left),
        journal: {
          ...journal,
          open: async (first, how) => cut(await journal.open(first, how), left),
          roll: async first => (left.writes-- > 0 ? cut(await journal.roll(first), left) : new Promise(() => {})),
          drop: first => (left.writes-- > 0 ? journal.drop(first) : new Promise(() => {}))
        }
      })
      log.retainBy(compacting())
      isWhole =
        (await Promise.race([log.upkeep().then(() => 'done'), new Promise(resolve => setTimeout(resolve, 15))])) === 'done'
      await Promise.all([disks.journal.crash({ keepUnsynced: 0 }), disks.index.crash({ keepUnsynced: 0 })])
      await expectGood(disks, `after ${writes} writes`)
      expect(writes).toBeLessThan(200)
    }
  })

  async function expectGood(disks: Awaited<ReturnType<typeof filled>>, when: string): Promise<void> {
    const copy = await disks.journal.copy()
    const { log, state } = await openTestLog({ ...options, journal: disks.journal.open(), index: await disks.index.open() })
    const partition = log.partition(A0)
    const kept = (await records(partition)).split(' ')
    for (const record of lastOf.split(' ')) expect(kept, when).toContain(record)
    log.retainBy(compacting({ minCleanableDirtyRatio: 0 }))
    await log.upkeep()
    expect(await records(partition), when).toBe(lastOf)
    const { counted, found } = await counts(state)
    expect(counted, when).toEqual(found)
    await log.close()
    // Without its index as well.
    const rebuilt = await openTestLog({ ...options, journal: copy })
    const all = (await records(rebuilt.log.partition(A0))).split(' ')
    for (const record of lastOf.split(' ')) expect(all, when).toContain(record)
    rebuilt.log.retainBy(compacting({ minCleanableDirtyRatio: 0 }))
    await rebuilt.log.upkeep()
    expect(await records(rebuilt.log.partition(A0)), when).toBe(lastOf)
    await rebuilt.log.close()
  }

  test.each(['index', 'journal'] as const)(
    'or a write to the %s may fail: the log stops, and a new start is whole',
    async which => {
      for (let nth = 1; nth <= 12; nth++) {
        const disks = await filled()
        const { log } = await openTestLog({ ...options, journal: disks.journal.open(), index: await disks.index.open() })
        disks[which].failWrite(nth)
        log.retainBy(compacting())
        await log.upkeep()
        const outcome = await log
          .partition(A0)
          .append(recordsBatch('z1'))
          .then(
            () => 'taken',
            (error: { code: string }) => error.code
          )
        expect(['taken', 'STORE_FAILED']).toContain(outcome)
        await log.close().catch(() => {})
        await Promise.all([disks.journal.crash({ keepUnsynced: 0 }), disks.index.crash({ keepUnsynced: 0 })])
        const again = await openTestLog({ ...options, journal: disks.journal.open(), index: await disks.index.open() })
        const kept = (await records(again.log.partition(A0))).split(' ')
        for (const record of lastOf.split(' ')) expect(kept).toContain(record)
        again.log.retainBy(compacting({ minCleanableDirtyRatio: 0 }))
        await again.log.upkeep()
        expect((await records(again.log.partition(A0))).replace(' 16:z1', '')).toBe(lastOf)
        await again.log.close()
      }
    }
  )
})
