import { createRequire } from 'node:module'
import { createRecordsBatch } from '@platformatic/kafka'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  FIELD_AT,
  hasLogAppendTime,
  hasRightCrc,
  isControl,
  isTransactional,
  readHeader,
  setLogAppendTime,
  stampBatch
} from './batch.ts'
import { checkBatch } from './check.ts'
import { CODEC, type CodecName } from './codec-name.ts'
import { decodeBatch, encodeBatch, type NewRecord } from './records.ts'

const LIMIT = 8 << 20
const BASE_MS = 1_700_000_000_000
const names = Object.keys(CODEC) as CodecName[]

const records: NewRecord[] = [
  { key: Buffer.from('a'), value: Buffer.from('first'), timestampMs: BASE_MS + 3 },
  { key: null, value: Buffer.from('no key'), timestampMs: BASE_MS - 70_000 },
  { key: Buffer.from('a'), value: null },
  {
    key: Buffer.alloc(0),
    value: Buffer.alloc(0),
    headers: [
      { key: 'trace', value: Buffer.from('1') },
      { key: 'ключ', value: null }
    ]
  },
  { key: Buffer.alloc(200, 1), value: Buffer.alloc(20_000, 2), timestampMs: BASE_MS + 2 ** 35 }
]

test.each(names)('records go there and back through %s', name => {
  const batch = encodeBatch({
    records,
    baseTimestampMs: BASE_MS,
    codec: CODEC[name],
    producerId: 9,
    producerEpoch: 2,
    baseSequence: 5
  })
  const header = checkBatch(batch, { sizeMax: LIMIT })
  expect(header).toMatchObject({
    recordCount: 5,
    baseTimestamp: BASE_MS,
    maxTimestamp: BASE_MS + 2 ** 35,
    producerId: 9,
    leaderEpoch: -1
  })
  stampBatch(batch, 1000, 0)
  const decoded = decodeBatch(batch, LIMIT)
  expect(decoded.map(({ offset }) => offset)).toEqual([1000, 1001, 1002, 1003, 1004])
  expect(decoded.map(({ offset: _, ...record }) => record)).toEqual(
    records.map(({ timestampMs = BASE_MS, headers = [], ...record }) => ({ ...record, timestampMs, headers }))
  )
})

test('transactional and control batches bear their bits', () => {
  const header = readHeader(
    encodeBatch({ records: records.slice(0, 1), baseTimestampMs: 0, isTransactional: true, isControl: true })
  )
  expect([isTransactional(header), isControl(header), hasLogAppendTime(header)]).toEqual([true, true, false])
})

test('log-append time is every record’s time, and the batch is signed anew', () => {
  const batch = encodeBatch({ records, baseTimestampMs: BASE_MS, codec: CODEC.zstd })
  setLogAppendTime(batch, BASE_MS + 99)
  expect(hasRightCrc(batch)).toBe(true)
  expect(hasLogAppendTime(readHeader(batch))).toBe(true)
  expect(new Set(decodeBatch(batch, LIMIT).map(({ timestampMs }) => timestampMs))).toEqual(new Set([BASE_MS + 99]))
})

test('a batch whose records inflate beyond the limit is refused', () => {
  const batch = encodeBatch({ records: [{ key: null, value: Buffer.alloc(100_000) }], baseTimestampMs: 0, codec: CODEC.gzip })
  expect(() => decodeBatch(batch, 50_000)).toThrow(expect.objectContaining({ code: 'DECOMPRESSED_TOO_LARGE' }))
})

test('a count that does not fit the records is refused', () => {
  for (const count of [4, 6]) {
    const batch = encodeBatch({ records, baseTimestampMs: 0 })
    batch.writeInt32BE(count, FIELD_AT.recordCount)
    expect(() => decodeBatch(batch, LIMIT)).toThrow(expect.objectContaining({ code: 'INVALID_BATCH' }))
  }
})

test('any records go there and back', () => {
  const bytes = fc.oneof(
    fc.constant(null),
    fc.uint8Array({ maxLength: 200 }).map(array => Buffer.from(array))
  )
  const record = fc.record({
    key: bytes,
    value: bytes,
    timestampMs: fc.oneof(fc.integer({ min: -1, max: 2_000_000_000 }), fc.maxSafeNat()),
    headers: fc.array(fc.record({ key: fc.string({ unit: 'binary' }).map(text => text.toWellFormed()), value: bytes }), {
      maxLength: 4
    })
  })
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), fc.constantFrom(...Object.values(CODEC)), (some, codec) => {
      const batch = encodeBatch({ records: some, baseTimestampMs: some[0]!.timestampMs, codec })
      checkBatch(batch, { sizeMax: LIMIT })
      expect(decodeBatch(batch, LIMIT)).toEqual(some.map((one, offset) => ({ offset, ...one })))
    }),
    { numRuns: 300 }
  )
})

