import { type Facts, silentLogger } from '@assay/std'
import { describe, expect, test } from 'vitest'
import type { SnapshotStore } from './snapshot.ts'
import { type SnapshotWriter, snapshotWriter } from './snapshot-writer.ts'
import { apply, emptyState, type State } from './subjects.ts'

/** A write that ends when the test says so. */
interface HeldWrite {
  /** Both resolve when the writer knows. */
  succeed(): Promise<void>
  fail(error: Error): Promise<void>
}

function heldStore() {
  const writes: HeldWrite[] = []
  let atOnce = 0
  let atOnceMax = 0
  const store: SnapshotStore = {
    async *read() {},
    async write(pieces) {
      atOnceMax = Math.max(atOnceMax, ++atOnce)
      const end = Promise.withResolvers<void>()
      const over = Promise.withResolvers<void>()
      const ended = async (): Promise<void> => {
        await over.promise
        await nextTurn()
      }
      writes.push({
        succeed() {
          end.resolve()
          return ended()
        },
        fail(error) {
          end.reject(error)
          return ended()
        }
      })
      try {
        await end.promise
        for await (const piece of pieces) expect(piece.length).toBeGreaterThan(0)
      } finally {
        atOnce--
        over.resolve()
      }
    }
  }
  return { store, writes, atOnceMax: () => atOnceMax }
}

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

interface Begun {
  readonly writer: SnapshotWriter
  readonly writes: readonly HeldWrite[]
  readonly atOnceMax: () => number
  readonly warnings: Facts[]
}

function begin({
  state = emptyState(),
  records = 0,
  replaces = false
}: {
  state?: State
  records?: number
  replaces?: boolean
}): Begun {
  const { store, writes, atOnceMax } = heldStore()
  const warnings: Facts[] = []
  const writer = snapshotWriter({
    store,
    state,
    place: () => ({ nextOffset: 1, lastCrc: 1 }),
    logger: { ...silentLogger, warn: facts => void warnings.push(facts) },
    limits: { snapshotEveryRecords: 100 },
    records,
    replaces
  })
  return { writer, writes, atOnceMax, warnings }
}

describe('a snapshot is begun', () => {
  test.each<{ name: string; given: Parameters<typeof begin>[0]; steps: number[]; begun: number[] }>([
    { name: 'after so many records', given: {}, steps: [60, 39, 1, 50], begun: [0, 0, 1, 1] },
    { name: 'after all that a start had to read', given: {}, steps: [100_000], begun: [1] },
    { name: 'later for a large state: after a fifth of it', given: { records: 10_000 }, steps: [1_999, 1], begun: [0, 1] },
    { name: 'at once where the one that is there is of no use', given: { replaces: true }, steps: [0, 1], begun: [0, 1] }
  ])('$name', ({ given, steps, begun }) => {
    const { writer, writes } = begin(given)
    expect(
      steps.map(step => {
        writer.advanced(step)
        return writes.length
      })
    ).toEqual(begun)
  })
})

test('never are two written at once, and what comes meanwhile counts for the next', async () => {
  const { writer, writes, atOnceMax } = begin({})
  writer.advanced(100)
  writer.advanced(90)
  writer.advanced(20)
  expect(writes).toHaveLength(1)
  await writes[0]!.succeed()
  expect(writes, 'no sooner than more records come').toHaveLength(1)
  writer.advanced(1)
  expect(writes).toHaveLength(2)
  await writes[1]!.succeed()
  writer.advanced(99)
  expect(writes).toHaveLength(2)
  expect(atOnceMax()).toBe(1)
})

test('a failure is told, and tried again after a tenth of the usual distance', async () => {
  const { writer, writes, warnings } = begin({})
  writer.advanced(100)
  await writes[0]!.fail(new Error('disk full'))
  expect(warnings).toMatchObject([{ err: { message: 'disk full' } }])
  writer.advanced(9)
  expect(writes).toHaveLength(1)
  writer.advanced(1)
  expect(writes).toHaveLength(2)
  await writes[1]!.succeed()
  expect(warnings).toHaveLength(1)
})

test('a large state waits longer the next time', async () => {
  const state = emptyState()
  for (let at = 0; at < 1000; at++) apply(state, { type: 'mode', subject: `s${at}`, mode: 'READONLY' }, 1)
  const { writer, writes } = begin({ state })
  writer.advanced(100)
  await writes[0]!.succeed()
  writer.advanced(199)
  expect(writes).toHaveLength(1)
  writer.advanced(2)
  expect(writes).toHaveLength(2)
})

describe('at the end', () => {
  test.each([
    { name: 'a few records are not worth one', unsaved: 9, expected: 0 },
    { name: 'a tenth of the usual distance is', unsaved: 10, expected: 1 }
  ])('$name', async ({ unsaved, expected }) => {
    const { writer, writes } = begin({})
    writer.advanced(unsaved)
    const closed = writer.close()
    await nextTurn()
    expect(writes).toHaveLength(expected)
    await writes[0]?.succeed()
    await closed
  })

  test('the one under way is waited for, and what failed is tried once more', async () => {
    const { writer, writes, atOnceMax, warnings } = begin({})
    writer.advanced(100)
    let isClosed = false
    const closed = writer.close().then(() => {
      isClosed = true
    })
    await nextTurn()
    expect(isClosed).toBe(false)
    await writes[0]!.fail(new Error('disk full'))
    expect(writes).toHaveLength(2)
    await writes[1]!.succeed()
    await closed
    expect(atOnceMax()).toBe(1)
    expect(warnings).toHaveLength(1)
  })
})
