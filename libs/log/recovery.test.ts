import { AssayError, isAssayError } from '@assay/errors'
import { decodeBatch } from '@assay/records'
import { silentLogger } from '@assay/std'
import { memoryStore, type Store } from '@assay/store'
import { expect, test } from 'vitest'
import { faultyDisk } from '../../test/faults/faulty-store.ts'
import type { LogOptions } from './journal-log.ts'
import { seal } from './sealed.ts'
import { dump } from './test/dump.ts'
import { batchOf, type KeptStores, keptStores, openTestLog, TOPIC_A, TOPIC_B, testClock, turn } from './test/logs.ts'

const A0 = { topicId: TOPIC_A, partition: 0 }
const B0 = { topicId: TOPIC_B, partition: 0 }
const whole = { bytesMax: Number.MAX_SAFE_INTEGER }

/** Rows 0, 2, 4, 6, 8 are of A, rows 1, 3, 5, 7, 9 of B; each batch has two records. */
async function fill(stores: KeptStores, options: LogOptions & { readonly closed: boolean }): Promise<void> {
  const { log } = await openTestLog({ ...stores, ...options })
  for (let at = 0; at < 5; at++) {
    for (const [id, key] of [A0, B0].entries()) {
      const batch = batchOf(`n${at}`, { count: 2, producerId: 1 + id, producerEpoch: 0, baseSequence: at * 2 })
      await log.partition(key).append(batch)
      await turn()
    }
  }
  if (options.closed) await log.close()
}

type Damage = (store: Store) => Promise<void>

const rowAt = async (store: Store, at: number) => (await store.range({}))[at]!

const remove =
  (...rows: readonly number[]): Damage =>
  async store => {
    const entries = await store.range({})
    await store.batch(
      rows.map(row => ({ type: 'del', key: entries.at(row)!.key })),
      { sync: true }
    )
  }

const flip =
  (row: number, byte: number): Damage =>
  async store => {
    const { key, value } = await rowAt(store, row)
    value[byte]! ^= 1
    await store.batch([{ type: 'put', key, value }], { sync: true })
  }

/** Flips a byte in each row whose key begins with this letter. */
const flipIndexRows =
  (tag: string): Damage =>
  async index => {
    for (const { key, value } of await index.range({ gte: Buffer.from(tag), lt: Buffer.from([tag.charCodeAt(0) + 1]) })) {
      value[3]! ^= 1
      await index.batch([{ type: 'put', key, value }], { sync: true })
    }
  }

const none: Damage = async () => {}
const unsaved = { closed: false }
const saved = { closed: true }
const eager = { closed: false, checkpointBytes: 1 }

test.each<[string, LogOptions & { closed: boolean }, Damage, Damage, RegExp | undefined]>([
  ['nothing', unsaved, none, none, undefined],
  ['nothing after a checkpoint', saved, none, none, undefined],
  ['a row missing in the middle', unsaved, remove(3), none, /row 3 is missing; the next is 4, of partition a{32}-0 offset 4/],
  ['the first row missing', unsaved, remove(0), none, /row 0 is missing/],
  [
    'the last row missing before a checkpoint',
    saved,
    remove(-1),
    none,
    /row 9 is missing, which was there at the last checkpoint/
  ],
  [
    'the last row of one partition missing',
    saved,
    remove(8),
    none,
    /a{32}-0 is damaged: at offset 8: row 8 of the journal is missing/
  ],
  ['a row missing behind a checkpoint', eager, remove(-1), none, /row 9 is missing/],
  ['a flipped byte in a record', unsaved, flip(4, 70), none, /a{32}-0 is damaged: at offset 4 \(row 4\).*CRC-32C/],
  ['a flipped byte in a base offset', unsaved, flip(5, 7), none, /b{32}-0 is damaged: at offset 4: row 5 .* offset 5/],
  ['a flipped byte in a length', unsaved, flip(4, 10), none, /a{32}-0 is damaged/],
  ['a flipped byte in a leader epoch', unsaved, flip(4, 13), none, /a{32}-0 is damaged: at offset 4 .*leader epoch/],
  ['a flipped byte in a last batch before a checkpoint', saved, flip(9, 70), none, /b{32}-0 is damaged: at offset 8.*CRC-32C/],
  ['a flipped byte in the checkpoint', saved, none, flipIndexRows('c'), /The index is damaged: the checksum of the checkpoint/],
  ['a flipped byte in partition states', saved, none, flipIndexRows('p'), /The index is damaged: the checksum of row 70/],
  ['a flipped byte in producer states', saved, none, flipIndexRows('q'), /The index is damaged: the checksum of row 71/],
  ['a flipped byte in offset rows', saved, none, flipIndexRows('b'), /offset index of partition a{32}-0 is damaged/],
  [
    'the checkpoint missing',
    saved,
    none,
    async index => index.clear({ gte: Buffer.from('c'), lt: Buffer.from('d') }),
    /no checkpoint/
  ],
  ['the offset rows missing', saved, none, async index => index.clear({ lt: Buffer.from('c') }), /offset index has no row/],
  ['the whole index missing', saved, none, async index => index.clear({}), undefined]
])('opening finds %s', async (_name, options, damageJournal, damageIndex, complaint) => {
  const stores = keptStores()
  await fill(stores, options)
  const expected = await expectedDump()
  await damageJournal(stores.journal)
  await damageIndex(stores.index)
  const opening = openTestLog(stores)
  if (complaint === undefined) {
    const { state } = await opening
    expect(await dump(state)).toEqual(expected)
    return
  }
  const error = await opening.catch((caught: unknown) => caught)
  expect(isAssayError(error, 'STORE_CORRUPT'), String(error)).toBe(true)
  expect((error as Error).message).toMatch(complaint)
})

