import { expect, test } from 'vitest'
import { codecOf, readHeader, setLogAppendTime } from './batch.ts'
import { checkBatch } from './check.ts'
import { CODEC, type CodecName } from './codec-name.ts'
import { recompressBatch } from './recompress.ts'
import { decodeBatch, encodeBatch } from './records.ts'

const codecs = Object.keys(CODEC) as CodecName[]
const pairs = codecs.flatMap(from => codecs.map(to => [from, to] as const))
const limitBytes = 1 << 20

const sent = (codec: CodecName): Buffer =>
  encodeBatch({
    codec: CODEC[codec],
    baseTimestampMs: 1_700_000_000_000,
    producerId: 4000,
    producerEpoch: 3,
    baseSequence: 17,
    records: [1, 2, 3].map(n => ({
      key: n === 2 ? null : Buffer.from(`key ${n}`),
      value: n === 3 ? null : Buffer.alloc(500, n),
      timestampMs: 1_700_000_000_000 + n,
      headers: [{ key: 'h', value: Buffer.from([n]) }]
    }))
  })

test.each(pairs)('%s to %s: the same records, sequence and times under a right CRC', (from, to) => {
  const batch = sent(from)
  const header = readHeader(batch)
  const made = recompressBatch(batch, header, { codec: CODEC[to], limitBytes })
  const { sizeBytes, crc, attributes, ...kept } = checkBatch(made, { sizeMax: limitBytes })
  expect(codecOf({ ...header, attributes })).toBe(CODEC[to])
  expect(header).toMatchObject(kept)
  expect(decodeBatch(made, limitBytes)).toEqual(decodeBatch(batch, limitBytes))
  if (from === to) expect(made).toBe(batch)
})

test('other attributes stay', () => {
  const batch = sent('none')
  setLogAppendTime(batch, 5)
  const made = recompressBatch(batch, readHeader(batch), { codec: CODEC.gzip, limitBytes })
  expect(decodeBatch(made, limitBytes).map(({ timestampMs }) => timestampMs)).toEqual([5, 5, 5])
})

test.each([
  ['gzip', 1, 9],
  ['zstd', -5, 19]
] as const)('%s tries harder at a higher level', (name, low, high) => {
  const value = Buffer.from(Array.from({ length: 4000 }, (_, n) => `${(n * 7919) % 251}:${n % 17};`).join(''))
  const batch = encodeBatch({ baseTimestampMs: 1, records: [{ key: null, value }] })
  const at = (level: number) => recompressBatch(batch, readHeader(batch), { codec: CODEC[name], level, limitBytes })
  expect(at(high).length).toBeLessThan(at(low).length)
})

test('a batch that inflates beyond the limit is refused', () => {
  const batch = sent('gzip')
  expect(() => recompressBatch(batch, readHeader(batch), { codec: CODEC.zstd, limitBytes: 1000 })).toThrow(
    expect.objectContaining({ code: 'DECOMPRESSED_TOO_LARGE' })
  )
})
