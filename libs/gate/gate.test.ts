import { frame, parseSchema, type Schema } from '@assay/avro'
import type { Engine, Request, Session, Topic } from '@assay/engine'
import { errorCode, produce, type RequestOf, type ResponseOf, ZERO_UUID } from '@assay/protocol'
import { encodeBatch, splitBatches } from '@assay/records'
import { silentLogger } from '@assay/std'
import { describe, expect, test } from 'vitest'
import { gate, type Reject } from './gate.ts'
import type { SchemaSource } from './schema-source.ts'

const session: Session = { id: 1, principal: 'User:TEST', remoteAddress: '127.0.0.1', closed: new AbortController().signal }
const text = parseSchema('"string"')
const named = parseSchema('{"type":"record","name":"shop.Order","fields":[{"name":"id","type":"string"}]}')
const good = (schemaId: number): Buffer => frame(schemaId, Buffer.from([2, 0x61]))

/** A source on a map from ID to schema and subjects, which `catchUp` adds to. */
function sourceOf(
  known: Map<number, { schema: Schema; subjects: string[] }>,
  catchUp: () => Promise<void> = async () => {}
): SchemaSource {
  return {
    schemaById: id => known.get(id)?.schema,
    isUnder: (id, subject) => known.get(id)?.subjects.includes(subject) ?? false,
    hasSubject: subject => [...known.values()].some(({ subjects }) => subjects.includes(subject)),
    versionOf: () => undefined,
    catchUp
  }
}

/** An engine that stores whatever reaches it, in order. */
function storingEngine(configs: Record<string, string>) {
  const stored: Buffer[] = []
  const topic: Topic = { name: 't', id: '1'.repeat(32), partitionCount: 2, configs: new Map(Object.entries(configs)) }
  const engine: Engine = {
    apis: [{ api: produce, versions: produce.versions }],
    topic: ref => (('name' in ref ? ref.name === topic.name : ref.id === topic.id) ? topic : undefined),
    close: async () => {},
    async answer(request) {
      const body = request.body as RequestOf<typeof produce>
      const responses = body.topicData.map(({ name, topicId, partitionData }) => ({
        name,
        topicId,
        partitionResponses: partitionData.map(({ index, records }) => {
          stored.push(...splitBatches(records!))
          return {
            index,
            errorCode: 0,
            baseOffset: BigInt(stored.length - 1),
            logAppendTimeMs: -1n,
            logStartOffset: 0n,
            recordErrors: [],
            errorMessage: null,
            currentLeader: { leaderId: -1, leaderEpoch: -1 }
          }
        })
      }))
      return { responses, throttleTimeMs: 0, nodeEndpoints: [] }
    }
  }
  return { engine, stored }
}

function opened(source: SchemaSource, configs: Record<string, string> = {}) {
  const { engine, stored } = storingEngine(configs)
  const rejects: Reject[] = []
  const wrapped = gate(engine, {
    source,
    onReject: reject => rejects.push(reject),
    logger: silentLogger,
    decompressedBytesMax: 1 << 20
  })
  const send = async (
    records: { key: Buffer | null; value: Buffer | null }[],
    options: { acks?: number; byId?: boolean } = {}
  ) => {
    const batch = encodeBatch({ baseTimestampMs: 1, records })
    const topicData = [
      {
        name: options.byId ? '' : 't',
        topicId: options.byId ? '1'.repeat(32) : ZERO_UUID,
        partitionData: [{ index: 0, records: batch }]
      }
    ]
    const body = { transactionalId: null, acks: options.acks ?? -1, timeoutMs: 1, topicData }
    const answer = await wrapped.answer({ api: produce, version: 9, clientId: 'c', body } as Request, session)
    return (answer as ResponseOf<typeof produce>).responses[0]!.partitionResponses[0]!
  }
  const sendValue = (value: Buffer | null) => send([{ key: null, value }])
  return { send, sendValue, stored, rejects }
}

const known = new Map([
  [1, { schema: text, subjects: ['t-value'] }],
  [2, { schema: named, subjects: ['shop.Order', 't-shop.Order'] }]
])

