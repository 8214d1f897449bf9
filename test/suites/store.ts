/** What every Store promises; run over LevelDB, memory and the faulty one from their own tests. */
import type { Range, Store, StoreOp } from '@assay/store'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { randomOf, seedOfRun } from './random.ts'

/** `open` gives a new, empty store at each call. */
export function storeSuite(name: string, open: () => Promise<Store>): void {
  describe(`${name} as a store`, () => {
    let store: Store

    beforeEach(async () => {
      store = await open()
    })
    afterEach(async () => {
      await store.close()
    })

    const write = (...pairs: [string, string][]): Promise<void> => store.batch(pairs.map(putOf), { sync: false })
    const keys = async (range: Range): Promise<string[]> => (await store.range(range)).map(({ key }) => key.toString())

    test('a value that was put is read back as a buffer, and an absent key is undefined', async () => {
      await write(['a', '1'])
      const value = await store.get(Buffer.from('a'))
      expect(Buffer.isBuffer(value)).toBe(true)
      expect(value?.toString()).toBe('1')
      expect(await store.get(Buffer.from('b'))).toBeUndefined()
    })

    test('getMany answers in the order of the keys, with gaps', async () => {
      await write(['a', '1'], ['c', '3'])
      const values = await store.getMany(['c', 'b', 'a', 'c'].map(bytesOf))
      expect(values.map(value => value?.toString())).toEqual(['3', undefined, '1', '3'])
      expect(await store.getMany([])).toEqual([])
    })

    test('a later put replaces, a del removes, and a del of nothing is no fault', async () => {
      await write(['a', '1'])
      await write(['a', '2'])
      expect((await store.get(bytesOf('a')))?.toString()).toBe('2')
      await store.batch([delOf('a'), delOf('never')], { sync: true })
      expect(await store.get(bytesOf('a'))).toBeUndefined()
    })

    test('within one batch the last op on a key wins', async () => {
      await store.batch([putOf(['a', '1']), delOf('a'), putOf(['b', '1']), putOf(['b', '2'])], { sync: false })
      expect(await store.get(bytesOf('a'))).toBeUndefined()
      expect((await store.get(bytesOf('b')))?.toString()).toBe('2')
    })

    test('keys compare as unsigned bytes, a prefix before its longer', async () => {
      const ordered = [[0], [0, 0], [0, 255], [1], [127], [128], [128, 1], [255], [255, 0]].map(bytes => Buffer.from(bytes))
      await store.batch(
        [...ordered].reverse().map(key => ({ type: 'put', key, value: Buffer.alloc(1) })),
        { sync: false }
      )
      expect((await store.range({})).map(({ key }) => key.toString('hex'))).toEqual(ordered.map(key => key.toString('hex')))
    })

    const ranges: [string, Range, string][] = [
      ['everything', {}, 'abcde'],
      ['gte', { gte: bytesOf('b') }, 'bcde'],
      ['gt', { gt: bytesOf('b') }, 'cde'],
      ['lte', { lte: bytesOf('d') }, 'abcd'],
      ['lt', { lt: bytesOf('d') }, 'abc'],
      ['both ends', { gt: bytesOf('a'), lte: bytesOf('d') }, 'bcd'],
      ['bounds between keys', { gte: bytesOf('aa'), lt: bytesOf('dd') }, 'bcd'],
      ['bounds outside the keys', { gt: bytesOf('A'), lt: bytesOf('z') }, 'abcde'],
      ['nothing above', { gt: bytesOf('e') }, ''],
      ['nothing below', { lt: bytesOf('a') }, ''],
      ['an empty range', { gte: bytesOf('c'), lt: bytesOf('c') }, ''],
      ['crossed bounds', { gte: bytesOf('d'), lte: bytesOf('b') }, ''],
      ['limit', { limit: 2 }, 'ab'],
      ['limit 0', { limit: 0 }, ''],
      ['limit beyond the end', { gte: bytesOf('d'), limit: 9 }, 'de'],
      ['reverse', { reverse: true }, 'edcba'],
      ['the last one', { reverse: true, limit: 1 }, 'e'],
      ['the last below a bound', { lt: bytesOf('d'), reverse: true, limit: 1 }, 'c'],
      ['the last up to a bound between keys', { lte: bytesOf('cc'), reverse: true, limit: 1 }, 'c'],
      ['reverse between bounds', { gte: bytesOf('b'), lte: bytesOf('d'), reverse: true }, 'dcb'],
      ['reverse below everything', { lt: bytesOf('a'), reverse: true }, '']
    ]
    test.each(ranges)('range: %s', async (_name, range, expected) => {
      await write(['c', '3'], ['a', '1'], ['e', '5'], ['b', '2'], ['d', '4'])
      expect((await keys(range)).join('')).toBe(expected)
    })

    test.each(ranges)('clear: %s', async (_name, range, cleared) => {
      await write(['c', '3'], ['a', '1'], ['e', '5'], ['b', '2'], ['d', '4'])
      await store.clear(range)
      expect((await keys({})).join('')).toBe([...'abcde'].filter(key => !cleared.includes(key)).join(''))
    })

    const pages: [string, Range, string][] = [
      ['the bytes of two', { bytesMax: 4 }, 'ab'],
      ['more than one, less than two', { bytesMax: 3 }, 'ab'],
      ['less than one', { gt: bytesOf('b'), bytesMax: 1 }, 'c'],
      ['more than all', { gt: bytesOf('b'), bytesMax: 100 }, 'cde'],
      ['bytes and a limit', { bytesMax: 6, limit: 2 }, 'ab'],
      ['in reverse', { lte: bytesOf('d'), reverse: true, bytesMax: 4 }, 'dc']
    ]
    test.each(pages)('a page of bytes: %s', async (_name, range, expected) => {
      await write(['c', '3'], ['a', '1'], ['e', '5'], ['b', '2'], ['d', '4'])
      expect((await keys(range)).join('')).toBe(expected)
    })

    test('an empty store has an empty range, and an empty batch and clear are no fault', async () => {
      expect(await store.range({ reverse: true, limit: 1 })).toEqual([])
      await store.batch([], { sync: true })
      await store.clear({})
      expect(await store.range({})).toEqual([])
    })

    test('empty and large values come back as they were', async () => {
      const large = Buffer.alloc(3 << 20, 'assay')
      await store.batch(
        [
          { type: 'put', key: bytesOf('empty'), value: Buffer.alloc(0) },
          { type: 'put', key: bytesOf('large'), value: large }
        ],
        { sync: true }
      )
      expect((await store.get(bytesOf('empty')))?.length).toBe(0)
      expect((await store.range({ gte: bytesOf('large') }))[0]?.value.equals(large)).toBe(true)
    })

    test('buffers may be reused as soon as a call has returned its promise, also while another write is under way', async () => {
      const key = Buffer.from('k0')
      const value = Buffer.from('v0')
      const writes: Promise<void>[] = []
      for (let i = 0; i < 5; i++) {
        key.write(`k${i}`)
        value.write(`v${i}`)
        writes.push(store.batch([{ type: 'put', key, value }], { sync: i % 2 === 0 }))
      }
      key.write('xx')
      value.write('xx')
      await Promise.all(writes)
      const entries = await store.range({})
      expect(entries.map(entry => `${entry.key} ${entry.value}`)).toEqual(['k0 v0', 'k1 v1', 'k2 v2', 'k3 v3', 'k4 v4'])
    })

    test('what was read is the reader’s own: writing into it changes nothing', async () => {
      await write(['a', '1'])
      const read = [await store.get(bytesOf('a')), (await store.range({}))[0]?.value, (await store.getMany([bytesOf('a')]))[0]]
      for (const value of read) value?.fill(0)
      expect((await store.get(bytesOf('a')))?.toString()).toBe('1')
    })

    test('overlapping batches and clears take effect in the order of the calls', async () => {
      const calls: Promise<void>[] = []
      for (let i = 0; i < 200; i++) {
        calls.push(
          store.batch([putOf(['turn', String(i)]), putOf([`n${String(i).padStart(3, '0')}`, 'x'])], { sync: i % 50 === 0 })
        )
        if (i === 99) calls.push(store.clear({ lt: bytesOf('n100') }))
      }
      await Promise.all(calls)
      expect((await store.get(bytesOf('turn')))?.toString()).toBe('199')
      expect(await keys({ lt: bytesOf('t') })).toEqual(Array.from({ length: 100 }, (_, i) => `n${i + 100}`))
    })

    test('a batch is seen by reads that begin after it was done', async () => {
      for (let i = 0; i < 20; i++) {
        await write([`k${i}`, String(i)])
        expect((await store.get(bytesOf(`k${i}`)))?.toString()).toBe(String(i))
      }
    })

    test('close waits for calls under way, and a second close is the same as the first', async () => {
      const under = Promise.all([write(['a', '1']), write(['b', '2']), store.get(bytesOf('a')), store.range({})])
      const closes = [store.close(), store.close()]
      await under
      await Promise.all(closes)
      await store.close()
    })

    test('every call after close fails with STORE_FAILED', async () => {
      await store.close()
      const calls: [string, () => Promise<unknown>][] = [
        ['get', () => store.get(bytesOf('a'))],
        ['getMany', () => store.getMany([bytesOf('a')])],
        ['range', () => store.range({})],
        ['batch', () => write(['a', '1'])],
        ['clear', () => store.clear({})]
      ]
      for (const [call, run] of calls) await expect(run(), call).rejects.toMatchObject({ code: 'STORE_FAILED' })
    })

    test('random histories match a plain map', async () => {
      const seed = seedOfRun()
      const random = randomOf(seed)
      const model = new Map<string, string>()
      const nameOf = (): string => `k${String(random(400)).padStart(3, '0')}`
      for (let round = 0; round < 60; round++) {
        const ops = Array.from({ length: random(40) }, () =>
          random(3) === 0 ? delOf(nameOf()) : putOf([nameOf(), String(random(1e9))])
        )
        await store.batch(ops, { sync: random(20) === 0 })
        for (const op of ops) {
          if (op.type === 'put') model.set(textOf(op.key), textOf(op.value))
          else model.delete(textOf(op.key))
        }
        const [low, high] = [nameOf(), nameOf()].sort() as [string, string]
        const range: Range = { gte: bytesOf(low), lt: bytesOf(high), limit: 1 + random(50), reverse: random(2) === 0 }
        const inside = [...model.keys()].filter(key => key >= low && key < high).sort()
        if (range.reverse) inside.reverse()
        const expected = inside.slice(0, range.limit)
        expect(await keys(range), `seed ${seed}, round ${round}`).toEqual(expected)
        if (random(10) === 0) {
          await store.clear(range)
          for (const key of expected) model.delete(key)
        }
      }
      const all = (await store.range({})).map(({ key, value }) => [key.toString(), value.toString()])
      expect(all, `seed ${seed}`).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)))
    })
  })
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text)
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const putOf = ([key, value]: [string, string]): StoreOp => ({ type: 'put', key: bytesOf(key), value: bytesOf(value) })
const delOf = (key: string): StoreOp => ({ type: 'del', key: bytesOf(key) })
