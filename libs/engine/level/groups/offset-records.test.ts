import { expect, test } from 'vitest'
import type { StoredGroup } from './group.ts'
import { groupRecord, offsetRecord, readOffsetsRecord, startRecord } from './offset-records.ts'

const key = { group: 'g', topic: 't', partition: 7 }
const topicId = '000102030405060708090a0b0c0d0e0f'

test('a committed offset has the bytes that Kafka’s coordinator writes', () => {
  const record = offsetRecord(key, { offset: 258n, leaderEpoch: 0, metadata: 'm', committedMs: 1, topicId })
  expect(record.key.toString('hex')).toBe('0001' + '000167' + '000174' + '00000007')
  expect(record.value!.toString('hex')).toBe(`0004000000000000010200000000026d0000000000000001010010${topicId}`)
})

const values = [
  {
    name: 'all told',
    value: { offset: 2n ** 62n, leaderEpoch: 3, metadata: 'ä'.repeat(200), committedMs: 1_700_000_000_000, topicId }
  },
  { name: 'nothing told', value: { offset: -1n, leaderEpoch: -1, metadata: '', committedMs: 0, topicId: null } }
]
test.each(values)('an offset with $name reads back as it was', ({ value }) => {
  expect(readOffsetsRecord(offsetRecord(key, value))).toEqual({ type: 'offset', key, value })
})

test('tombstones name their key', () => {
  expect(readOffsetsRecord(offsetRecord(key, null))).toEqual({ type: 'offset', key, value: null })
  expect(readOffsetsRecord(groupRecord('g', null))).toEqual({ type: 'group', group: 'g', value: null })
})

const older: [string, string][] = [
  ['0', '0000' + '0000000000000005' + '00016d' + '0000000000000009'],
  ['1', '0001' + '0000000000000005' + '00016d' + '0000000000000009' + 'ffffffffffffffff'],
  ['3', '0003' + '0000000000000005' + 'ffffffff' + '00016d' + '0000000000000009']
]
test.each(older)('an offset of version %s from a Kafka broker is read', (_version, hex) => {
  const read = readOffsetsRecord({ key: offsetRecord(key, null).key, value: Buffer.from(hex, 'hex') })
  expect(read).toEqual({
    type: 'offset',
    key,
    value: { offset: 5n, leaderEpoch: -1, metadata: 'm', committedMs: 9, topicId: null }
  })
})

const group: StoredGroup = {
  protocolType: 'consumer',
  generation: 3,
  protocolName: 'range',
  leaderId: 'm1',
  stateSinceMs: 1_700_000_000_000,
  members: [
    {
      id: 'm1',
      instanceId: 'i',
      clientId: 'c',
      clientHost: '/127.0.0.1',
      rebalanceTimeoutMs: 60_000,
      sessionTimeoutMs: 45_000,
      subscription: Buffer.from('wants'),
      assignment: Buffer.from('gets')
    }
  ]
}
test.each([
  ['members', group],
  ['none', { ...group, protocolName: null, leaderId: null, members: [] }]
])('a group with %s reads back as it was', (_name, value) => {
  expect(readOffsetsRecord(groupRecord('g', value))).toEqual({ type: 'group', group: 'g', value })
})

test('a start reads back as it was, and without a value it is none', () => {
  expect(readOffsetsRecord(startRecord(7))).toEqual({ type: 'start', start: 7 })
  expect(readOffsetsRecord({ key: startRecord(7).key, value: null })).toEqual({ type: 'unknown', version: -1 })
})

test('a record that ends too soon is told as damage, and a key of another kind is passed over', () => {
  const whole = groupRecord('g', group)
  for (let length = 0; length < whole.value!.length; length++) {
    expect(() => readOffsetsRecord({ key: whole.key, value: whole.value!.subarray(0, length) })).toThrow(
      expect.objectContaining({ code: 'STORE_CORRUPT' })
    )
  }
  expect(readOffsetsRecord({ key: Buffer.from([0, 9]), value: Buffer.alloc(0) })).toEqual({ type: 'unknown', version: 9 })
})
