import { expect, test } from 'vitest'
import type { BatchFacts } from './batch-facts.ts'
import { checkSequence, producerTable, type Window, windowAfter } from './producers.ts'

const MAX = 0x7fffffff

const facts = (epoch: number, baseSequence: number, count: number): BatchFacts => ({
  lastOffsetDelta: count - 1,
  maxTimestampMs: 0,
  appendTimeMs: -1,
  producerId: 7,
  producerEpoch: epoch,
  baseSequence,
  isTransactional: false,
  end: undefined
})

/** `epoch:sequence+count`, batch after batch. */
function windowOf(history: string): Window | undefined {
  let window: Window | undefined
  let offset = 0
  for (const sent of history.split(' ').filter(Boolean)) {
    const parsed = parse(sent)
    window = windowAfter(window, parsed, offset)
    offset += parsed.lastOffsetDelta + 1
  }
  return window
}

function parse(sent: string): BatchFacts {
  const [, epoch, sequence, count] = /^(\d+):(\d+)\+(\d+)$/.exec(sent)!
  return facts(Number(epoch), Number(sequence), Number(count))
}

test.each([
  ['the first batch of an unknown producer', '', '0:0+3', 'new'],
  ['an unknown producer in the middle of its life', '', '4:170+3', 'new'],
  ['the next batch', '0:0+3', '0:3+2', 'new'],
  ['the same batch again', '0:0+3', '0:0+3', 'at 0'],
  ['the batch before the last again', '0:0+3 0:3+2', '0:0+3', 'at 0'],
  ['the fifth batch back', '0:0+1 0:1+1 0:2+1 0:3+1 0:4+1', '0:0+1', 'at 0'],
  ['the sixth batch back', '0:0+1 0:1+1 0:2+1 0:3+1 0:4+1 0:5+1', '0:0+1', 'OUT_OF_ORDER_SEQUENCE expected 6'],
  ['a gap', '0:0+3', '0:4+1', 'OUT_OF_ORDER_SEQUENCE expected 3'],
  ['the first half of a batch', '0:0+4', '0:0+2', 'OUT_OF_ORDER_SEQUENCE expected 4'],
  ['an older epoch', '2:0+3', '1:3+1', 'PRODUCER_FENCED'],
  ['a newer epoch from 0', '0:0+3', '1:0+1', 'new'],
  ['a newer epoch from elsewhere', '0:0+3', '1:3+1', 'OUT_OF_ORDER_SEQUENCE expected 0'],
  ['the old first batch under a newer epoch', '0:0+3 1:0+2', '1:0+2', 'at 3'],
  ['round the end', `0:${MAX}+1`, '0:0+1', 'new'],
  ['a batch across the end, then on', `0:${MAX - 1}+4`, '0:2+1', 'new'],
  ['a batch across the end again', `0:${MAX - 1}+4`, `0:${MAX - 1}+4`, 'at 0'],
  ['one too far round the end', `0:${MAX}+1`, '0:1+1', 'OUT_OF_ORDER_SEQUENCE expected 0']
])('%s', (_name, history, sent, verdict) => {
  const judge = (): string => {
    const same = checkSequence(windowOf(history), parse(sent))
    return same === undefined ? 'new' : `at ${same.baseOffset}`
  }
  if (verdict === 'new' || verdict.startsWith('at ')) {
    expect(judge()).toBe(verdict)
    return
  }
  const [code, , expected] = verdict.split(' ')
  expect(judge).toThrow(
    expect.objectContaining({ code, ...(expected && { facts: expect.objectContaining({ expected: Number(expected) }) }) })
  )
})

test('those silent longest go first, by time and by number, and never one whose batch is on its way', () => {
  const table = producerTable({ expiryMs: 100, producersMax: 2 })
  const home = new Map()
  const prefix = Buffer.alloc(20)
  const add = (id: number, nowMs: number) => table.add(home, { id, prefix, nowMs })
  const [first, second, third] = [add(1, 0), add(2, 10), add(3, 20)]
  table.touch(first, 30)
  second.staged = windowAfter(undefined, facts(0, 0, 1), 0)
  table.sweep(30)
  expect([...home.keys()]).toEqual([1, 2])
  expect(table.takeChanges()).toEqual({ changed: [], removed: [third] })
  expect(table.find(home, 1, 129)).toBe(first)
  expect(table.find(home, 1, 130)).toBeUndefined()
  expect(table.find(home, 2, 1000)).toBe(second)
  table.commit(second, second.staged)
  expect(table.find(home, 2, 1000)).toBeUndefined()
  expect(table.takeChanges()).toEqual({ changed: [], removed: [first, second] })
})
