import { expect, test } from 'vitest'
import { openTurns } from './turns.ts'

test('turns are taken by a few at one time, in the order of asking, and refused when too many wait', async () => {
  const turns = openTurns(2, 2)
  const began: number[] = []
  const ends: (() => void)[] = []
  const work = (n: number) => () => {
    began.push(n)
    return new Promise<number>(resolve => ends.push(() => resolve(n)))
  }
  const answers = [0, 1, 2, 3, 4].map(n => turns.take(work(n)))
  expect(began).toEqual([0, 1])
  expect(await answers[4]).toBeUndefined()
  ends[1]!()
  expect(await answers[1]).toBe(1)
  expect(began).toEqual([0, 1, 2])
  ends[0]!()
  await answers[0]
  expect(began).toEqual([0, 1, 2, 3])
  ends[2]!()
  ends[3]!()
  expect(await Promise.all([answers[2], answers[3]])).toEqual([2, 3])
  await expect(turns.take(async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await turns.take(async () => 9)).toBe(9)
})
