import { describe, expect, test } from 'vitest'
import { cellsOf, figuresOf } from './cells.ts'
import { payloadOf } from './targets.ts'

describe('cells', () => {
  test('--only keeps one kind, and the kinds together are all cells', () => {
    expect(cellsOf('consume').map(({ kind }) => kind)).toEqual(Array(6).fill('consume'))
    expect(cellsOf('latency')).toHaveLength(1)
    expect(cellsOf('produce').length + cellsOf('consume').length + cellsOf('latency').length).toBe(cellsOf(undefined).length)
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
