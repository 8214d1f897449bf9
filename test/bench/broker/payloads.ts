/**
 * Avro payloads for ProducerPerformance, in wire format. That tool reads its payloads as UTF-8 text, so every byte of them is below 0x80:
 * lengths, counts and whole numbers stay below 64 (a varint of one byte), and doubles are drawn from those whose eight bytes are.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeJson, frame, parseSchema } from '@assay/avro'
import { randomOf } from '../../suites/random.ts'

export const schemaText = JSON.stringify({
  type: 'record',
  name: 'MeasuredOrder',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'user', type: 'string' },
    { name: 'state', type: { type: 'enum', name: 'State', symbols: ['NEW', 'PAID', 'SENT'] } },
    { name: 'sum', type: 'double' },
    { name: 'priority', type: 'int' },
    { name: 'paid', type: 'boolean' },
    { name: 'coupon', type: ['null', 'string'] },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    {
      name: 'lines',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Line',
          fields: [
            { name: 'sku', type: 'string' },
            { name: 'quantity', type: 'int' },
            { name: 'price', type: 'double' }
          ]
        }
      }
    },
    { name: 'note', type: 'string' }
  ]
})

/** Between two payloads in the file: no ASCII, so that none of them holds it. */
const SEPARATOR = '\u00b6'
/** The same for a regular expression of Java, in ASCII: what comes in arguments depends on the locale. */
export const separatorPattern = '\\u00b6'

const PAYLOADS = 2000
const SEED = 42
const LENGTH_MAX = 63
const WORDS = 'alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa'.split(' ')

const schema = parseSchema(schemaText)

type Random = (below: number) => number

/** The file of payloads of exactly `bytes` bytes each; the same for the same arguments, whenever it is made. */
export function payloadFile(directory: string, bytes: number, schemaId: number): string {
  const random = randomOf(SEED)
  const path = join(directory, `payloads-${bytes}.txt`)
  const payloads = Array.from({ length: PAYLOADS }, () => payload(random, bytes, schemaId).toString('latin1'))
  writeFileSync(path, payloads.join(SEPARATOR))
  return path
}

/** One order whose lines and note fill it up to its size, at least 96 bytes. */
export function payload(random: Random, bytes: number, schemaId: number): Buffer {
  const lines: unknown[] = []
  const order = {
    id: digits(random, 12, 16),
    user: `user-${digits(random, 5, 10)}`,
    state: pick(random, ['NEW', 'PAID', 'SENT']),
    sum: price(random),
    priority: random(10),
    paid: random(2) === 0,
    coupon: random(2) === 0 ? null : pick(random, WORDS),
    tags: [pick(random, WORDS), pick(random, WORDS)],
    lines,
    note: ''
  }
  const encoded = (): Buffer => frame(schemaId, encodeJson(schema, order))
  while (bytes - encoded().length > LENGTH_MAX)
    lines.push({ sku: digits(random, 8 + random(12), 16), quantity: random(60), price: price(random) })
  const left = bytes - encoded().length
  while (order.note.length < left) order.note += pick(random, [...WORDS, ' '])
  order.note = order.note.slice(0, Math.max(0, left))
  const whole = encoded()
  if (whole.length !== bytes || whole.some(byte => byte > 0x7f))
    throw new Error(`no payload of ${bytes} bytes in ASCII can be made`)
  return whole
}

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)]!
const digits = (random: Random, count: number, radix: number): string =>
  Array.from({ length: count }, () => random(radix).toString(radix)).join('')

/** From 4 to 511. On the wire six bytes below 0x80, one from 0x10 to 0x7f, and 0x40. */
function price(random: Random): number {
  const bytes = Buffer.from([...Array.from({ length: 6 }, () => random(0x80)), 0x10 + random(0x70), 0x40])
  return bytes.readDoubleLE(0)
}
