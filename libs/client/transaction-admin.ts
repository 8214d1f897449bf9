/** Transactions as an operator looks at them and ends them, over the Kafka protocol (KIP-664): of any broker. */
import { AssayError } from '@assay/errors'
import {
  Admin,
  type Connection,
  createAPI,
  describeProducersV0,
  describeTransactionsV0,
  FindCoordinatorKeyTypes,
  initProducerIdV5,
  listTransactionsV1,
  listTransactionsV2,
  type Reader,
  ResponseError,
  Writer
} from '@platformatic/kafka'
import { adminOptions, type BrokerOptions } from './broker-access.ts'
import { kafkaFailure } from './kafka-failure.ts'

export interface TransactionSummary {
  readonly transactionalId: string
  readonly producerId: bigint
  /** Such as Ongoing, CompleteCommit, CompleteAbort, Empty. */
  readonly state: string
  /** The broker that keeps it. */
  readonly coordinator: number
}

export interface TransactionDescription extends TransactionSummary {
  readonly producerEpoch: number
  readonly timeoutMs: number
  /** Since 1970; undefined while nothing is under way. */
  readonly startedMs: number | undefined
  readonly partitions: readonly PartitionPlace[]
}

export interface TransactionFilter {
  /** Of these alone, where there are any. */
  readonly states: readonly string[]
  readonly producerIds: readonly bigint[]
  /** Only what has been under way for longer. */
  readonly longerThanMs?: number | undefined
  /** Regular expression of Google's RE2, over the whole of the transactional ID. */
  readonly pattern?: string | undefined
}

export interface PartitionPlace {
  readonly topic: string
  readonly partition: number
}

/** A producer as a partition remembers it. */
export interface ProducerDescription extends PartitionPlace {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly lastSequence: number
  /** When it last wrote, since 1970; undefined where the partition does not know. */
  readonly lastWroteMs: number | undefined
  /** Where its open transaction begins; undefined when it has none open here. */
  readonly transactionFrom: bigint | undefined
}

export interface PartitionTransaction extends PartitionPlace {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
}

/** A transaction that a partition waits for and no coordinator will ever end. */
export interface HangingTransaction extends PartitionTransaction {
  readonly transactionFrom: bigint
  readonly lastWroteMs: number | undefined
}

/** Every method fails with UNREACHABLE when no broker answers, and with PEER_REFUSED carrying the broker's code and text. */
export interface TransactionAdmin {
  /** Fails with INVALID_ARGUMENT for a state that the broker does not know. */
  list(filter: TransactionFilter): Promise<TransactionSummary[]>
  describe(transactionalId: string): Promise<TransactionDescription>
  producers(partitions: readonly PartitionPlace[]): Promise<ProducerDescription[]>
  /** Ends what is under way and fences its producer, which fails with its next request; gives the state it had. */
  fence(transactionalId: string): Promise<TransactionDescription>
  /** Writes the end of a transaction into one partition; for those that `hanging` finds. */
  abort(transaction: PartitionTransaction): Promise<void>
  /** Of these partitions, whose producers last wrote so long ago. */
  hanging(partitions: readonly PartitionPlace[], options: { readonly quietForMs: number }): Promise<HangingTransaction[]>
  close(): Promise<void>
}

const RETRY_MS = 100
/** The states of a transaction whose coordinator ends it, or is about to. */
export const UNDER_WAY: readonly string[] = ['Ongoing', 'PrepareCommit', 'PrepareAbort']
/** Partitions whose producers are asked for in one request. */
const ASKED_TOGETHER = 1000

