/** Every example of docs/cli.md, in its order, on one server: what the page shows works. */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Admin, ProduceAcks, Producer } from '@platformatic/kafka'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, serve } from '../../served.ts'
import { commandLine } from './command.ts'

const root = join(import.meta.dirname, '../../..')
const page = readFileSync(join(root, 'docs/cli.md'), 'utf8')
const examples = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block]) => block!.trim().split('\n'))

let served: Served
const { run, file, directory } = commandLine(() => served, { ownProcess: false })

beforeAll(async () => {
  served = await serve()
  for (const topic of ['orders', 'user-activity'])
    cpSync(join(root, 'schemas', topic), join(directory, 'schemas', topic), { recursive: true })
  const field = (type: string) => [{ name: 'sum', type }]
  file('schemas/common/money.avsc', { type: 'fixed', name: 'Money', namespace: 'shop', size: 8 })
  file('schemas/bills/value.avsc', { type: 'record', name: 'Bill', namespace: 'shop', fields: field('Money') })
  file('schemas/carts/value.avsc', { type: 'record', name: 'Cart', namespace: 'shop', fields: field('int') })
  file('payment.avsc', { type: 'record', name: 'Payment', fields: field('double') })
  file('offsets.csv', 'orders,0,1\norders,3,2\n')
  await readOrders()
  await begin('shop-1')
  file('metadata.json', { properties: { owner: 'shop' } })
})

/** A group that has read some of a topic, and whose member has gone. */
async function readOrders(): Promise<void> {
  const admin = new Admin({ clientId: 'docs', bootstrapBrokers: [served.kafka] })
  await admin.createTopics({ topics: ['orders'], partitions: 4, replicas: 1 })
  const partitionOffsets = [0, 1, 2, 3].map(partition => ({ partition, offset: 0n }))
  await admin.alterConsumerGroupOffsets({ groupId: 'billing', topics: [{ name: 'orders', partitionOffsets }] })
  await admin.close()
}

/** A transaction that nobody ends. */
async function begin(transactionalId: string): Promise<void> {
  const producer = new Producer({ clientId: 'docs', bootstrapBrokers: [served.kafka], idempotent: true, transactionalId })
  const transaction = await producer.beginTransaction()
  await transaction.send({ messages: [{ topic: 'orders', partition: 0, value: Buffer.from('unpaid') }], acks: ProduceAcks.ALL })
  await producer.close(true)
}

afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

test('there are examples of every verb of a registry, of topics and of groups', () => {
  for (const verb of ['register', 'schema', 'subject', 'config', 'mode', 'export', 'import', 'topic', 'group', 'transaction']) {
    expect(
      examples.some(example => example.startsWith(`assay ${verb} `)),
      verb
    ).toBe(true)
  }
})

test.each(examples)('%s', async example => {
  const [command, ...args] = example.split(' ')
  expect(command).toBe('assay')
  const { code, out, err } = await run(args)
  expect(code, err).toBe(0)
  // Something to see, or a word on why there is nothing.
  expect(out + err).not.toBe('')
})
