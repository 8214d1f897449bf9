import { AssayError } from '@assay/errors'
import { decodeBatch } from '@assay/records'
import type { Store, StoreOp } from '@assay/store'
import { expect, test } from 'vitest'
import { batchOf, keptStores, openTestLog, TOPIC_A, TOPIC_B, testClock } from './test/logs.ts'

const A0 = { topicId: TOPIC_A, partition: 0 }
const B0 = { topicId: TOPIC_B, partition: 0 }
const whole = { bytesMax: Number.MAX_SAFE_INTEGER }

/** Long enough for everything that waits for no gate. */
async function turns(): Promise<void> {
  for (let left = 5; left > 0; left--) await new Promise(resolve => setImmediate(resolve))
}

interface Gate {
  readonly ops: readonly StoreOp[]
  readonly sync: boolean
  open(): void
  break(): void
}

/** A store whose writes are done when the test says so. */
function gated(store: Store): { readonly store: Store; readonly gates: Gate[]; isOpen: boolean } {
  const gates: Gate[] = []
  const control = { gates, isOpen: false, store: { ...store, batch } }
  async function batch(ops: readonly StoreOp[], options: { readonly sync: boolean }): Promise<void> {
    if (!control.isOpen) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      gates.push({
        ops,
        sync: options.sync,
        open: resolve,
        break: () => reject(new AssayError('STORE_FAILED', { action: 'write' }))
      })
      await promise
    }
    await store.batch(ops, options)
  }
  return control
}

const tagsIn = async (index: Store): Promise<string> =>
  (await index.range({})).map(({ key }) => String.fromCharCode(key[0]!)).join('')

test('a checkpoint waits for a sync of the journal that is under way already', async () => {
  const stores = keptStores()
  const clock = testClock()
  const journal = gated(stores.journal)
  const { log } = await openTestLog({
    ...stores,
    journal: journal.store,
    clock,
    flush: 'interval',
    flushIntervalMs: 50,
    checkpointIntervalMs: 50
  })
  const appended = log.partition(A0).append(batchOf('x'))
  await turns()
  journal.gates.shift()!.open()
  await appended
  clock.advance(50)
  await turns()
  expect(journal.gates.map(({ sync }) => sync)).toEqual([true])
  expect(await tagsIn(stores.index)).toBe('cs')
  journal.gates.shift()!.open()
  await turns()
  expect(await tagsIn(stores.index)).toBe('bcps')
})

test('a sync that fails while a commit is being written takes that commit along, even if it succeeds', async () => {
  const stores = keptStores()
  const clock = testClock()
  const journal = gated(stores.journal)
  const { log } = await openTestLog({ ...stores, journal: journal.store, clock, flush: 'interval', flushIntervalMs: 50 })
  const first = log.partition(A0).append(batchOf('x'))
  await turns()
  journal.gates.shift()!.open()
  await first
  const second = log
    .partition(A0)
    .append(batchOf('y'))
    .catch((error: unknown) => error)
  await turns()
  clock.advance(50)
  await turns()
  const [commit, sync] = journal.gates.splice(0)
  sync!.break()
  await turns()
  commit!.open()
  expect(await second).toMatchObject({ code: 'STORE_FAILED' })
  expect(log.partition(A0).highWatermark).toBe(1)
})

test('a crash in the middle of a drop leaves a log that opens, whatever checkpoint came between', async () => {
  const stores = keptStores()
  const clock = testClock()
  const journal = gated(stores.journal)
  const index = gated(stores.index)
  index.isOpen = true
  const { log } = await openTestLog({ ...stores, journal: journal.store, index: index.store, clock, checkpointIntervalMs: 50 })
  const sent = (baseSequence: number): Buffer => batchOf(`n${baseSequence}`, { producerId: 5, producerEpoch: 0, baseSequence })
  const appends = [log.partition(A0).append(sent(0)), log.partition(B0).append(batchOf('other'))]
  await turns()
  journal.gates.shift()!.open()
  await Promise.all(appends)
  const onItsWay = log.partition(A0).append(sent(1))
  const dropped = log.drop(TOPIC_A)
  clock.advance(50)
  await turns()
  index.isOpen = false
  journal.gates.shift()!.open()
  await onItsWay
  await turns()
  expect(index.gates).toHaveLength(1)
  // Here the process dies: the drop's own checkpoint was never written.
  const again = await openTestLog(stores)
  const read = await again.log.partition(A0).read(0, whole)
  expect(read.flatMap(batch => decodeBatch(batch, 1 << 20)).map(({ value }) => value!.toString())).toEqual(['n0.0', 'n1.0'])
  expect(await again.log.partition(A0).append(sent(1))).toMatchObject({ duplicate: true, baseOffset: 1 })
  await again.log.close()
  void dropped
})

test('what was appended during a checkpoint is covered by the next, without a further append', async () => {
  const stores = keptStores()
  const clock = testClock()
  const index = gated(stores.index)
  index.isOpen = true
  const { log } = await openTestLog({ ...stores, index: index.store, clock, checkpointIntervalMs: 50 })
  await log.partition(A0).append(batchOf('x'))
  index.isOpen = false
  clock.advance(50)
  await turns()
  await log.partition(A0).append(batchOf('y'))
  index.isOpen = true
  index.gates.shift()!.open()
  await turns()
  expect(await tagsIn(stores.index)).toBe('bcps')
  clock.advance(50)
  await turns()
  expect(await tagsIn(stores.index)).toBe('bbcps')
})

test('readers that keep up do not touch the journal, and the tail cache keeps to its bound', async () => {
  const stores = keptStores()
  let rows = 0
  const getMany: Store['getMany'] = keys => {
    rows += keys.length
    return stores.journal.getMany(keys)
  }
  const size = batchOf('0').length
  const { log, state } = await openTestLog({
    ...stores,
    journal: { ...stores.journal, getMany },
    tailCacheBytes: size * 6,
    checkpointBytes: 1
  })
  for (let at = 0; at < 10; at++) {
    await log.partition(at % 2 ? A0 : B0).append(batchOf(`${at}`))
    await turns()
  }
  expect(state.cache.bytes).toBe(size * 6)
  expect(await log.partition(A0).read(2, whole)).toHaveLength(3)
  expect(rows).toBe(0)
  expect(await log.partition(A0).read(0, whole)).toHaveLength(5)
  expect(rows).toBe(2)
  expect(state.partitions.get(`${TOPIC_A}-0`)!.recent.length).toBe(3)
})

test('the tail cache does not keep a large frame alive for a small batch in it', async () => {
  const { log } = await openTestLog()
  const batch = batchOf('x'.repeat(5000))
  const frame = Buffer.alloc(1 << 20)
  batch.copy(frame, 4096)
  const slice = frame.subarray(4096, 4096 + batch.length)
  await log.partition(A0).append(slice)
  const [read] = await log.partition(A0).read(0, whole)
  expect(read).toEqual(slice)
  expect(read!.buffer.byteLength).toBeLessThan(1 << 18)
})
