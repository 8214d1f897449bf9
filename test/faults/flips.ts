/**
 * Flips one byte of one file in the data directory of a server that was stopped, starts the server on it and reads everything. What comes
 * of it must be the same as before, or an error that names what is damaged; never other data without a word.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { registryClient, topicAdmin } from '@assay/client'
import { loadConfig } from '@assay/config'
import { isAssayError } from '@assay/errors'
import { errorName, fetch, metadata, offsetCommit, offsetFetch, produce, ZERO_UUID } from '@assay/protocol'
import { encodeBatch, splitBatches } from '@assay/records'
import { silentLogger } from '@assay/std'
import { type Server, startServer } from '../../apps/cli/server.ts'
import { type RawClient, rawClient } from '../raw-client.ts'
import { randomOf } from '../suites/random.ts'
import { throwawayDirectory } from './powercut/recorder.ts'

export interface FlipReport {
  readonly flips: number
  /** By kind of file, what came of it. */
  readonly outcomes: Readonly<Record<string, Readonly<Record<Outcome, number>>>>
  readonly anomalies: readonly string[]
}

/** `refused`: the server did not start. `reported`: it did, and somebody who asked for what is damaged got an error. */
type Outcome = 'harmless' | 'refused' | 'reported' | 'silent'

const PARTITIONS = 4
const BATCHES = 40
const SCHEMAS = 2_050
const BYTES_MAX = 1 << 24

export async function flips({ count, seed }: { readonly count: number; readonly seed: number }): Promise<FlipReport> {
  const random = randomOf(seed)
  const root = throwawayDirectory()
  const sound = join(root, 'sound')
  mkdirSync(sound)
  await fill(sound)
  const copy = join(root, 'copy')
  cpSync(sound, copy, { recursive: true })
  const wanted = await contentOf(copy)
  if (wanted instanceof Error) throw wanted
  const outcomes: Record<string, Record<Outcome, number>> = {}
  const anomalies: string[] = []
  const byKind = [...Map.groupBy(filesIn(sound), kindOf)].filter(([kind]) => kind !== 'not read')
  for (let flip = 0; flip < count; flip++) {
    // Kinds in turn, for the smallest matter as much as the largest.
    const [kind, names] = byKind[flip % byKind.length]!
    const name = names[random(names.length)]!
    const bytes = readFileSync(join(sound, name))
    const at = random(bytes.length)
    const bit = 1 << random(8)
    const isInBatch = /(plain|keyed) \d \d+ /.test(bytes.toString('latin1', at - 30, at + 30))
    bytes[at]! ^= bit
    rmSync(copy, { recursive: true })
    cpSync(sound, copy, { recursive: true })
    writeFileSync(join(copy, name), bytes)
    const { outcome, anomaly } = judge(wanted, await contentOf(copy), isInBatch && !name.endsWith('.log'))
    outcomes[kind] ??= { harmless: 0, refused: 0, reported: 0, silent: 0 }
    outcomes[kind][outcome]++
    if (anomaly !== undefined)
      anomalies.push(`flip ${flip}: bit ${bit} of byte ${at} of ${name} (${bytes.length} bytes): ${anomaly}`)
  }
  rmSync(root, { recursive: true })
  return { flips: count, outcomes, anomalies }
}

const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(name => statSync(join(directory, name)).isFile() && statSync(join(directory, name)).size > 0)
    .sort()

/** Numbers aside. What LevelDB tells to people is read by nobody. */
function kindOf(name: string): string {
  if (/LOG(\.old)?$/.test(name)) return 'not read'
  return name.replace(/\d{3,}/g, 'N')
}

/** Everything that a client can ask for, by what it is called. An error in place of what was asked for begins with `error`. */
type Content = ReadonlyMap<string, string>

