import { describe, expect, test } from 'vitest'
import { ATTRIBUTE, FIELD_AT, setLogAppendTime, signBatch, stampBatch } from './batch.ts'
import { type CheckOptions, checkBatch, splitBatches } from './check.ts'
import { CODEC } from './codec-name.ts'
import { encodeBatch } from './records.ts'

const SIZE_MAX = 1 << 20
const records = ['one', 'two', 'three'].map(text => ({ key: Buffer.from(text), value: Buffer.from(text) }))
const fresh = (): Buffer => encodeBatch({ records, baseTimestampMs: 1_700_000_000_000 })

test('a good batch is passed with its header', () => {
  const batch = encodeBatch({
    records,
    baseTimestampMs: 5,
    codec: CODEC.lz4,
    producerId: 7,
    producerEpoch: 1,
    baseSequence: 40,
    isTransactional: true
  })
  expect(checkBatch(batch, { sizeMax: batch.length })).toMatchObject({
    sizeBytes: batch.length,
    recordCount: 3,
    lastOffsetDelta: 2,
    baseTimestamp: 5,
    maxTimestamp: 5,
    producerId: 7,
    producerEpoch: 1,
    baseSequence: 40,
    attributes: CODEC.lz4 | ATTRIBUTE.transactional
  })
})

test('the broker’s stamp leaves the batch good', () => {
  const batch = fresh()
  stampBatch(batch, 2 ** 40, 12)
  expect(checkBatch(batch, { sizeMax: SIZE_MAX })).toMatchObject({ baseOffset: 2 ** 40, leaderEpoch: 12 })
})

/** Each changes the batch, or gives another in its place; it signs anew unless damage is meant. */
const faults: [string, (batch: Buffer) => unknown, string][] = [
  ['no bytes', () => Buffer.alloc(0), 'CORRUPT_BATCH'],
  ['less than a header', batch => batch.subarray(0, 60), 'CORRUPT_BATCH'],
  ['a byte too few', batch => batch.subarray(0, -1), 'CORRUPT_BATCH'],
  ['a byte too many', batch => Buffer.concat([batch, Buffer.alloc(1)]), 'CORRUPT_BATCH'],
  ['a length of -1', batch => void batch.writeInt32BE(-1, FIELD_AT.batchLength), 'CORRUPT_BATCH'],
  ['a length of 2^31 - 1', batch => void batch.writeInt32BE(0x7fffffff, FIELD_AT.batchLength), 'CORRUPT_BATCH'],
  ['message format 0', batch => void batch.writeInt8(0, FIELD_AT.magic), 'INVALID_BATCH'],
  [
    'message format 1, shorter than our header',
    batch => batch.fill(1, FIELD_AT.magic, FIELD_AT.crc).subarray(0, 40),
    'INVALID_BATCH'
  ],
  ['message format 3', batch => void batch.writeInt8(3, FIELD_AT.magic), 'INVALID_BATCH'],
  ['an unknown codec', batch => setAttributes(batch, 5), 'UNSUPPORTED_CODEC'],
  ['a control batch', batch => setAttributes(batch, ATTRIBUTE.control), 'INVALID_BATCH'],
  ['log-append time', batch => setAttributes(batch, ATTRIBUTE.logAppendTime), 'INVALID_BATCH'],
  ['a delete horizon', batch => setAttributes(batch, ATTRIBUTE.deleteHorizon), 'INVALID_BATCH'],
  ['an unused bit', batch => setAttributes(batch, 0x80), 'INVALID_BATCH'],
  ['the sign bit', batch => setAttributes(batch, -0x8000), 'INVALID_BATCH'],
  ['transactional without a producer ID', batch => setAttributes(batch, ATTRIBUTE.transactional), 'INVALID_BATCH'],
  ['no records', batch => setCounts(batch, 0, 0), 'INVALID_BATCH'],
  ['-1 records', batch => setCounts(batch, -1, 0), 'INVALID_BATCH'],
  ['fewer records than offsets', batch => setCounts(batch, 2, 2), 'INVALID_BATCH'],
  ['more records than offsets', batch => setCounts(batch, 4, 2), 'INVALID_BATCH'],
  ['a negative last offset delta', batch => setCounts(batch, 0, -1), 'INVALID_BATCH'],
  ['more records than bytes', batch => setCounts(batch, 1_000_000, 999_999), 'INVALID_BATCH'],
  [
    'a producer ID without a sequence',
    batch => signBatch(batch.fill(1, FIELD_AT.producerId, FIELD_AT.producerEpoch)),
    'INVALID_BATCH'
  ]
]
test.each(faults)('%s is refused', (_name, spoil, code) => {
  const batch = fresh()
  const result = spoil(batch)
  const spoiled = Buffer.isBuffer(result) ? result : batch
  expect(() => checkBatch(spoiled, { sizeMax: SIZE_MAX })).toThrow(expect.objectContaining({ code }))
})