export function transactionAdmin(options: BrokerOptions): TransactionAdmin {
  const { bootstrap, timeoutMs } = options
  const admin = new Admin(adminOptions(options))
  const asked = async <T>(what: string, question: () => Promise<T>): Promise<T> => {
    try {
      return await question()
    } catch (error) {
      throw kafkaFailure(error, { what, bootstrap })
    }
  }

  async function brokers(): Promise<Map<number, Connection>> {
    const { brokers: known } = await admin.metadata({ topics: [], forceUpdate: true })
    const connections = new Map<number, Connection>()
    for (const [id, { host, port }] of known) connections.set(id, await admin.connections.get({ host, port }))
    return connections
  }

  /** Each coordinator knows its own. */
  async function listed({ states, producerIds, longerThanMs = -1, pattern }: TransactionFilter): Promise<TransactionSummary[]> {
    const found: TransactionSummary[] = []
    for (const [coordinator, connection] of await brokers()) {
      // The last of them knows patterns; brokers before 4.1 do not.
      const list = pattern === undefined ? listTransactionsV1.api : listByPatternV2
      const minimum = BigInt(longerThanMs)
      const told = await list.async(connection, [...states] as never[], [...producerIds], minimum, pattern ?? null)
      const [unknown] = told.unknownStateFilters
      if (unknown !== undefined) {
        throw new AssayError('INVALID_ARGUMENT', { reason: `${unknown} is no state of a transaction, such as Ongoing` })
      }
      for (const { transactionalId, producerId, transactionState: state } of told.transactionStates) {
        found.push({ transactionalId, producerId, state, coordinator })
      }
    }
    return found.sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1))
  }

  async function coordinatorOf(transactionalId: string): Promise<{ readonly id: number; readonly connection: Connection }> {
    const keyType = FindCoordinatorKeyTypes.TRANSACTION
    const [found] = await admin.findCoordinator({ keyType, keys: [transactionalId] })
    const { nodeId: id, host, port } = found!
    return { id, connection: await admin.connections.get({ host, port }) }
  }

  async function described(transactionalId: string): Promise<TransactionDescription> {
    const { id: coordinator, connection } = await coordinatorOf(transactionalId)
    const { transactionStates } = await describeTransactionsV0.api.async(connection, [transactionalId])
    const one = transactionStates[0]!
    return {
      transactionalId,
      producerId: one.producerId,
      state: one.transactionState,
      coordinator,
      producerEpoch: one.producerEpoch,
      timeoutMs: one.transactionTimeoutMs,
      startedMs: one.transactionStartTimeMs > 0n ? Number(one.transactionStartTimeMs) : undefined,
      partitions: one.topics.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })))
    }
  }

  /** By the broker that leads them. Fails with TOPIC_NOT_FOUND, and with PARTITION_NOT_FOUND. */
  async function byLeader(partitions: readonly PartitionPlace[]): Promise<Map<Connection, PartitionPlace[]>> {
    const topics = [...new Set(partitions.map(({ topic }) => topic))]
    const there = await admin.listTopics({ includeInternals: true })
    const missing = topics.find(topic => !there.includes(topic))
    if (missing !== undefined) throw new AssayError('TOPIC_NOT_FOUND', { topic: missing })
    const metadata = await admin.metadata({ topics, forceUpdate: true })
    const led = new Map<Connection, PartitionPlace[]>()
    for (const place of partitions) {
      const leader = metadata.topics.get(place.topic)?.partitions[place.partition]?.leader
      const broker = leader === undefined ? undefined : metadata.brokers.get(leader)
      if (broker === undefined) throw new AssayError('PARTITION_NOT_FOUND', place)
      const connection = await admin.connections.get({ host: broker.host, port: broker.port })
      led.set(connection, [...(led.get(connection) ?? []), place])
    }
    return led
  }

  async function producersOf(partitions: readonly PartitionPlace[]): Promise<ProducerDescription[]> {
    const found: ProducerDescription[] = []
    for (const [connection, places] of await byLeader(partitions)) {
      for (let at = 0; at < places.length; at += ASKED_TOGETHER) {
        const wanted = Map.groupBy(places.slice(at, at + ASKED_TOGETHER), ({ topic }) => topic)
        const { topics } = await describeProducersV0.api.async(
          connection,
          [...wanted].map(([name, ofTopic]) => ({ name, partitionIndexes: ofTopic.map(({ partition }) => partition) }))
        )
        for (const { name: topic, partitions: told } of topics) {
          for (const { partitionIndex: partition, activeProducers } of told) {
            for (const producer of activeProducers) found.push({ topic, partition, ...descriptionOf(producer) })
          }
        }
      }
    }
    return found
  }

  async function openIn(partitions: readonly PartitionPlace[]): Promise<HangingTransaction[]> {
    return (await producersOf(partitions)).flatMap(({ transactionFrom, ...producer }) =>
      transactionFrom === undefined ? [] : [{ ...producer, transactionFrom }]
    )
  }

  return {
    list: filter => asked('The list of transactions', () => listed(filter)),
    describe: transactionalId => asked(`Transactional ID '${transactionalId}'`, () => described(transactionalId)),
    producers: partitions => asked('The producers', () => producersOf(partitions)),
    fence: transactionalId =>
      asked(`Transactional ID '${transactionalId}'`, async () => {
        const before = await described(transactionalId)
        const { connection } = await coordinatorOf(transactionalId)
        const until = performance.now() + timeoutMs
        for (;;) {
          try {
            await initProducerIdV5.api.async(connection, transactionalId, before.timeoutMs)
            return before
          } catch (error) {
            // Kafka ends it meanwhile, and says until then that one is under way.
            if (!isConcurrent(error) || performance.now() > until) throw error
            await new Promise(resolve => setTimeout(resolve, RETRY_MS))
          }
        }
      }),
    abort: transaction =>
      asked(`Partition ${transaction.partition} of topic '${transaction.topic}'`, async () => {
        const [connection] = (await byLeader([transaction])).keys()
        await writeAbortV1.async(connection!, transaction)
      }),
    hanging: (partitions, { quietForMs }) =>
      asked('The transactions that hang', async () => {
        const latestMs = Date.now() - quietForMs
        const open = (await openIn(partitions)).filter(({ lastWroteMs }) => lastWroteMs === undefined || lastWroteMs <= latestMs)
        if (open.length === 0) return []
        const taken = new Set<string>()
        const producerIds = [...new Set(open.map(({ producerId }) => producerId))]
        for (const { transactionalId, producerId } of await listed({ states: UNDER_WAY, producerIds })) {
          for (const place of (await described(transactionalId)).partitions) taken.add(keyOf({ ...place, producerId }))
        }
        const forsaken = open.filter(one => !taken.has(keyOf(one)))
        if (forsaken.length === 0) return []
        // Those that have ended since they were seen had their coordinator.
        const still = new Map((await openIn(forsaken)).map(one => [keyOf(one), one.transactionFrom]))
        return forsaken.filter(one => still.get(keyOf(one)) === one.transactionFrom)
      }),
    close: () => admin.close()
  }
}