describe('policies', () => {
  test.each<[string, Record<string, string>, Buffer | null, boolean]>([
    ['auto, the subject exists: a good value', {}, good(1), true],
    ['auto, the subject exists: a bad value', {}, Buffer.from('bad'), false],
    ['a tombstone', { 'assay.value.validation': 'deep' }, null, true],
    ['off', { 'assay.value.validation': 'off' }, Buffer.from('bad'), true],
    ['id looks at the ID alone', { 'assay.value.validation': 'id' }, frame(1, Buffer.from([0x7f])), true],
    ['deep looks at the payload', { 'assay.value.validation': 'deep' }, frame(1, Buffer.from([0x7f])), false],
    ['record name', { 'assay.value.subject.name.strategy': 'RecordNameStrategy' }, good(2), true],
    ['topic and record name', { 'assay.value.subject.name.strategy': 'TopicRecordNameStrategy' }, good(2), true],
    [
      'a strategy by name, and a schema without one',
      { 'assay.value.subject.name.strategy': 'RecordNameStrategy' },
      good(1),
      false
    ],
    ['warn stores it all the same', { 'assay.validation.action': 'warn' }, Buffer.from('bad'), true]
  ])('%s', async (_name, configs, value, accepted) => {
    const { sendValue, stored } = opened(sourceOf(known), configs)
    const { errorCode: code } = await sendValue(value)
    expect(code).toBe(accepted ? 0 : errorCode('INVALID_RECORD'))
    expect(stored.length).toBe(accepted ? 1 : 0)
  })

  test('without a subject auto asks for nothing', async () => {
    expect((await opened(sourceOf(new Map())).sendValue(Buffer.from('anything'))).errorCode).toBe(0)
  })

  test('keys are checked by their own policy', async () => {
    const { send } = opened(sourceOf(new Map([[1, { schema: text, subjects: ['t-key'] }]])))
    expect((await send([{ key: good(1), value: null }])).errorCode).toBe(0)
    expect((await send([{ key: Buffer.from('k'), value: null }])).recordErrors[0]!.batchIndexErrorMessage).toMatch(
      /^key: expected magic byte/
    )
  })

  test('a compacted topic refuses a record without a key', async () => {
    const { send } = opened(sourceOf(new Map()), { 'cleanup.policy': 'compact' })
    expect(
      (
        await send([
          { key: Buffer.from('k'), value: null },
          { key: null, value: null }
        ])
      ).recordErrors
    ).toEqual([{ batchIndex: 1, batchIndexErrorMessage: 'key: a compacted topic needs a key on every record' }])
  })
})

test('a topic named by its ID is found', async () => {
  expect((await opened(sourceOf(known)).send([{ key: null, value: Buffer.from('bad') }], { byId: true })).errorCode).toBe(
    errorCode('INVALID_RECORD')
  )
})

test('with acks=0 a refusal is a rejection: the connection is closed', async () => {
  await expect(opened(sourceOf(known)).send([{ key: null, value: Buffer.from('bad') }], { acks: 0 })).rejects.toThrow(
    'refuses record 0'
  )
})

test('who sent what is told of a refusal', async () => {
  const { send, rejects } = opened(sourceOf(known))
  await send([
    { key: null, value: good(1) },
    { key: null, value: Buffer.from('bad') }
  ])
  expect(rejects).toMatchObject([
    { topic: 't', partition: 0, clientId: 'c', principal: 'User:TEST', refused: true, recordCount: 2, rejections: [{ index: 1 }] }
  ])
})

test('an unknown ID is looked for once more, and requests behind it keep their order', async () => {
  const growing = new Map([[1, { schema: text, subjects: ['t-value'] }]])
  const { promise: caughtUp, resolve } = Promise.withResolvers<void>()
  const { sendValue, stored } = opened(
    sourceOf(growing, async () => {
      await caughtUp
      growing.set(3, { schema: text, subjects: ['t-value'] })
    })
  )
  const answers = Promise.all([sendValue(good(3)), sendValue(good(1)), sendValue(good(99)), sendValue(good(1))])
  await new Promise(setImmediate)
  expect(stored.length).toBe(0)
  resolve()
  expect((await answers).map(({ errorCode: code }) => code)).toEqual([0, 0, errorCode('INVALID_RECORD'), 0])
  expect(stored.map(batch => batch.includes(good(3)))).toEqual([true, false, false])
})
