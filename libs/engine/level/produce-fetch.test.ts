import { createTopics, deleteTopics, fetch, initProducerId, listOffsets, metadata, produce } from '@assay/protocol'
import { decodeBatch, encodeBatch } from '@assay/records'
import { describe, expect, test } from 'vitest'
import { openEngine, records, session, settle, type TestEngine } from './engine.fixture.ts'

async function withTopic(partitions = 1, configs: Record<string, string> = {}, options = {}) {
  const on = await openEngine(options)
  const pairs = Object.entries(configs).map(([name, value]) => ({ name, value }))
  const { topics } = await on.ask(createTopics, {
    topics: [{ name: 't', numPartitions: partitions, replicationFactor: 1, configs: pairs }]
  })
  expect(topics[0]!.errorCode).toBe(0)
  return { ...on, topicId: topics[0]!.topicId }
}

const produceTo = async (on: TestEngine, batch: Buffer, { partition = 0, version = 12, topic = 't' } = {}) => {
  const answer = await on.ask(
    produce,
    { acks: -1, timeoutMs: 1000, topicData: [{ name: topic, partitionData: [{ index: partition, records: batch }] }] },
    { version }
  )
  return answer.responses[0]!.partitionResponses[0]!
}

interface FetchOf {
  offset?: number
  version?: number
  waitMs?: number
  bytesMin?: number
  bytesMax?: number
  partitionBytesMax?: number
  isolationLevel?: number
  partitions?: number[]
  on?: ReturnType<typeof session>
}

async function fetchFrom(on: TestEngine & { topicId: string }, want: FetchOf = {}) {
  const version = want.version ?? 18
  const answer = await on.ask(
    fetch,
    {
      maxWaitMs: want.waitMs ?? 0,
      minBytes: want.bytesMin ?? 1,
      maxBytes: want.bytesMax ?? 1_000_000,
      isolationLevel: want.isolationLevel ?? 0,
      topics: [
        {
          ...(version >= 13 ? { topicId: on.topicId } : { topic: 't' }),
          partitions: (want.partitions ?? [0]).map(partition => ({
            partition,
            fetchOffset: BigInt(want.offset ?? 0),
            partitionMaxBytes: want.partitionBytesMax ?? 1_000_000
          }))
        }
      ]
    },
    { version, session: want.on ?? on.session }
  )
  return answer.responses[0]?.partitions ?? []
}

/** The values of all records that a fetched partition holds; batches that begin before the asked offset are whole. */
function valuesOf(partition: { records: Buffer | readonly Buffer[] | null } | undefined): string[] {
  let bytes = Buffer.isBuffer(partition?.records) ? partition.records : Buffer.concat(partition?.records ?? [])
  const values: string[] = []
  while (bytes.length > 0) {
    const size = 12 + bytes.readInt32BE(8)
    values.push(...decodeBatch(bytes.subarray(0, size), 1_000_000).map(({ value }) => String(value)))
    bytes = bytes.subarray(size)
  }
  return values
}

