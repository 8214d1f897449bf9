/**
 * A program that uses Assay as a user's program would: it produces typed events to four topics, sends one event that is cut short and must be
 * refused, and reads the events back as a member of a consumer group.
 */
import { randomUUID } from 'node:crypto'
import {
  AssayError,
  type Consumer,
  consumer,
  frame,
  isAssayError,
  kafkaFailure,
  type Producer,
  producer,
  type RegistryClient,
  registryClient,
  type Sent,
  topicAdmin
} from '@assay/client'
import { Producer as RawProducer } from '@platformatic/kafka'
import { Level } from './generated/ops/logs/Level.ts'
import { Order } from './generated/shop/orders/Order.ts'
import { OrderStatus } from './generated/shop/orders/OrderStatus.ts'
import { type Topics, topics } from './generated/topics.ts'
import { Action } from './generated/web/activity/Action.ts'

export interface JourneyOptions {
  /** URL of the HTTP door. */
  readonly http: string
  /** HOST:PORT of the Kafka door. */
  readonly kafka: string
  readonly print: (line: string) => void
  /** For the whole journey. Default 30,000. */
  readonly timeoutMs?: number
}

export interface JourneyCounts {
  readonly produced: number
  readonly refused: number
  /** Of the events produced on this journey. */
  readonly consumed: number
}

type TopicMap = typeof topics
type Topic = keyof Topics

const names = ['user-activity', 'service-metrics', 'application-logs', 'orders'] as const satisfies readonly Topic[]
const partitions = 3

/** Creates the topics where they are missing and registers the schemas. Events that were read once are not read again by the next journey. */
export async function journey({ http, kafka, print, timeoutMs = 30_000 }: JourneyOptions): Promise<JourneyCounts> {
  const registry = registryClient({ url: http })
  await createTopics(kafka)
  const writer = producer({ topics, bootstrap: kafka, registry, register: true, clientId: 'journey' })
  const reader = consumer({ topics, bootstrap: kafka, registry, group: 'journey', clientId: 'journey' })
  const timer = setTimeout(() => void reader.close(), timeoutMs)
  try {
    const sent = await produce(writer, print)
    const refused = await sendCutShort({ kafka, registry, print })
    const produced = Object.values(sent).reduce((sum, places) => sum + places.size, 0)
    const consumed = await consume(reader, sent, print)
    print(`${produced} events produced, ${refused} refused, ${consumed} read back`)
    return { produced, refused, consumed }
  } finally {
    clearTimeout(timer)
    await writer.close()
    await reader.close()
  }
}

async function createTopics(bootstrap: string): Promise<void> {
  const admin = topicAdmin({ bootstrap, timeoutMs: 10_000 })
  try {
    const existing = new Set((await admin.list({ internal: false })).map(({ name }) => name))
    for (const name of names) if (!existing.has(name)) await admin.create({ name, partitions, configs: {} })
  } finally {
    await admin.close()
  }
}

/** Where the events of this journey stand: `partition@offset`. */
type Places = Record<Topic, Set<string>>

async function produce(writer: Producer<TopicMap>, print: (line: string) => void): Promise<Places> {
  const now = Temporal.Now.instant()
  const places: Places = {
    'user-activity': new Set(),
    'service-metrics': new Set(),
    'application-logs': new Set(),
    orders: new Set()
  }
  const note = (topic: Topic, sent: readonly Sent[]): void => {
    for (const { partition, offset } of sent) {
      places[topic].add(`${partition}@${offset}`)
      print(`produced  ${topic} ${partition}@${offset}`)
    }
  }
  note(
    'user-activity',
    await writer.send('user-activity', {
      key: 'ann',
      value: {
        eventId: randomUUID(),
        userId: 'ann',
        action: Action.PAGE_VIEW,
        page: { path: '/shop', title: 'Shop' },
        occurredAt: now
      }
    })
  )
  note(
    'user-activity',
    await writer.send('user-activity', {
      key: 'ann',
      value: {
        eventId: randomUUID(),
        userId: 'ann',
        action: 'SEARCH',
        page: { path: '/search' },
        attributes: new Map([['terms', 'blue socks']]),
        occurredAt: new Date()
      }
    })
  )
  const labels = { host: 'web-1' }
  note(
    'service-metrics',
    await writer.send('service-metrics', {
      key: 'shop',
      value: { service: 'shop', name: 'queue_length', labels, reading: { $type: 'ops.metrics.Gauge', value: 7 }, measuredAt: now }
    })
  )
  note(
    'service-metrics',
    await writer.send('service-metrics', {
      key: 'shop',
      value: {
        service: 'shop',
        name: 'request_duration_seconds',
        labels,
        reading: { $type: 'ops.metrics.Histogram', bounds: [0.01, 0.1, 1], counts: [90, 99, 100], sum: 1.7, count: 100 },
        measuredAt: now
      }
    })
  )
  note(
    'application-logs',
    await writer.send('application-logs', { value: { service: 'shop', message: 'started', loggedAt: now } })
  )
  note(
    'application-logs',
    await writer.send('application-logs', {
      value: {
        service: 'shop',
        level: Level.ERROR,
        message: 'payment provider does not answer',
        stack: [
          { function: 'pay', file: 'payment.ts', line: 42 },
          { file: 'main.ts', line: 7 }
        ],
        loggedAt: now
      }
    })
  )
  const order = orderOf(now)
  note('orders', await writer.send('orders', { key: { orderId: order.orderId }, value: order, headers: { source: 'journey' } }))
  note('orders', await writer.send('orders', { key: { orderId: order.orderId }, value: { ...order, status: OrderStatus.PAID } }))
  return places
}

