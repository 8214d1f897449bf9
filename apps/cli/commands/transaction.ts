/** `assay transaction list|describe|describe-producers|find-hanging|abort`: transactions over the Kafka protocol, of any broker. */
import {
  type PartitionTransaction,
  type TopicAdmin,
  type TransactionAdmin,
  topicAdmin,
  transactionAdmin,
  UNDER_WAY
} from '@assay/client'
import { AssayError } from '@assay/errors'
import { Command } from 'commander'
import { brokerOf } from '../broker-access.ts'
import { confirmed } from '../confirm.ts'
import { durationMs } from '../durations.ts'
import { aboutTopic } from '../nearest-topic.ts'
import { configOf, formatOf, withSettings } from '../options.ts'
import { line, printFacts, printRows, say } from '../print.ts'

interface Doors {
  readonly transactions: TransactionAdmin
  readonly topics: TopicAdmin
}

export function transactionCommand(): Command {
  return new Command('transaction')
    .description('list, describe and end transactions; find those that nobody will end')
    .addCommand(listCommand())
    .addCommand(describeCommand())
    .addCommand(producersCommand())
    .addCommand(hangingCommand())
    .addCommand(abortCommand())
}

async function withTransactions(command: Command, run: (doors: Doors) => Promise<void>): Promise<void> {
  const broker = brokerOf(configOf(command))
  const [transactions, topics] = [transactionAdmin(broker), topicAdmin(broker)]
  try {
    await run({ transactions, topics })
  } finally {
    await Promise.all([transactions.close(), topics.close()])
  }
}

interface ListOptions {
  readonly state: readonly string[]
  readonly producerId: readonly bigint[]
  readonly longerThan?: number
  readonly pattern?: string
}

function listCommand(): Command {
  const command = new Command('list')
    .description('list transactional IDs')
    .option('--state <state>', 'only those in this state, such as Ongoing or CompleteCommit (repeatable)', collect, [])
    .option('--producer-id <id>', 'only that of this producer (repeatable)', collectProducerIds, [])
    .option('--longer-than <duration>', 'only those under way for longer, as in PT15M', durationMs('--longer-than'))
    .option('--pattern <expression>', 'only those whose whole name matches this regular expression (RE2)')
  return withSettings(command).action(async ({ state, producerId, longerThan, pattern }: ListOptions) => {
    await withTransactions(command, async ({ transactions }) => {
      // What has ended keeps the time of its beginning.
      const states = longerThan !== undefined && state.length === 0 ? UNDER_WAY : state
      const found = await transactions.list({ states, producerIds: producerId, longerThanMs: longerThan, pattern })
      if (found.length === 0 && formatOf(command) === 'table') say('There is no such transactional ID.')
      const rows = found.map(one => ({ ...one, producerId: Number(one.producerId) }))
      printRows(rows, ['transactionalId', 'coordinator', 'producerId', 'state'], formatOf(command))
    })
  })
}

function describeCommand(): Command {
  const command = new Command('describe')
    .description('state, producer and partitions of a transactional ID, and for how long its transaction has been under way')
    .argument('<transactional-id>')
  return withSettings(command).action(async (id: string) => {
    await withTransactions(command, async ({ transactions }) => {
      const { partitions, startedMs, ...one } = await transactions.describe(id)
      const facts = {
        transactionalId: one.transactionalId,
        state: one.state,
        coordinator: one.coordinator,
        producerId: Number(one.producerId),
        producerEpoch: one.producerEpoch,
        timeoutMs: one.timeoutMs,
        started: startedMs === undefined ? null : new Date(startedMs).toISOString(),
        seconds: startedMs === undefined || !UNDER_WAY.includes(one.state) ? null : secondsSince(startedMs)
      }
      const format = formatOf(command)
      if (format !== 'table') return printFacts({ ...facts, partitions }, format)
      printFacts(facts, format)
      if (partitions.length === 0) return
      line('')
      printRows(
        partitions.map(place => ({ ...place })),
        ['topic', 'partition'],
        format
      )
    })
  })
}

const secondsSince = (timeMs: number): number => Math.max(0, Math.round((Date.now() - timeMs) / 1000))

