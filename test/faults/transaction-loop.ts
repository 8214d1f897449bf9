/**
 * Producers make transactions while the server is killed again and again, requests come late and twice, and second producers fence the
 * first; then two other readers say what became of it all.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { addPartitionsToTxn, createTopics, endTxn, fetch, offsetFetch, ZERO_UUID } from '@assay/protocol'
import { decodeBatch, isControl, readHeader, splitBatches } from '@assay/records'
import { pythonEnvironment } from '../conformance/clients/python-environment.ts'
import { type RawClient, rawClient } from '../raw-client.ts'
import { type Served, serve } from '../served.ts'
import { randomOf } from '../suites/random.ts'
import { frameProxy } from './frame-proxy.ts'
import { endsWatch, type FoundRecord, transactionAnomalies, type WrittenTransaction } from './transaction-history.ts'
import { Refused, transactionalProducer } from './transactional-producer.ts'

const TOPIC = 'transfers'
const PARTITIONS = 3
const PATIENCE_MS = 60_000

export interface TransactionLoopOptions {
  readonly transactions: number
  readonly fencingRounds: number
  readonly kills: number
  readonly seed: number
}

export interface TransactionReport {
  readonly committed: number
  readonly aborted: number
  readonly fenced: number
  readonly kills: number
  readonly delayed: number
  readonly copied: number
  /** False where there is no librdkafka to read with. */
  readonly readByOthers: boolean
  readonly anomalies: readonly string[]
}

