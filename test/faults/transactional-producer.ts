/**
 * A transactional producer by both protocols that never gives up: what was not answered it sends again, over a new connection, until it
 * knows. So the outcome of each of its transactions is known, whatever befalls the server or the network.
 */
import {
  type AnyApi,
  addOffsetsToTxn,
  addPartitionsToTxn,
  endTxn,
  errorName,
  initProducerId,
  produce,
  type RequestOf,
  type ResponseOf,
  txnOffsetCommit,
  ZERO_UUID
} from '@assay/protocol'
import { encodeBatch } from '@assay/records'
import { type RawClient, rawClient } from '../raw-client.ts'

const RETRIABLE = new Set([
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR'
])
const ANSWER_MS_MAX = 10_000

/** Refused for good, by the name of the error. */
export class Refused extends Error {
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

export interface TransactionalProducer {
  /** Fences whoever had the transactional ID. */
  begin(): Promise<void>
  write(partition: number, name: string): Promise<void>
  commitOffset(offset: number): Promise<void>
  end(how: 'commit' | 'abort'): Promise<void>
  close(): void
}

export interface ProducerOptions {
  /** HOST:PORT, which may be that of a proxy. */
  readonly address: string
  readonly topic: string
  readonly id: string
  readonly protocol: 1 | 2
  /** Refused for ever after it. */
  readonly patienceMs: number
}

/** Each action rejects with `Refused` when it was refused in a way that asking again does not change. */
export function transactionalProducer(options: ProducerOptions): TransactionalProducer {
  const { address, topic, id, protocol, patienceMs } = options
  let client: RawClient | undefined
  let producerId = -1n
  let producerEpoch = -1
  const sequences = new Map<number, number>()

  async function ask<A extends AnyApi>(
    api: A,
    version: number,
    body: RequestOf<A>,
    codeOf: (answer: ResponseOf<A>) => number
  ): Promise<ResponseOf<A>> {
    const until = Date.now() + patienceMs
    for (;;) {
      try {
        client ??= await rawClient(address, id)
        const answer = await timely(client.ask(api, version, body))
        const code = codeOf(answer)
        if (code === 0) return answer
        const name = errorName(code)
        if (!RETRIABLE.has(name) || Date.now() > until) throw new Refused(name)
      } catch (error) {
        if (error instanceof Refused || Date.now() > until) throw error
        client?.close()
        client = undefined
      }
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  const own = () => ({ transactionalId: id, producerId, producerEpoch })

  return {
    async begin() {
      const body = { transactionalId: id, transactionTimeoutMs: 60_000, producerId: -1n, producerEpoch: -1 }
      const answer = await ask(initProducerId, 5, body, ({ errorCode }) => errorCode)
      producerId = answer.producerId
      producerEpoch = answer.producerEpoch
      sequences.clear()
    },
    async write(partition, name) {
      if (protocol === 1) {
        const body = {
          transactions: [],
          v3AndBelowTransactionalId: id,
          v3AndBelowProducerId: producerId,
          v3AndBelowProducerEpoch: producerEpoch,
          v3AndBelowTopics: [{ name: topic, partitions: [partition] }]
        }
        await ask(
          addPartitionsToTxn,
          3,
          body,
          answer => answer.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode
        )
      }
      const baseSequence = sequences.get(partition) ?? 0
      const records = encodeBatch({
        ...{ baseTimestampMs: Date.now(), records: [{ key: null, value: Buffer.from(name) }] },
        ...{ producerId: Number(producerId), producerEpoch, baseSequence, isTransactional: true }
      })
      const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: partition, records }] }]
      await ask(
        produce,
        protocol === 1 ? 11 : 12,
        { transactionalId: id, acks: -1, timeoutMs: 10_000, topicData },
        answer => answer.responses[0]!.partitionResponses[0]!.errorCode
      )
      sequences.set(partition, baseSequence + 1)
    },
    async commitOffset(offset) {
      const groupId = `group-${id}`
      if (protocol === 1) await ask(addOffsetsToTxn, 3, { ...own(), groupId }, ({ errorCode }) => errorCode)
      const partitions = [{ partitionIndex: 0, committedOffset: BigInt(offset), committedLeaderEpoch: -1, committedMetadata: '' }]
      await ask(
        txnOffsetCommit,
        protocol === 1 ? 3 : 5,
        {
          ...{ ...own(), groupId, generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null },
          topics: [{ name: topic, topicId: ZERO_UUID, partitions }]
        },
        answer => answer.topics[0]!.partitions[0]!.errorCode
      )
    },
    async end(how) {
      const answer = await ask(
        endTxn,
        protocol === 1 ? 4 : 5,
        { ...own(), committed: how === 'commit' },
        ({ errorCode }) => errorCode
      )
      if (protocol === 1) return
      producerId = answer.producerId
      producerEpoch = answer.producerEpoch
      sequences.clear()
    },
    close: () => client?.close()
  }
}

/** A connection may be half dead: then nothing ever comes. */
function timely<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer came')), ANSWER_MS_MAX)
  })
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}
