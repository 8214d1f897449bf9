/** What a topic takes, and what becomes of it on the way to the log. */
import {
  ATTRIBUTE,
  CODEC,
  type CodecName,
  checkBatch,
  codecOf,
  decodeBatch,
  encodeBatch,
  FIELD_AT,
  hasLogAppendTime,
  type NewRecord,
  setLogAppendTime,
  signBatch
} from '@assay/records'
import type { Case, Configs, Kit } from './case.ts'

const LIMIT = 1 << 22
const MINUTE = 60_000

const record = (value: string | Buffer, more: Partial<NewRecord> = {}): NewRecord => ({
  key: null,
  value: Buffer.from(value),
  ...more
})
const batch = (...records: NewRecord[]): Buffer =>
  encodeBatch({ baseTimestampMs: Date.now(), records: records.length > 0 ? records : [record('a')] })
/** A batch with one field changed, signed as if it were right. */
function changed(change: (bytes: Buffer) => void, bytes = batch()): Buffer {
  change(bytes)
  signBatch(bytes)
  return bytes
}
/** Records at these distances from now, in a batch whose base is now. */
function timed(...offsetsMs: number[]): NewRecord[] {
  const now = Date.now()
  return offsetsMs.map(offset => record('a', { timestampMs: now + offset }))
}
const framed = (codec: CodecName, records: readonly NewRecord[]): Buffer =>
  encodeBatch({ baseTimestampMs: Date.now(), codec: CODEC[codec], records })

interface Refusal {
  readonly name: string
  readonly configs?: Configs
  readonly bytes: () => Buffer
  readonly answer: string
  readonly kafka?: { readonly answer: string; readonly why: string }
}

const strict = 'bits without a meaning are refused before they get one'
const refusals: readonly Refusal[] = [
  { name: 'one batch', bytes: () => batch(), answer: 'NONE' },
  { name: 'two batches', bytes: () => Buffer.concat([batch(), batch()]), answer: 'INVALID_RECORD' },
  { name: 'no batch', bytes: () => Buffer.alloc(0), answer: 'INVALID_RECORD' },
  {
    name: 'bytes behind the batch',
    bytes: () => Buffer.concat([batch(), Buffer.from([1, 2, 3])]),
    answer: 'INVALID_RECORD',
    kafka: { answer: 'NONE', why: 'Kafka drops them without a word' }
  },
  {
    name: 'a damaged batch',
    bytes: () => {
      const bytes = batch()
      bytes[bytes.length - 2]! ^= 1
      return bytes
    },
    answer: 'CORRUPT_MESSAGE'
  },
  {
    name: 'the older message format',
    bytes: () => changed(bytes => bytes.writeInt8(1, FIELD_AT.magic)),
    answer: 'INVALID_RECORD'
  },
  {
    name: 'fewer records than offsets',
    bytes: () => changed(bytes => bytes.writeInt32BE(5, FIELD_AT.lastOffsetDelta)),
    answer: 'INVALID_RECORD'
  },
  {
    name: 'fewer records than the header counts',
    bytes: () =>
      changed(bytes => {
        bytes.writeInt32BE(2, FIELD_AT.recordCount)
        bytes.writeInt32BE(1, FIELD_AT.lastOffsetDelta)
      }),
    answer: 'INVALID_RECORD'
  },
  {
    name: 'more records than the header counts',
    bytes: () =>
      changed(
        bytes => {
          bytes.writeInt32BE(1, FIELD_AT.recordCount)
          bytes.writeInt32BE(0, FIELD_AT.lastOffsetDelta)
        },
        batch(record('a'), record('b'))
      ),
    answer: 'INVALID_RECORD'
  },
  {
    name: 'a control batch',
    bytes: () => changed(bytes => bytes.writeInt16BE(ATTRIBUTE.control, FIELD_AT.attributes)),
    answer: 'INVALID_RECORD'
  },
  {
    name: 'a time of the append from the producer',
    bytes: () => changed(bytes => setLogAppendTime(bytes, Date.now())),
    answer: 'INVALID_RECORD',
    kafka: { answer: 'NONE', why: strict }
  },
  {
    name: 'an unknown attribute',
    bytes: () => changed(bytes => bytes.writeInt16BE(0x200, FIELD_AT.attributes)),
    answer: 'INVALID_RECORD',
    kafka: { answer: 'NONE', why: strict }
  },
  {
    name: 'an unknown codec',
    bytes: () => changed(bytes => bytes.writeInt16BE(5, FIELD_AT.attributes)),
    answer: 'UNSUPPORTED_COMPRESSION_TYPE',
    kafka: { answer: 'UNKNOWN_SERVER_ERROR', why: 'there is a code for it' }
  },
  {
    name: 'a batch over max.message.bytes',
    configs: { 'max.message.bytes': '200' },
    bytes: () => batch(record('x'.repeat(300))),
    answer: 'MESSAGE_TOO_LARGE'
  },
  {
    name: 'a batch that is under max.message.bytes when compressed',
    configs: { 'max.message.bytes': '200' },
    bytes: () => framed('gzip', [record('x'.repeat(3000))]),
    answer: 'NONE'
  },
  {
    name: 'a batch that the codec of the topic takes over max.message.bytes',
    configs: { 'max.message.bytes': '200', 'compression.type': 'uncompressed' },
    bytes: () => framed('gzip', [record('x'.repeat(3000))]),
    answer: 'MESSAGE_TOO_LARGE'
  },
  {
    name: 'a record over max.decompressed.message.bytes',
    configs: { 'max.decompressed.message.bytes': '1000' },
    bytes: () => framed('gzip', [record('x'.repeat(3000))]),
    answer: 'INVALID_RECORD'
  },
  {
    name: 'records that only together are over it',
    configs: { 'max.decompressed.message.bytes': '1000' },
    bytes: () =>
      framed(
        'gzip',
        [1, 2, 3].map(() => record('x'.repeat(400)))
      ),
    answer: 'NONE'
  },
  {
    name: 'an uncompressed record over it',
    configs: { 'max.decompressed.message.bytes': '1000' },
    bytes: () => batch(record('x'.repeat(3000))),
    answer: 'NONE'
  },
  {
    name: 'min.insync.replicas above the one copy',
    configs: { 'min.insync.replicas': '2' },
    bytes: () => batch(),
    answer: 'NONE'
  }
]

