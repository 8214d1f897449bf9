import { expect, test } from 'vitest'
import { geometricMean, percentile, render } from './table.ts'

test.each([
  [[], 0.5, 0],
  [[7], 0.99, 7],
  [[1, 2, 3, 4], 0.5, 2],
  [[4, 1, 3, 2], 0.99, 4]
])('percentile of %j at %d', (values, share, expected) => {
  expect(percentile(values, share)).toBe(expected)
})

test('geometric mean', () => {
  expect(geometricMean([1, 4])).toBeCloseTo(2)
  expect(geometricMean([])).toBe(0)
})

test('numbers stand to the right', () => {
  expect(
    render([
      { name: 'a', n: 1 },
      { name: 'bc', n: 100 }
    ])
  ).toBe('name    n\n----  ---\na       1\nbc    100')
})
