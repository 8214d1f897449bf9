import { expect, test } from 'vitest'
import { goalCells } from './goals.ts'
import { median, turn } from './rounds.ts'
import { geometricMean, percentile, ratio, render } from './table.ts'

test.each([
  ['of nothing', [], 0.5, 0],
  ['of one', [7], 0.99, 7],
  ['the median of an even count is the lower one', [1, 2, 3, 4], 0.5, 2],
  ['the last, unsorted', [4, 1, 3, 2], 0.99, 4],
  ['the least', [3, 1, 2], 0, 1]
])('percentile: %s', (_, values, share, expected) => {
  expect(percentile(values, share)).toBe(expected)
})

test('a ratio needs something to compare with', () => {
  expect(ratio(3, 2)).toBe(1.5)
  expect(ratio(3, 0)).toBeUndefined()
})

test('geometric mean', () => {
  expect(geometricMean([0.5, 2])).toBeCloseTo(1)
  expect(geometricMean([])).toBe(0)
})

test('columns of numbers stand to the right, blanks and dashes among them', () => {
  const rows = [
    { name: 'a', x: '', n: '-' },
    { name: 'bc', x: '1.50', n: '100' }
  ]
  expect(render(rows)).toBe('name     x    n\n----  ----  ---\na             -\nbc    1.50  100')
})

test('every round begins with another target', () => {
  expect(turn(['a', 'b', 'c'], 0)).toEqual(['a', 'b', 'c'])
  expect(turn(['a', 'b', 'c'], 1)).toEqual(['b', 'c', 'a'])
  expect(turn([], 1)).toEqual([])
})

test.each([
  ['of none', [], undefined],
  ['of an odd count', [9, 1, 5], 5],
  ['of an even count', [4, 1, 2, 9], 3]
])('median %s', (_, values, expected) => {
  expect(median(values)).toBe(expected)
})

test.each([
  ['at least, reached', { atLeast: 1.2 }, 1.2, 'met'],
  ['at least, not reached', { atLeast: 1.2 }, 1.19, 'missed'],
  ['at most, kept', { atMost: 100 }, 100, 'met'],
  ['at most, passed', { atMost: 100 }, 142, 'missed'],
  ['not measured', { atMost: 100 }, undefined, 'not measured']
])('a goal: %s', (_, bound, measured, verdict) => {
  expect(goalCells({ what: 'a', measured, bound, unit: 'MiB' }).verdict).toBe(verdict)
})
