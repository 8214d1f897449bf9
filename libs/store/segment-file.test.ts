import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { randomOf, seedOfRun } from '../../test/suites/random.ts'
import { createSegmentFile, openSegmentFile, positionsPath, type TornTail } from './segment-file.ts'
import { FRAME_HEADER_BYTES, writeSequence } from './segment-frames.ts'
import type { Store, StoreOp } from './store.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-segment-'))
const FIRST = 40
let made = 0
let path = ''

beforeEach(async () => {
  path = join(root, `${++made}.segment`)
  await createSegmentFile(path, { first: FIRST, salt: 0x5a17_0000 + made })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const open = (options: { isNewest?: boolean; onTornTail?: (tail: TornTail) => void } = {}): Promise<Store> =>
  openSegmentFile(path, { first: FIRST, isNewest: true, ...options })

function keyOf(sequence: number, fill = 7): Buffer {
  const key = Buffer.alloc(28, fill)
  writeSequence(key, sequence)
  return key
}
const row = (sequence: number, value = `value ${sequence}`): StoreOp => ({
  type: 'put',
  key: keyOf(sequence),
  value: Buffer.from(value)
})
const texts = async (store: Store): Promise<string[]> => (await store.range({})).map(({ value }) => value.toString())
const bound = (sequence: number): Buffer => keyOf(sequence).subarray(0, 8)

/** The file as a kill leaves it: without positions, and with what was never synced, too. */
async function killed(rows: readonly (readonly StoreOp[])[]): Promise<void> {
  const store = await open()
  for (const ops of rows) await store.batch(ops, { sync: true })
  copyFileSync(path, `${path}.copy`)
  await store.close()
  rmSync(positionsPath(path))
  copyFileSync(`${path}.copy`, path)
}

describe('rows', () => {
  test('are found by key, in ranges and from the end', async () => {
    const store = await open()
    await store.batch([row(40), row(41)], { sync: true })
    await store.batch([row(42)], { sync: false })
    await store.batch([row(43), row(44)], { sync: true })
    expect((await store.get(keyOf(42)))?.toString()).toBe('value 42')
    expect(await store.get(keyOf(42, 8))).toBeUndefined()
    const many = await store.getMany([43, 44, 39, 40, 45, 41].map(sequence => keyOf(sequence)))
    expect(many.map(value => value?.toString())).toEqual(['value 43', 'value 44', undefined, 'value 40', undefined, 'value 41'])
    const ranges: [Parameters<Store['range']>[0], number[]][] = [
      [{}, [40, 41, 42, 43, 44]],
      [{ gte: bound(42), limit: 2 }, [42, 43]],
      [{ gte: bound(42), lt: bound(43), limit: 1 }, [42]],
      [{ gt: keyOf(42), limit: 1 }, [43]],
      [{ gte: keyOf(42), lte: keyOf(43) }, [42, 43]],
      [{ gte: bound(45), limit: 4 }, []],
      [{ limit: 1, reverse: true }, [44]],
      [{ gte: bound(41), bytesMax: 1 }, [41]],
      [{ gt: keyOf(41), bytesMax: 1 }, [42]],
      [{ gte: bound(41), bytesMax: 61 }, [41, 42]],
      [{ gt: keyOf(41), bytesMax: 61 }, [42, 43]],
      [{ lt: keyOf(44), bytesMax: 33, reverse: true }, [43, 42]],
      [{ lt: keyOf(43), bytesMax: 1, reverse: true }, [42]],
      [{ bytesMax: 1000, limit: 2 }, [40, 41]],
      [{ lt: keyOf(44), limit: 2, reverse: true }, [43, 42]]
    ]
    for (const [range, expected] of ranges) {
      const found = await store.range(range)
      expect(found.map(({ key }) => key)).toEqual(expected.map(sequence => keyOf(sequence)))
    }
    await store.close()
  })

  test('are read into the memory that is offered for them', async () => {
    const store = await open()
    await store.batch([row(40), row(41), row(42)], { sync: true })
    const offered: Buffer[] = []
    const allocate = (bytes: number): Buffer => {
      offered.push(Buffer.alloc(bytes))
      return offered.at(-1)!
    }
    const lies = (value: Buffer | undefined): boolean => offered.some(({ buffer }) => value?.buffer === buffer)
    expect((await store.range({ gte: bound(41) }, allocate)).map(({ value }) => lies(value))).toEqual([true, true])
    expect((await store.getMany([keyOf(40), keyOf(42)], allocate)).map(lies)).toEqual([true, true])
    await store.close()
  })

  test('of any size come back, whether they are copied together or written from their place', async () => {
    const random = randomOf(seedOfRun())
    const sizes = [0, 1, 511, 512, 4096, 100_000, 131_072, 300_000, 5_000_000]
    const values = sizes.map(size => Buffer.alloc(size, String(random(1_000_000))))
    const store = await open()
    let next = FIRST
    for (const [at, value] of values.entries()) {
      const small = Buffer.from(`between ${at}`)
      await store.batch(
        [value, small].map(each => ({ type: 'put', key: keyOf(next++), value: each })),
        { sync: at % 2 === 0 }
      )
    }
    const check = async (opened: Store): Promise<void> => {
      const rows = await opened.range({})
      expect(rows).toHaveLength(2 * sizes.length)
      for (const [at, value] of values.entries()) expect(rows[2 * at]!.value.equals(value)).toBe(true)
    }
    await check(store)
    await store.close()
    for (const isNewest of [true, false]) {
      const again = await open({ isNewest })
      await check(again)
      await again.close()
    }
    rmSync(positionsPath(path))
    const scanned = await open()
    await check(scanned)
    await scanned.close()
  })

  test('that are cleared are gone for good, also when power goes then, and others take their places', async () => {
    const store = await open()
    await store.batch([row(40), row(41), row(42)], { sync: true })
    await store.clear({ gte: bound(41) })
    await store.clear({ gte: bound(50) })
    expect(await texts(store)).toEqual(['value 40'])
    await store.batch([row(41, 'another')], { sync: true })
    copyFileSync(path, `${path}.copy`)
    await store.close()
    for (const restore of [() => {}, () => rmSync(positionsPath(path)), () => copyFileSync(`${path}.copy`, path)]) {
      restore()
      const again = await open()
      expect(await texts(again)).toEqual(['value 40', 'another'])
      await again.close()
    }
  })

  test('that are written once more with a sync are there once', async () => {
    const store = await open()
    await store.batch([row(40)], { sync: false })
    await store.batch([row(40)], { sync: true })
    await store.batch([row(41)], { sync: true })
    expect(await texts(store)).toEqual(['value 40', 'value 41'])
    await store.close()
  })

  test('follow each other without a gap', async () => {
    const store = await open()
    await expect(store.batch([row(41)], { sync: true })).rejects.toThrow(/follow each other/)
    await store.close()
  })
})

describe('a tail that was being written', () => {
  test('is cut off wherever the file ends in it, and said to be', async () => {
    await killed([[row(40)], [row(41), row(42)]])
    const whole = readFileSync(path)
    const lastFrame = whole.length - FRAME_HEADER_BYTES - 2 * 24 - 2 * 'value 41'.length
    for (let length = lastFrame; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length))
      rmSync(positionsPath(path), { force: true })
      const tails: TornTail[] = []
      const store = await open({ onTornTail: tail => tails.push(tail) })
      expect(await texts(store)).toEqual(['value 40'])
      await store.batch([row(41, 'new')], { sync: true })
      expect(await texts(store)).toEqual(['value 40', 'new'])
      await store.close()
      expect(tails).toEqual(length === lastFrame ? [] : [{ file: path, from: lastFrame, bytes: length - lastFrame }])
    }
  })

  test('is cut off when sectors of it were never written', async () => {
    const large = 'x'.repeat(4000)
    await killed([[row(40)], [row(41, large)]])
    const whole = readFileSync(path)
    for (let sector = Math.ceil((whole.length - 4000) / 512); sector * 512 < whole.length; sector++) {
      writeFileSync(path, Buffer.from(whole).fill(0, sector * 512, Math.min((sector + 1) * 512, whole.length)))
      const store = await open()
      expect(await texts(store)).toEqual(['value 40'])
      await store.close()
      rmSync(positionsPath(path))
    }
  })

  test('is damage when it was synced, which what was synced behind it shows', async () => {
    await killed([[row(40)], [row(41, 'x'.repeat(4000))], [row(42)]])
    const whole = readFileSync(path)
    writeFileSync(path, Buffer.from(whole).fill(0, 1024, 1536))
    await expect(open()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    // The header of a frame, too: what follows is found all the same.
    const from = whole.indexOf('ASFR', whole.indexOf('ASFR') + 1)
    writeFileSync(path, Buffer.from(whole).fill(0, from, 512))
    await expect(open()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })

  test('of two frames that were under way at one time is cut off from the first that is not whole, and damage to what was durable before them is told', async () => {
    const large = 'x'.repeat(4000)
    const store = await open()
    await store.batch([row(40, large)], { sync: true })
    await Promise.all([41, 42].map(sequence => store.batch([row(sequence, large)], { sync: true })))
    copyFileSync(path, `${path}.copy`)
    await store.close()
    const whole = readFileSync(`${path}.copy`)
    const frames: number[] = []
    for (let at = whole.indexOf('ASFR'); at >= 0; at = whole.indexOf('ASFR', at + 1)) frames.push(at)
    expect(frames).toHaveLength(3)
    const sectorsOf = (from: number, end: number): number[] =>
      Array.from({ length: Math.ceil((end - from) / 512) - 1 }, (_, at) => Math.ceil(from / 512) + at)
    const openWithout = (sector: number): Promise<Store> => {
      rmSync(positionsPath(path), { force: true })
      writeFileSync(path, Buffer.from(whole).fill(0, sector * 512, (sector + 1) * 512))
      return open()
    }
    for (const sector of sectorsOf(frames[0]!, frames[1]!)) {
      await expect(openWithout(sector), `sector ${sector}`).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    }
    for (const [count, from, end] of [
      [1, frames[1]!, frames[2]!],
      [2, frames[2]!, whole.length]
    ] as const) {
      for (const sector of sectorsOf(from, end)) {
        const again = await openWithout(sector)
        expect(await texts(again), `sector ${sector}`).toHaveLength(count)
        await again.close()
      }
    }
    // A byte that was changed is no part that was not written.
    for (const at of [frames[1]! + 2000, frames[2]! + 2000]) {
      rmSync(positionsPath(path), { force: true })
      const flipped = Buffer.from(whole)
      flipped[at]! ^= 1
      writeFileSync(path, flipped)
      await expect(open(), `byte ${at}`).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    }
  })

  test('is damage when a frame follows that was begun when it was durable, also beside another', async () => {
    const large = 'x'.repeat(4000)
    const store = await open()
    await store.batch([row(40, large)], { sync: true })
    // The third of these has to wait for the first.
    await Promise.all([41, 42, 43].map(sequence => store.batch([row(sequence, large)], { sync: true })))
    copyFileSync(path, `${path}.copy`)
    await store.close()
    const whole = readFileSync(`${path}.copy`)
    const second = whole.indexOf('ASFR', whole.indexOf('ASFR') + 1)
    const sector = Math.ceil(second / 512) * 512
    rmSync(positionsPath(path))
    writeFileSync(path, Buffer.from(whole).fill(0, sector, sector + 512))
    await expect(open()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    // Without the third nothing says that it was durable.
    const last = whole.lastIndexOf('ASFR')
    writeFileSync(path, Buffer.from(whole.subarray(0, last)).fill(0, sector, sector + 512))
    const again = await open()
    expect(await texts(again)).toEqual([large])
    await again.close()
  })

  test('is damage in a segment that is not the newest', async () => {
    await killed([[row(40)], [row(41)]])
    truncateSync(path, statSync(path).size - 1)
    await expect(open({ isNewest: false })).rejects.toThrow(/ends within a frame/)
  })
})

describe('damage', () => {
  test('to any byte of a file that was not closed is told, and never a row lost', async () => {
    await killed([[row(40)], [row(41), row(42)], [row(43)]])
    const whole = readFileSync(path)
    for (let at = 0; at < whole.length; at++) {
      const flipped = Buffer.from(whole)
      flipped[at]! ^= 1 << (at % 8)
      writeFileSync(path, flipped)
      await expect(open(), `byte ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/^(STORE_CORRUPT|UNSUPPORTED_VERSION)$/)
      })
    }
  })

  test('to the positions costs a reading of the whole, and nothing else', async () => {
    const store = await open()
    await store.batch([row(40), row(41)], { sync: true })
    await store.close()
    const whole = readFileSync(positionsPath(path))
    for (let at = 0; at < whole.length; at++) {
      const flipped = Buffer.from(whole)
      flipped[at]! ^= 1 << (at % 8)
      writeFileSync(positionsPath(path), flipped)
      const again = await open({ isNewest: false })
      expect(await texts(again)).toEqual(['value 40', 'value 41'])
      await again.close()
    }
  })

  test('is told when the file is shorter than it was', async () => {
    const store = await open()
    await store.batch([row(40)], { sync: true })
    await store.batch([row(41)], { sync: true })
    await store.close()
    expect(existsSync(positionsPath(path))).toBe(true)
    truncateSync(path, statSync(path).size - 20)
    await expect(open()).rejects.toThrow(/bytes of \d+ that were written/)
  })

  test('of another segment in its place is told', async () => {
    const other = join(root, 'other.segment')
    await createSegmentFile(other, { first: FIRST + 1, salt: 1 })
    copyFileSync(other, path)
    await expect(open()).rejects.toThrow(/its first row is 41/)
  })
})

test('histories of batches, clears, closes and kills end as a list in memory does', async () => {
  const below = randomOf(seedOfRun())
  for (let round = 0; round < 30; round++) {
    path = join(root, `history-${round}.segment`)
    await createSegmentFile(path, { first: FIRST, salt: below(2 ** 32) })
    const model: string[] = []
    let store = await open()
    for (let step = 0; step < 40; step++) {
      const what = below(10)
      if (what < 6) {
        const writes: Promise<void>[] = []
        for (let count = 1 + below(4); count > 0; count--) {
          const values = Array.from({ length: 1 + below(4) }, () => 'v'.repeat(below(3000)) + below(1000))
          const ops = values.map((value, at) => row(FIRST + model.length + at, value))
          writes.push(store.batch(ops, { sync: below(2) === 0 }))
          model.push(...values)
        }
        await Promise.all(writes)
      } else if (what === 6) {
        const from = below(model.length + 2)
        await store.clear({ gte: bound(FIRST + from) })
        model.length = Math.min(model.length, from)
      } else if (what === 7) {
        await store.close()
        store = await open()
      } else if (what === 8) {
        copyFileSync(path, `${path}.copy`)
        await store.close()
        copyFileSync(`${path}.copy`, path)
        if (below(2) === 0) rmSync(positionsPath(path), { force: true })
        store = await openSegmentFile(path, { first: FIRST, isNewest: true })
      } else expect(await texts(store)).toEqual(model)
    }
    expect(await texts(store)).toEqual(model)
    await store.close()
  }
})
