import {
  deleteGroups,
  deleteTopics,
  describeProducers,
  describeTransactions,
  endTxn,
  initProducerId,
  listOffsets,
  listTransactions,
  offsetCommit,
  produce,
  writeTxnMarkers
} from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import { describe, expect, test } from 'vitest'
import { openEngine, settle, type TestEngine } from '../engine.fixture.ts'
import {
  addPartitions,
  begin,
  commitOffset,
  committedOffset,
  finish,
  makeTopic,
  type Protocol,
  producerOf,
  read,
  write
} from './producer.fixture.ts'

const CODE = {
  unknownPartition: 3,
  outOfOrder: 45,
  invalidEpoch: 47,
  invalidState: 48,
  invalidMapping: 49,
  invalidTimeout: 50,
  concurrent: 51,
  notAttempted: 55,
  fenced: 90,
  policy: 44,
  abortable: 120,
  notFound: 105
}

async function withTopic(protocol: Protocol, options = {}) {
  const on = await openEngine(options)
  await makeTopic(on)
  const producer = producerOf(on, protocol)
  expect(await begin(producer)).toBe(0)
  return { on, producer }
}

describe.each([1, 2] as const)('protocol %i', protocol => {
  test('what is committed is seen, all of it at once, with the offsets', async () => {
    const { on, producer } = await withTopic(protocol)
    expect(await write(producer, 0, 'a')).toBe(0)
    expect(await write(producer, 1, 'b')).toBe(0)
    expect(await commitOffset(producer, 5)).toBe(0)
    expect(await read(on)).toMatchObject({ values: [], highWatermark: 1, lastStableOffset: 0 })
    expect((await read(on, 0, { committed: false })).values).toEqual(['a'])
    expect(await committedOffset(on)).toBe('unstable')
    expect(await committedOffset(on, { requireStable: false })).toBe(-1)
    expect(await finish(producer, 'commit')).toBe(0)
    expect(await read(on)).toMatchObject({ values: ['a'], highWatermark: 2, lastStableOffset: 2, abortedCount: 0 })
    expect((await read(on, 1)).values).toEqual(['b'])
    expect(await committedOffset(on)).toBe(5)
  })

  test('what is aborted is never seen by readers of committed records', async () => {
    const { on, producer } = await withTopic(protocol)
    await write(producer, 0, 'a')
    await commitOffset(producer, 5)
    expect(await finish(producer, 'abort')).toBe(0)
    expect(await read(on)).toMatchObject({ values: [], highWatermark: 2, lastStableOffset: 2, abortedCount: 1 })
    expect((await read(on, 0, { committed: false })).values).toEqual(['a'])
    expect(await committedOffset(on)).toBe(-1)
    await write(producer, 0, 'b')
    expect(await finish(producer, 'commit')).toBe(0)
    expect((await read(on)).values).toEqual(['b'])
    expect((await read(on, 0, { from: 2 })).abortedCount).toBe(0)
  })

  test('many transactions, one after the other and side by side, restarts in between', async () => {
    let { on, producer } = await withTopic(protocol)
    const other = producerOf(on, protocol, 'y')
    await begin(other)
    for (let round = 0; round < 6; round++) {
      expect(await write(producer, 0, `a${round}`)).toBe(0)
      expect(await write(other, 0, `b${round}`)).toBe(0)
      if (round % 3 === 1) on = producer.on = other.on = await on.restart()
      expect(await finish(producer, round % 2 === 0 ? 'commit' : 'abort')).toBe(0)
      expect(await write(other, 0, `c${round}`)).toBe(0)
      if (round % 3 === 2) on = producer.on = other.on = await on.crash()
      expect(await finish(other, 'commit')).toBe(0)
    }
    const expected = [0, 1, 2, 3, 4, 5].flatMap(round => [...(round % 2 === 0 ? [`a${round}`] : []), `b${round}`, `c${round}`])
    expect((await read(on)).values).toEqual(expected)
  })

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('a crash after step %i: it goes on, and is whole', async cut => {
    const { on, producer } = await withTopic(protocol)
    const steps: (() => Promise<number>)[] = [
      () => write(producer, 0, 'a'),
      () => write(producer, 1, 'b'),
      () => commitOffset(producer, 3),
      () => write(producer, 0, 'c'),
      () => commitOffset(producer, 4),
      () => finish(producer, 'commit'),
      () => write(producer, 1, 'd'),
      () => finish(producer, 'abort')
    ]
    for (const [at, step] of steps.entries()) {
      expect(await step(), `step ${at}`).toBe(0)
      if (at === cut) producer.on = await producer.on.crash()
    }
    expect((await read(producer.on)).values).toEqual(['a', 'c'])
    expect((await read(producer.on, 1)).values).toEqual(['b'])
    expect(await committedOffset(producer.on)).toBe(4)
    expect(on.engine).not.toBe(producer.on.engine)
  })

  test('a second producer fences the first, and ends what it left', async () => {
    const { on, producer } = await withTopic(protocol)
    await write(producer, 0, 'a')
    await commitOffset(producer, 5)
    const second = producerOf(on, protocol)
    expect(await begin(second)).toBe(0)
    expect(second.producerId).toBe(producer.producerId)
    expect(second.epoch).toBeGreaterThan(producer.epoch)
    expect(await write(producer, 0, 'b')).toBe(protocol === 1 ? CODE.fenced : CODE.invalidEpoch)
    expect(await write(producer, 0, 'b', { adds: false })).toBe(CODE.invalidEpoch)
    expect(await commitOffset(producer, 6, { adds: false })).toBe(CODE.invalidEpoch)
    expect(await finish(producer, 'commit')).toBe(CODE.fenced)
    expect(await begin(producer, { goesOn: true })).toBe(CODE.fenced)
    expect(await write(second, 0, 'c')).toBe(0)
    expect(await finish(second, 'commit')).toBe(0)
    expect((await read(on)).values).toEqual(['c'])
    expect(await committedOffset(on)).toBe(-1)
  })

  test('one that takes too long is aborted, its producer hears of it', async () => {
    const { on, producer } = await withTopic(protocol)
    await begin(producer, { timeoutMs: 1000 })
    await write(producer, 0, 'a')
    on.clock.advance(999)
    await settle()
    expect(await read(on)).toMatchObject({ lastStableOffset: 0 })
    on.clock.advance(1)
    for (let turn = 0; turn < 5; turn++) await settle()
    expect(await read(on)).toMatchObject({ values: [], lastStableOffset: 2, abortedCount: 1 })
    expect(await write(producer, 0, 'b', { adds: false })).toBe(CODE.invalidEpoch)
    expect(await finish(producer, 'commit')).toBe(protocol === 1 ? CODE.fenced : CODE.invalidState)
    expect(await begin(producer)).toBe(0)
    expect(await write(producer, 0, 'c')).toBe(0)
    expect(await finish(producer, 'commit')).toBe(0)
    expect((await read(on)).values).toEqual(['c'])
  })

  test('its time goes on over a restart', async () => {
    const { on, producer } = await withTopic(protocol)
    await begin(producer, { timeoutMs: 1000 })
    await write(producer, 0, 'a')
    const again = await on.restart()
    again.clock.advance(1000)
    for (let turn = 0; turn < 5; turn++) await settle()
    expect(await read(again)).toMatchObject({ values: [], lastStableOffset: 2 })
  })

  test('an end that comes twice, or late, ends nothing else', async () => {
    const { on, producer } = await withTopic(protocol)
    await write(producer, 0, 'a')
    const late = { transactionalId: 'x', producerId: producer.producerId, producerEpoch: producer.epoch, committed: true }
    const version = protocol === 2 ? 5 : 4
    const both = await Promise.all([finish(producer, 'commit'), on.ask(endTxn, late, { version })])
    expect(both[0]).toBe(0)
    expect([0, CODE.concurrent]).toContain(both[1].errorCode)
    expect((await on.ask(endTxn, late, { version })).errorCode).toBe(0)
    if (protocol === 1) return
    await write(producer, 0, 'b')
    expect((await on.ask(endTxn, late, { version })).errorCode).toBe(CODE.fenced)
    expect(await read(on)).toMatchObject({ values: ['a'], lastStableOffset: 2 })
    expect(await finish(producer, 'abort')).toBe(0)
    expect((await read(on)).values).toEqual(['a'])
  })

  test('a plain commit of the same group stands when it came later, whenever the transaction ends', async () => {
    const { on, producer } = await withTopic(protocol)
    await commitOffset(producer, 5)
    const plain = {
      groupId: 'g',
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 9n, committedMetadata: '' }] }]
    }
    const { topics } = await on.ask(offsetCommit, plain, { version: 9 })
    expect(topics[0]!.partitions[0]!.errorCode).toBe(0)
    expect(await committedOffset(on)).toBe('unstable')
    expect(await finish(producer, 'commit')).toBe(0)
    expect(await committedOffset(on)).toBe(9)
    expect(await committedOffset(await on.restart())).toBe(9)
  })

  test('a group that was deleted does not come back with the end of a transaction', async () => {
    const { on, producer } = await withTopic(protocol)
    await commitOffset(producer, 5)
    expect((await on.ask(deleteGroups, { groupsNames: ['g'] })).results[0]!.errorCode).toBe(0)
    expect(await finish(producer, 'commit')).toBe(0)
    expect(await committedOffset(on)).toBe(-1)
    expect(await committedOffset(await on.crash())).toBe(-1)
  })

  test('a topic that is deleted in the middle does not hold the end up', async () => {
    const { on, producer } = await withTopic(protocol)
    await write(producer, 0, 'a')
    await commitOffset(producer, 5)
    await on.ask(deleteTopics, { topics: [{ name: 't' }] })
    expect(await finish(producer, 'commit')).toBe(0)
    await makeTopic(on)
    expect(await read(on)).toMatchObject({ values: [], highWatermark: 0 })
    expect(await committedOffset(on)).toBe(-1)
    const again = await on.restart()
    expect(await committedOffset(again)).toBe(-1)
  })

  test('sequences go on as the protocol has it, also over a restart', async () => {
    const { on, producer } = await withTopic(protocol)
    await write(producer, 0, 'a')
    await finish(producer, 'commit')
    producer.on = await on.restart()
    if (protocol === 1) {
      producer.sequences.set(0, 0)
      // The very batch of before: told as a repetition, not stored once more.
      expect(await write(producer, 0, 'a')).toBe(0)
      producer.sequences.set(0, 5)
      expect(await write(producer, 0, 'x')).toBe(CODE.outOfOrder)
      producer.sequences.set(0, 1)
    } else {
      producer.sequences.set(0, 1)
      expect(await write(producer, 0, 'x')).toBe(CODE.outOfOrder)
      producer.sequences.set(0, 0)
    }
    expect(await write(producer, 0, 'b')).toBe(0)
    expect(await finish(producer, 'commit')).toBe(0)
    expect((await read(producer.on)).values).toEqual(['a', 'b'])
  })
})

