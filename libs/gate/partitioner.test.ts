import { expect, test } from 'vitest'
import { murmur2, partitionOf } from './partitioner.ts'

/** From Kafka's own UtilsTest. */
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107]
])('murmur2 of %s', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash)
})

test('records without a key take turns, records with one stay together', () => {
  expect([1, 2, 3, 4].map(turn => partitionOf(null, 3, turn))).toEqual([1, 2, 0, 1])
  expect(new Set([1, 2, 3].map(turn => partitionOf(Buffer.from('k'), 7, turn))).size).toBe(1)
})
