/** Events that producers wrote in transactions: the gate judges them like all, and readers over HTTP are shown what was committed. */
import { produce } from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import { silentLogger } from '@assay/std'
import { expect, test } from 'vitest'
import { openEngine } from '../engine/level/engine.fixture.ts'
import { begin, finish, makeTopic, producerOf, read, write } from '../engine/level/transactions/producer.fixture.ts'
import { openEvents } from './events.ts'
import { gate } from './gate.ts'
import type { SchemaSource } from './schema-source.ts'

/** No schema is known. */
const source: SchemaSource = {
  schemaById: () => undefined,
  isUnder: () => false,
  hasSubject: () => false,
  versionOf: () => undefined,
  catchUp: async () => {}
}

test('pages have what was committed, and go on behind what is not shown', async () => {
  const on = await openEngine()
  await makeTopic(on, 1)
  const events = openEvents({ engine: on.engine, source, session: on.session, clock: on.clock, decompressedBytesMax: 1 << 20 })
  const values = async (from: Map<number, number> | 'earliest') => {
    const { events: found, next } = await events.read('t', { from, limit: 100 })
    return { values: found.map(({ undecoded }) => Buffer.from(undecoded!.base64, 'base64').toString()), next: next.get(0) }
  }
  const producer = producerOf(on, 2)
  await begin(producer)
  for (const [value, end] of [
    ['a', 'commit'],
    ['b', 'abort'],
    ['c', 'commit'],
    ['d', 'abort']
  ] as const) {
    await write(producer, 0, value)
    await finish(producer, end)
  }
  expect(await values('earliest')).toEqual({ values: ['a', 'c'], next: 8 })
  expect(await values(new Map([[0, 2]]))).toEqual({ values: ['c'], next: 8 })
  // Nothing but what is not shown: a follower must not stay where it is.
  expect(await values(new Map([[0, 6]]))).toEqual({ values: [], next: 8 })
  await write(producer, 0, 'e')
  expect(await values(new Map([[0, 8]]))).toEqual({ values: [], next: 8 })
  await finish(producer, 'commit')
  expect(await values(new Map([[0, 8]]))).toEqual({ values: ['e'], next: 10 })
})

test('a transactional batch is judged like any other: what is refused is not part of the transaction', async () => {
  const on = await openEngine()
  await makeTopic(on, 2, { 'assay.value.validation': 'id' })
  const producer = producerOf(on, 2)
  await begin(producer)
  const gated = gate(on.engine, { source, onReject: () => {}, logger: silentLogger, decompressedBytesMax: 1 << 20 })
  const records = encodeBatch({
    ...{ baseTimestampMs: on.clock.now(), records: [{ key: null, value: Buffer.from('no schema') }] },
    ...{ producerId: Number(producer.producerId), producerEpoch: producer.epoch, baseSequence: 0, isTransactional: true }
  })
  const body = {
    transactionalId: 'x',
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: 't', topicId: '', partitionData: [{ index: 0, records }] }]
  }
  const answer = (await gated.answer({ api: produce, version: 12, clientId: null, body } as never, on.session)) as {
    responses: { partitionResponses: { errorCode: number }[] }[]
  }
  expect(answer.responses[0]!.partitionResponses[0]!.errorCode).toBe(87)
  // Nothing was written, so there is nothing to commit, and nothing to see.
  expect(await finish(producer, 'commit')).toBe(48)
  expect(await finish(producer, 'abort')).toBe(0)
  expect((await read(on)).highWatermark).toBe(0)
})