describe('what is produced is fetched', () => {
  test.each([4, 7, 11, 12, 13, 16, 18])('by Fetch v%i', async version => {
    const on = await withTopic()
    await produceTo(on, records(on.clock, 'a', 'b'))
    await produceTo(on, records(on.clock, 'c'))
    const [partition] = await fetchFrom(on, { version })
    expect(valuesOf(partition)).toEqual(['a', 'b', 'c'])
    expect(partition).toMatchObject({ errorCode: 0, highWatermark: 3n, lastStableOffset: 3n })
  })

  test.each([3, 7, 9, 12])('after Produce v%i', async version => {
    const on = await withTopic()
    await produceTo(on, records(on.clock, 'x'))
    const answer = await produceTo(on, records(on.clock, 'a', 'b'), { version })
    expect(answer).toMatchObject({ index: 0, errorCode: 0, baseOffset: 1n, logAppendTimeMs: -1n })
    if (version >= 5) expect(answer.logStartOffset).toBe(0n)
    expect(valuesOf((await fetchFrom(on))[0])).toEqual(['x', 'a', 'b'])
  })

  test('Produce v13 names topics by ID, and an ID that is not there is told so', async () => {
    const on = await withTopic()
    const send = (topicId: string) =>
      on.ask(produce, { acks: 1, topicData: [{ topicId, partitionData: [{ index: 0, records: records(on.clock, 'a') }] }] })
    const known = await send(on.topicId)
    expect(known.responses[0]).toMatchObject({ topicId: on.topicId, partitionResponses: [{ errorCode: 0, baseOffset: 0n }] })
    const unknown = await send('f'.repeat(32))
    expect(unknown.responses[0]!.partitionResponses[0]!.errorCode).toBe(100)
  })

  test('acks=0 is not answered, and what went wrong closes the connection', async () => {
    const on = await withTopic()
    const send = (name: string) =>
      on.engine.answer(
        {
          api: produce,
          version: 9,
          clientId: null,
          body: {
            transactionalId: null,
            acks: 0,
            timeoutMs: 0,
            topicData: [{ name, topicId: '', partitionData: [{ index: 0, records: records(on.clock, 'a') }] }]
          }
        },
        on.session
      )
    expect(await send('t')).toBeNull()
    expect(valuesOf((await fetchFrom(on))[0])).toEqual(['a'])
    await expect(send('nowhere')).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  })
})

describe('refused batches', () => {
  const broken = (batch: Buffer): Buffer => {
    batch[batch.length - 1]! ^= 1
    return batch
  }
  const cases: [string, (on: TestEngine) => Buffer, number][] = [
    ['damaged bytes', on => broken(records(on.clock, 'a')), 2],
    ['two batches', on => Buffer.concat([records(on.clock, 'a'), records(on.clock, 'b')]), 87],
    ['no batch', () => Buffer.alloc(0), 87],
    ['a batch beyond max.message.bytes', on => records(on.clock, 'x'.repeat(2000)), 10],
    ['a timestamp too far ahead', on => records({ ...on.clock, now: () => on.clock.now() + 3_600_001 }, 'a'), 32],
    [
      'a transactional batch',
      on =>
        encodeBatch({
          baseTimestampMs: on.clock.now(),
          records: [{ key: null, value: null }],
          producerId: 1,
          producerEpoch: 0,
          baseSequence: 0,
          isTransactional: true
        }),
      35
    ]
  ]
  test.each(cases)('%s', async (_name, batch, code) => {
    const on = await withTopic(1, { 'max.message.bytes': '1000' })
    const answer = await produceTo(on, batch(on))
    expect(answer.errorCode).toBe(code)
    expect(answer.errorMessage).toBeTruthy()
    expect((await fetchFrom(on))[0]!.highWatermark).toBe(0n)
  })

  test('an unknown topic, an unknown partition, the server’s own topics, unknown acks', async () => {
    const on = await withTopic()
    expect((await produceTo(on, records(on.clock, 'a'), { topic: 'nowhere' })).errorCode).toBe(3)
    expect((await produceTo(on, records(on.clock, 'a'), { partition: 1 })).errorCode).toBe(3)
    expect((await produceTo(on, records(on.clock, 'a'), { topic: '_schemas' })).errorCode).toBe(17)
    expect((await produceTo(on, records(on.clock, 'a'), { topic: '__consumer_offsets' })).errorCode).toBe(17)
    const acks = await on.ask(produce, {
      acks: 2,
      topicData: [{ topicId: on.topicId, partitionData: [{ index: 0, records: records(on.clock, 'a') }] }]
    })
    expect(acks.responses[0]!.partitionResponses[0]!.errorCode).toBe(21)
  })

  test('a bad partition does not take the good ones of its request with it', async () => {
    const on = await withTopic(3)
    const good = () => records(on.clock, 'a')
    const answer = await on.ask(produce, {
      acks: -1,
      topicData: [
        {
          topicId: on.topicId,
          partitionData: [
            { index: 0, records: good() },
            { index: 1, records: broken(good()) },
            { index: 2, records: good() }
          ]
        }
      ]
    })
    expect(answer.responses[0]!.partitionResponses.map(({ errorCode }) => errorCode)).toEqual([0, 2, 0])
  })
})

