import { describe, expect, test } from 'vitest'
import { cellsOf, figuresOf, turn } from './cells.ts'
import { geometricMean, percentile, ratio, render } from './table.ts'
import { payloadOf } from './targets.ts'

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

describe('cells', () => {
  test('--only keeps one kind, and the kinds together are all cells', () => {
    expect(cellsOf('consume').map(({ kind }) => kind)).toEqual(Array(6).fill('consume'))
    expect(cellsOf('latency')).toHaveLength(1)
    expect(cellsOf('produce').length + cellsOf('consume').length + cellsOf('latency').length).toBe(cellsOf(undefined).length)
  })

  test('every round begins with another target', () => {
    expect(turn(['a', 'b', 'c'], 0)).toEqual(['a', 'b', 'c'])
    expect(turn(['a', 'b', 'c'], 1)).toEqual(['b', 'c', 'a'])
    expect(turn([], 1)).toEqual([])
  })

  const outcome = { records: 1000, bytes: 1e6, seconds: 1, latencies: [1, 2], clientCpuMs: 250 }
  const before = { cpuMs: 100, rssMiB: 50 }

  test('rounds add up, and the largest RSS counts', () => {
    const slow = { ...outcome, seconds: 3, latencies: [9, 10] }
    const figures = figuresOf([
      { outcome, before, after: { cpuMs: 110, rssMiB: 70 } },
      { outcome: slow, before, after: { cpuMs: 130, rssMiB: 60 } }
    ])
    expect(figures).toEqual({
      recordsPerSecond: 500,
      megabytesPerSecond: 0.5,
      p50Ms: 2,
      p99Ms: 10,
      clientCpuPercent: 12.5,
      cpuMsPerMegabyte: 20,
      rssMiB: 70
    })
  })

  test('without /proc there is neither processor time nor memory', () => {
    const figures = figuresOf([{ outcome, before: undefined, after: undefined }])
    expect([figures.cpuMsPerMegabyte, figures.rssMiB]).toEqual([undefined, undefined])
  })
})

test.each([100, 1024])('a payload of %d bytes', bytes => {
  expect(payloadOf(bytes, 1)).toHaveLength(bytes)
})