export async function transactionLoop({
  transactions,
  fencingRounds,
  kills,
  seed
}: TransactionLoopOptions): Promise<TransactionReport> {
  const random = randomOf(seed)
  let served: Served = await serve()
  const { directory, kafka } = served
  const http = new URL(served.http).host
  await createTopic(kafka)
  // Only by the second protocol can a late end be told from a new one (KIP-890): the first goes straight.
  const proxy = await frameProxy({
    target: kafka,
    fateOf: apiKey => {
      if (apiKey !== endTxn.key && apiKey !== addPartitionsToTxn.key) return { delayMs: 0 }
      return { delayMs: random(4) === 0 ? random(20) : 0, ...(random(2) === 0 && { copyAfterMs: random(30) }) }
    }
  })
  const written: WrittenTransaction[] = []
  const refused = new Set<string>()
  const anomalies: string[] = []
  const watch = endsWatch()
  const seen: FoundRecord[] = []
  const stopping = new AbortController()

  const workers = [
    { id: 'late-a', protocol: 2, address: proxy.address },
    { id: 'late-b', protocol: 2, address: proxy.address },
    { id: 'straight', protocol: 2, address: kafka },
    { id: 'first-protocol', protocol: 1, address: kafka }
  ] as const
  const share = Math.ceil(transactions / workers.length)
  let fenced = 0

  async function work({ id, protocol, address }: (typeof workers)[number]): Promise<void> {
    let producer = transactionalProducer({ address, topic: TOPIC, id, protocol, patienceMs: PATIENCE_MS })
    await producer.begin()
    for (let number = 0; number < share; number++) {
      const records: { partition: number; name: string }[] = []
      let offset: number | undefined
      const steps = 1 + random(4)
      for (let step = 0; step < steps; step++) {
        const partition = random(PARTITIONS)
        const name = `${id}/${number}/${step}`
        await producer.write(partition, name)
        records.push({ partition, name })
      }
      if (random(2) === 0) {
        offset = number
        await producer.commitOffset(number)
      }
      const what = random(10)
      const note = (outcome: WrittenTransaction['outcome']): void =>
        void written.push({ producer: id, number, outcome, records, offset })
      if (what < 7) {
        await producer.end('commit')
        note('committed')
      } else if (what < 9) {
        await producer.end('abort')
        note('aborted')
      } else {
        // The client dies in the middle; the next one ends what it left.
        producer.close()
        producer = transactionalProducer({ address, topic: TOPIC, id, protocol, patienceMs: PATIENCE_MS })
        await producer.begin()
        note('aborted')
      }
    }
    producer.close()
  }

  async function fence(): Promise<void> {
    const id = 'fenced'
    const make = () =>
      transactionalProducer({ address: kafka, topic: TOPIC, id, protocol: random(2) === 0 ? 1 : 2, patienceMs: PATIENCE_MS })
    let current = make()
    await current.begin()
    for (let round = 0; round < fencingRounds; round++) {
      const old = current
      const before = { partition: random(PARTITIONS), name: `${id}/old/${round}` }
      await old.write(before.partition, before.name)
      current = make()
      await current.begin()
      written.push({ producer: id, number: 2 * round, outcome: 'aborted', records: [before], offset: undefined })
      const zombie = `${id}/zombie/${round}`
      refused.add(zombie)
      const attempts = [
        () => old.write(random(PARTITIONS), zombie),
        () => old.commitOffset(round),
        () => old.end('commit'),
        () => old.end('abort')
      ]
      for (const [at, attempt] of attempts.entries()) {
        try {
          await attempt()
          anomalies.push(`round ${round}: attempt ${at} of a producer that was fenced went well`)
        } catch (error) {
          if (!(error instanceof Refused)) throw error
          if (!/FENCED|EPOCH/.test(error.code))
            anomalies.push(`round ${round}: attempt ${at} of a fenced producer was told ${error.code}`)
        }
      }
      old.close()
      const after = { partition: random(PARTITIONS), name: `${id}/new/${round}` }
      await current.write(after.partition, after.name)
      await current.end('commit')
      written.push({ producer: id, number: 2 * round + 1, outcome: 'committed', records: [after], offset: undefined })
      fenced++
    }
    current.close()
  }

  async function observe(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const client = await rawClient(kafka)
        try {
          while (!stopping.signal.aborted) {
            for (let partition = 0; partition < PARTITIONS; partition++) {
              const page = await readPage(client, { partition, from: 0, committed: true, bytesMax: 1 << 16 })
              watch.note(partition, page)
              if (random(10) === 0) seen.push(...page.records)
            }
            await pause(20)
          }
        } finally {
          client.close()
        }
      } catch {
        await pause(20)
      }
    }
  }

  async function killAgain(): Promise<number> {
    let count = 0
    for (; count < kills && !stopping.signal.aborted; count++) {
      await pause(100 + random(400))
      await served.kill()
      served = await serve({ directory, kafka, http })
    }
    return count
  }

  const observing = observe()
  const killing = killAgain()
  try {
    await Promise.all([...workers.map(work), fence()])
  } finally {
    stopping.abort()
    await observing
  }
  const killed = await killing
  // What is still on its way: late copies of ends.
  await pause(200)
  const { delayed, copied } = proxy
  await proxy.close()
  const client = await rawClient(kafka)
  const [committed, all] = [await readAll(client, true, anomalies), await readAll(client, false, anomalies)]
  const offsets = await groupOffsets(client, ['late-a', 'late-b', 'straight', 'first-protocol'])
  client.close()
  const others = await readWithLibrdkafka(kafka)
  if (others !== undefined) anomalies.push(...differences(others, committed))
  anomalies.push(...watch.anomalies, ...transactionAnomalies({ written, refused, committed, all, offsets, seen }))
  if ((await served.stop()) !== 0) anomalies.push('the server did not stop as it was asked to')
  const count = (outcome: string): number => written.filter(one => one.outcome === outcome).length
  return {
    committed: count('committed'),
    aborted: count('aborted'),
    fenced,
    kills: killed,
    delayed,
    copied,
    readByOthers: others !== undefined,
    anomalies
  }
}

function differences(names: readonly string[], committed: readonly FoundRecord[]): string[] {
  const anomalies: string[] = []
  const left = new Set(committed.map(({ name }) => name))
  for (const name of names) if (!left.delete(name)) anomalies.push(`librdkafka reads ${name}, which is not committed, or again`)
  for (const name of left) anomalies.push(`librdkafka does not read ${name}`)
  return anomalies
}

async function createTopic(kafka: string): Promise<void> {
  const client = await rawClient(kafka)
  const topic = { name: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1, assignments: [], configs: [] }
  await client.ask(createTopics, 5, { topics: [topic], timeoutMs: 10_000, validateOnly: false })
  client.close()
}

