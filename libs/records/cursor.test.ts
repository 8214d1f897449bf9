import { describe, expect, test } from 'vitest'
import { randomOf, seedOfRun } from '../../test/suites/random.ts'
import { RecordCursor } from './cursor.ts'
import { encodeBatch } from './records.ts'

const section = (records: Parameters<typeof encodeBatch>[0]['records'], baseTimestampMs = 0): Buffer =>
  encodeBatch({ records, baseTimestampMs }).subarray(61)

test('positions are those of the bytes, and null is told from empty', () => {
  const bytes = section([
    { key: Buffer.from('k'), value: Buffer.from('value'), timestampMs: 300 },
    { key: null, value: null, timestampMs: -5 },
    {
      key: Buffer.alloc(0),
      value: Buffer.alloc(0),
      headers: [
        { key: 'h', value: Buffer.from('1') },
        { key: '', value: null }
      ]
    }
  ])
  const cursor = new RecordCursor(bytes, 3)
  expect(cursor.next()).toBe(true)
  expect(cursor).toMatchObject({ index: 0, offsetDelta: 0, timestampDelta: 300, recordStart: 0, headerCount: 0 })
  expect(bytes.toString('latin1', cursor.keyStart, cursor.keyEnd)).toBe('k')
  expect(bytes.toString('latin1', cursor.valueStart, cursor.valueEnd)).toBe('value')
  const firstEnd = cursor.recordEnd

  expect(cursor.next()).toBe(true)
  expect(cursor).toMatchObject({ index: 1, offsetDelta: 1, timestampDelta: -5, recordStart: firstEnd })
  expect(cursor).toMatchObject({ keyStart: -1, keyEnd: -1, valueStart: -1, valueEnd: -1 })
  expect([cursor.key(), cursor.value(), cursor.headers()]).toEqual([null, null, []])

  expect(cursor.next()).toBe(true)
  expect(cursor.keyStart).toBe(cursor.keyEnd)
  expect([cursor.key(), cursor.value()]).toEqual([Buffer.alloc(0), Buffer.alloc(0)])
  expect(cursor.headers()).toEqual([
    { key: 'h', value: Buffer.from('1') },
    { key: '', value: null }
  ])
  expect(cursor.recordEnd).toBe(bytes.length)
  expect(cursor.next()).toBe(false)
})

const timestamps = [
  0,
  1,
  -1,
  63,
  64,
  -64,
  -65,
  2 ** 27 - 1,
  2 ** 27,
  -(2 ** 27),
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 40 + 1,
  -(2 ** 40) - 1,
  Number.MAX_SAFE_INTEGER,
  -Number.MAX_SAFE_INTEGER
]
test.each(timestamps)('timestamp delta %i is exact', timestampMs => {
  const cursor = new RecordCursor(section([{ key: null, value: null, timestampMs }]), 1)
  cursor.next()
  expect(cursor.timestampDelta).toBe(timestampMs)
})