test('by the first protocol, a partition that is not part of the transaction is not written to', async () => {
  const { on, producer } = await withTopic(1)
  expect(await write(producer, 0, 'a', { adds: false })).toBe(CODE.abortable)
  expect(await addPartitions(producer, [1])).toBe(0)
  expect(await write(producer, 0, 'a', { adds: false })).toBe(CODE.abortable)
  expect(await commitOffset(producer, 5, { adds: false })).toBe(CODE.abortable)
  expect(await finish(producer, 'commit')).toBe(0)
  // Its marker is there all the same.
  expect(await read(on, 1)).toMatchObject({ values: [], highWatermark: 1 })
  expect(await read(on, 0)).toMatchObject({ highWatermark: 0 })
  expect(await write(producer, 1, 'a', { adds: false })).toBe(CODE.abortable)
})

test('partitions that are not there are told, and none of the others is added', async () => {
  const { on, producer } = await withTopic(1)
  expect(await addPartitions(producer, [7])).toBe(CODE.unknownPartition)
  expect(await addPartitions(producer, [0, 7])).toBe(CODE.notAttempted)
  expect(await addPartitions(producer, [0], 'missing')).toBe(CODE.unknownPartition)
  expect(await finish(producer, 'commit')).toBe(CODE.invalidState)
  expect((await read(on)).highWatermark).toBe(0)
})

