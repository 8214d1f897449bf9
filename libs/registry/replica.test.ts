import { AssayError } from '@assay/errors'
import type { PartitionLog } from '@assay/log'
import { encodeBatch } from '@assay/records'
import { silentLogger } from '@assay/std'
import { expect, test } from 'vitest'
import { encodeChange } from './journal.ts'
import { defaultLimits } from './limits.ts'
import { openReplica, type Replica } from './replica.ts'
import type { SnapshotStore } from './snapshot.ts'
import { openTestLog } from './test/log.ts'

async function setMode(log: PartitionLog, subject: string): Promise<void> {
  await log.append(encodeBatch({ records: [encodeChange({ type: 'mode', subject, mode: 'READONLY' })], baseTimestampMs: 1 }))
}

function memorySnapshots(): SnapshotStore {
  let held: Buffer[] = []
  return {
    async *read() {
      yield* held
    },
    async write(pieces) {
      const all: Buffer[] = []
      for await (const piece of pieces) all.push(piece)
      held = all
    }
  }
}

/** One batch to a page, and a snapshot as soon as there is anything to hold. */
const limits = { ...defaultLimits, pageBytesMax: 1, snapshotEveryRecords: 10 }

const open = (log: PartitionLog, snapshots?: SnapshotStore): Promise<Replica> =>
  openReplica({ log, logger: silentLogger, limits, snapshots })

const subjectsOf = ({ state }: Replica): unknown[] => [...state.modes.keys()]

/** The log with another `read`, and without anybody who follows it. */
function withRead(log: PartitionLog, read: PartitionLog['read']): PartitionLog {
  return Object.create(log, { read: { value: read }, onAppend: { value: () => () => {} } }) as PartitionLog
}

test('a reading that broke off is taken up where it stopped, and a snapshot of that moment holds no more and no less', async () => {
  const log = await openTestLog()
  let readsLeft = Number.POSITIVE_INFINITY
  const failing = withRead(log, (from, options) =>
    readsLeft-- > 0 ? log.read(from, options) : Promise.reject(new AssayError('STORE_FAILED', { action: 'read' }))
  )
  const snapshots = memorySnapshots()
  const replica = await open(failing, snapshots)
  await setMode(log, 'a')
  await replica.catchUp()
  for (const subject of ['b', 'c', 'd', 'e']) await setMode(log, subject)
  readsLeft = 1
  await expect(replica.catchUp()).rejects.toThrow('read')
  expect(replica.nextOffset).toBe(2)
  readsLeft = 1
  await expect(replica.catchUp()).rejects.toThrow('read')
  expect(subjectsOf(replica)).toEqual(['a', 'b', 'c'])
  await replica.close()

  const reads: number[] = []
  const again = await open(
    withRead(log, (from, options) => {
      reads.push(from)
      return log.read(from, options)
    }),
    snapshots
  )
  expect(subjectsOf(again)).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(reads, 'the batch before the place of the snapshot, then what the snapshot lacks').toEqual([2, 3, 4])
  await again.close()
})

test('what is appended to the log is followed without a call', async () => {
  const log = await openTestLog()
  const replica = await open(log)
  await setMode(log, 'a')
  await expect.poll(() => subjectsOf(replica)).toEqual(['a'])
  await replica.close()
  await setMode(log, 'b')
  expect(subjectsOf(replica)).toEqual(['a'])
})

test('a batch is shown whole or not at all', async () => {
  const log = await openTestLog()
  const replica = await open(log)
  const seen = new Set<number>()
  const stop = log.onAppend(() => seen.add(replica.state.modes.size))
  const records = ['a', 'b', 'c'].map(subject => encodeChange({ type: 'mode', subject, mode: 'READONLY' }))
  const appended = log.append(encodeBatch({ records, baseTimestampMs: 1 }))
  while (replica.state.modes.size < 3) {
    seen.add(replica.state.modes.size)
    await new Promise(resolve => setImmediate(resolve))
  }
  await appended
  stop()
  expect([...seen].filter(size => size !== 0 && size !== 3)).toEqual([])
  await replica.close()
})
