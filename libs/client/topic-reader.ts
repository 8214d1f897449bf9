/** The records of one partition as they stand, from the first to the last that was there when reading began; outside of any consumer group. */
import { AssayError } from '@assay/errors'
import { Consumer, type RecordsBatch } from '@platformatic/kafka'
import { adminOptions, type BrokerOptions } from './broker-access.ts'
import { kafkaFailure } from './kafka-failure.ts'
import { topicAdmin } from './topic-admin.ts'

export interface RawRecord {
  readonly offset: bigint
  readonly key: Buffer | null
  /** Null is a tombstone. */
  readonly value: Buffer | null
}

export interface TopicReaderOptions extends BrokerOptions {
  readonly topic: string
  /** Default 0. */
  readonly partition?: number
}

const EARLIEST = -2n
const FETCH_BYTES_MAX = 4 * 1024 * 1024
const FETCH_WAIT_MS = 500
/** Transaction markers and the like: records that are the broker's own. */
const CONTROL_BATCH = 0b10_0000
const READ_COMMITTED = 1

/** Fails with TOPIC_NOT_FOUND, PARTITION_NOT_FOUND, UNREACHABLE or PEER_REFUSED. */
export async function* readTopic({
  topic,
  partition = 0,
  bootstrap,
  timeoutMs,
  access
}: TopicReaderOptions): AsyncGenerator<RawRecord, undefined> {
  const admin = topicAdmin({ bootstrap, timeoutMs, access })
  try {
    // The library waits for a topic that nobody makes.
    const listed = await admin.list({ internal: true })
    if (!listed.some(({ name }) => name === topic)) throw new AssayError('TOPIC_NOT_FOUND', { topic })
  } finally {
    await admin.close()
  }
  // The group is asked for by the library; nobody joins it.
  const kafka = new Consumer({ ...adminOptions({ bootstrap, timeoutMs, access }), groupId: 'assay' })
  const asked = async <T>(question: Promise<T>): Promise<T> => {
    try {
      return await question
    } catch (error) {
      throw kafkaFailure(error, { what: `Topic '${topic}'`, bootstrap })
    }
  }
  const offsetAt = async (timestamp: bigint | undefined): Promise<bigint> => {
    const question = { topics: [topic], partitions: { [topic]: [partition] }, ...(timestamp !== undefined && { timestamp }) }
    return (await asked(kafka.listOffsets(question))).get(topic)?.[partition] ?? 0n
  }
  try {
    const { topics } = await asked(kafka.metadata({ topics: [topic], autocreateTopics: false, forceUpdate: true }))
    const found = topics.get(topic)!
    const leader = found.partitions[partition]?.leader
    if (leader === undefined) throw new AssayError('PARTITION_NOT_FOUND', { topic, partition })
    const end = await offsetAt(undefined)
    for (let offset = await offsetAt(EARLIEST); offset < end; ) {
      const wanted = {
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: offset,
        lastFetchedEpoch: -1,
        partitionMaxBytes: FETCH_BYTES_MAX
      }
      const answer = await asked(
        kafka.fetch({
          node: leader,
          topics: [{ topicId: found.id, partitions: [wanted] }],
          maxBytes: FETCH_BYTES_MAX,
          minBytes: 1,
          maxWaitTime: FETCH_WAIT_MS,
          isolationLevel: READ_COMMITTED
        })
      )
      const batches = answer.responses[0]?.partitions[0]?.records ?? []
      // The end of a log that was cut short meanwhile is nearer than it was.
      if (batches.length === 0) return
      for (const batch of batches) {
        yield* recordsOf(batch, offset, end)
        offset = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n
      }
    }
  } finally {
    await kafka.close(true)
  }
}

/** Those from `start` on: a batch is handed out whole, also when it begins before. */
function* recordsOf(batch: RecordsBatch, start: bigint, end: bigint): Generator<RawRecord> {
  if ((batch.attributes & CONTROL_BATCH) !== 0) return
  for (const { offsetDelta, key, value } of batch.records) {
    const offset = batch.firstOffset + BigInt(offsetDelta)
    if (offset >= start && offset < end) yield { offset, key, value }
  }
}