test('an idempotent producer that repeats itself is told the first place, also across a restart; a gap is refused alone', async () => {
  let on = await withTopic(2)
  const batch = (sequence: number) =>
    encodeBatch({
      baseTimestampMs: on.clock.now(),
      records: [{ key: null, value: Buffer.from(String(sequence)) }],
      producerId: 9,
      producerEpoch: 0,
      baseSequence: sequence
    })
  expect((await produceTo(on, batch(0))).baseOffset).toBe(0n)
  expect((await produceTo(on, batch(1))).baseOffset).toBe(1n)
  on = { ...(await on.restart()), topicId: on.topicId }
  expect(await produceTo(on, batch(0))).toMatchObject({ errorCode: 0, baseOffset: 0n })
  const both = await on.ask(produce, {
    acks: -1,
    topicData: [
      {
        topicId: on.topicId,
        partitionData: [
          { index: 0, records: batch(5) },
          { index: 1, records: batch(0) }
        ]
      }
    ]
  })
  expect(both.responses[0]!.partitionResponses.map(({ errorCode }) => errorCode)).toEqual([45, 0])
})

test('LogAppendTime stamps every record with the time of the append', async () => {
  const on = await withTopic(1, { 'message.timestamp.type': 'LogAppendTime' })
  const batch = records(on.clock, 'a')
  on.clock.advance(5000)
  expect(await produceTo(on, batch)).toMatchObject({ errorCode: 0, logAppendTimeMs: BigInt(on.clock.now()) })
  const [partition] = await fetchFrom(on)
  const bytes = Buffer.isBuffer(partition!.records) ? partition!.records : Buffer.concat(partition!.records!)
  expect(decodeBatch(bytes, 1000)[0]!.timestampMs).toBe(on.clock.now())
})