test('a batch above the size is refused, one of the size is not', () => {
  const batch = fresh()
  expect(() => checkBatch(batch, { sizeMax: batch.length - 1 })).toThrow(expect.objectContaining({ code: 'BATCH_TOO_LARGE' }))
  expect(checkBatch(batch, { sizeMax: batch.length }).recordCount).toBe(3)
})

test('a flipped bit anywhere is found, but for the two fields that the broker owns', () => {
  const batch = fresh()
  for (let bit = 0; bit < batch.length * 8; bit++) {
    const damaged = Buffer.from(batch)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    const at = bit >> 3
    const isBrokers = at < FIELD_AT.batchLength || (at >= FIELD_AT.leaderEpoch && at < FIELD_AT.magic)
    expect(
      codeOf(() => checkBatch(damaged, { sizeMax: SIZE_MAX })),
      `bit ${bit}`
    ).toBe(isBrokers ? undefined : at === FIELD_AT.magic ? 'INVALID_BATCH' : 'CORRUPT_BATCH')
  }
})

test('a batch cut off at any byte is refused', () => {
  const batch = fresh()
  for (let cut = 0; cut < batch.length; cut++) {
    expect(
      codeOf(() => checkBatch(batch.subarray(0, cut), { sizeMax: SIZE_MAX })),
      `cut at ${cut}`
    ).toBe('CORRUPT_BATCH')
  }
})

test('the CRC is left to others when told so, the rest is not', () => {
  const batch = fresh()
  batch[batch.length - 1]! ^= 1
  expect(checkBatch(batch, { sizeMax: SIZE_MAX, verifyCrc: false }).recordCount).toBe(3)
  setAttributes(batch, 5)
  expect(codeOf(() => checkBatch(batch, { sizeMax: SIZE_MAX, verifyCrc: false }))).toBe('UNSUPPORTED_CODEC')
})

describe('from a log', () => {
  const options: CheckOptions = { sizeMax: SIZE_MAX, from: 'log' }
  const stored: [string, (batch: Buffer) => void][] = [
    ['a control batch', batch => setAttributes(batch, ATTRIBUTE.control)],
    ['log-append time', batch => setLogAppendTime(batch, 9)],
    ['a delete horizon', batch => setAttributes(batch, ATTRIBUTE.deleteHorizon)],
    ['records that compaction took', batch => setCounts(batch, 3, 40)]
  ]
  test.each(stored)('%s is passed', (_name, change) => {
    const batch = fresh()
    change(batch)
    expect(checkBatch(batch, options).sizeBytes).toBe(batch.length)
  })

  test('more records than offsets are refused there too', () => {
    const batch = fresh()
    setCounts(batch, 3, 1)
    expect(codeOf(() => checkBatch(batch, options))).toBe('INVALID_BATCH')
  })
})

describe('splitBatches', () => {
  const batches = [fresh(), encodeBatch({ records: records.slice(1), baseTimestampMs: 1 }), fresh()]
  const field = Buffer.concat(batches)

  test('gives the batches back as views', () => {
    const split = splitBatches(field)
    expect(split).toEqual(batches)
    expect(split[1]!.buffer).toBe(field.buffer)
    expect(splitBatches(Buffer.alloc(0))).toEqual([])
  })

  test('refuses a field that is cut off anywhere but between batches, or drops the rest when told so', () => {
    const ends = [0, batches[0]!.length, batches[0]!.length + batches[1]!.length]
    for (let cut = 0; cut < field.length; cut++) {
      const part = field.subarray(0, cut)
      const whole = ends.filter(end => end <= cut).length - 1
      expect(splitBatches(part, { partialTail: 'drop' }), `cut at ${cut}`).toHaveLength(whole)
      if (ends.includes(cut)) expect(splitBatches(part)).toHaveLength(whole)
      else
        expect(
          codeOf(() => splitBatches(part)),
          `cut at ${cut}`
        ).toBe('CORRUPT_BATCH')
    }
  })

  test('does not loop on a length that goes nowhere', () => {
    for (const length of [-12, -13, 0, -(2 ** 31)]) {
      const spoiled = Buffer.from(field)
      spoiled.writeInt32BE(length, FIELD_AT.batchLength)
      expect(codeOf(() => splitBatches(spoiled))).toBe('CORRUPT_BATCH')
      expect(codeOf(() => splitBatches(spoiled, { partialTail: 'drop' }))).toBe('CORRUPT_BATCH')
    }
  })
})

function setAttributes(batch: Buffer, attributes: number): void {
  batch.writeInt16BE(attributes, FIELD_AT.attributes)
  signBatch(batch)
}

function setCounts(batch: Buffer, recordCount: number, lastOffsetDelta: number): void {
  batch.writeInt32BE(recordCount, FIELD_AT.recordCount)
  batch.writeInt32BE(lastOffsetDelta, FIELD_AT.lastOffsetDelta)
  signBatch(batch)
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}
