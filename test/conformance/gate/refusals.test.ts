/** What its schema does not allow is refused over the wire, by record and path; what is good is stored; offsets have no gap. */

import { encodeJson, frame, parseSchema } from '@assay/avro'
import { registryClient, topicAdmin } from '@assay/client'
import { errorCode, initProducerId, produce, type ResponseOf, ZERO_UUID } from '@assay/protocol'
import { CODEC, type CodecName, encodeBatch } from '@assay/records'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RawClient, rawClient, readRecords } from '../../raw-client.ts'
import { type Served, serve } from '../../served.ts'

const orderText = JSON.stringify({
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'string' },
    {
      name: 'items',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Item',
          fields: [
            { name: 'sku', type: 'string' },
            { name: 'price', type: 'double' }
          ]
        }
      }
    }
  ]
})
const order = parseSchema(orderText)
const payload = encodeJson(order, { id: 'o-1', items: [1, 2, 3, 4].map(n => ({ sku: `s${n}`, price: n })) })

let served: Served
let client: RawClient
let orderId: number
let otherId: number
let topics = 0

beforeAll(async () => {
  served = await serve()
  client = await rawClient(served.kafka)
  otherId = await registryClient({ url: served.http }).register('elsewhere-value', { schema: '{"type":"string"}' })
})

afterAll(async () => {
  client.close()
  expect(await served.stop()).toBe(0)
})

/** A new topic with the order schema under its value subject. */
async function orders(configs: Record<string, string> = {}): Promise<string> {
  const name = `orders-${++topics}`
  const admin = topicAdmin({ bootstrap: served.kafka, timeoutMs: 10_000 })
  await admin.create({ name, partitions: 2, configs })
  await admin.close()
  orderId = await registryClient({ url: served.http }).register(`${name}-value`, { schema: orderText })
  return name
}

type Value = Buffer | null

const batchOf = (values: readonly Value[], codec: CodecName = 'none'): Buffer =>
  encodeBatch({
    codec: CODEC[codec],
    baseTimestampMs: 1_700_000_000_000,
    records: values.map(value => ({ key: Buffer.from('k'), value }))
  })

type Partition = ResponseOf<typeof produce>['responses'][number]['partitionResponses'][number]

async function send(topic: string, batches: readonly Buffer[]): Promise<Partition[]> {
  const partitionData = batches.map((records, index) => ({ index, records }))
  const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData }]
  const { responses } = await client.ask(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData })
  return responses[0]!.partitionResponses
}

const stored = (topic: string, partition: number) => readRecords(client, { topic, partition, offset: 0 })

const good = (): Buffer => frame(orderId, payload)

/** Name, the bad value, and what is said of it. */
const bad: [string, () => Value, RegExp][] = [
  ['a wrong payload', () => frame(orderId, Buffer.from('fffff')), /^value\.id: .*schema ID \d+, subject orders-\d+-value/],
  ['a truncated payload', () => good().subarray(0, -5), /^value\.items\[3\]\.price: expected double, 4 bytes left/],
  ['bytes left over', () => Buffer.concat([good(), Buffer.from([0])]), /^value: 1 byte left over/],
  ['an unknown schema ID', () => frame(99_999, payload), /^value: the schema ID is not registered \(schema ID 99999/],
  ['the schema ID of another subject', () => frame(otherId, payload), /^value: the schema ID is not a version of the subject/],
  [
    'no magic byte',
    () => Buffer.from('{"id":"o-1"}'),
    /^value: expected magic byte 0x00 and a 4-byte schema ID, got first byte 0x7b/
  ]
]

describe.each(bad)('%s', (_name, value, says) => {
  test.each([
    ['first', 0],
    ['in the middle', 1],
    ['last', 2]
  ])('%s in its batch refuses the batch, and the batch beside it is stored', async (_place, at) => {
    const topic = await orders()
    const values = [good(), good(), good()]
    values[at] = value() as Buffer
    const [refused, kept] = await send(topic, [batchOf(values), batchOf([good()])])
    expect(refused).toMatchObject({ index: 0, errorCode: errorCode('INVALID_RECORD'), baseOffset: -1n })
    expect(refused!.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([at])
    expect(refused!.recordErrors[0]!.batchIndexErrorMessage).toMatch(says)
    expect(kept).toMatchObject({ index: 1, errorCode: 0, baseOffset: 0n })
    // Nothing of the refused batch is there, and what follows it takes the next offset.
    const [after] = await send(topic, [batchOf([good()])])
    expect(after).toMatchObject({ errorCode: 0, baseOffset: 0n })
    expect((await stored(topic, 0)).map(({ offset }) => offset)).toEqual([0])
    expect((await stored(topic, 1)).map(({ offset }) => offset)).toEqual([0])
  })
})

test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('a %s batch is looked into, and stored as it came', async codec => {
  const topic = await orders()
  const batch = batchOf([good(), null, good()], codec)
  const [kept, refused] = await send(topic, [batch, batchOf([good(), good().subarray(0, -1)], codec)])
  expect(kept!.errorCode).toBe(0)
  expect(refused!.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1])
  const values = (await stored(topic, 0)).map(({ value }) => value?.toString('hex') ?? null)
  expect(values).toEqual([good().toString('hex'), null, good().toString('hex')])
})

test('a batch damaged on its way is corrupt, not invalid: sending it again mends it', async () => {
  const topic = await orders()
  const damaged = batchOf([good()])
  damaged[damaged.length - 3]! ^= 0xff
  const [partition] = await send(topic, [damaged])
  expect(partition!.errorCode).toBe(errorCode('CORRUPT_MESSAGE'))
})

test('a refused batch uses up no sequence number', async () => {
  const topic = await orders()
  const { producerId, producerEpoch } = await client.ask(initProducerId, 4, {
    transactionalId: null,
    transactionTimeoutMs: 60_000,
    producerId: -1n,
    producerEpoch: -1
  } as never)
  const numbered = (value: Buffer, baseSequence: number): Buffer =>
    encodeBatch({
      baseTimestampMs: 1,
      records: [{ key: null, value }],
      producerId: Number(producerId),
      producerEpoch,
      baseSequence
    })
  expect((await send(topic, [numbered(good(), 0)]))[0]!.errorCode).toBe(0)
  expect((await send(topic, [numbered(good().subarray(0, -1), 1)]))[0]!.errorCode).toBe(errorCode('INVALID_RECORD'))
  expect((await send(topic, [numbered(good(), 1)]))[0]).toMatchObject({ errorCode: 0, baseOffset: 1n })
})

test('with validation off anything goes in; with action warn it goes in and is reported', async () => {
  const free = await orders({ 'assay.value.validation': 'off' })
  expect((await send(free, [batchOf([Buffer.from('anything')])]))[0]!.errorCode).toBe(0)
  const warned = await orders({ 'assay.validation.action': 'warn' })
  expect((await send(warned, [batchOf([Buffer.from('anything')])]))[0]!.errorCode).toBe(0)
  expect(served.log()).toContain('a batch with bad records was stored')
})
