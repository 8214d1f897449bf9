import { expect, test } from 'vitest'
import { readTransactionRecord, transactionRecord } from './state-records.ts'
import type { Transaction } from './transaction.ts'

const ongoing: Transaction = {
  ...{ id: 'x', state: 'Ongoing', producerId: 258, producerEpoch: 3, previousProducerId: -1, lastEpoch: -1 },
  ...{ timeoutMs: 60_000, partitions: new Map([['t', new Set([7])]]), startedMs: 1, updatedMs: 2, version: 0 }
}

test('a transaction has the bytes that Kafka’s coordinator writes', () => {
  const record = transactionRecord('x', ongoing)
  expect(record.key.toString('hex')).toBe('0000' + '000178')
  const head = '0001' + '0000000000000102' + '0003' + '0000ea60' + '01'
  const partitions = '02' + '0274' + '02' + '00000007' + '00'
  expect(record.value!.toString('hex')).toBe(`${head}${partitions}${'0000000000000002'}${'0000000000000001'}00`)
})

const values: [string, Transaction][] = [
  ['under way', ongoing],
  ['one that had another producer ID, of the second protocol', { ...ongoing, previousProducerId: 5, version: 2 }],
  ['ended', { ...ongoing, state: 'CompleteAbort', partitions: new Map(), startedMs: -1 }],
  [
    'with many topics',
    { ...ongoing, partitions: new Map(Array.from({ length: 200 }, (_, at) => [`topic-${at}`, new Set([at, at + 1])])) }
  ]
]
test.each(values)('one %s reads back as it was', (_name, transaction) => {
  expect(readTransactionRecord(transactionRecord('x', transaction))).toEqual({ id: 'x', transaction })
})

test('a tombstone names its ID, a key of another version is passed over', () => {
  expect(readTransactionRecord(transactionRecord('x', null))).toEqual({ id: 'x', transaction: null })
  expect(readTransactionRecord({ key: Buffer.from('0001000178', 'hex'), value: null })).toBeUndefined()
})

test('a value of version 0, and tags that are not known, are read', () => {
  const head = '0000000000000102' + '0003' + '0000ea60' + '01'
  const times = '0000000000000002' + '0000000000000001'
  const { key } = transactionRecord('x', null)
  const zero = Buffer.from(`0000${head}${'00000001' + '000174' + '00000001' + '00000007'}${times}`, 'hex')
  expect(readTransactionRecord({ key, value: zero })).toEqual({ id: 'x', transaction: ongoing })
  const tagged = Buffer.from(`0001${head}${'02' + '0274' + '02' + '00000007' + '00'}${times}${'01' + '09' + '01' + 'ff'}`, 'hex')
  expect(readTransactionRecord({ key, value: tagged })).toEqual({ id: 'x', transaction: ongoing })
})

test.each([
  ['cut short', transactionRecord('x', ongoing).value!.subarray(0, 20)],
  ['in a state that is never written', Buffer.from(transactionRecord('x', ongoing).value!).fill(2, 16, 17)]
])('a value %s is damage', (_name, value) => {
  expect(() => readTransactionRecord({ key: transactionRecord('x', null).key, value })).toThrow(/__transaction_state is damaged/)
})
