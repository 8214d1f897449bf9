import { expect, test } from 'vitest'
import { isMet } from '../goals.ts'
import { figureCells, goalsOf } from './figures.ts'
import type { Appended } from './work.ts'

const appended = (bytes: number, writtenBytes: number | undefined): Appended => ({
  ...{ bytes, records: 1, seconds: 1, rssMiB: 50 },
  writtenBytes
})
const partitions = [
  { partitions: 1, rounds: [appended(100e6, 200e6), appended(80e6, 160e6), appended(100e6, 200e6)] },
  { partitions: 1000, rounds: [appended(70e6, 210e6)] }
]
const reopened = [{ end: 'kill' as const, filled: appended(1, 2), opened: { ms: 3500, records: 1, rssMiB: 60 } }]
const follow = { producerAlone: 100, producer: 50, consumer: 400e6, producerBesidePaced: 90, consumerPaced: 160e6 }

test('goals of the log', () => {
  const goals = goalsOf({ partitions, reopened, behind: { rounds: [follow] } })
  expect(goals.map(({ measured }) => measured)).toEqual([0.7, 3, undefined, 3500, 160, 0.9])
  expect(goals.map(isMet)).toEqual([false, false, undefined, false, true, true])
})

test('what was not measured has no row, and no verdict', () => {
  const nothing = { partitions: [], reopened: [], behind: undefined }
  expect(figureCells(nothing)).toEqual([])
  expect(goalsOf(nothing).every(goal => isMet(goal) === undefined)).toBe(true)
})

test('without /proc there is no amplification', () => {
  const [row] = figureCells({
    partitions: [{ partitions: 1, rounds: [appended(1e6, undefined)] }],
    reopened: [],
    behind: undefined
  })
  expect(row).toMatchObject({ 'MB/s': '1.0', 'written x': '-' })
})
