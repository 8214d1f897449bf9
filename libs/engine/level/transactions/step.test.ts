import { expect, test } from 'vitest'
import { add, type Change, end, endTakesId, init, initTakesId, isExpired, type Step, timeOut, verify } from './step.ts'
import { EPOCH_MAX, NO_PARTITIONS, type TopicPartitions, type Transaction } from './transaction.ts'

const FRESH = 99
const partitions: TopicPartitions = new Map([['t', new Set([0, 1])]])
const other: TopicPartitions = new Map([['u', new Set([5])]])

function transaction(given: Partial<Transaction>): Transaction {
  return {
    ...{ id: 'x', state: 'Empty', producerId: 7, producerEpoch: 3, previousProducerId: -1, lastEpoch: -1, timeoutMs: 100 },
    ...{ partitions: given.state === 'Ongoing' ? partitions : NO_PARTITIONS, startedMs: 1000, updatedMs: 1000, version: 0 },
    ...given
  }
}

/** `error`, then what it becomes (state id:epoch), then what the markers bear. */
function told({ error, change, producer }: Step): string {
  if (error !== 'NONE') return error
  const words: string[] = [change === undefined ? 'same' : toldOf(change)]
  if (producer !== undefined) words.push(`-> ${producer.producerId}:${producer.epoch}`)
  return words.join(' ')
}
function toldOf({ next, meanwhile, markers }: Change): string {
  const becomes = `${next.state} ${next.producerId}:${next.producerEpoch}`
  if (markers === undefined) return becomes
  const where = [...markers.partitions.keys()].join(',')
  return `${meanwhile.state} ${markers.end}(${markers.producerId}:${markers.epoch} ${where}) ${becomes}`
}

const inits: [string, Partial<Transaction> | undefined, { producerId: number; epoch: number } | undefined, string][] = [
  ['a new ID', undefined, undefined, 'Empty 99:0 -> 99:0'],
  ['a new ID whose producer thinks it is known', undefined, { producerId: 7, epoch: 3 }, 'Empty 99:0 -> 99:0'],
  ['a second producer', {}, undefined, 'Empty 7:4 -> 7:4'],
  ['one after a commit', { state: 'CompleteCommit' }, undefined, 'Empty 7:4 -> 7:4'],
  ['one after an abort', { state: 'CompleteAbort' }, undefined, 'Empty 7:4 -> 7:4'],
  ['one while a commit is being written', { state: 'PrepareCommit' }, undefined, 'CONCURRENT_TRANSACTIONS'],
  ['one while an abort is being written', { state: 'PrepareAbort' }, undefined, 'CONCURRENT_TRANSACTIONS'],
  ['one that ends what its forerunner left', { state: 'Ongoing' }, undefined, 'PrepareAbort abort(7:4 t) Empty 7:5 -> 7:5'],
  ['one that goes on after an error', {}, { producerId: 7, epoch: 3 }, 'Empty 7:4 -> 7:4'],
  [
    'one that goes on in the middle',
    { state: 'Ongoing' },
    { producerId: 7, epoch: 3 },
    'PrepareAbort abort(7:4 t) Empty 7:5 -> 7:5'
  ],
  ['a zombie that wants to go on', {}, { producerId: 7, epoch: 2 }, 'PRODUCER_FENCED'],
  ['a zombie in the middle of another’s', { state: 'Ongoing' }, { producerId: 7, epoch: 2 }, 'PRODUCER_FENCED'],
  ['the same request again', { lastEpoch: 2 }, { producerId: 7, epoch: 2 }, 'Empty 7:3 -> 7:3'],
  ['another producer ID', {}, { producerId: 8, epoch: 3 }, 'PRODUCER_FENCED'],
  ['epochs used up', { producerEpoch: EPOCH_MAX - 1 }, undefined, 'Empty 99:0 -> 99:0'],
  ['epochs used up, going on', { producerEpoch: EPOCH_MAX - 1 }, { producerId: 7, epoch: EPOCH_MAX - 1 }, 'Empty 99:0 -> 99:0'],
  ['the last epoch but one', { producerEpoch: EPOCH_MAX - 2 }, undefined, `Empty 7:${EPOCH_MAX - 1} -> 7:${EPOCH_MAX - 1}`],
  [
    'epochs used up by the abort of what was left',
    { producerEpoch: EPOCH_MAX - 2, state: 'Ongoing' },
    undefined,
    `PrepareAbort abort(7:${EPOCH_MAX - 1} t) Empty 99:0 -> 99:0`
  ],
  [
    'the same request again after the ID changed',
    { producerId: 99, producerEpoch: 0, previousProducerId: 7, lastEpoch: EPOCH_MAX - 1 },
    { producerId: 7, epoch: EPOCH_MAX - 1 },
    'Empty 99:0 -> 99:0'
  ]
]
test.each(inits)('init: %s', (_name, given, expected, outcome) => {
  const known = given && transaction(given)
  const freshId = initTakesId(known) ? FRESH : undefined
  expect(told(init(known, { id: 'x', timeoutMs: 100, expected }, freshId, 2000))).toBe(outcome)
})

