/** @platformatic/kafka. */
import { Consumer, type Message, ProduceAcks, Producer } from '@platformatic/kafka'
import { type Refusal, SETTLE_MS, type TransactionClient, type TransactionDriver, type TransactionProducer } from './driver.ts'

const READ_COMMITTED = 1
type Transaction = Awaited<ReturnType<Producer['beginTransaction']>>

export const platformatic: TransactionDriver = {
  name: '@platformatic/kafka',
  passesOverAborted: false,
  fences: false,
  prepare: async () => undefined,

  async open(kafka): Promise<TransactionClient> {
    const options = { clientId: 'transactions-platformatic', bootstrapBrokers: [kafka], retries: 5, retryDelay: 100 }
    let groups = 0

    async function consume(
      {
        group,
        topic,
        count,
        committed,
        settleMs
      }: { group: string; topic: string; count: number; committed: boolean; settleMs: number },
      then: (consumer: Consumer, messages: Message[]) => Promise<void>
    ): Promise<void> {
      const consumer = new Consumer({ ...options, groupId: group, isolationLevel: committed ? READ_COMMITTED : 0 })
      const stream = await consumer.consume({
        topics: [topic],
        mode: 'committed',
        fallbackMode: 'earliest',
        autocommit: false,
        maxWaitTime: 100
      })
      const messages: Message[] = []
      const { promise: done, resolve } = Promise.withResolvers<void>()
      stream.on('data', message => {
        if (settleMs === 0 && messages.length === count) return
        messages.push(message)
        if (messages.length === count) resolve()
      })
      if (count > 0) await done
      await new Promise(resolve => setTimeout(resolve, settleMs))
      await then(consumer, messages)
      await consumer.close(true)
    }

    return {
      async producer(id, { timeoutMs = 60_000 } = {}): Promise<TransactionProducer> {
        const producer = new Producer({ ...options, idempotent: true, transactionalId: id, timeout: timeoutMs })
        // It asks for its epoch with its first transaction.
        let transaction = await producer.beginTransaction()
        let isFresh = true
        const send = (of: Transaction, topic: string, values: readonly string[]) =>
          of.send({ acks: ProduceAcks.ALL, messages: values.map(value => ({ topic, partition: 0, value: Buffer.from(value) })) })
        const begin = async (): Promise<Transaction> => {
          if (!isFresh) transaction = await producer.beginTransaction()
          isFresh = false
          return transaction
        }
        return {
          begin: () => attempt(begin),
          send: (topic, value) => attempt(() => send(transaction, topic, [value])),
          commit: () => attempt(() => transaction.commit()),
          abort: () => attempt(() => transaction.abort()),
          transform: ({ group, from, to, count, end }) =>
            attempt(() =>
              consume({ group, topic: from, count, committed: true, settleMs: 0 }, async (consumer, messages) => {
                const own = await begin()
                await own.addConsumer(consumer)
                await send(
                  own,
                  to,
                  messages.map(({ value }) => value!.toString().toUpperCase())
                )
                await own.addOffset(messages.at(-1)!)
                await (end === 'commit' ? own.commit() : own.abort())
              })
            ),
          close: () => producer.close(true)
        }
      },
      async read(topic, count, { committed }) {
        let read: string[] = []
        const group = `read-${topic}-${process.pid}-platformatic-${++groups}`
        await consume({ group, topic, count, committed, settleMs: SETTLE_MS }, async (_consumer, messages) => {
          read = messages.map(({ value }) => value!.toString())
        })
        return read
      },
      close: async () => {}
    }
  }
}

async function attempt(action: () => Promise<unknown>): Promise<Refusal> {
  try {
    await action()
    return undefined
  } catch (error) {
    return describe(error)
  }
}

/** The library wraps what the broker said in layers; the innermost ones bear the protocol's names. */
function describe(error: unknown): string {
  const {
    errors = [],
    apiId,
    message,
    cause
  } = error as { errors?: unknown[]; apiId?: string; message?: string; cause?: unknown }
  return [apiId ?? message, ...errors.map(describe), ...(cause ? [describe(cause)] : [])].join(' | ')
}