type TellsProducer = Awaited<
  ReturnType<typeof describeProducersV0.api.async>
>['topics'][number]['partitions'][number]['activeProducers'][number]

function descriptionOf({
  lastTimestamp,
  currentTxnStartOffset,
  ...producer
}: TellsProducer): Omit<ProducerDescription, keyof PartitionPlace> {
  const { producerId, producerEpoch, coordinatorEpoch, lastSequence } = producer
  return {
    producerId,
    producerEpoch,
    coordinatorEpoch,
    lastSequence,
    lastWroteMs: lastTimestamp < 0n ? undefined : Number(lastTimestamp),
    transactionFrom: currentTxnStartOffset < 0n ? undefined : currentTxnStartOffset
  }
}

const keyOf = ({ topic, partition, producerId }: PartitionPlace & { readonly producerId: bigint }): string =>
  `${producerId}/${partition}/${topic}`

const CONCURRENT_TRANSACTIONS = 'CONCURRENT_TRANSACTIONS'

const isConcurrent = (error: unknown): boolean =>
  error instanceof ResponseError && error.errors.some(one => (one as { apiId?: string }).apiId === CONCURRENT_TRANSACTIONS)

const INVALID_REGULAR_EXPRESSION = 128

/** The library stumbles over the number of the error, which it does not know. */
const listByPatternV2 = createAPI<
  Parameters<typeof listTransactionsV2.createRequest>,
  ReturnType<typeof listTransactionsV2.parseResponse>
>(66, 2, listTransactionsV2.createRequest, (correlationId, key, version, reader) => {
  if (reader.peekInt16(THROTTLE_TIME_BYTES) === INVALID_REGULAR_EXPRESSION) {
    throw new AssayError('INVALID_ARGUMENT', { reason: 'the pattern is no regular expression of RE2' })
  }
  return listTransactionsV2.parseResponse(correlationId, key, version, reader)
})
const THROTTLE_TIME_BYTES = 4

/** WriteTxnMarkers, which the library does not have; version 1 is what every broker since Kafka 2.4 takes. */
const writeAbortV1 = createAPI<[PartitionTransaction], void>(27, 1, createMarker, readMarkerAnswer)

function createMarker({ topic, partition, producerId, producerEpoch, coordinatorEpoch }: PartitionTransaction): Writer {
  const marker = { topics: [{ name: topic, partitions: [partition] }] }
  return Writer.create()
    .appendArray([marker], (writer, { topics }) =>
      writer
        .appendInt64(producerId)
        .appendInt16(producerEpoch)
        .appendBoolean(false)
        .appendArray(topics, (inner, { name, partitions }) =>
          inner.appendString(name).appendArray(partitions, (row, index) => row.appendInt32(index), true, false)
        )
        .appendInt32(coordinatorEpoch)
    )
    .appendTaggedFields()
}

function readMarkerAnswer(_correlationId: number, key: number, version: number, reader: Reader): void {
  const codes: number[] = []
  reader.readArray(marker => {
    marker.readInt64()
    return marker.readArray(topic => {
      topic.readString()
      return topic.readArray(partition => {
        partition.readInt32()
        codes.push(partition.readInt16())
      })
    })
  })
  reader.readTaggedFields()
  const code = codes.find(one => one !== 0)
  if (code !== undefined) throw new ResponseError(key, version, { '/': [code, null] }, {})
}
