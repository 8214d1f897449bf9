/**
 * One piece of work with a log, in a process of its own so that memory and written bytes are its own: reads an order as JSON on stdin,
 * prints one JSON line.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { type Log, openLog, type PartitionLog } from '@assay/log'
import { encodeBatch } from '@assay/records'
import { silentLogger, systemClock } from '@assay/std'

export type Order =
  | (Load & { readonly verb: 'append'; readonly milliseconds: number })
  | (Load & { readonly verb: 'fill'; readonly bytes: number; readonly end: 'close' | 'kill' })
  | (Place & { readonly verb: 'open' })
  | (Load & { readonly verb: 'follow'; readonly milliseconds: number; readonly rounds: number })

interface Place {
  readonly directory: string
  readonly partitions: number
}

interface Load extends Place {
  readonly batchBytes: number
  /** Appends under way at any time, over all partitions together. */
  readonly inFlight: number
}

/** Of the verb that it bears; the one that is killed prints it before. */
export interface Outcomes {
  readonly append: Appended
  readonly fill: Appended
  readonly open: { readonly ms: number; readonly records: number; readonly rssMiB: number }
  readonly follow: { readonly rounds: readonly FollowRound[] }
}

export interface Appended {
  readonly bytes: number
  readonly records: number
  readonly seconds: number
  /** Handed to the system by all threads, closing the log included; undefined without /proc. */
  readonly writtenBytes: number | undefined
  readonly rssMiB: number
}

/** Bytes a second: of a producer alone, then beside a consumer that reads as fast as it can, then beside one that keeps its pace. */
export interface FollowRound {
  readonly producerAlone: number
  readonly producer: number
  readonly consumer: number
  readonly producerBesidePaced: number
  readonly consumerPaced: number
}

const TOPIC_ID = 'b'.repeat(32)
const RECORD_BYTES = 1024
/** What a Fetch of Kafka's clients asks for from one partition. */
const READ_BYTES = 1 << 20
/** Of the consumer that keeps its pace, in bytes a second: somewhat above what it is to reach. */
const READ_PACE = 165e6

async function work(order: Order): Promise<void> {
  if (order.verb === 'append' || order.verb === 'fill') await append(order)
  else if (order.verb === 'open') await open(order)
  else await follow(order)
}

const print = <V extends keyof Outcomes>(_verb: V, outcome: Outcomes[V]): void => console.log(JSON.stringify(outcome))

const opened = (directory: string): Promise<Log> => openLog({ directory, clock: systemClock, logger: silentLogger })

const partitionsOf = (log: Log, count: number): PartitionLog[] =>
  Array.from({ length: count }, (_, partition) => log.partition({ topicId: TOPIC_ID, partition }))

async function append(order: Extract<Order, { verb: 'append' | 'fill' }>): Promise<void> {
  const log = await opened(order.directory)
  const partitions = partitionsOf(log, order.partitions)
  const writtenBefore = writtenBytes()
  const started = performance.now()
  const isEnough =
    order.verb === 'fill' ? (bytes: number) => bytes >= order.bytes : () => performance.now() - started >= order.milliseconds
  const { bytes, records } = await appendAll(partitions, order, isEnough)
  const seconds = (performance.now() - started) / 1000
  const isKilled = order.verb === 'fill' && order.end === 'kill'
  if (!isKilled) await log.close()
  const writtenAfter = writtenBytes()
  print(order.verb, {
    ...{ bytes, records, seconds },
    writtenBytes: writtenBefore === undefined || writtenAfter === undefined ? undefined : writtenAfter - writtenBefore,
    rssMiB: process.resourceUsage().maxRSS / 1024
  })
  if (isKilled) process.kill(process.pid, 'SIGKILL')
}

