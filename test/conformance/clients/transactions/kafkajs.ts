/** kafkajs. */
import { Kafka, logLevel, type Transaction } from 'kafkajs'
import { type Refusal, SETTLE_MS, type TransactionClient, type TransactionDriver, type TransactionProducer } from './driver.ts'

export const kafkajs: TransactionDriver = {
  name: 'kafkajs',
  passesOverAborted: true,
  fences: true,
  prepare: async () => undefined,

  async open(kafka): Promise<TransactionClient> {
    const client = new Kafka({
      clientId: 'transactions-kafkajs',
      brokers: [kafka],
      logLevel: logLevel.NOTHING,
      retry: { retries: 5, initialRetryTime: 100 }
    })
    let groups = 0

    async function consume(
      {
        group,
        topic,
        count,
        committed,
        settleMs
      }: { group: string; topic: string; count: number; committed: boolean; settleMs: number },
      then: (values: string[], lastOffset: number) => Promise<void>
    ): Promise<void> {
      const consumer = client.consumer({
        groupId: group,
        maxWaitTimeInMs: 100,
        readUncommitted: !committed,
        sessionTimeout: 10_000
      })
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      const values: string[] = []
      let lastOffset = -1
      const { promise: done, resolve } = Promise.withResolvers<void>()
      await consumer.run({
        autoCommit: false,
        eachMessage: async ({ message }) => {
          if (settleMs === 0 && values.length === count) return
          values.push(message.value!.toString())
          lastOffset = Number(message.offset)
          if (values.length === count) resolve()
        }
      })
      if (count > 0) await done
      await new Promise(resolve => setTimeout(resolve, settleMs))
      await then(values, lastOffset)
      await consumer.disconnect()
    }

    return {
      async producer(id, { timeoutMs = 60_000 } = {}): Promise<TransactionProducer> {
        const producer = client.producer({
          transactionalId: id,
          maxInFlightRequests: 1,
          idempotent: true,
          transactionTimeout: timeoutMs
        })
        await producer.connect()
        // It asks for its epoch with its first transaction.
        let transaction = await producer.transaction()
        let isFresh = true
        const begin = async (): Promise<Transaction> => {
          if (!isFresh) transaction = await producer.transaction()
          isFresh = false
          return transaction
        }
        return {
          begin: () => attempt(begin),
          send: (topic, value) => attempt(() => transaction.send({ topic, acks: -1, messages: [{ value, partition: 0 }] })),
          commit: () => attempt(() => transaction.commit()),
          abort: () => attempt(() => transaction.abort()),
          transform: ({ group, from, to, count, end }) =>
            attempt(() =>
              consume({ group, topic: from, count, committed: true, settleMs: 0 }, async (values, lastOffset) => {
                const own = await begin()
                await own.send({
                  topic: to,
                  acks: -1,
                  messages: values.map(value => ({ value: value.toUpperCase(), partition: 0 }))
                })
                const partitions = [{ partition: 0, offset: String(lastOffset + 1) }]
                await own.sendOffsets({ consumerGroupId: group, topics: [{ topic: from, partitions }] })
                await (end === 'commit' ? own.commit() : own.abort())
              })
            ),
          close: () => producer.disconnect()
        }
      },
      async read(topic, count, { committed }) {
        let read: string[] = []
        const group = `read-${topic}-${process.pid}-kafkajs-${++groups}`
        await consume({ group, topic, count, committed, settleMs: SETTLE_MS }, async values => {
          read = values
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
    const { type, cause } = error as { type?: string; cause?: { type?: string } }
    return [type, cause?.type, String(error)].filter(Boolean).join(' ')
  }
}
