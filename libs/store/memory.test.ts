import { expect, test } from 'vitest'
import { storeSuite } from '../../test/suites/store.ts'
import { memoryStore } from './memory.ts'
import { sortedMap } from './sorted-map.ts'

storeSuite('memory', async () => memoryStore())

test('the sorted map keeps its order over many leaves, however the keys arrive', () => {
  const numbers = Array.from({ length: 5000 }, (_, i) => (i * 2654435761) % 5003)
  for (const order of [numbers, [...numbers].sort((a, b) => a - b), [...numbers].sort((a, b) => b - a)]) {
    const map = sortedMap()
    for (const number of order) map.set(keyOf(number), keyOf(number))
    const expected = [...new Set(order)].sort((a, b) => a - b)
    expect(map.scan({}).map(({ key }) => key.readUInt32BE())).toEqual(expected)
    expect(map.scan({ reverse: true }).map(({ key }) => key.readUInt32BE())).toEqual([...expected].reverse())
    for (const number of order.slice(0, 4000)) map.delete(keyOf(number))
    const left = [...new Set(order.slice(4000))].filter(number => !order.slice(0, 4000).includes(number)).sort((a, b) => a - b)
    expect(map.scan({}).map(({ key }) => key.readUInt32BE())).toEqual(left)
    expect(map.get(keyOf(left[0]!))?.readUInt32BE()).toBe(left[0])
    expect(map.get(keyOf(order[0]!))).toBeUndefined()
  }
})

function keyOf(number: number): Buffer {
  const key = Buffer.alloc(4)
  key.writeUInt32BE(number)
  return key
}
