/** `assay transaction` against a server in this process: what it shows of transactions under way, ended and hanging, and which of them it ends. */
import { loadConfig } from '@assay/config'
import type { Log } from '@assay/log'
import { addPartitionsToTxn, endTxn, errorName, initProducerId, produce } from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import { silentLogger } from '@assay/std'
import { Admin } from '@platformatic/kafka'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../../../apps/cli/server.ts'
import { inMemory } from '../../../apps/cli/storage.ts'
import { type RawClient, rawClient } from '../../raw-client.ts'
import { commandLine, type Ran } from './command.ts'

let server: Server
let log: Log
let client: RawClient
const { run, json } = commandLine(() => server, { ownProcess: false })
const assay = (line: string): Promise<Ran> => run(['transaction', ...line.split(' ')])
const told = (line: string) => json(['transaction', ...line.split(' ')]) as Promise<Record<string, unknown>[]>

beforeAll(async () => {
  const { config } = loadConfig({ flags: { http: '127.0.0.1:0', kafka: '127.0.0.1:0' }, env: {}, file: {} })
  server = await startServer(config, silentLogger, {
    storage: async (...args) => {
      const opened = await inMemory(...args)
      log = opened.log
      return opened
    }
  })
  client = await rawClient(server.kafka)
  for (const topic of ['paid', 'torn', 'quiet']) expect((await run(['topic', 'create', topic, '-p', '2'])).code).toBe(0)
})

afterAll(async () => {
  client.close()
  await server.close()
})

interface Begun {
  readonly id: string
  readonly producerId: bigint
  readonly producerEpoch: number
}

async function begin(id: string): Promise<Begun> {
  const own = { transactionalId: id, transactionTimeoutMs: 60_000, producerId: -1n, producerEpoch: -1 }
  const { errorCode, ...begun } = await client.ask(initProducerId, 4, own)
  expect(errorCode).toBe(0)
  return { id, ...begun }
}

const batchOf = (producerId: number, producerEpoch: number, baseSequence: number): Buffer =>
  encodeBatch({
    baseTimestampMs: Date.now(),
    records: [{ key: null, value: Buffer.from('v') }],
    ...{ producerId, producerEpoch, baseSequence, isTransactional: true }
  })

/** The error of writing one record to a partition of `paid` in a transaction. */
async function write({ id, producerId, producerEpoch }: Begun, index: number, sequence: number): Promise<string> {
  const topics = [{ name: 'paid', partitions: [index] }]
  const own = { v3AndBelowTransactionalId: id, v3AndBelowProducerId: producerId, v3AndBelowProducerEpoch: producerEpoch }
  const added = await client.ask(addPartitionsToTxn, 3, { transactions: [], ...own, v3AndBelowTopics: topics })
  const { partitionErrorCode } = added.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!
  if (partitionErrorCode !== 0) return errorName(partitionErrorCode)
  const records = batchOf(Number(producerId), producerEpoch, sequence)
  const topicData = [{ name: 'paid', topicId: '0'.repeat(32), partitionData: [{ index, records }] }]
  const answer = await client.ask(produce, 9, { transactionalId: id, acks: -1, timeoutMs: 1000, topicData })
  return errorName(answer.responses[0]!.partitionResponses[0]!.errorCode)
}

const commit = async ({ id, producerId, producerEpoch }: Begun): Promise<number> =>
  (await client.ask(endTxn, 3, { transactionalId: id, producerId, producerEpoch, committed: true })).errorCode

/** A transaction that no coordinator knows, as a directory may hold it that was mended after damage. */
async function hang(topic: string, partition: number, producerId: number): Promise<void> {
  const admin = new Admin({ clientId: 'verbs', bootstrapBrokers: [server.kafka] })
  const { topics } = await admin.metadata({ topics: [topic] })
  await admin.close()
  const topicId = topics.get(topic)!.id.replaceAll('-', '')
  await log.partition({ topicId, partition }).append(batchOf(producerId, 3, 0))
}