async function expectedDump(): Promise<unknown> {
  const stores = keptStores()
  await fill(stores, unsaved)
  return dump((await openTestLog(stores)).state)
}

test.each([
  ['a new log', none, []],
  ['a log that was killed', none, ['replayed the journal behind the last checkpoint']],
  [
    'a log without its index',
    async (index: Store) => index.clear({}),
    ['the index was missing and was made anew from the journal']
  ]
])('%s says at its start what it has done', async (name, damage, said) => {
  const stores = keptStores()
  const told: string[] = []
  const tell = (_facts: object, message: string): void => void told.push(message)
  if (name !== 'a new log') await fill(stores, unsaved)
  await damage(stores.index)
  await openTestLog({ ...stores, logger: { ...silentLogger, info: tell, warn: tell } })
  expect(told).toEqual(said)
})

test('stores are closed when opening fails', async () => {
  const stores = { journal: memoryStore(), index: memoryStore() }
  await stores.index.batch([{ type: 'put', key: Buffer.from('x'), value: Buffer.from('y') }], { sync: true })
  await expect(openTestLog(stores)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  await expect(stores.journal.get(Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE_FAILED' })
})

test('a checkpoint of a later format is not read as one of ours', async () => {
  const stores = keptStores()
  await fill(stores, saved)
  const { log } = await openTestLog(stores)
  await log.close()
  const value = (await stores.index.get(Buffer.from('c')))!
  value[0] = 9
  await stores.index.batch([{ type: 'put', key: Buffer.from('c'), value: seal(value) }], { sync: true })
  await expect(openTestLog(stores)).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' })
})

test.each([
  ['a damaged batch', flip(4, 70), /a{32}-0 is damaged: at offset 4: the CRC-32C of row 4/],
  ['a batch of another offset', flip(4, 7), /at offset 4: row 4 holds offset 5/],
  ['a batch of another length, which no CRC covers,', flip(4, 10), /at offset 4: row 4: it claims \d+ bytes and has \d+/],
  ['a batch of another leader epoch', flip(4, 13), /at offset 4: row 4: its leader epoch is 65536/],
  ['a batch of another format', flip(4, 16), /at offset 4: row 4: its message format is 3/],
  ['a missing batch', remove(4), /at offset 4: row 4 of the journal is missing/]
])('%s harms only its partition, and what lies before it can be read', async (_name, damage, complaint) => {
  const stores = keptStores()
  await fill(stores, saved)
  await damage(stores.journal)
  const { log } = await openTestLog({ ...stores, tailCacheBytes: 0 })
  const [a, b] = [log.partition(A0), log.partition(B0)]
  expect(await b.read(0, whole)).toHaveLength(5)
  expect(await a.read(0, whole)).toHaveLength(2)
  await expect(a.read(4, whole)).rejects.toThrow(complaint)
  expect(await a.read(6, whole)).toHaveLength(2)
  expect(await a.append(batchOf('on'))).toMatchObject({ baseOffset: 10 })
})

test('an index row that is gone is told, and only to those who need it', async () => {
  const stores = keptStores()
  await fill(stores, saved)
  await remove(2)(stores.index)
  const { log } = await openTestLog(stores)
  expect(await log.partition(A0).read(0, whole)).toHaveLength(2)
  await expect(log.partition(A0).read(5, whole)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  expect(await log.partition(A0).read(6, whole)).toHaveLength(2)
})

test('damage that the store itself finds is told by partition and offset', async () => {
  const stores = keptStores()
  await fill(stores, saved)
  const { key } = await rowAt(stores.journal, 4)
  const getMany: Store['getMany'] = keys =>
    keys.some(wanted => key.equals(wanted))
      ? Promise.reject(new AssayError('STORE_CORRUPT', { what: 'The store', reason: 'bad block' }))
      : stores.journal.getMany(keys)
  const { log } = await openTestLog({ ...stores, journal: { ...stores.journal, getMany } })
  expect((await log.partition(A0).read(0, whole)).length).toBeGreaterThan(0)
  await expect(log.partition(A0).read(4, whole)).rejects.toThrow(/a{32}-0 is damaged: at offset 4: .*bad block/)
})

test('a start replays in pages, checkpoints on the way, and the next start replays nothing', async () => {
  const stores = keptStores()
  const { log } = await openTestLog({ ...stores, checkpointBytes: 1 << 30 })
  const big = 'x'.repeat(1 << 18)
  for (let at = 0; at < 10; at++) await log.partition(A0).append(batchOf(`${at}${big}`))
  const pages: number[] = []
  const range: Store['range'] = async asked => {
    const entries = await stores.journal.range(asked)
    // The last row is looked at from behind, and written once more.
    if (asked.reverse !== true) pages.push(entries.length)
    return entries
  }
  const journal = { ...stores.journal, range }
  const again = await openTestLog({ ...stores, journal, checkpointBytes: 1 << 18 })
  expect(pages).toEqual([4, 4, 2, 0])
  for (let at = 10; at < 30; at++) await again.log.partition(A0).append(batchOf(`${at}${big}`))
  // The checkpoint of the last append is written beside it.
  await turn()
  await stores.index.clear({})
  pages.length = 0
  await openTestLog({ ...stores, journal })
  expect(pages).toEqual([4, 4, 4, 4, 4, 4, 4, 2, 0])
  pages.length = 0
  const rowsRead: number[] = []
  const getMany: Store['getMany'] = keys => {
    rowsRead.push(keys.length)
    return stores.journal.getMany(keys)
  }
  const last = await openTestLog({ ...stores, journal: { ...journal, getMany } })
  // The row in front of the checkpoint is looked at, and that there is none behind it.
  expect(pages).toEqual([1, 0])
  const read = await last.log.partition(A0).read(0, whole)
  expect(
    read.map(batch =>
      decodeBatch(batch, 1 << 22)[0]!
        .value!.toString()
        .slice(0, 2)
    )
  ).toEqual(Array.from({ length: 30 }, (_, at) => `${at}${big}`.slice(0, 2)))
})

test('what was appended is covered by a checkpoint after a while', async () => {
  const clock = testClock()
  const stores = keptStores()
  const { log } = await openTestLog({ ...stores, clock, checkpointIntervalMs: 500 })
  await log.partition(A0).append(batchOf('x'))
  await turn()
  const tags = async (): Promise<string> => (await stores.index.range({})).map(({ key }) => String.fromCharCode(key[0]!)).join('')
  expect(await tags()).toBe('cs')
  clock.advance(500)
  await turn()
  expect(await tags()).toBe('bcps')
})

test('a drop that a crash interrupts after its checkpoint is finished by the next start', async () => {
  const stores = keptStores()
  const { log } = await openTestLog({ ...stores, index: { ...stores.index, clear: () => new Promise(() => {}) } })
  await log.partition(A0).append(batchOf('x', { producerId: 3, producerEpoch: 0, baseSequence: 0 }))
  await log.partition(B0).append(batchOf('x'))
  await log.drop(TOPIC_A)
  for (let turns = 0; turns < 10; turns++) await turn()
  const keysOf = async (): Promise<string[]> =>
    (await stores.index.range({})).map(({ key }) => `${String.fromCharCode(key[0]!)}${key.toString('hex', 1, 2)}`)
  expect(await keysOf()).toEqual(['bbb', 'c', 'daa', 'pbb', 'qaa', 's00'])
  await stores.index.batch(
    [{ type: 'put', key: Buffer.concat([Buffer.from('q'), Buffer.alloc(20, 0xaa)]), value: Buffer.of(1) }],
    { sync: true }
  )
  await openTestLog(stores)
  expect(await keysOf()).toEqual(['bbb', 'c', 'pbb', 's00'])
})

test('a sync that fails under a commit on its way takes that commit along', async () => {
  const clock = testClock()
  const disk = faultyDisk()
  const { log } = await openTestLog({ journal: await disk.open(), clock, flush: 'interval', flushIntervalMs: 50 })
  const partition = log.partition(A0)
  await partition.append(batchOf('unsynced'))
  disk.failNextSync()
  clock.advance(50)
  const after = partition.append(batchOf('after'))
  await expect(after).rejects.toMatchObject({ code: 'STORE_FAILED' })
  expect(partition.highWatermark).toBe(1)
  await log.close()
})

test('producers are forgotten by checkpoints when they expire, and remembered by them until then', async () => {
  const clock = testClock()
  const stores = keptStores()
  const options = { ...stores, clock, logger: silentLogger, producerExpiryMs: 1000 }
  const first = await openTestLog(options)
  const sent = (id: number, baseSequence: number): Buffer => batchOf('x', { producerId: id, producerEpoch: 0, baseSequence })
  await first.log.partition(A0).append(sent(1, 0))
  clock.advance(600)
  await first.log.partition(A0).append(sent(2, 0))
  await first.log.close()
  clock.advance(500)
  const second = await openTestLog(options)
  await second.log.partition(B0).append(sent(3, 0))
  await second.log.close()
  const third = await openTestLog(options)
  expect([...third.state.partitions.get(`${TOPIC_A}-0`)!.producers.keys()]).toEqual([2])
  expect(await third.log.partition(A0).append(sent(2, 0))).toMatchObject({ duplicate: true, baseOffset: 1 })
  expect(await third.log.partition(A0).append(sent(1, 8))).toMatchObject({ duplicate: false, baseOffset: 2 })
})