/** Each lane appends its next batch when its last one is on disk, to the next partition in turn. */
async function appendAll(
  partitions: readonly PartitionLog[],
  { batchBytes, inFlight }: Load,
  isEnough: (bytes: number) => boolean
): Promise<{ readonly bytes: number; readonly records: number }> {
  const { template, count } = batchOf(batchBytes)
  let batches = 0
  const lane = async (): Promise<void> => {
    while (!isEnough(batches * template.length)) {
      // A copy: from its append on a batch is the log's.
      await partitions[batches++ % partitions.length]!.append(Buffer.from(template))
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return { bytes: batches * template.length, records: batches * count }
}

/** Of random bytes, so that no store makes them smaller. */
function batchOf(bytes: number): { readonly template: Buffer; readonly count: number } {
  const count = Math.max(1, Math.floor(bytes / RECORD_BYTES))
  const records = Array.from({ length: count }, () => ({ key: null, value: randomBytes(RECORD_BYTES) }))
  return { template: encodeBatch({ records, baseTimestampMs: Date.now() }), count }
}

async function open({ directory, partitions }: Place): Promise<void> {
  const started = performance.now()
  const log = await opened(directory)
  const ms = performance.now() - started
  const records = partitionsOf(log, partitions).reduce((sum, { logEndOffset }) => sum + logEndOffset, 0)
  print('open', { ms, records, rssMiB: process.resourceUsage().maxRSS / 1024 })
  await log.close()
}

async function follow(order: Extract<Order, { verb: 'follow' }>): Promise<void> {
  const log = await opened(order.directory)
  const partitions = partitionsOf(log, order.partitions)
  const rounds: FollowRound[] = []
  let offset = 0
  /** Each goes on where the last one has stopped. */
  const produceBeside = async (pace: number): Promise<{ readonly producer: number; readonly consumer: number }> => {
    let isOver = false
    const reading = readUntil(partitions[0]!, { from: offset, pace, isOver: () => isOver })
    const producer = await produceFor(partitions, order)
    isOver = true
    const read = await reading
    offset = read.offset
    return { producer, consumer: read.bytesPerSecond }
  }
  for (let round = 0; round < order.rounds; round++) {
    const producerAlone = await produceFor(partitions, order)
    const paced = await produceBeside(READ_PACE)
    const full = await produceBeside(Number.POSITIVE_INFINITY)
    rounds.push({ producerAlone, ...full, producerBesidePaced: paced.producer, consumerPaced: paced.consumer })
  }
  print('follow', { rounds })
  await log.close()
}

async function produceFor(partitions: readonly PartitionLog[], load: Load & { readonly milliseconds: number }): Promise<number> {
  const started = performance.now()
  const { bytes } = await appendAll(partitions, load, () => performance.now() - started >= load.milliseconds)
  return (bytes * 1000) / (performance.now() - started)
}

interface Reading {
  readonly from: number
  /** Bytes a second, at most. */
  readonly pace: number
  readonly isOver: () => boolean
}

/** From an offset on, and from the start again at the end of what is there. */
async function readUntil(
  partition: PartitionLog,
  { from, pace, isOver }: Reading
): Promise<{ readonly offset: number; readonly bytesPerSecond: number }> {
  const started = performance.now()
  let [offset, bytes] = [from, 0]
  while (!isOver()) {
    for (const batch of await partition.read(offset, { bytesMax: READ_BYTES })) {
      bytes += batch.length
      offset = nextOffset(batch)
    }
    if (offset >= partition.highWatermark) offset = 0
    const aheadMs = (bytes * 1000) / pace - (performance.now() - started)
    if (aheadMs > 1) await new Promise(resolve => setTimeout(resolve, aheadMs))
  }
  return { offset, bytesPerSecond: (bytes * 1000) / (performance.now() - started) }
}

/** Base offset and last offset delta of a record batch. */
const nextOffset = (batch: Buffer): number => Number(batch.readBigInt64BE(0)) + batch.readInt32BE(23) + 1

/** Bytes that this process handed to the system for writing, by all its threads. */
function writtenBytes(): number | undefined {
  if (!existsSync('/proc/self/io')) return undefined
  return Number(/wchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0)
}

// Below the constants that it needs.
if (import.meta.main) await work(JSON.parse(await text(process.stdin)) as Order)
