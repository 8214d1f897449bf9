/**
 * The load generator, a process of its own: reads one order as JSON on stdin, puts load on a broker, prints one JSON line. Batches are
 * encoded once and sent again and again, so that the client costs little beside the broker; it tells what it cost all the same.
 */
import { text } from 'node:stream/consumers'
import { encodeRequest, fetch, listOffsets, produce, requestFrame, ZERO_UUID } from '@assay/protocol'
import { encodeBatch, HEADER_BYTES, readHeader } from '@assay/records'
import { openWire, type Wire } from './wire.ts'

export interface Order {
  readonly verb: 'produce' | 'consume'
  readonly kafka: string
  readonly topic: string
  /** The value of every record, in base64. */
  readonly value: string
  readonly recordsPerBatch: number
  readonly connections: number
  /** Requests under way on each connection. A paced load sends when the time has come, whatever is under way. */
  readonly inFlight: number
  readonly milliseconds: number
  /** Ends a producer that has sent so many batches before its time is over; 0 for no such end. */
  readonly batchesMax: number
  /** Records a second; 0 for as fast as it goes. */
  readonly rate: number
}

export interface Outcome {
  readonly records: number
  /** Of the values alone, without keys and framing. */
  readonly bytes: number
  readonly seconds: number
  /** One for each request, in milliseconds. */
  readonly latencies: readonly number[]
  /** Processor time of the generator. */
  readonly clientCpuMs: number
}

const CLIENT_ID = 'bench'
const PRODUCE_VERSION = 9
const FETCH_VERSION = 12
const LIST_OFFSETS_VERSION = 7
const LATEST = -1n
const FETCH_BYTES = 1 << 20
/** A paced load that falls behind by so many requests is no measure of latency: it ends with an error. */
const UNDER_WAY_MAX = 5000

if (import.meta.main) {
  const order = JSON.parse(await text(process.stdin)) as Order
  console.log(JSON.stringify(await runLoad(order)))
}

async function runLoad(order: Order): Promise<Outcome> {
  const wires = await Promise.all(Array.from({ length: order.connections }, () => openWire(order.kafka)))
  const latencies: number[] = []
  const load = { consume, produce: order.rate > 0 ? producePaced : produceAll }[order.verb]
  const cpu = process.cpuUsage()
  const started = performance.now()
  const records = await load(order, wires, latencies, started)
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  for (const wire of wires) wire.close()
  const bytes = records * Buffer.from(order.value, 'base64').length
  return { records, bytes, seconds, latencies, clientCpuMs: (user + system) / 1000 }
}

/** As fast as the broker acknowledges: each lane sends its next batch when the last one was answered. */
async function produceAll(order: Order, wires: readonly Wire[], latencies: number[], started: number): Promise<number> {
  const frame = produceFrame(order)
  const end = started + order.milliseconds
  const batchesMax = order.batchesMax > 0 ? order.batchesMax : Number.POSITIVE_INFINITY
  let batches = 0
  const lane = async (wire: Wire): Promise<void> => {
    while (performance.now() < end && batches < batchesMax) {
      batches++
      latencies.push(await sendBatch(wire, frame))
    }
  }
  await Promise.all(wires.flatMap(wire => Array.from({ length: order.inFlight }, () => lane(wire))))
  return batches * order.recordsPerBatch
}

