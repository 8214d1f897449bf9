import { describe, expect, test } from 'vitest'
import { lentMemory } from './lent-memory.ts'

describe('memory', () => {
  test('is used again once it was given back, never twice at a time, and no more than a bound of it is kept', () => {
    const memory = lentMemory(64 << 10)
    const [first, second, third] = [memory.take(20_000), memory.take(20_000), memory.take(20_000)]
    expect(new Set([first.bytes, second.bytes, third.bytes]).size).toBe(3)
    for (const lease of [first, first, second, third]) lease.release()
    const again = [memory.take(32_768), memory.take(17_000), memory.take(20_000)].map(({ bytes }) => bytes)
    expect(new Set(again).size).toBe(3)
    expect(again.filter(bytes => [first.bytes, second.bytes].includes(bytes))).toHaveLength(2)
    expect(again).not.toContain(third.bytes)
  })

  test('of small and of huge frames is not kept', () => {
    const memory = lentMemory(64 << 20)
    for (const bytes of [0, 100, 5 << 20]) {
      const lease = memory.take(bytes)
      expect(lease.bytes).toHaveLength(bytes)
      lease.release()
      if (bytes > 0) expect(memory.take(bytes).bytes).not.toBe(lease.bytes)
    }
  })
})