function producersCommand(): Command {
  const command = new Command('describe-producers')
    .description('the producers that partitions remember, and where their open transactions begin')
    .requiredOption('--topic <topic>', 'of this topic')
    .option('--partition <number>', 'only of this partition (repeatable; default: all)', collectPartitions, [])
  return withSettings(command).action(async (options: PlaceOptions & { topic: string }) => {
    await withTransactions(command, async doors => {
      const rows = (await doors.transactions.producers(await placesOf(doors, options))).map(one => ({
        partition: one.partition,
        producerId: Number(one.producerId),
        epoch: one.producerEpoch,
        coordinatorEpoch: one.coordinatorEpoch,
        lastSequence: one.lastSequence,
        lastWrote: timeOf(one.lastWroteMs),
        transactionFrom: one.transactionFrom === undefined ? null : Number(one.transactionFrom)
      }))
      const format = formatOf(command)
      if (rows.length === 0 && format === 'table') say(`${options.topic} remembers no producer there.`)
      const columns = ['partition', 'producerId', 'epoch', 'coordinatorEpoch', 'lastSequence', 'lastWrote', 'transactionFrom']
      printRows(rows, columns, format)
    })
  })
}

const timeOf = (timeMs: number | undefined): string | null => (timeMs === undefined ? null : new Date(timeMs).toISOString())

/** Kafka's default for the longest transaction: whoever has been quiet for longer has none that its coordinator would not have ended. */
const QUIET_FOR_MS = 15 * 60_000

function hangingCommand(): Command {
  const command = new Command('find-hanging')
    .description(
      'transactions that are open in partitions and that no coordinator knows: readers of what is committed wait for ever'
    )
    .option('--topic <topic>', 'only in this topic; without it, in all')
    .option('--partition <number>', 'only in this partition of the topic (repeatable)', collectPartitions, [])
    .option(
      '--quiet-for <duration>',
      'only of producers that last wrote so long ago: the longest that transactions may take (default: PT15M)',
      durationMs('--quiet-for'),
      undefined
    )
  return withSettings(command).action(async (options: PlaceOptions & { quietFor?: number }) => {
    await withTransactions(command, async doors => {
      const places = await placesOf(doors, options)
      const found = await doors.transactions.hanging(places, { quietForMs: options.quietFor ?? QUIET_FOR_MS })
      const format = formatOf(command)
      if (found.length === 0 && format === 'table') say('No transaction hangs.')
      const rows = found.map(
        ({ topic, partition, producerId, producerEpoch, coordinatorEpoch, transactionFrom, lastWroteMs }) => ({
          topic,
          partition,
          producerId: Number(producerId),
          epoch: producerEpoch,
          coordinatorEpoch,
          transactionFrom: Number(transactionFrom),
          lastWrote: timeOf(lastWroteMs)
        })
      )
      printRows(rows, ['topic', 'partition', 'producerId', 'epoch', 'transactionFrom', 'lastWrote'], format)
    })
  })
}

interface AbortOptions extends PlaceOptions {
  readonly producerId?: bigint
  readonly startOffset?: bigint
  readonly yes: boolean
}

function abortCommand(): Command {
  const command = new Command('abort')
    .description('abort the transaction of a transactional ID and fence its producer; or one that hangs in a partition')
    .argument('[transactional-id]')
    .option('--topic <topic>', 'of one that hangs: its topic')
    .option('--partition <number>', 'of one that hangs: its partition', collectPartitions, [])
    .option('--producer-id <id>', 'of one that hangs: its producer', wholeNumberOf('--producer-id'))
    .option('--start-offset <offset>', 'of one that hangs: where it begins in the partition', wholeNumberOf('--start-offset'))
    .option('--yes', 'do not ask', false)
  return withSettings(command).action(async (id: string | undefined, options: AbortOptions) => {
    checkWay(id, options)
    await withTransactions(command, async doors => {
      await (id === undefined ? abortHanging(command, doors, options) : abortOf(command, doors, id, options))
    })
  })
}