const adds: [string, Partial<Transaction> | undefined, string][] = [
  ['an ID that nobody knows', undefined, 'INVALID_PRODUCER_ID_MAPPING'],
  ['another producer ID', { producerId: 8 }, 'INVALID_PRODUCER_ID_MAPPING'],
  ['an older epoch', { producerEpoch: 4 }, 'PRODUCER_FENCED'],
  ['an epoch that was never given', { producerEpoch: 2 }, 'PRODUCER_FENCED'],
  ['the end of the former one is being written', { state: 'PrepareCommit' }, 'CONCURRENT_TRANSACTIONS'],
  ['the first', {}, 'Ongoing 7:3 -> 7:3'],
  ['the first after a commit', { state: 'CompleteCommit' }, 'Ongoing 7:3 -> 7:3'],
  ['the first after an abort', { state: 'CompleteAbort' }, 'Ongoing 7:3 -> 7:3'],
  ['more', { state: 'Ongoing' }, 'Ongoing 7:3 -> 7:3'],
  ['those that are in it', { state: 'Ongoing', partitions: other }, 'same']
]
test.each(adds)('add: %s', (_name, given, outcome) => {
  const known = given && transaction(given)
  const step = add(known, { producerId: 7, epoch: 3, partitions: other, version: 0 }, 2000)
  expect(told(step)).toBe(outcome)
  if (step.change === undefined) return
  const { next } = step.change
  const isMore = given?.state === 'Ongoing'
  expect([...next.partitions.keys()]).toEqual(isMore ? ['t', 'u'] : ['u'])
  expect(next.startedMs).toBe(isMore ? 1000 : 2000)
})

const verifications: [string, Partial<Transaction> | undefined, TopicPartitions, string][] = [
  ['an ID that nobody knows', undefined, partitions, 'INVALID_PRODUCER_ID_MAPPING'],
  ['an older epoch', { state: 'Ongoing', producerEpoch: 4 }, partitions, 'PRODUCER_FENCED'],
  ['all of it', { state: 'Ongoing' }, partitions, 'NONE'],
  ['a part of it', { state: 'Ongoing' }, new Map([['t', new Set([1])]]), 'NONE'],
  ['another partition', { state: 'Ongoing' }, new Map([['t', new Set([2])]]), 'TRANSACTION_ABORTABLE'],
  ['another topic', { state: 'Ongoing' }, other, 'TRANSACTION_ABORTABLE'],
  ['none is under way', {}, partitions, 'TRANSACTION_ABORTABLE'],
  ['after its end', { state: 'CompleteAbort' }, partitions, 'TRANSACTION_ABORTABLE'],
  ['its end is being written', { state: 'PrepareAbort' }, partitions, 'CONCURRENT_TRANSACTIONS']
]
test.each(verifications)('verify: %s', (_name, given, wanted, outcome) => {
  expect(verify(given && transaction(given), { producerId: 7, epoch: 3, partitions: wanted })).toBe(outcome)
})