const orderOf = (placedAt: Temporal.Instant): Order =>
  Order.create({
    orderId: 9_007_199_254_740_993n,
    customerId: 17,
    status: 'PLACED',
    lines: [{ sku: 'SOCKS-BLUE', quantity: 2, unitPrice: '4.95' }],
    total: '9.90',
    placedAt
  })

/** Any Kafka client may send bytes that no schema allows; the broker refuses them with the reason. */
async function sendCutShort(given: {
  readonly kafka: string
  readonly registry: RegistryClient
  readonly print: (line: string) => void
}): Promise<number> {
  const registered = await given.registry.lookUp('orders-value', { schema: Order.schema })
  if (!registered) throw new AssayError('SCHEMA_NOT_REGISTERED', { name: Order.name, subject: 'orders-value' })
  const payload = Order.encode(orderOf(Temporal.Now.instant()))
  const cutShort = frame(registered.schemaId, payload.subarray(0, payload.length - 4))
  const raw = new RawProducer({ clientId: 'journey-raw', bootstrapBrokers: [given.kafka], retries: 0 })
  try {
    await raw.send({ messages: [{ topic: 'orders', value: cutShort }], acks: -1 })
    given.print('stored    orders an event that is cut short: validation is off for this topic')
    return 0
  } catch (error) {
    const failure = kafkaFailure(error, { what: "Topic 'orders'", bootstrap: given.kafka })
    if (!isAssayError(failure, 'PEER_REFUSED')) throw failure
    given.print(`refused   orders ${failure.facts.status}: ${failure.facts.reason}`)
    return 1
  } finally {
    await raw.close()
  }
}

async function consume(reader: Consumer<TopicMap>, sent: Places, print: (line: string) => void): Promise<number> {
  const read = async <T extends Topic>(topic: T, describe: (value: Topics[T]['value']) => string): Promise<number> => {
    const waiting = new Set(sent[topic])
    const count = waiting.size
    for await (const event of reader.stream(topic)) {
      if (!waiting.delete(`${event.partition}@${event.offset}`)) continue
      const value = event.value as Topics[T]['value'] | null
      print(`read      ${topic} ${event.partition}@${event.offset} ${value === null ? 'tombstone' : describe(value)}`)
      if (waiting.size > 0) continue
      await reader.commit(event)
      break
    }
    return count - waiting.size
  }
  return (
    (await read('user-activity', ({ userId, action, page }) => `${userId ?? 'somebody'}: ${action} on ${page.path}`)) +
    (await read('service-metrics', ({ name, reading }) => `${name} ${describeReading(reading)}`)) +
    (await read(
      'application-logs',
      ({ level, message, stack }) => `${level} ${message}${stack[0] ? ` (${stack[0].file}:${stack[0].line})` : ''}`
    )) +
    (await read('orders', ({ orderId, status, total, currency }) => `order ${orderId} ${status}, ${total} ${currency}`))
  )
}

type Reading = Topics['service-metrics']['value']['reading']

/** `$type` tells the branches of a union apart, here and for the compiler. */
function describeReading(reading: Reading): string {
  switch (reading.$type) {
    case 'ops.metrics.Gauge':
      return `is ${reading.value}`
    case 'ops.metrics.Histogram':
      return `was observed ${reading.count} times, ${reading.sum} in all`
  }
}