test('requests for IDs and producers that are not known', async () => {
  const { on, producer } = await withTopic(2)
  const stranger = { ...producer, id: 'nobody' }
  expect(await finish(stranger, 'commit')).toBe(CODE.invalidMapping)
  expect(await write(stranger, 0, 'a')).toBe(CODE.invalidMapping)
  expect(await commitOffset(stranger, 1)).toBe(CODE.invalidMapping)
  expect(await finish({ ...producer, producerId: 12345n }, 'commit')).toBe(CODE.invalidMapping)
  for (const timeoutMs of [0, -1, 900_001]) expect(await begin(producer, { timeoutMs })).toBe(CODE.invalidTimeout)
  expect(await begin(producer, { timeoutMs: 900_000 })).toBe(0)
  const { errorCode } = await on.ask(initProducerId, { transactionalId: '', transactionTimeoutMs: 1 })
  expect(errorCode).toBe(42)
})

test.each([
  ['InitProducerId', 3, CODE.invalidEpoch],
  ['InitProducerId', 4, CODE.fenced],
  ['EndTxn', 1, CODE.invalidEpoch],
  ['EndTxn', 2, CODE.fenced]
] as const)('%s %i tells a fenced producer %i', async (name, version, code) => {
  const { on, producer } = await withTopic(1)
  const old = { transactionalId: 'x', producerId: producer.producerId, producerEpoch: producer.epoch }
  await begin(producer)
  await begin(producer)
  const answer =
    name === 'EndTxn'
      ? await on.ask(endTxn, { ...old, committed: true }, { version })
      : await on.ask(initProducerId, { ...old, transactionTimeoutMs: 1000 }, { version })
  expect(answer.errorCode).toBe(code)
})