function checkWay(id: string | undefined, { topic, partition, producerId, startOffset }: AbortOptions): void {
  const isPlace = topic !== undefined && partition.length === 1 && (producerId === undefined) !== (startOffset === undefined)
  const isNoPlace = topic === undefined && partition.length === 0 && producerId === undefined && startOffset === undefined
  if (id === undefined ? isPlace : isNoPlace) return
  throw invalid('give a transactional ID, or --topic, --partition and one of --producer-id and --start-offset')
}

async function abortOf(command: Command, { transactions }: Doors, id: string, options: AbortOptions): Promise<void> {
  const { state, partitions } = await transactions.describe(id)
  if (!UNDER_WAY.includes(state)) throw invalid(`transactional ID ${id} has no transaction under way: it is ${state}`)
  if (!(await confirmed(`Abort the transaction of ${id} in ${partitions.length} partitions and fence its producer?`, options))) {
    return
  }
  const aborted = await transactions.fence(id)
  printFacts({ aborted: id, producerId: Number(aborted.producerId), producerEpoch: aborted.producerEpoch }, formatOf(command))
}

async function abortHanging(command: Command, doors: Doors, options: AbortOptions): Promise<void> {
  const { transactions } = doors
  const found = (await transactions.producers(await placesOf(doors, options))).find(
    ({ producerId, transactionFrom }) =>
      transactionFrom !== undefined && (options.startOffset === transactionFrom || options.producerId === producerId)
  )
  if (found === undefined) throw invalid('there is no such open transaction; describe-producers shows those that there are')
  const { topic, partition, producerId, producerEpoch, coordinatorEpoch, transactionFrom } = found
  // Kafka would write the marker all the same, and tear the transaction.
  const [owner] = await transactions.list({ states: UNDER_WAY, producerIds: [producerId] })
  if (owner !== undefined) {
    throw invalid(
      `it does not hang: it is that of ${owner.transactionalId}; assay transaction abort ${owner.transactionalId} ends it`
    )
  }
  const what = `the transaction of producer ${producerId} from offset ${transactionFrom} of ${topic}:${partition}`
  if (!(await confirmed(`Abort ${what}?`, options))) return
  const aborted: PartitionTransaction = { topic, partition, producerId, producerEpoch, coordinatorEpoch }
  await transactions.abort(aborted)
  const facts = { topic, partition, producerId: Number(producerId), producerEpoch, transactionFrom: Number(transactionFrom) }
  printFacts({ aborted: true, ...facts }, formatOf(command))
}

interface PlaceOptions {
  readonly topic?: string
  readonly partition: readonly number[]
}

/** All partitions that are meant. Fails with INVALID_ARGUMENT for one that is not there. */
async function placesOf({ topics }: Doors, { topic, partition }: PlaceOptions) {
  if (topic === undefined && partition.length > 0) throw invalid('--partition needs --topic')
  const known = await topics.list({ internal: true })
  if (topic === undefined) return known.flatMap(({ name, partitions }) => placesIn(name, Array(partitions).keys()))
  const found = known.find(({ name }) => name === topic)
  if (found === undefined) {
    await aboutTopic(topics, topic, () => Promise.reject(new AssayError('TOPIC_NOT_FOUND', { topic })))
    return []
  }
  const missing = partition.find(index => index >= found.partitions)
  if (missing !== undefined) throw invalid(`${topic} has no partition ${missing}`)
  return placesIn(topic, partition.length > 0 ? partition : Array(found.partitions).keys())
}

const placesIn = (topic: string, indexes: Iterable<number>) => [...indexes].map(partition => ({ topic, partition }))

const collect = (text: string, before: readonly string[]): string[] => [...before, text]

function wholeNumberOf(flag: string): (text: string) => bigint {
  return text => {
    if (/^\d{1,18}$/.test(text)) return BigInt(text)
    throw invalid(`${flag} ${text}: expected a whole number`)
  }
}

const collectProducerIds = (text: string, before: readonly bigint[]): bigint[] => [
  ...before,
  wholeNumberOf('--producer-id')(text)
]

function collectPartitions(text: string, before: readonly number[]): number[] {
  if (/^\d{1,9}$/.test(text)) return [...before, Number(text)]
  throw invalid(`--partition ${text}: expected the number of a partition`)
}

const invalid = (reason: string): AssayError => new AssayError('INVALID_ARGUMENT', { reason })