function judge(
  wanted: Content,
  found: Content | Error,
  isInBatch: boolean
): { readonly outcome: Outcome; readonly anomaly?: string } {
  if (found instanceof Error) {
    const isClear = isAssayError(found) && /STORE_CORRUPT|STORE_NOT_OURS|UNSUPPORTED_VERSION/.test(found.code)
    return { outcome: 'refused', ...(!isClear && { anomaly: `unclear: ${found.stack}` }) }
  }
  const others = [...wanted].filter(([name, content]) => found.get(name) !== content).map(([name]) => name)
  if (others.length === 0) return { outcome: 'harmless' }
  const silent = others.filter(name => !found.get(name)?.startsWith('error'))
  if (silent.length > 0) {
    const [first] = silent
    return {
      outcome: 'silent',
      anomaly: `silent: ${silent.join(', ')}; ${wanted.get(first!)!.slice(0, 300)} became ${found.get(first!)?.slice(0, 300)}`
    }
  }
  // A look-up by time reads batches of the partition, too.
  const isSpread = isInBatch && others.filter(name => !name.startsWith('times of')).length > 1
  return { outcome: 'reported', ...(isSpread && { anomaly: `spread: one byte harms ${others.join(', ')}` }) }
}

const configOf = (directory: string) => ({
  ...loadConfig({ flags: { data: directory, http: '127.0.0.1:0', kafka: '127.0.0.1:0' }, env: {}, file: {} }).config,
  segmentBytes: 60_000,
  checkpointBytes: 30_000
})

/** Topics with everything that is kept of them, commits, schemas; stopped and started in between, so that there are tables. */
async function fill(directory: string): Promise<void> {
  for (let life = 0; life < 3; life++) {
    const server = await startServer(configOf(directory), silentLogger)
    const admin = topicAdmin({ bootstrap: server.kafka, timeoutMs: 10_000 })
    if (life === 0) {
      await admin.create({ name: 'plain', partitions: PARTITIONS, configs: { 'retention.ms': '-1' } })
      await admin.create({ name: 'keyed', partitions: 1, configs: { 'cleanup.policy': 'compact' } })
      const registry = registryClient({ url: server.http })
      for (let at = 0; at < SCHEMAS; at += 50)
        await Promise.all(
          Array.from({ length: 50 }, (_, index) => registry.register(`s${at + index}`, { schema: schemaText(at + index) }))
        )
    }
    const client = await rawClient(server.kafka)
    for (let at = 0; at < BATCHES; at++) {
      await send(client, 'plain', at % PARTITIONS, life * BATCHES + at)
      if (at % 4 === 0) await send(client, 'keyed', 0, life * BATCHES + at)
    }
    for (let partition = 0; partition < PARTITIONS; partition++) await commit(client, partition, life * 3 + partition)
    if (life === 1) await admin.deleteRecords('plain', [{ partition: 1, offset: 7n }])
    client.close()
    await admin.close()
    await server.close()
  }
}

const schemaText = (number: number): string =>
  JSON.stringify({ type: 'fixed', name: `F${number % 200}`, size: 1 + (number % 200) })

async function send(client: RawClient, topic: string, partition: number, number: number): Promise<void> {
  const value = Buffer.from(`${topic} ${partition} ${number} `.repeat(40 + (number % 50)))
  const records = encodeBatch({
    baseTimestampMs: 1_700_000_000_000 + number,
    records: [
      { key: Buffer.from(`k${number % 9}`), value },
      { key: Buffer.from('other'), value: Buffer.alloc(600) }
    ]
  })
  const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: partition, records }] }]
  const { responses } = await client.ask(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData })
  const { errorCode } = responses[0]!.partitionResponses[0]!
  if (errorCode !== 0) throw new Error(`${topic}-${partition}: ${errorName(errorCode)}`)
}

async function commit(client: RawClient, partition: number, offset: number): Promise<void> {
  const { topics } = await client.ask(offsetCommit, 8, {
    ...{ groupId: 'readers', generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null, retentionTimeMs: -1n },
    topics: [
      {
        ...{ name: 'plain', topicId: ZERO_UUID },
        partitions: [
          { partitionIndex: partition, committedOffset: BigInt(offset), committedLeaderEpoch: -1, committedMetadata: null }
        ]
      }
    ]
  })
  const { errorCode } = topics[0]!.partitions[0]!
  if (errorCode !== 0) throw new Error(`commit: ${errorName(errorCode)}`)
}