test('transactions are listed by state, producer, duration and name, and described', async () => {
  const [shop, bank] = [await begin('shop'), await begin('bank')]
  const idle = await begin('idle')
  expect([await write(shop, 0, 0), await write(shop, 1, 0), await write(bank, 1, 0)]).toEqual(['NONE', 'NONE', 'NONE'])
  expect(await commit(bank)).toBe(0)
  const ids = async (line: string) => (await told(`list ${line}`)).map(({ transactionalId }) => transactionalId)
  expect(await ids('--pattern .*')).toEqual(['bank', 'idle', 'shop'])
  expect(await ids('--state Ongoing --state Empty')).toEqual(['idle', 'shop'])
  expect(await ids(`--producer-id ${idle.producerId} --producer-id ${bank.producerId}`)).toEqual(['bank', 'idle'])
  expect(await ids('--pattern .a.*')).toEqual(['bank'])
  expect(await ids('--longer-than PT10M')).toEqual([])
  await expect.poll(() => ids('--longer-than PT0S')).toEqual(['shop'])
  const shown = await assay('list')
  expect(shown.out).toMatch(/TRANSACTIONALID\s+COORDINATOR\s+PRODUCERID\s+STATE\nbank\s+0\s+\d+\s+CompleteCommit/)
  expect(await assay('list --pattern nobody')).toMatchObject({ code: 0, out: '', err: 'There is no such transactional ID.\n' })

  expect(await told('describe shop')).toMatchObject({
    ...{ transactionalId: 'shop', state: 'Ongoing', coordinator: 0, producerId: Number(shop.producerId), producerEpoch: 0 },
    ...{ timeoutMs: 60_000, seconds: expect.any(Number), started: expect.stringMatching(/^20/) },
    partitions: [0, 1].map(partition => ({ topic: 'paid', partition }))
  })
  expect(await told('describe bank')).toMatchObject({ state: 'CompleteCommit', seconds: null, partitions: [] })
  expect(await told('describe idle')).toMatchObject({ state: 'Empty', started: null, partitions: [] })
  expect((await assay('describe shop')).out).toMatch(/TOPIC\s+PARTITION\npaid\s+0\npaid\s+1\n/)
  const producers = await told('describe-producers --topic paid')
  expect(producers.map(({ partition, producerId, transactionFrom }) => [partition, producerId, transactionFrom])).toEqual([
    [0, Number(shop.producerId), 0],
    [1, Number(shop.producerId), 0],
    [1, Number(bank.producerId), null]
  ])
  expect((await told('describe-producers --topic paid --partition 0')).length).toBe(1)
})

test('a transaction is aborted by its ID, and its producer is fenced', async () => {
  const late = await begin('late')
  expect(await write(late, 0, 0)).toBe('NONE')
  expect(await told('abort late --yes')).toEqual({ aborted: 'late', producerId: Number(late.producerId), producerEpoch: 0 })
  expect(await told('describe late')).toMatchObject({ state: 'Empty', partitions: [], timeoutMs: 60_000 })
  expect(await write(late, 0, 1)).toBe('PRODUCER_FENCED')
  expect(await assay('abort late --yes')).toMatchObject({
    code: 2,
    err: expect.stringContaining('has no transaction under way: it is Empty')
  })
})

test('a transaction that hangs is found and aborted; one that its coordinator has under way is not', async () => {
  await hang('torn', 1, 70_001)
  await hang('torn', 0, 70_002)
  const live = await begin('live')
  expect(await write(live, 1, 0)).toBe('NONE')
  expect(await told('find-hanging')).toEqual([])
  expect(await assay('find-hanging')).toMatchObject({ code: 0, err: 'No transaction hangs.\n' })
  const found = await told('find-hanging --quiet-for PT0S')
  expect(found).toMatchObject([
    { topic: 'torn', partition: 0, producerId: 70_002, epoch: 3, transactionFrom: 0 },
    { topic: 'torn', partition: 1, producerId: 70_001, epoch: 3, transactionFrom: 0 }
  ])
  expect((await told('find-hanging --quiet-for PT0S --topic torn --partition 1')).length).toBe(1)
  expect(await told('find-hanging --quiet-for PT0S --topic quiet')).toEqual([])

  const owned = await assay(`abort --topic paid --partition 1 --producer-id ${live.producerId} --yes`)
  expect(owned).toMatchObject({ code: 2, err: expect.stringContaining('it is that of live') })
  expect(await commit(live)).toBe(0)
  expect((await assay('abort --topic torn --partition 1 --start-offset 0 --yes')).code).toBe(0)
  expect(await told('abort --topic torn --partition 0 --producer-id 70002 --yes')).toMatchObject({ transactionFrom: 0 })
  expect(await told('find-hanging --quiet-for PT0S')).toEqual([])
  expect(await told('describe-producers --topic torn --partition 1')).toMatchObject([
    { producerId: 70_001, transactionFrom: null }
  ])
  const again = await assay('abort --topic torn --partition 1 --start-offset 0 --yes')
  expect(again).toMatchObject({ code: 2, err: expect.stringContaining('no such open transaction') })
})

test.each<[string, string, number, RegExp]>([
  ['a state that is none', 'list --state Sleeping', 2, /Sleeping is no state of a transaction/],
  ['an expression that is none', 'list --pattern (', 2, /no regular expression/],
  ['a duration that is none', 'list --longer-than 5', 2, /--longer-than 5: expected a duration/],
  ['an ID that is none', 'describe nobody', 1, /TRANSACTIONAL_ID_NOT_FOUND/],
  ['a topic that is none', 'describe-producers --topic pain', 1, /Did you mean paid\?/],
  ['a partition that is none', 'describe-producers --topic paid --partition 2', 2, /paid has no partition 2/],
  ['a partition of no topic', 'find-hanging --partition 2', 2, /--partition needs --topic/],
  ['nothing to abort', 'abort', 2, /give a transactional ID, or --topic/],
  ['two ways to abort', 'abort shop --topic paid', 2, /give a transactional ID, or --topic/],
  ['a partition without a transaction', 'abort --topic paid --partition 0', 2, /one of --producer-id and --start-offset/],
  ['an ID that is none, to abort', 'abort nobody --yes', 1, /TRANSACTIONAL_ID_NOT_FOUND/]
])('%s is told', async (_, line, code, reason) => {
  const { code: ended, err } = await assay(line)
  expect({ ended, err }).toEqual({ ended: code, err: expect.stringMatching(reason) })
})
