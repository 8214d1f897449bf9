import type { Store } from '@assay/store'
import { describe, expect, test } from 'vitest'
import { randomOf, seedOfRun } from '../suites/random.ts'
import { storeSuite } from '../suites/store.ts'
import { faultyDisk } from './faulty-store.ts'

storeSuite('faulty', () => faultyDisk().open())

const put = (store: Store, key: string, sync: boolean): Promise<void> =>
  store.batch([{ type: 'put', key: Buffer.from(key), value: Buffer.from(key) }], { sync })
const keysOf = async (store: Store): Promise<string> => (await store.range({})).map(({ key }) => key.toString()).join('')

describe('a power cut', () => {
  const cuts: [string, number | undefined, string][] = [
    ['takes all that was not synced', undefined, 'ab'],
    ['may leave the first of them', 1, 'abc'],
    ['may leave them all', 2, 'abcd'],
    ['is the death of the process alone when everything stays', Number.POSITIVE_INFINITY, 'abcd']
  ]
  test.each(cuts)('%s', async (_name, keepUnsynced, expected) => {
    const disk = faultyDisk()
    const store = await disk.open()
    await put(store, 'a', false)
    await put(store, 'b', true)
    await put(store, 'c', false)
    await put(store, 'd', false)
    expect(await keysOf(store)).toBe('abcd')
    expect(disk.unsyncedCount()).toBe(2)
    await disk.crash(keepUnsynced === undefined ? {} : { keepUnsynced })
    expect(await keysOf(await disk.open())).toBe(expected)
  })

  test('takes clears back as well', async () => {
    const disk = faultyDisk()
    const store = await disk.open()
    await put(store, 'a', true)
    await store.clear({})
    expect(await keysOf(store)).toBe('')
    await disk.crash()
    expect(await keysOf(await disk.open())).toBe('a')
  })

  test.each([
    ['whole', 1, 'axy'],
    ['not at all', 0, 'a']
  ])('finds a batch under way there %s, and it was never acknowledged', async (_name, keepUnsynced, expected) => {
    const disk = faultyDisk()
    const store = await disk.open()
    await put(store, 'a', true)
    disk.slowWrites(20)
    const ops = ['x', 'y'].map(key => ({ type: 'put', key: Buffer.from(key), value: Buffer.from(key) }) as const)
    const under = store.batch(ops, { sync: true })
    const refused = expect(under).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await new Promise(resolve => setTimeout(resolve, 5))
    await disk.crash({ keepUnsynced })
    await refused
    expect(await keysOf(await disk.open())).toBe(expected)
  })

  test('leaves the old store dead', async () => {
    const disk = faultyDisk()
    const store = await disk.open()
    await disk.crash()
    await disk.open()
    for (const call of [put(store, 'a', true), store.get(Buffer.from('a')), store.range({}), store.clear({})]) {
      await expect(call).rejects.toMatchObject({ code: 'STORE_FAILED' })
    }
  })

  test('keeps what was acknowledged as synced in any run', async () => {
    const seed = seedOfRun()
    const random = randomOf(seed)
    const disk = faultyDisk()
    const promised = new Set<string>()
    let pending: string[] = []
    for (let life = 0; life < 30; life++) {
      const store = await disk.open()
      const found = new Set((await store.range({})).map(({ key }) => key.toString()))
      for (const key of promised) expect(found.has(key), `seed ${seed}, life ${life}: ${key} is lost`).toBe(true)
      for (let i = 0; i < 20; i++) {
        const key = `${life}/${i}`
        const sync = random(4) === 0
        await put(store, key, sync)
        pending.push(key)
        if (!sync) continue
        for (const kept of pending) promised.add(kept)
        pending = []
      }
      await disk.crash({ keepUnsynced: random(5) })
      pending = []
    }
  })
})

describe('faults on demand', () => {
  test('the nth write fails, it leaves nothing, and all later ones fail until the store is opened again', async () => {
    const disk = faultyDisk()
    const store = await disk.open()
    disk.failWrite(2)
    await put(store, 'a', false)
    await expect(put(store, 'b', false)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await expect(put(store, 'c', true)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(await keysOf(store)).toBe('a')
    await store.close()
    const again = await disk.open()
    await put(again, 'd', true)
    expect(await keysOf(again)).toBe('ad')
  })

  test.each([
    ['written', 1, 'ab'],
    ['lost', 0, 'a']
  ])('a write whose sync failed is not shown, and after a crash may be %s', async (_name, keepUnsynced, expected) => {
    const disk = faultyDisk()
    const store = await disk.open()
    await put(store, 'a', true)
    disk.failNextSync()
    await expect(put(store, 'b', true)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(await keysOf(store)).toBe('a')
    await disk.crash({ keepUnsynced })
    expect(await keysOf(await disk.open())).toBe(expected)
  })

  test('an unsynced write passes by a sync that is to fail', async () => {
    const disk = faultyDisk()
    const store = await disk.open()
    disk.failNextSync()
    await put(store, 'a', false)
    await expect(put(store, 'b', true)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  test('writes take as long as told, by the clock that was given', async () => {
    const waits: number[] = []
    const clock = {
      now: () => 0,
      after: (ms: number, run: () => void) => {
        waits.push(ms)
        queueMicrotask(run)
        return { cancel: () => {} }
      }
    }
    const disk = faultyDisk({ clock })
    const store = await disk.open()
    disk.slowWrites(250)
    await put(store, 'a', true)
    await store.get(Buffer.from('a'))
    disk.slowWrites(0)
    await put(store, 'b', true)
    expect(waits).toEqual([250])
  })

  test('one store at a time', async () => {
    const disk = faultyDisk()
    const store = await disk.open()
    await expect(disk.open()).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await store.close()
    await (await disk.open()).close()
  })
})
