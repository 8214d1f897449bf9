import { expect, test } from 'vitest'
import { type RecentBatch, RecentBatches } from './recent.ts'
import { tailCache } from './tail-cache.ts'

const home = new RecentBatches()

/** A batch of so many bytes, each of them its number. */
const batchOf = (number: number, sizeBytes: number): RecentBatch => ({
  sequence: number,
  baseOffset: number,
  lastOffset: number,
  maxTimestampMs: 0,
  runningMaxTimestampMs: 0,
  sizeBytes,
  prefix: Buffer.alloc(20),
  home,
  bytes: Buffer.alloc(sizeBytes, number),
  isIndexed: true
})

const seed = Number(process.env['ASSAY_SEED'] ?? Date.now() % 1_000_000)

test(`what is held is the newest, and is what was taken in (seed ${seed})`, () => {
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % below
  }
  for (const bytesMax of [0, 1, 100, 1000]) {
    const cache = tailCache(bytesMax)
    const batches: RecentBatch[] = []
    for (let number = 1; number <= 2_000; number++) {
      const batch = batchOf(number & 0xff, 1 + random(Math.ceil(bytesMax / (1 + random(9))) + 2))
      batches.push(batch)
      cache.add(batch)
      const held = batches.filter(({ bytes }) => bytes !== undefined)
      const fitting = batches.filter(({ sizeBytes }) => sizeBytes <= bytesMax)
      expect(held, 'the newest without a gap').toEqual(held.length === 0 ? [] : fitting.slice(-held.length))
      for (const { bytes, sequence, sizeBytes } of held) expect(bytes).toEqual(Buffer.alloc(sizeBytes, sequence))
      const sum = held.reduce((all, { sizeBytes }) => all + sizeBytes, 0)
      expect(cache.bytes).toBe(sum)
      expect(sum).toBeLessThanOrEqual(bytesMax)
      if (batch.sizeBytes <= bytesMax) expect(batch.bytes).toBeDefined()
      else expect(batch.bytes).toBeUndefined()
      while (batches.length > 1 && batches[0]!.bytes === undefined) batches.shift()
    }
  }
})

test('the bytes that came in are free again', () => {
  const cache = tailCache(100)
  const batch = batchOf(1, 10)
  const own = batch.bytes!
  cache.add(batch)
  own.fill(9)
  expect(batch.bytes).toEqual(Buffer.alloc(10, 1))
})