const near = { 'message.timestamp.after.max.ms': String(MINUTE), 'message.timestamp.before.max.ms': String(MINUTE) }

interface Timed {
  readonly name: string
  readonly configs?: Configs
  readonly bytes: () => Buffer
  readonly error: string
  readonly records: readonly number[]
}

const times: readonly Timed[] = [
  { name: 'times within their bounds', bytes: () => batch(...timed(-50_000, 50_000)), error: 'NONE', records: [] },
  {
    name: 'one of three too far ahead',
    bytes: () => batch(...timed(0, 2 * MINUTE, 0)),
    error: 'INVALID_TIMESTAMP',
    records: [1]
  },
  {
    name: 'two of three too old',
    bytes: () => batch(...timed(0, -2 * MINUTE, -3 * MINUTE)),
    error: 'INVALID_TIMESTAMP',
    records: [1, 2]
  },
  {
    name: 'one of two in a gzip batch',
    bytes: () => framed('gzip', timed(0, 2 * MINUTE)),
    error: 'INVALID_TIMESTAMP',
    records: [1]
  },
  {
    name: 'no time at all',
    bytes: () => encodeBatch({ baseTimestampMs: -1, records: [record('a')] }),
    error: 'NONE',
    records: []
  },
  {
    name: 'too far ahead, where the time of the append counts',
    configs: { 'message.timestamp.type': 'LogAppendTime' },
    bytes: () => batch(...timed(2 * MINUTE)),
    error: 'NONE',
    records: []
  },
  {
    name: 'without bounds of its own, two hours ahead',
    configs: { 'message.timestamp.after.max.ms': '3600000' },
    bytes: () => batch(...timed(0, 120 * MINUTE)),
    error: 'INVALID_TIMESTAMP',
    records: [1]
  }
]

const codecs = Object.keys(CODEC) as CodecName[]