test('a batch outside of the transaction of its own producer is refused, other producers are free', async () => {
  const { on, producer } = await withTopic(2)
  await write(producer, 0, 'a')
  const batch = (producerId: number, sequence: number): Buffer =>
    encodeBatch({
      ...{ baseTimestampMs: on.clock.now(), records: [{ key: null, value: Buffer.from('b') }] },
      ...{ producerId, producerEpoch: producer.epoch, baseSequence: sequence }
    })
  const send = async (records: Buffer): Promise<number> => {
    const body = { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }
    return (await on.ask(produce, body, { version: 12 })).responses[0]!.partitionResponses[0]!.errorCode
  }
  expect(await send(batch(Number(producer.producerId), 1))).toBe(CODE.invalidState)
  expect(await send(batch(4711, 0))).toBe(0)
  expect((await read(on, 0, { committed: false })).values).toEqual(['a', 'b'])
  expect((await read(on)).values).toEqual([])
  await finish(producer, 'abort')
  expect((await read(on)).values).toEqual(['b'])
})

test('offsets are looked up up to the last stable one when only committed records are read', async () => {
  const { on, producer } = await withTopic(2)
  await write(producer, 0, 'a')
  await finish(producer, 'commit')
  await write(producer, 0, 'b')
  const last = async (isolationLevel: number): Promise<bigint> => {
    const partitions = [{ partitionIndex: 0, timestamp: -1n }]
    const { topics } = await on.ask(
      listOffsets,
      { replicaId: -1, isolationLevel, topics: [{ name: 't', partitions }] },
      { version: 7 }
    )
    return topics[0]!.partitions[0]!.offset
  }
  expect([await last(0), await last(1)]).toEqual([3n, 2n])
})

