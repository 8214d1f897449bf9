import { expect, test } from 'vitest'
import { recent } from './recent.ts'

test('what was used least lately goes first, by number and by weight', () => {
  const memory = recent<number>({ entriesMax: 3, charsMax: 10, keyCharsMax: 6 })
  for (const [value, key] of ['a', 'b', 'c'].entries()) memory.put(key, value)
  expect(memory.get('a')).toBe(0)
  memory.put('d', 3)
  expect(['a', 'b', 'c', 'd'].map(key => memory.get(key))).toEqual([0, undefined, 2, 3])
  memory.put('eeeeee', 4)
  memory.put('ffff', 5)
  expect(['a', 'c', 'd', 'eeeeee', 'ffff'].map(key => memory.get(key))).toEqual([undefined, undefined, undefined, 4, 5])
})

test('a key that is too long is not kept, and what fails is not either', () => {
  const memory = recent<number>({ entriesMax: 3, charsMax: 10, keyCharsMax: 2 })
  memory.put('long', 1)
  expect(memory.get('long')).toBeUndefined()
  const fails = (): number => {
    throw new Error('no')
  }
  expect(() => memory.once('a', fails)).toThrow('no')
  expect(memory.once('a', () => 7)).toBe(7)
  expect(memory.once('a', fails)).toBe(7)
})