/** The error that kept the server from starting, or everything. */
async function contentOf(directory: string): Promise<Content | Error> {
  let server: Server
  try {
    server = await startServer(configOf(directory), silentLogger)
  } catch (error) {
    return error as Error
  }
  const content = new Map<string, string>()
  const note = async (name: string, ask: () => Promise<unknown>): Promise<void> => {
    try {
      content.set(
        name,
        JSON.stringify(await ask(), (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
      )
    } catch (error) {
      content.set(name, `error: ${(error as Error).message}`)
    }
  }
  const admin = topicAdmin({ bootstrap: server.kafka, timeoutMs: 10_000 })
  const client = await rawClient(server.kafka)
  try {
    await note('cluster', async () => {
      const asked = {
        allowAutoTopicCreation: false,
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false
      }
      return (await client.ask(metadata, 8, { topics: null, ...asked })).clusterId
    })
    await note('topics', () => admin.list({ internal: true }))
    for (const topic of ['plain', 'keyed']) {
      await note(`settings of ${topic}`, async () => (await admin.describe(topic)).configs)
      const partitions = topic === 'plain' ? PARTITIONS : 1
      for (let partition = 0; partition < partitions; partition++)
        await note(`${topic}-${partition}`, () => readWhole(client, admin, topic, partition))
      await note(`times of ${topic}`, () => admin.offsets(topic, 1_700_000_000_050n))
    }
    await note('commits', async () => {
      const topics = [{ name: 'plain', partitionIndexes: Array.from({ length: PARTITIONS }, (_, partition) => partition) }]
      return client.ask(offsetFetch, 5, { groupId: 'readers', topics, groups: [], requireStable: false })
    })
    const registry = registryClient({ url: server.http })
    await note('subjects', () => registry.subjects())
    await note('schemas', async () => {
      const all = []
      for await (const version of registry.schemas()) all.push(version)
      return all
    })
  } finally {
    client.close()
    await admin.close()
    await server.close().catch((error: unknown) => content.set('close', `error: ${(error as Error).message}`))
  }
  return content
}

/** First offset, last offset, and all bytes between them. */
async function readWhole(
  client: RawClient,
  admin: ReturnType<typeof topicAdmin>,
  topic: string,
  partition: number
): Promise<unknown> {
  const [first, end] = await Promise.all([-2n, -1n].map(async at => (await admin.offsets(topic, at))[partition]!.offset))
  const batches: string[] = []
  for (let offset = Number(first); offset < Number(end); ) {
    const wanted = {
      ...{ partition, currentLeaderEpoch: -1, fetchOffset: BigInt(offset), lastFetchedEpoch: -1, logStartOffset: -1n },
      ...{ partitionMaxBytes: BYTES_MAX, replicaDirectoryId: ZERO_UUID, highWatermark: 0n }
    }
    const answer = await client.ask(fetch, 12, {
      ...{ clusterId: null, replicaId: -1, replicaState: { replicaId: -1, replicaEpoch: -1n }, maxWaitMs: 0, minBytes: 0 },
      ...{ maxBytes: BYTES_MAX, isolationLevel: 0, sessionId: 0, sessionEpoch: -1, forgottenTopicsData: [], rackId: '' },
      topics: [{ topic, topicId: ZERO_UUID, partitions: [wanted] }]
    })
    const found = answer.responses[0]!.partitions[0]!
    if (found.errorCode !== 0) throw new Error(`${topic}-${partition}@${offset}: ${errorName(found.errorCode)}`)
    const page = splitBatches(Buffer.concat(found.records ?? []))
    if (page.length === 0) return [first, end, ...batches, `nothing at ${offset}`]
    for (const batch of page) {
      batches.push(batch.toString('latin1'))
      offset = Number(batch.readBigInt64BE(0)) + batch.readInt32BE(23) + 1
    }
  }
  return [first, end, ...batches]
}