test('transactions are listed and described', async () => {
  const { on, producer } = await withTopic(1)
  const other = producerOf(on, 1, 'other')
  await begin(other)
  await write(producer, 1, 'a')
  const list = async (body: object): Promise<string[]> =>
    (await on.ask(listTransactions, body)).transactionStates.map(
      ({ transactionalId, transactionState }) => `${transactionalId} ${transactionState}`
    )
  expect(await list({})).toEqual(['x Ongoing', 'other Empty'])
  expect(await list({ stateFilters: ['Ongoing'] })).toEqual(['x Ongoing'])
  expect(await list({ producerIdFilters: [other.producerId] })).toEqual(['other Empty'])
  expect(await list({ transactionalIdPattern: 'ot.*' })).toEqual(['other Empty'])
  expect(await list({ durationFilter: 10n })).toEqual([])
  on.clock.advance(11)
  expect(await list({ durationFilter: 10n })).toEqual(['x Ongoing'])
  const odd = await on.ask(listTransactions, { stateFilters: ['Ongoing', 'Sleeping'] })
  expect([odd.unknownStateFilters, odd.transactionStates.length]).toEqual([['Sleeping'], 1])
  expect((await on.ask(listTransactions, { transactionalIdPattern: '(' })).errorCode).toBe(128)

  const { transactionStates } = await on.ask(describeTransactions, { transactionalIds: ['x', 'missing'] })
  expect(transactionStates[0]).toMatchObject({
    ...{ errorCode: 0, transactionState: 'Ongoing', transactionTimeoutMs: 60_000, producerEpoch: 0 },
    topics: [{ topic: 't', partitions: [1] }]
  })
  expect(transactionStates[1]!.errorCode).toBe(CODE.notFound)

  const describe = async () =>
    (await on.ask(describeProducers, { topics: [{ name: 't', partitionIndexes: [1, 9] }] })).topics[0]!.partitions
  const [one, nine] = await describe()
  expect(one!.activeProducers).toMatchObject([{ producerId: producer.producerId, lastSequence: 0, currentTxnStartOffset: 0n }])
  expect(nine!.errorCode).toBe(CODE.unknownPartition)
  await finish(producer, 'commit')
  expect((await describe())[0]!.activeProducers).toMatchObject([{ currentTxnStartOffset: -1n }])
})

test('an administrator ends what hangs, and not what the coordinator has under way', async () => {
  const { on, producer } = await withTopic(2)
  await write(producer, 0, 'a')
  const mark = async (over: object = {}): Promise<number> => {
    const marker = { producerId: producer.producerId, producerEpoch: producer.epoch, transactionResult: false, ...over }
    const topics = [{ name: 't', partitionIndexes: [0] }]
    const answer = await on.ask(writeTxnMarkers, { markers: [{ ...marker, topics }] })
    return answer.markers[0]!.topics[0]!.partitions[0]!.errorCode
  }
  expect(await mark()).toBe(CODE.invalidState)
  await finish(producer, 'commit')
  expect(await mark({ producerEpoch: 0 })).toBe(CODE.invalidEpoch)
  expect(await mark({ producerId: 4711n })).toBe(59)
  expect(await mark()).toBe(0)
  expect((await read(on)).values).toEqual(['a'])
})

test('IDs that nobody uses are forgotten, and a bound holds on how many there are', async () => {
  const { on, producer } = await withTopic(1, { transactionalIdExpirationMs: 5000, transactionalIdsMax: 2 })
  const other = producerOf(on, 1, 'other')
  await begin(other)
  expect(await begin(producerOf(on, 1, 'third'))).toBe(CODE.policy)
  await write(other, 0, 'a')
  on.clock.advance(10_000)
  await settle()
  const ids = async (from: TestEngine) =>
    (await from.ask(listTransactions, {})).transactionStates.map(({ transactionalId }) => transactionalId)
  expect(await ids(on)).toEqual(['other'])
  expect(await finish(producer, 'commit')).toBe(CODE.invalidMapping)
  expect(await begin(producerOf(on, 1, 'third'))).toBe(0)
  expect(await ids(await on.restart())).toEqual(['other', 'third'])
})

test('nothing is told as done that could not be written', async () => {
  const { on, producer } = await withTopic(2)
  await write(producer, 0, 'a')
  on.failNextWrite()
  expect(await finish(producer, 'commit')).toBe(15)
  const again = await on.restart()
  producer.on = again
  expect(await read(again)).toMatchObject({ values: [], lastStableOffset: 0 })
  expect(await finish(producer, 'commit')).toBe(0)
  expect((await read(again)).values).toEqual(['a'])
})