/** Fields of one record after its length: attributes, timestamp delta, offset delta, key, value, headers. */
const bad: [string, number[], RegExp][] = [
  ['a length beyond the bytes', [0x7e, 0, 0, 0, 1, 1, 0], /length is 63 with 6 bytes left/],
  ['a negative length', [0x01, 0, 0, 0, 1, 1, 0], /length is -1/],
  ['a length too short for its fields', [0x0a, 0, 0, 0, 1, 1, 0], /cut off/],
  ['a length too long for its fields', [0x0e, 0, 0, 0, 1, 1, 0, 9], /1 bytes of it are left over/],
  ['bytes behind the last record', [0x0c, 0, 0, 0, 1, 1, 0, 9], /1 bytes follow/],
  ['a key beyond the record', [0x0c, 0, 0, 0, 8, 1, 0], /key has length 4/],
  ['a key of length -2', [0x0c, 0, 0, 0, 3, 1, 0], /key has length -2/],
  ['a value beyond the record', [0x0c, 0, 0, 0, 1, 4, 0], /value has length 2/],
  ['a value of 2^31 - 1 bytes', [0x14, 0, 0, 0, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0], /value has length 2147483647/],
  ['-1 headers', [0x0c, 0, 0, 0, 1, 1, 1], /-1 headers/],
  ['a million headers in no bytes', [0x10, 0, 0, 0, 1, 1, 0x80, 0x89, 0x7a], /cut off/],
  ['a header without a key', [0x10, 0, 0, 0, 1, 1, 2, 1, 1], /no key/],
  ['a varint of six bytes', [0x16, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 1, 1, 0], /exceeds 32 bits/],
  ['a varint of 33 bits', [0x14, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 1, 1, 0], /exceeds 32 bits/],
  ['a varlong of eleven bytes', [0x20, 0, ...Array(10).fill(0x80), 0, 0, 1, 1, 0], /exceeds 64 bits/],
  ['a varlong of 65 bits', [0x1e, 0, ...Array(9).fill(0x80), 2, 0, 1, 1, 0], /exceeds 64 bits/],
  ['an endless varint', Array(12).fill(0xff), /exceeds 32 bits/]
]
test.each(bad)('%s is refused by the record’s index', (_name, bytes, message) => {
  const good = section([{ key: null, value: null }])
  const cursor = new RecordCursor(Buffer.concat([good, Buffer.from(bytes)]), 2)
  expect(cursor.next()).toBe(true)
  expect(() => {
    while (cursor.next());
  }).toThrow(expect.objectContaining({ code: 'INVALID_BATCH', message: expect.stringMatching(/record [12]:/) }))
  const again = new RecordCursor(Buffer.concat([good, Buffer.from(bytes)]), 2)
  expect(() => {
    while (again.next());
  }).toThrow(message)
})

test('varints with needless bytes are read as Java reads them', () => {
  const cursor = new RecordCursor(Buffer.from([0x8e, 0x00, 0, 0, 0x80, 0x00, 1, 1, 0]), 1)
  expect(cursor.next()).toBe(true)
  expect(cursor.offsetDelta).toBe(0)
  expect(cursor.next()).toBe(false)
})

test('a count that the bytes cannot hold is refused before the walk', () => {
  expect(() => new RecordCursor(Buffer.alloc(69), 10)).toThrow('10 records cannot lie in 69 bytes')
  expect(() => new RecordCursor(Buffer.alloc(10), -1)).toThrow('-1 records cannot lie in 10 bytes')
})

describe('dense', () => {
  const gap = Buffer.from([0x0c, 0, 0, 0, 1, 1, 0, 0x0c, 0, 0, 4, 1, 1, 0])
  test('refuses a gap in the offset deltas', () => {
    const cursor = new RecordCursor(gap, 2, { dense: true })
    cursor.next()
    expect(() => cursor.next()).toThrow('record 1: its offset delta is 2')
  })
  test('is off by default: compaction leaves gaps', () => {
    const cursor = new RecordCursor(gap, 2)
    cursor.next()
    cursor.next()
    expect(cursor.offsetDelta).toBe(2)
  })
})

test('any bytes end in a walk or in INVALID_BATCH', () => {
  const seed = seedOfRun()
  const random = randomOf(seed)
  const good = section(
    Array.from({ length: 20 }, (_, i) => ({ key: Buffer.from(`k${i}`), value: Buffer.alloc(i * 9, i), timestampMs: i * 70_000 }))
  )
  let walked = 0
  let refused = 0
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(good.subarray(0, good.length - (random(3) === 0 ? random(good.length) : 0)))
    for (let changes = random(4); changes > 0 && bytes.length > 0; changes--) bytes[random(bytes.length)] = random(256)
    try {
      const cursor = new RecordCursor(bytes, random(5) === 0 ? random(30) : 20)
      let end = 0
      while (cursor.next()) {
        expect(cursor.recordStart, `seed ${seed}`).toBe(end)
        end = cursor.recordEnd
        cursor.headers()
      }
      expect(end).toBe(bytes.length)
      walked++
    } catch (error) {
      expect((error as { code: string }).code, `seed ${seed}, round ${round}: ${error}`).toBe('INVALID_BATCH')
      refused++
    }
  }
  expect(walked).toBeGreaterThan(100)
  expect(refused).toBeGreaterThan(100)
})
