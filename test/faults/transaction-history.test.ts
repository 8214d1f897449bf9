/** The checker of transactional histories finds what it is there to find. */
import { expect, test } from 'vitest'
import { endsWatch, type FoundRecord, type TransactionHistory, transactionAnomalies } from './transaction-history.ts'

const found = (name: string, offset: number, partition = 0): FoundRecord => ({ name, offset, partition })
const transaction = (number: number, outcome: 'committed' | 'aborted', names: string[], offset?: number) => ({
  ...{ producer: 'p', number, outcome, offset },
  records: names.map(name => ({ partition: 0, name }))
})

const whole: TransactionHistory = {
  written: [transaction(0, 'committed', ['a', 'b'], 7), transaction(1, 'aborted', ['c'], 8), transaction(2, 'committed', ['d'])],
  refused: new Set(['z']),
  committed: [found('a', 0), found('b', 1), found('d', 5)],
  all: [found('a', 0), found('b', 1), found('c', 3), found('d', 5)],
  offsets: new Map([['p', 7]]),
  seen: [found('a', 0)]
}

const rows: [string, Partial<TransactionHistory>, RegExp | undefined][] = [
  ['what is right', {}, undefined],
  ['a transaction that is lost', { committed: [found('a', 0), found('b', 1)] }, /transaction 2 of p was committed and is lost/],
  ['a torn one', { committed: [found('a', 0), found('d', 5)] }, /transaction 0 of p is torn: 1 of 2/],
  ['an aborted one that is seen', { committed: [...whole.committed, found('c', 3)] }, /was aborted and c is read/],
  ['a record twice', { all: [...whole.all, found('a', 9)] }, /a of transaction 0 of p is there 2 times/],
  ['what was refused', { all: [...whole.all, found('z', 9)] }, /z was refused, and is stored/],
  ['what nobody wrote', { committed: [...whole.committed, found('y', 9)] }, /written by nobody/],
  ['another order', { committed: [found('a', 1), found('b', 0), found('d', 5)], seen: [] }, /b of p is out of order/],
  ['another partition', { committed: [found('a', 0, 1), found('b', 1), found('d', 5)] }, /is in 1/],
  ['a record that has moved', { seen: [found('a', 4)] }, /a moved from 0@4 to 0/],
  ['a record that is gone', { seen: [found('x', 4)] }, /x was once read/],
  ['offsets of an aborted one', { offsets: new Map([['p', 8]]) }, /is at 8, and its last commit was 7/]
]
test.each(rows)('%s', (_name, changed, expected) => {
  const anomalies = transactionAnomalies({ ...whole, ...changed })
  if (expected === undefined) expect(anomalies).toEqual([])
  else expect(anomalies.join('\n')).toMatch(expected)
})

test('ends that go back', () => {
  const watch = endsWatch()
  watch.note(0, { highWatermark: 5, lastStableOffset: 3 })
  watch.note(1, { highWatermark: 1, lastStableOffset: 1 })
  watch.note(0, { highWatermark: 6, lastStableOffset: 3 })
  expect(watch.anomalies).toEqual([])
  watch.note(0, { highWatermark: 5, lastStableOffset: 2 })
  watch.note(1, { highWatermark: 1, lastStableOffset: 2 })
  expect(watch.anomalies).toHaveLength(3)
})
