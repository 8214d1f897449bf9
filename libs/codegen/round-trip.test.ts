/** Generated code at work: what it encodes, avsc reads, and the other way round. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import avsc from 'avsc'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateTypeScript } from './generate.ts'
import { topicPartOf } from './subject-path.ts'

const root = join(import.meta.dirname, '../..')
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'assay-round-trip-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a generated module exports for a record. */
interface Generated {
  readonly schema: string
  create(init: unknown): unknown
  encode(init: unknown): Buffer
  decode(bytes: Uint8Array): unknown
  is(value: unknown): boolean
}

interface Row {
  readonly name: string
  readonly schemaFile: string
  readonly init: unknown
  /** The same for avsc, with every union branch wrapped and no logical types. */
  readonly avsc: unknown
}

const uuid = '0b6ff0ee-1f5a-4ef5-9d3f-0c1f63a7a6b5'
const at = Date.parse('2026-11-23T01:02:03.004Z')
const checksum = Buffer.alloc(16, 7)
const page = { path: '/', title: null, referrer: null }

const placed = {
  id: uuid,
  amount: Buffer.from('04e2', 'hex'),
  placedAt: at * 1000,
  number: 5,
  note: null,
  reference: { long: 7 },
  status: 'NEW',
  payment: { 'bank.Transfer': { iban: 'DE1', days: 3 } },
  labels: { a: 'b' },
  checksum,
  day: 20_000,
  price: 0.5,
  extra: { double: 1.5 }
}
const placedInit = {
  id: uuid,
  amount: '12.5',
  placedAt: new Date(at),
  number: 5,
  reference: { $type: 'long', value: 7 },
  payment: { $type: 'bank.Transfer', iban: 'DE1' },
  labels: new Map([['a', 'b']]),
  checksum,
  day: 20_000,
  price: 0.5,
  extra: 1.5
}

const rows: Row[] = [
  {
    name: 'the hard schema, recursive',
    schemaFile: 'libs/codegen/test/hard/value.avsc',
    init: { ...placedInit, replaces: { ...placedInit, status: 'PAID' } },
    avsc: { ...placed, replaces: { 'shop.orders.OrderPlaced': { ...placed, status: 'PAID', replaces: null } } }
  },
  {
    name: 'user activity',
    schemaFile: 'schemas/user-activity/value.avsc',
    init: { eventId: uuid, action: 'CLICK', page: { path: '/' }, occurredAt: new Date(at) },
    avsc: { eventId: uuid, userId: null, action: 'CLICK', page, attributes: {}, occurredAt: at }
  },
  {
    name: 'service metrics',
    schemaFile: 'schemas/service-metrics/value.avsc',
    init: {
      service: 's',
      name: 'n',
      reading: { $type: 'ops.metrics.Histogram', bounds: [1], counts: [2], sum: 3, count: 4 },
      measuredAt: at
    },
    avsc: {
      service: 's',
      name: 'n',
      labels: {},
      reading: { 'ops.metrics.Histogram': { bounds: [1], counts: [2], sum: 3, count: 4 } },
      measuredAt: at
    }
  },
  {
    name: 'application logs',
    schemaFile: 'schemas/application-logs/value.avsc',
    init: { service: 's', message: 'm', stack: [{ file: 'f', line: 1 }], loggedAt: at },
    avsc: {
      service: 's',
      level: 'INFO',
      message: 'm',
      logger: null,
      traceId: null,
      stack: [{ function: null, file: 'f', line: 1 }],
      loggedAt: at
    }
  },
  {
    name: 'orders',
    schemaFile: 'schemas/orders/value.avsc',
    init: {
      orderId: 1,
      customerId: 2n,
      status: 'PAID',
      lines: [{ sku: 's', quantity: 1, unitPrice: '0.01' }],
      total: -1n,
      placedAt: new Date(at)
    },
    avsc: {
      orderId: 1,
      customerId: 2,
      status: 'PAID',
      lines: [{ sku: 's', quantity: 1, unitPrice: Buffer.from([1]) }],
      total: Buffer.from([0x9c]),
      currency: 'EUR',
      coupon: null,
      placedAt: at * 1000
    }
  },
  { name: 'keys of orders', schemaFile: 'schemas/orders/key.avsc', init: { orderId: 9 }, avsc: { orderId: 9 } },
  {
    name: 'rejections',
    schemaFile: 'schemas/assay/_assay.rejects/value.avsc',
    init: { topic: 't', partition: 0, recordIndex: 2, reason: 'r', schemaId: 7, rejectedAt: at },
    avsc: {
      topic: 't',
      partition: 0,
      clientId: null,
      principal: 'ANONYMOUS',
      subject: null,
      schemaId: { int: 7 },
      recordIndex: 2,
      reason: 'r',
      path: null,
      count: 1,
      rejectedAt: at
    }
  }
]

/** The codec of the value of a schema file, from its generated `topics.ts`. */
async function generatedFor(schemaFile: string, index: number): Promise<Generated> {
  const text = readFileSync(join(root, schemaFile), 'utf8')
  const { topic = 'hard' } = topicPartOf(schemaFile) ?? {}
  for (const file of generateTypeScript([{ file: schemaFile, text, topic }])) {
    const path = join(folder, `${index}`, file.path)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, file.text)
  }
  const { topics } = await import(pathToFileURL(join(folder, `${index}`, 'topics.ts')).href)
  return topics[topic].value
}

beforeAll(() => {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
})

describe('generated code and avsc write the same bytes', () => {
  test.each(rows.map((row, index) => ({ ...row, index })))('$name', async ({ schemaFile, init, avsc: plain, index }) => {
    const type = await generatedFor(schemaFile, index)
    const oracle = avsc.Type.forSchema(JSON.parse(readFileSync(join(root, schemaFile), 'utf8')), {
      wrapUnions: true,
      logicalTypes: {}
    })
    const bytes = type.encode(init)
    expect(bytes.toString('hex')).toBe(oracle.toBuffer(plain).toString('hex'))
    const read = type.decode(oracle.toBuffer(plain))
    expect(type.is(read)).toBe(true)
    expect(type.encode(read).equals(bytes)).toBe(true)
    expect(type.encode(type.create(init)).equals(bytes)).toBe(true)
    expect(type.is(init), 'what is written is wider than what is read').toBe(false)
  })
})

test('a value with something wrong in it is told where', async () => {
  const type = await generatedFor('schemas/orders/value.avsc', rows.length)
  const order = rows.find(({ name }) => name === 'orders')!.init as { lines: object[] }
  expect(() => type.create({ ...order, lines: [...order.lines, { sku: 's', quantity: 1, unitPrice: '0.005' }] })).toThrow(
    /lines\[1\]\.unitPrice/
  )
  expect(() => type.create({ ...order, status: 'LOST' })).toThrow(/status/)
})