type EndRow = [string, 0 | 2, 'commit' | 'abort', Partial<Transaction> | undefined, string]
const ends: EndRow[] = [
  ['an ID that nobody knows', 0, 'commit', undefined, 'INVALID_PRODUCER_ID_MAPPING'],
  ['another producer ID', 0, 'commit', { producerId: 8 }, 'INVALID_PRODUCER_ID_MAPPING'],
  ['an older epoch', 0, 'commit', { state: 'Ongoing', producerEpoch: 4 }, 'PRODUCER_FENCED'],
  ['commit', 0, 'commit', { state: 'Ongoing' }, 'PrepareCommit commit(7:3 t) CompleteCommit 7:3 -> 7:3'],
  ['abort', 0, 'abort', { state: 'Ongoing' }, 'PrepareAbort abort(7:3 t) CompleteAbort 7:3 -> 7:3'],
  ['commit while it is being written', 0, 'commit', { state: 'PrepareCommit' }, 'CONCURRENT_TRANSACTIONS'],
  ['abort while a commit is being written', 0, 'abort', { state: 'PrepareCommit' }, 'INVALID_TXN_STATE'],
  ['commit while an abort is being written', 0, 'commit', { state: 'PrepareAbort' }, 'INVALID_TXN_STATE'],
  ['commit again', 0, 'commit', { state: 'CompleteCommit' }, 'same -> 7:3'],
  ['abort again', 0, 'abort', { state: 'CompleteAbort' }, 'same -> 7:3'],
  ['abort of what was committed', 0, 'abort', { state: 'CompleteCommit' }, 'INVALID_TXN_STATE'],
  ['commit of what was aborted', 0, 'commit', { state: 'CompleteAbort' }, 'INVALID_TXN_STATE'],
  ['commit of nothing', 0, 'commit', {}, 'INVALID_TXN_STATE'],
  ['abort of nothing', 0, 'abort', {}, 'INVALID_TXN_STATE'],
  ['an ID that nobody knows', 2, 'commit', undefined, 'INVALID_PRODUCER_ID_MAPPING'],
  ['another producer ID', 2, 'commit', { state: 'Ongoing', producerId: 8 }, 'INVALID_PRODUCER_ID_MAPPING'],
  ['commit', 2, 'commit', { state: 'Ongoing' }, 'PrepareCommit commit(7:4 t) CompleteCommit 7:4 -> 7:4'],
  ['abort', 2, 'abort', { state: 'Ongoing' }, 'PrepareAbort abort(7:4 t) CompleteAbort 7:4 -> 7:4'],
  ['late: the next one is under way', 2, 'commit', { state: 'Ongoing', producerEpoch: 4, version: 2 }, 'PRODUCER_FENCED'],
  ['a zombie', 2, 'abort', { state: 'Ongoing', producerEpoch: 5, version: 2 }, 'PRODUCER_FENCED'],
  [
    'commit while it is being written',
    2,
    'commit',
    { state: 'PrepareCommit', producerEpoch: 4, version: 2 },
    'CONCURRENT_TRANSACTIONS'
  ],
  [
    'abort while a commit is being written',
    2,
    'abort',
    { state: 'PrepareCommit', producerEpoch: 4, version: 2 },
    'INVALID_TXN_STATE'
  ],
  [
    'a zombie while a commit is being written',
    2,
    'commit',
    { state: 'PrepareCommit', producerEpoch: 5, version: 2 },
    'PRODUCER_FENCED'
  ],
  ['commit again', 2, 'commit', { state: 'CompleteCommit', producerEpoch: 4, version: 2 }, 'same -> 7:4'],
  ['abort again', 2, 'abort', { state: 'CompleteAbort', producerEpoch: 4, version: 2 }, 'same -> 7:4'],
  ['abort of what was committed', 2, 'abort', { state: 'CompleteCommit', producerEpoch: 4, version: 2 }, 'INVALID_TXN_STATE'],
  ['commit of what was aborted', 2, 'commit', { state: 'CompleteAbort', producerEpoch: 4, version: 2 }, 'INVALID_TXN_STATE'],
  ['a zombie after the commit', 2, 'commit', { state: 'CompleteCommit', producerEpoch: 6, version: 2 }, 'PRODUCER_FENCED'],
  ['commit of nothing', 2, 'commit', {}, 'INVALID_TXN_STATE'],
  ['commit of nothing, after a commit', 2, 'commit', { state: 'CompleteCommit', version: 2 }, 'INVALID_TXN_STATE'],
  ['abort of nothing', 2, 'abort', {}, 'PrepareAbort abort(7:4 ) CompleteAbort 7:4 -> 7:4'],
  [
    'abort of nothing, after a commit',
    2,
    'abort',
    { state: 'CompleteCommit', version: 2 },
    'PrepareAbort abort(7:4 ) CompleteAbort 7:4 -> 7:4'
  ],
  ['abort of nothing by a zombie', 2, 'abort', { producerEpoch: 4 }, 'PRODUCER_FENCED']
]
test.each(ends)('end: %s (protocol %i)', (_name, version, how, given, outcome) => {
  const known = given && transaction(given)
  expect(told(end(known, { producerId: 7, epoch: 3, end: how, version }, undefined, 2000))).toBe(outcome)
})

test('an end with the last epoch gives another producer ID, and so does the same request again', () => {
  const asked = { producerId: 7, epoch: EPOCH_MAX - 1, end: 'commit', version: 2 } as const
  const known = transaction({ state: 'Ongoing', producerEpoch: EPOCH_MAX - 1, version: 2 })
  expect(endTakesId(known, asked)).toBe(true)
  const step = end(known, asked, FRESH, 2000)
  expect(told(step)).toBe(`PrepareCommit commit(7:${EPOCH_MAX} t) CompleteCommit 99:0 -> 99:0`)
  expect(told(end(step.change!.next, asked, undefined, 2000))).toBe('same -> 99:0')
  expect(told(end(step.change!.next, { ...asked, end: 'abort' }, undefined, 2000))).toBe('INVALID_TXN_STATE')
})

test('one that takes too long is aborted under an epoch that nobody has', () => {
  const known = transaction({ state: 'Ongoing' })
  expect(timeOut(known, 1099)).toBeUndefined()
  expect(toldOf(timeOut(known, 1100)!)).toBe('PrepareAbort abort(7:4 t) CompleteAbort 7:4')
  expect(timeOut(transaction({ state: 'CompleteCommit' }), 5000)).toBeUndefined()
  // Its producer is not let go on as if nothing had happened.
  const { next } = timeOut(known, 1100)!
  expect(told(init(next, { id: 'x', timeoutMs: 100, expected: { producerId: 7, epoch: 3 } }, undefined, 2000))).toBe(
    'PRODUCER_FENCED'
  )
})

test.each([
  ['Empty', true],
  ['CompleteCommit', true],
  ['CompleteAbort', true],
  ['Ongoing', false],
  ['PrepareCommit', false]
] as const)('an ID in state %s is forgotten after its time: %s', (state, isGone) => {
  expect(isExpired(transaction({ state }), 1099, 100)).toBe(false)
  expect(isExpired(transaction({ state }), 1100, 100)).toBe(isGone)
})