describe('fetching', () => {
  test('an offset inside a batch gives the whole batch', async () => {
    const on = await withTopic()
    await produceTo(on, records(on.clock, 'a', 'b', 'c'))
    await produceTo(on, records(on.clock, 'd'))
    expect(valuesOf((await fetchFrom(on, { offset: 2 }))[0])).toEqual(['a', 'b', 'c', 'd'])
  })

  test('an offset outside the log is told so, at once', async () => {
    const on = await withTopic()
    await produceTo(on, records(on.clock, 'a'))
    const [partition] = await fetchFrom(on, { offset: 2, waitMs: 60_000 })
    expect(partition).toMatchObject({ errorCode: 1, highWatermark: 1n, logStartOffset: 0n })
  })

  test('the first batch is whole however small the limits are, the second partition then waits its turn', async () => {
    const on = await withTopic(2)
    await produceTo(on, records(on.clock, 'a'.repeat(500)))
    await produceTo(on, records(on.clock, 'b'.repeat(500)), { partition: 1 })
    const [first, second] = await fetchFrom(on, { bytesMax: 10, partitionBytesMax: 10, partitions: [0, 1] })
    expect(valuesOf(first)).toHaveLength(1)
    expect(valuesOf(second)).toEqual([])
  })

  test('a partition’s own limit ends at a whole batch', async () => {
    const on = await withTopic()
    const size = records(on.clock, 'a').length
    for (const value of ['a', 'b', 'c']) await produceTo(on, records(on.clock, value))
    expect(valuesOf((await fetchFrom(on, { partitionBytesMax: 2 * size + 1 }))[0])).toEqual(['a', 'b'])
  })

  test('it waits for an append and is woken by it, without time passing', async () => {
    const on = await withTopic()
    const waiting = fetchFrom(on, { waitMs: 60_000 })
    await settle()
    await produceTo(on, records(on.clock, 'a'))
    expect(valuesOf((await waiting)[0])).toEqual(['a'])
  })

  test('it waits until there are enough bytes', async () => {
    const on = await withTopic()
    const size = records(on.clock, 'a').length
    let done = false
    const waiting = fetchFrom(on, { waitMs: 60_000, bytesMin: 2 * size }).finally(() => {
      done = true
    })
    await produceTo(on, records(on.clock, 'a'))
    await settle()
    expect(done).toBe(false)
    await produceTo(on, records(on.clock, 'b'))
    expect(valuesOf((await waiting)[0])).toEqual(['a', 'b'])
  })

  test('it answers with what there is when the time is up, when the engine closes, and when its connection does', async () => {
    const on = await withTopic()
    const late = fetchFrom(on, { waitMs: 500 })
    await settle()
    on.clock.advance(500)
    expect((await late)[0]).toMatchObject({ errorCode: 0, highWatermark: 0n })

    const gone = session()
    const abandoned = fetchFrom(on, { waitMs: 60_000, on: gone })
    await settle()
    gone.close()
    expect(valuesOf((await abandoned)[0])).toEqual([])

    const closing = fetchFrom(on, { waitMs: 60_000 })
    await settle()
    await on.engine.close()
    expect(valuesOf((await closing)[0])).toEqual([])
  })

  test('a session that we never gave out is refused, so that the client asks in full', async () => {
    const on = await withTopic()
    const ask = (sessionId: number, sessionEpoch: number) =>
      on.ask(fetch, { sessionId, sessionEpoch, maxBytes: 1000, topics: [] })
    expect(await ask(7, 1)).toMatchObject({ errorCode: 70, sessionId: 0 })
    expect(await ask(0, 0)).toMatchObject({ errorCode: 0, sessionId: 0 })
    expect(await ask(7, -1)).toMatchObject({ errorCode: 0, sessionId: 0 })
  })

  test('unknown topics and leader epochs have their errors', async () => {
    const on = await withTopic()
    const partitions = [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 100, currentLeaderEpoch: 0 }]
    const code = async (version: number, topic: object) => {
      const answer = await on.ask(fetch, { maxBytes: 100, topics: [{ partitions, ...topic }] }, { version })
      return answer.responses[0]!.partitions[0]!.errorCode
    }
    expect(await code(12, { topic: 'nowhere' })).toBe(3)
    expect(await code(13, { topicId: 'f'.repeat(32) })).toBe(100)
    expect(await code(12, { topic: 't', partitions: [{ ...partitions[0]!, partition: 9 }] })).toBe(3)
    expect(await code(12, { topic: 't', partitions: [{ ...partitions[0]!, currentLeaderEpoch: 5 }] })).toBe(75)
  })

  test('answers that have not been written yet hold the budget, and others wait for it', async () => {
    const on = await withTopic(1, {}, { fetchBytesUnderWayMax: 100 })
    await produceTo(on, records(on.clock, 'a'.repeat(200)))
    const slow = session()
    const body = {
      clusterId: null,
      replicaId: -1,
      replicaState: { replicaId: -1, replicaEpoch: -1n },
      maxWaitMs: 60_000,
      minBytes: 1,
      maxBytes: 1_000_000,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [
        {
          topic: 't',
          topicId: '',
          partitions: [
            {
              partition: 0,
              currentLeaderEpoch: -1,
              fetchOffset: 0n,
              lastFetchedEpoch: -1,
              logStartOffset: -1n,
              partitionMaxBytes: 1000,
              replicaDirectoryId: '',
              highWatermark: 0n
            }
          ]
        }
      ],
      forgottenTopicsData: [],
      rackId: ''
    }
    const answer = await on.engine.answer({ api: fetch, version: 12, clientId: null, body }, slow)
    let done = false
    const waiting = fetchFrom(on, { waitMs: 60_000 }).finally(() => {
      done = true
    })
    await settle()
    expect(done).toBe(false)
    ;(answer as Disposable)[Symbol.dispose]()
    expect(valuesOf((await waiting)[0])).toHaveLength(1)
  })
})

