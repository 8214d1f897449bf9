/** A transactional producer, and readers, as tests drive them request by request, by either protocol. */
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  createTopics,
  endTxn,
  fetch,
  initProducerId,
  offsetFetch,
  produce,
  txnOffsetCommit
} from '@assay/protocol'
import { decodeBatch, encodeBatch, isControl, readHeader, splitBatches } from '@assay/records'
import type { TestEngine } from '../engine.fixture.ts'

export type Protocol = 1 | 2

export interface TestProducer {
  readonly id: string
  readonly protocol: Protocol
  on: TestEngine
  producerId: bigint
  epoch: number
  readonly sequences: Map<number, number>
}

export const producerOf = (on: TestEngine, protocol: Protocol, id = 'x'): TestProducer => ({
  ...{ id, protocol, on, producerId: -1n, epoch: -1 },
  sequences: new Map()
})

/** Each gives the error code. */
export async function begin(producer: TestProducer, { timeoutMs = 60_000, goesOn = false } = {}): Promise<number> {
  const answer = await producer.on.ask(initProducerId, {
    transactionalId: producer.id,
    transactionTimeoutMs: timeoutMs,
    ...(goesOn && { producerId: producer.producerId, producerEpoch: producer.epoch })
  })
  if (answer.errorCode === 0) Object.assign(producer, { producerId: answer.producerId, epoch: answer.producerEpoch })
  producer.sequences.clear()
  return answer.errorCode
}

export async function addPartitions(producer: TestProducer, partitions: number[], topic = 't'): Promise<number> {
  const { on, id, producerId, epoch } = producer
  const answer = await on.ask(
    addPartitionsToTxn,
    {
      v3AndBelowTransactionalId: id,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: epoch,
      v3AndBelowTopics: [{ name: topic, partitions }]
    },
    { version: 3 }
  )
  return answer.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode
}

/** One record with this value; the sequence goes on unless it was refused. */
export async function write(producer: TestProducer, partition: number, value: string, { adds = true } = {}): Promise<number> {
  const { on, id, protocol, producerId, epoch, sequences } = producer
  if (protocol === 1 && adds) {
    const error = await addPartitions(producer, [partition])
    if (error !== 0) return error
  }
  const sequence = sequences.get(partition) ?? 0
  const records = encodeBatch({
    baseTimestampMs: on.clock.now(),
    records: [{ key: null, value: Buffer.from(value) }],
    ...{ producerId: Number(producerId), producerEpoch: epoch, baseSequence: sequence, isTransactional: true }
  })
  const answer = await on.ask(
    produce,
    {
      transactionalId: id,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: 't', partitionData: [{ index: partition, records }] }]
    },
    { version: protocol === 2 ? 12 : 11 }
  )
  const { errorCode } = answer.responses[0]!.partitionResponses[0]!
  if (errorCode === 0) sequences.set(partition, sequence + 1)
  return errorCode
}

export async function commitOffset(
  producer: TestProducer,
  offset: number,
  { group = 'g', partition = 0, adds = true } = {}
): Promise<number> {
  const { on, id, protocol, producerId, epoch } = producer
  const own = { transactionalId: id, groupId: group, producerId, producerEpoch: epoch }
  if (protocol === 1 && adds) {
    const { errorCode } = await on.ask(addOffsetsToTxn, own)
    if (errorCode !== 0) return errorCode
  }
  const answer = await on.ask(
    txnOffsetCommit,
    {
      ...own,
      topics: [{ name: 't', partitions: [{ partitionIndex: partition, committedOffset: BigInt(offset), committedMetadata: '' }] }]
    },
    { version: protocol === 2 ? 5 : 4 }
  )
  return answer.topics[0]!.partitions[0]!.errorCode
}

export async function finish(producer: TestProducer, how: 'commit' | 'abort'): Promise<number> {
  const { on, id, protocol, producerId, epoch, sequences } = producer
  const answer = await on.ask(
    endTxn,
    { transactionalId: id, producerId, producerEpoch: epoch, committed: how === 'commit' },
    { version: protocol === 2 ? 5 : 4 }
  )
  if (answer.errorCode === 0 && protocol === 2) {
    Object.assign(producer, { producerId: answer.producerId, epoch: answer.producerEpoch })
    sequences.clear()
  }
  return answer.errorCode
}

export interface Read {
  /** What a consumer hands on: without markers, and without what was aborted where it is told so. */
  readonly values: string[]
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly abortedCount: number
}

export async function read(on: TestEngine, partition = 0, { committed = true, from = 0 } = {}): Promise<Read> {
  const answer = await on.ask(
    fetch,
    {
      ...{ maxWaitMs: 0, minBytes: 0, maxBytes: 10_000_000, isolationLevel: committed ? 1 : 0 },
      topics: [{ topic: 't', partitions: [{ partition, fetchOffset: BigInt(from), partitionMaxBytes: 10_000_000 }] }]
    },
    { version: 12 }
  )
  const { records, abortedTransactions, highWatermark, lastStableOffset } = answer.responses[0]!.partitions[0]!
  // As clients do it: from its first offset on a producer's batches are passed over, up to its marker.
  const waiting = [...(abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset - b.firstOffset))
  const open = new Set<bigint>()
  const values: string[] = []
  for (const batch of splitBatches(Buffer.concat(records ?? []))) {
    const header = readHeader(batch)
    while (waiting.length > 0 && waiting[0]!.firstOffset <= BigInt(header.baseOffset)) open.add(waiting.shift()!.producerId)
    if (isControl(header)) open.delete(BigInt(header.producerId))
    else if (!open.has(BigInt(header.producerId))) {
      for (const { value, offset } of decodeBatch(batch, 1_000_000)) if (offset >= from) values.push(value!.toString())
    }
  }
  return {
    values,
    highWatermark: Number(highWatermark),
    lastStableOffset: Number(lastStableOffset),
    abortedCount: abortedTransactions?.length ?? 0
  }
}

/** The committed offset, or the name of what stands against telling it. */
export async function committedOffset(
  on: TestEngine,
  { group = 'g', partition = 0, requireStable = true } = {}
): Promise<number | 'unstable'> {
  const answer = await on.ask(
    offsetFetch,
    { requireStable, groups: [{ groupId: group, topics: [{ name: 't', partitionIndexes: [partition] }] }] },
    { version: 9 }
  )
  const { errorCode, committedOffset: offset } = answer.groups[0]!.topics[0]!.partitions[0]!
  return errorCode === 88 ? 'unstable' : Number(offset)
}

export async function makeTopic(on: TestEngine, partitions = 2, configs: Record<string, string> = {}): Promise<void> {
  const pairs = Object.entries(configs).map(([name, value]) => ({ name, value }))
  const { topics } = await on.ask(createTopics, {
    topics: [{ name: 't', numPartitions: partitions, replicationFactor: 1, configs: pairs }]
  })
  if (topics[0]!.errorCode !== 0) throw new Error(`topic: ${topics[0]!.errorCode}`)
}