interface Page {
  readonly records: FoundRecord[]
  readonly next: number
  readonly highWatermark: number
  readonly lastStableOffset: number
}

async function readPage(
  client: RawClient,
  { partition, from, committed, bytesMax }: { partition: number; from: number; committed: boolean; bytesMax: number }
): Promise<Page> {
  const wanted = {
    ...{ partition, currentLeaderEpoch: -1, fetchOffset: BigInt(from), lastFetchedEpoch: -1, logStartOffset: -1n },
    ...{ partitionMaxBytes: bytesMax, replicaDirectoryId: ZERO_UUID, highWatermark: 0n }
  }
  const answer = await client.ask(fetch, 12, {
    ...{ clusterId: null, replicaId: -1, replicaState: { replicaId: -1, replicaEpoch: -1n }, maxWaitMs: 0, minBytes: 0 },
    ...{ maxBytes: bytesMax, isolationLevel: committed ? 1 : 0, sessionId: 0, sessionEpoch: -1 },
    ...{ topics: [{ topic: TOPIC, topicId: ZERO_UUID, partitions: [wanted] }], forgottenTopicsData: [], rackId: '' }
  })
  const found = answer.responses[0]!.partitions[0]!
  const waiting = [...(found.abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset - b.firstOffset))
  const open = new Set<number>()
  const records: FoundRecord[] = []
  let next = from
  for (const batch of splitBatches(Buffer.concat(found.records ?? []))) {
    const header = readHeader(batch)
    next = header.baseOffset + header.lastOffsetDelta + 1
    while (waiting.length > 0 && Number(waiting[0]!.firstOffset) <= header.baseOffset)
      open.add(Number(waiting.shift()!.producerId))
    if (isControl(header)) open.delete(header.producerId)
    else if (!open.has(header.producerId)) {
      for (const { offset, value } of decodeBatch(batch, 1 << 20)) records.push({ partition, offset, name: value!.toString() })
    }
  }
  return { records, next, highWatermark: Number(found.highWatermark), lastStableOffset: Number(found.lastStableOffset) }
}

async function readAll(client: RawClient, committed: boolean, anomalies: string[]): Promise<FoundRecord[]> {
  const records: FoundRecord[] = []
  for (let partition = 0; partition < PARTITIONS; partition++) {
    for (let from = 0; ; ) {
      const page = await readPage(client, { partition, from, committed, bytesMax: 1 << 14 })
      records.push(...page.records)
      if (page.next === from) {
        if (page.lastStableOffset !== page.highWatermark)
          anomalies.push(
            `partition ${partition} is stable up to ${page.lastStableOffset} of ${page.highWatermark}: a transaction hangs`
          )
        break
      }
      from = page.next
    }
  }
  return records
}

async function groupOffsets(client: RawClient, ids: readonly string[]): Promise<Map<string, number>> {
  const offsets = new Map<string, number>()
  for (const id of ids) {
    const topics = [{ name: TOPIC, topicId: ZERO_UUID, partitionIndexes: [0] }]
    const asked = { groupId: `group-${id}`, memberId: null, memberEpoch: -1, topics }
    const { groups } = await client.ask(offsetFetch, 8, { groupId: '', topics: null, groups: [asked], requireStable: true })
    const { errorCode, committedOffset } = groups[0]!.topics[0]!.partitions[0]!
    offsets.set(id, errorCode === 0 ? Number(committedOffset) : -errorCode)
  }
  return offsets
}

/** The names of all committed records, as librdkafka reads them, which wrote none of them; undefined where it cannot be had. */
async function readWithLibrdkafka(kafka: string): Promise<string[] | undefined> {
  const environment = pythonEnvironment()
  if ('missing' in environment) return undefined
  const script = join(import.meta.dirname, 'read_committed.py')
  const { stdout } = await promisify(execFile)(environment.python, ['-W', 'ignore', script, kafka, TOPIC], { maxBuffer: 1 << 26 })
  return JSON.parse(stdout) as string[]
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