describe('listing offsets', () => {
  test.each([1, 4, 7, 11])('by time, v%i', async version => {
    const on = await withTopic()
    const start = on.clock.now()
    await produceTo(on, records(on.clock, 'a'))
    on.clock.advance(1000)
    await produceTo(on, records(on.clock, 'b', 'c'))
    const at = async (timestamp: number) => {
      const answer = await on.ask(
        listOffsets,
        { topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: BigInt(timestamp) }] }] },
        { version }
      )
      const { errorCode, offset, timestamp: found } = answer.topics[0]!.partitions[0]!
      return [errorCode, Number(offset), Number(found)]
    }
    expect(await at(-1)).toEqual([0, 3, -1])
    expect(await at(-2)).toEqual([0, 0, -1])
    expect(await at(start)).toEqual([0, 0, start])
    expect(await at(start + 1)).toEqual([0, 1, start + 1000])
    expect(await at(start + 1001)).toEqual([0, -1, -1])
    const unsupported = [35, -1, -1]
    expect(await at(-3)).toEqual(version >= 7 ? [0, 1, start + 1000] : unsupported)
    expect(await at(-4)).toEqual(version >= 8 ? [0, 0, -1] : unsupported)
    expect(await at(-5)).toEqual(version >= 9 ? [0, -1, -1] : unsupported)
    expect(await at(-6)).toEqual(version >= 11 ? [0, -1, -1] : unsupported)
    expect(await at(-7)).toEqual(unsupported)
  })

  test('of an empty and of an unknown partition', async () => {
    const on = await withTopic()
    const answer = await on.ask(listOffsets, {
      topics: [
        {
          name: 't',
          partitions: [
            { partitionIndex: 0, timestamp: -3n },
            { partitionIndex: 4, timestamp: -1n }
          ]
        }
      ]
    })
    expect(answer.topics[0]!.partitions).toMatchObject([
      { errorCode: 0, offset: -1n, leaderEpoch: -1 },
      { errorCode: 3, offset: -1n }
    ])
  })
})

test('a topic that is deleted and made again has another ID and nothing in it', async () => {
  const on = await withTopic()
  await produceTo(on, records(on.clock, 'a'))
  await on.ask(deleteTopics, { topics: [{ name: 't' }] })
  expect((await fetchFrom(on))[0]!.errorCode).toBe(100)
  const { topics } = await on.ask(createTopics, { topics: [{ name: 't', numPartitions: 1, replicationFactor: -1 }] })
  expect(topics[0]!.topicId).not.toBe(on.topicId)
  const again = await fetchFrom({ ...on, topicId: topics[0]!.topicId })
  expect(again[0]).toMatchObject({ errorCode: 0, highWatermark: 0n })
})

test('records and topics are there after a restart', async () => {
  const on = await withTopic(2)
  await produceTo(on, records(on.clock, 'a'), { partition: 1 })
  const again = await on.restart()
  const described = await again.ask(metadata, { topics: [{ name: 't' }] })
  expect(described.topics[0]).toMatchObject({ topicId: on.topicId, partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] })
  const [, second] = await fetchFrom({ ...again, topicId: on.topicId }, { partitions: [0, 1] })
  expect(valuesOf(second)).toEqual(['a'])
})

test('producer IDs are never given twice, not even when a start follows a crash', async () => {
  const on = await openEngine()
  const seen = new Set<bigint>()
  const take = async (from: TestEngine, count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, () => from.ask(initProducerId, { transactionalId: null })))
    for (const { errorCode, producerId, producerEpoch } of answers) {
      expect([errorCode, producerEpoch, seen.has(producerId)]).toEqual([0, 0, false])
      seen.add(producerId)
    }
  }
  await take(on, 1500)
  await take(await on.restart(), 10)
  expect(seen.size).toBe(1510)
  expect(await on.ask(initProducerId, { transactionalId: 'x' }).catch(error => error.code)).toBe('INVALID_REQUEST')
  const again = await openEngine()
  expect((await again.ask(initProducerId, { transactionalId: 'x' })).errorCode).toBe(35)
})
