/**
 * The load generator, a process of its own: reads one order as JSON on stdin, puts load on a broker, prints one JSON line. Batches are made once
 * and sent again and again, so that the client costs little beside the broker. Any broker that speaks the Kafka protocol.
 */
import { fetch, listOffsets, produce, ZERO_UUID } from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import { type RawClient, rawClient } from '../raw-client.ts'
import { percentile } from './table.ts'

export interface Order {
  readonly verb: 'produce' | 'consume'
  readonly kafka: string
  readonly topic: string
  /** The value of every record, in base64. */
  readonly value: string
  readonly recordsPerBatch: number
  readonly connections: number
  readonly inFlight: number
  readonly milliseconds: number
  /** Records a second; 0 for as fast as it goes. */
  readonly rate: number
}

export interface Outcome {
  readonly records: number
  readonly bytes: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const FETCH_BYTES = 1 << 20

if (import.meta.main) {
  const order = JSON.parse(await new Response(ReadableStream.from(process.stdin)).text()) as Order
  console.log(JSON.stringify(await (order.verb === 'produce' ? produceLoad(order) : consumeLoad(order))))
}

async function produceLoad(order: Order): Promise<Outcome> {
  const value = Buffer.from(order.value, 'base64')
  const records = Array.from({ length: order.recordsPerBatch }, () => ({ key: null, value }))
  const batch = encodeBatch({ baseTimestampMs: Date.now(), records })
  const latencies: number[] = []
  let batches = 0
  const started = performance.now()
  const end = started + order.milliseconds
  const batchEveryMs = order.rate === 0 ? 0 : (order.recordsPerBatch * 1000) / order.rate
  let due = started
  const lane = async (client: RawClient): Promise<void> => {
    for (;;) {
      if (batchEveryMs > 0) {
        due += batchEveryMs
        const waitMs = due - performance.now()
        if (waitMs > 0) await new Promise(resolve => setTimeout(resolve, waitMs))
      }
      const sent = performance.now()
      if (sent >= end) return
      const topicData = [{ name: order.topic, topicId: ZERO_UUID, partitionData: [{ index: 0, records: batch }] }]
      const answer = await client.ask(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 30_000, topicData })
      const { errorCode, errorMessage } = answer.responses[0]!.partitionResponses[0]!
      if (errorCode !== 0) throw new Error(`error ${errorCode}: ${errorMessage}`)
      latencies.push(performance.now() - sent)
      batches++
    }
  }
  const clients = await Promise.all(Array.from({ length: order.connections }, () => rawClient(order.kafka, 'bench')))
  await Promise.all(clients.flatMap(client => Array.from({ length: order.inFlight }, () => lane(client))))
  const seconds = (performance.now() - started) / 1000
  for (const client of clients) client.close()
  const count = batches * order.recordsPerBatch
  return {
    records: count,
    bytes: count * value.length,
    seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99)
  }
}

/** Reads the topic from its start, again from there when it comes to its end, until the time is over. */
async function consumeLoad(order: Order): Promise<Outcome> {
  const value = Buffer.from(order.value, 'base64')
  const client = await rawClient(order.kafka, 'bench')
  const end = await lastOffset(client, order.topic)
  const latencies: number[] = []
  let records = 0
  let offset = 0
  const started = performance.now()
  while (performance.now() - started < order.milliseconds) {
    const asked = performance.now()
    const answer = await client.ask(fetch, 12, fetchBody(order.topic, offset))
    latencies.push(performance.now() - asked)
    const bytes = answer.responses[0]!.partitions[0]!.records?.[0] ?? Buffer.alloc(0)
    let next = offset
    // Only the headers are read: what a client does with records is not the broker's.
    for (let at = 0; at + 61 <= bytes.length; at += 12 + bytes.readInt32BE(at + 8)) {
      if (at + 12 + bytes.readInt32BE(at + 8) > bytes.length) break
      next = Number(bytes.readBigInt64BE(at)) + bytes.readInt32BE(at + 23) + 1
    }
    records += next - offset
    offset = next >= end || next === offset ? 0 : next
  }
  const seconds = (performance.now() - started) / 1000
  client.close()
  return {
    records,
    bytes: records * value.length,
    seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99)
  }
}

async function lastOffset(client: RawClient, topic: string): Promise<number> {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n }]
  const answer = await client.ask(listOffsets, 7, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: topic, partitions }],
    timeoutMs: 30_000
  })
  return Number(answer.topics[0]!.partitions[0]!.offset)
}

function fetchBody(topic: string, offset: number) {
  const partition = {
    partition: 0,
    currentLeaderEpoch: -1,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch: -1,
    logStartOffset: -1n,
    partitionMaxBytes: FETCH_BYTES,
    replicaDirectoryId: ZERO_UUID,
    highWatermark: 0n
  }
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1n },
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: FETCH_BYTES,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, topicId: ZERO_UUID, partitions: [partition] }],
    forgottenTopicsData: [],
    rackId: ''
  }
}