/** At a fixed pace that a slow answer does not slow down, so that the requests behind a stall count too. */
async function producePaced(order: Order, wires: readonly Wire[], latencies: number[], started: number): Promise<number> {
  const frame = produceFrame(order)
  const everyMs = (order.recordsPerBatch * 1000) / order.rate
  const total = Math.floor(order.milliseconds / everyMs)
  const answers: Promise<void>[] = []
  let underWay = 0
  for (let sent = 0; sent < total; ) {
    for (; sent < total && started + sent * everyMs <= performance.now(); sent++) {
      if (++underWay > UNDER_WAY_MAX) throw new Error(`${UNDER_WAY_MAX} requests wait: the broker does not keep this pace`)
      const answer = sendBatch(wires[sent % wires.length]!, frame).then(ms => {
        underWay--
        latencies.push(ms)
      })
      // It is awaited below; until then a failure has an owner.
      answer.catch(() => {})
      answers.push(answer)
    }
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  await Promise.all(answers)
  return total * order.recordsPerBatch
}

async function sendBatch(wire: Wire, frame: Buffer): Promise<number> {
  const sent = performance.now()
  const answer = await wire.send(produce, PRODUCE_VERSION, frame)
  const { errorCode, errorMessage } = answer.responses[0]!.partitionResponses[0]!
  if (errorCode !== 0) throw new Error(`Produce was answered with error ${errorCode}: ${errorMessage}`)
  return performance.now() - sent
}

function produceFrame(order: Order): Buffer {
  const value = Buffer.from(order.value, 'base64')
  const records = Array.from({ length: order.recordsPerBatch }, () => ({ key: null, value }))
  const batch = encodeBatch({ baseTimestampMs: Date.now(), records })
  const topicData = [{ name: order.topic, topicId: ZERO_UUID, partitionData: [{ index: 0, records: batch }] }]
  const body = encodeRequest(produce, PRODUCE_VERSION, { transactionalId: null, acks: -1, timeoutMs: 30_000, topicData })
  return Buffer.concat(requestFrame(produce, PRODUCE_VERSION, 1, CLIENT_ID, body))
}

/** Each lane reads the topic from its start, and from there again at its end, until the time is over. */
async function consume(order: Order, wires: readonly Wire[], latencies: number[], started: number): Promise<number> {
  const end = await logEndOffset(wires[0]!, order.topic)
  if (end === 0) throw new Error(`topic ${order.topic} has nothing to read`)
  const until = started + order.milliseconds
  let records = 0
  const lane = async (wire: Wire): Promise<void> => {
    for (let offset = 0; performance.now() < until; ) {
      const sent = performance.now()
      const answer = await wire.send(fetch, FETCH_VERSION, fetchFrame(order.topic, offset))
      latencies.push(performance.now() - sent)
      const { errorCode, records: found } = answer.responses[0]!.partitions[0]!
      if (errorCode !== 0) throw new Error(`Fetch at offset ${offset} was answered with error ${errorCode}`)
      const next = offsetAfter(Buffer.concat(found ?? []))
      if (next === undefined) throw new Error(`nothing was found at offset ${offset} of ${end}`)
      records += next - offset
      offset = next >= end ? 0 : next
    }
  }
  await Promise.all(wires.flatMap(wire => Array.from({ length: order.inFlight }, () => lane(wire))))
  return records
}

/** The offset after the last whole batch. Only headers are read: what a client does with records is not the broker's work. */
function offsetAfter(batches: Buffer): number | undefined {
  let next: number | undefined
  for (let at = 0; at + HEADER_BYTES <= batches.length; ) {
    const header = readHeader(batches, at)
    at += header.sizeBytes
    if (at <= batches.length) next = header.baseOffset + header.lastOffsetDelta + 1
  }
  return next
}

async function logEndOffset(wire: Wire, topic: string): Promise<number> {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: LATEST }]
  const topics = [{ name: topic, partitions }]
  const body = encodeRequest(listOffsets, LIST_OFFSETS_VERSION, { replicaId: -1, isolationLevel: 0, topics, timeoutMs: 30_000 })
  const frame = Buffer.concat(requestFrame(listOffsets, LIST_OFFSETS_VERSION, 1, CLIENT_ID, body))
  const answer = await wire.send(listOffsets, LIST_OFFSETS_VERSION, frame)
  return Number(answer.topics[0]!.partitions[0]!.offset)
}

function fetchFrame(topic: string, offset: number): Buffer {
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
  const body = encodeRequest(fetch, FETCH_VERSION, {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1n },
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: FETCH_BYTES,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, topicId: ZERO_UUID, partitions: [partition] }],
    forgottenTopicsData: [],
    rackId: ''
  })
  return Buffer.concat(requestFrame(fetch, FETCH_VERSION, 1, CLIENT_ID, body))
}