describe('as kafkajs makes and reads them', () => {
  const require = createRequire(import.meta.url)
  interface KafkajsEncoder {
    readonly buffer: Buffer
  }
  const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
    RecordBatch(batch: Record<string, unknown>): Promise<KafkajsEncoder>
  }
  const kafkajsRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (
    record: Record<string, unknown>
  ) => KafkajsEncoder
  const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => unknown
  const decodeKafkajs = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (decoder: unknown) => Promise<{
    records: { key: Buffer | null; value: Buffer | null; timestamp: string; offset: string; headers: Record<string, Buffer> }[]
  }>

  const plain = [
    { key: Buffer.from('k1'), value: Buffer.from('v1'), timestampMs: BASE_MS, headers: [] },
    { key: null, value: Buffer.from('v2'), timestampMs: BASE_MS + 130, headers: [{ key: 'h', value: Buffer.from('x') }] },
    { key: Buffer.from('k3'), value: null, timestampMs: BASE_MS + 100_000, headers: [] }
  ]

  const kafkajsBatch = async (compression: number): Promise<Buffer> => {
    const encoder = await RecordBatch({
      compression,
      firstTimestamp: BASE_MS,
      maxTimestamp: BASE_MS + 100_000,
      partitionLeaderEpoch: -1,
      lastOffsetDelta: 2,
      producerEpoch: -1,
      firstSequence: -1,
      records: plain.map(({ key, value, timestampMs, headers }, offsetDelta) =>
        kafkajsRecord({
          key,
          value,
          offsetDelta,
          timestampDelta: timestampMs - BASE_MS,
          headers: Object.fromEntries(headers.map(header => [header.key, header.value]))
        })
      )
    })
    return encoder.buffer
  }

  test('uncompressed batches are equal byte for byte', async () => {
    expect(encodeBatch({ records: plain, baseTimestampMs: BASE_MS }).toString('hex')).toBe(
      (await kafkajsBatch(0)).toString('hex')
    )
  })

  test('its gzip batches are read', async () => {
    const batch = await kafkajsBatch(1)
    expect(checkBatch(batch, { sizeMax: LIMIT }).recordCount).toBe(3)
    expect(decodeBatch(batch, LIMIT)).toEqual(plain.map((record, offset) => ({ offset, ...record })))
  })

  test.each([CODEC.none, CODEC.gzip])('it reads ours with codec %i', async codec => {
    const { records: read } = await decodeKafkajs(new Decoder(encodeBatch({ records: plain, baseTimestampMs: BASE_MS, codec })))
    expect(
      read.map(({ key, value, timestamp, offset }) => ({ key, value, timestampMs: Number(timestamp), offset: Number(offset) }))
    ).toEqual(plain.map(({ key, value, timestampMs }, offset) => ({ key, value, timestampMs, offset })))
  })
})

test.each(names)('batches that @platformatic/kafka packs with %s are read', name => {
  const messages = Array.from({ length: 50 }, (_, i) => ({
    topic: 't',
    key: Buffer.from(`k${i}`),
    value: Buffer.alloc(i * 20, 'v'),
    timestamp: BigInt(BASE_MS + i)
  }))
  const batch = Buffer.from(createRecordsBatch(messages, { compression: name }).buffer)
  checkBatch(batch, { sizeMax: LIMIT })
  expect(decodeBatch(batch, LIMIT)).toEqual(
    messages.map(({ key, value, timestamp }, offset) => ({ offset, timestampMs: Number(timestamp), key, value, headers: [] }))
  )
})

/** Bytes of a batch of one record, written down once: a change of the format would pass every test that only goes there and back. */
test('golden bytes', () => {
  const batch = encodeBatch({
    records: [{ key: Buffer.from('key'), value: Buffer.from('value'), headers: [{ key: 'h', value: Buffer.from('v') }] }],
    baseTimestampMs: BASE_MS
  })
  expect(batch.toString('hex')).toBe(
    [
      '0000000000000000 00000044 ffffffff 02 83794a1d 0000 00000000 0000018bcfe56800 0000018bcfe56800',
      'ffffffffffffffff ffff ffffffff 00000001 24 00 00 00 06 6b6579 0a 76616c7565 02 02 68 02 76'
    ]
      .join('')
      .replaceAll(' ', '')
  )
})