/** Sends a batch of an idempotent producer with each codec; codec, sequence and record count of what is stored. */
async function compressed(kit: Kit, type: string, more: Configs = {}): Promise<string[]> {
  const topic = await kit.topic({ 'compression.type': type, ...more })
  const producerId = await kit.producerId()
  const now = Date.now()
  for (const [at, codec] of codecs.entries()) {
    const records = [record('x'.repeat(500), { key: Buffer.from('k'), timestampMs: now }), record('y', { timestampMs: now + at })]
    const sent = { codec: CODEC[codec], producerId, producerEpoch: 3, baseSequence: 2 * at, records, baseTimestampMs: now }
    const first = await kit.send(topic, sent)
    const again = await kit.send(topic, sent)
    if (first.error !== 'NONE' || again.baseOffset !== first.baseOffset)
      return [`${codec}: ${first.error}, again ${again.baseOffset}`]
  }
  return (await kit.stored(topic)).map((bytes, at) => {
    const header = checkBatch(bytes, { sizeMax: LIMIT, from: 'log' })
    const { producerEpoch, baseSequence, maxTimestamp } = header
    const [first, second] = decodeBatch(bytes, LIMIT)
    const isRight =
      header.producerId === producerId &&
      maxTimestamp === now + at &&
      first!.value!.length === 500 &&
      second!.timestampMs === now + at
    return `${codecs[codecOf(header)]} ${producerEpoch}/${baseSequence}${isRight ? '' : ' wrong'}`
  })
}

export const appendCases: readonly Case[] = [
  ...refusals.map(
    ({ name, configs, bytes, answer, kafka }): Case => ({
      name,
      ask: async kit => (await kit.send(await kit.topic(configs), bytes())).error,
      answer,
      ...(kafka && { kafka })
    })
  ),
  ...times.map(
    ({ name, configs, bytes, error, records }): Case => ({
      name,
      ask: async kit => {
        const sent = await kit.send(await kit.topic({ ...near, ...configs }), bytes())
        return [sent.error, sent.records]
      },
      answer: [error, records]
    })
  ),
  {
    name: 'records without a key in a compacted topic',
    ask: async kit => {
      const topic = await kit.topic({ 'cleanup.policy': 'compact' })
      const keyed = { key: Buffer.from('k') }
      const sent = await kit.send(topic, batch(record('a', keyed), record('b'), record('c', keyed), record('d')))
      return [sent.error, sent.records]
    },
    answer: ['INVALID_RECORD', [1, 3]]
  },
  {
    name: 'the time of the append',
    ask: async kit => {
      const topic = await kit.topic({ 'message.timestamp.type': 'LogAppendTime' })
      const start = Date.now()
      const { error, hasAppendTime } = await kit.send(topic, { baseTimestampMs: 5, records: [record('a'), record('b')] })
      const [bytes] = await kit.stored(topic)
      const header = checkBatch(bytes!, { sizeMax: LIMIT, from: 'log' })
      const times = decodeBatch(bytes!, LIMIT).map(({ timestampMs }) => timestampMs)
      const isNow = times.every(time => time === header.maxTimestamp && time >= start && time <= Date.now())
      return [error, hasAppendTime, hasLogAppendTime(header), isNow]
    },
    answer: ['NONE', true, true, true]
  },
  {
    name: 'the time of the append and a codec of the topic',
    ask: async kit => {
      const topic = await kit.topic({ 'message.timestamp.type': 'LogAppendTime', 'compression.type': 'zstd' })
      await kit.send(topic, { baseTimestampMs: 5 })
      const [bytes] = await kit.stored(topic)
      const header = checkBatch(bytes!, { sizeMax: LIMIT, from: 'log' })
      return [hasLogAppendTime(header), codecs[codecOf(header)]]
    },
    answer: [true, 'zstd']
  },
  {
    name: 'compression.type producer keeps what was sent',
    ask: kit => compressed(kit, 'producer'),
    answer: codecs.map((codec, at) => `${codec} 3/${2 * at}`)
  },
  ...(['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const).map(
    (type): Case => ({
      name: `compression.type ${type}, sequences kept`,
      ask: kit => compressed(kit, type),
      answer: codecs.map((_, at) => `${type === 'uncompressed' ? 'none' : type} 3/${2 * at}`)
    })
  ),
  ...(
    [
      ['gzip', '1', '9'],
      ['zstd', '-7', '19']
    ] as const
  ).map(
    ([type, low, high]): Case => ({
      name: `${type} tries harder at level ${high} than at ${low}`,
      ask: async kit => {
        const value = Array.from({ length: 4000 }, (_, n) => `${(n * 7919) % 251}:${n % 17};`).join('')
        const sizeAt = async (level: string): Promise<number> => {
          const topic = await kit.topic({ 'compression.type': type, [`compression.${type}.level`]: level })
          await kit.send(topic, { records: [record(value)] })
          return (await kit.stored(topic))[0]!.length
        }
        return (await sizeAt(high)) < (await sizeAt(low))
      },
      answer: true
    })
  )
]
