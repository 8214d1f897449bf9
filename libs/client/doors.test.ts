/** Producers, consumers and JSON events against a served process. */
import { isAssayError } from '@assay/errors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { journey } from '../../examples/journey.ts'
import { type Served, serve } from '../../test/served.ts'
import { type AvroType, avroType } from './avro-type.ts'
import { consumer, type Undecodable } from './consumer.ts'
import { type EventsClient, eventsClient } from './events.ts'
import { producer } from './producer.ts'
import { type RegistryClient, registryClient } from './registry.ts'
import { topicAdmin } from './topic-admin.ts'

interface Note {
  readonly text: string
  readonly stars: number
}
interface NoteInit {
  readonly text: string
  readonly stars?: number | undefined
}

const noteText = (fields: string): string => `{"type":"record","name":"Note","namespace":"test","fields":[${fields}]}`
const textField = '{"name":"text","type":"string"}'
const starsField = '{"name":"stars","type":"int","default":0}'
const typeOf = <T, I>(schema: string): AvroType<T, I> =>
  avroType({ name: 'test.Note', schema, fingerprint: '0', long: 'bigint', time: 'temporal' })
const Note = typeOf<Note, NoteInit>(noteText(`${textField},${starsField}`))
const OldNote = typeOf<{ text: string }, { text: string }>(noteText(textField))

let served: Served
let registry: RegistryClient
let events: EventsClient
beforeAll(async () => {
  served = await serve()
  registry = registryClient({ url: served.http })
  events = eventsClient({ url: served.http })
})
afterAll(() => served.stop())

/** A topic of one partition, and clients for it. */
async function newTopic(name: string, configs: Record<string, string> = {}) {
  const admin = topicAdmin({ bootstrap: served.kafka, timeoutMs: 10_000 })
  await admin.create({ name, partitions: 1, configs })
  await admin.close()
  const topics = { [name]: { key: null, value: Note } }
  const common = { topics, bootstrap: served.kafka, registry }
  return {
    write: async (...notes: readonly NoteInit[]) => {
      const writer = producer({ ...common, register: true })
      try {
        return await writer.send(
          name,
          notes.map(value => ({ value }))
        )
      } finally {
        await writer.close()
      }
    },
    reader: (options: { readonly onUndecodable?: (record: Undecodable) => void } = {}) =>
      consumer({ ...common, group: `${name}-group`, ...options })
  }
}

const failureOf = (action: Promise<unknown>): Promise<unknown> =>
  action.then(
    () => undefined,
    (error: unknown) => error
  )

test('the example produces, is refused and reads back; the second journey reads only its own events', async () => {
  const lines: string[] = []
  const doors = { http: served.http, kafka: served.kafka, print: (line: string) => lines.push(line) }
  expect(await journey(doors)).toEqual({ produced: 8, refused: 1, consumed: 8 })
  expect(lines.join('\n')).toMatch(/refused {3}orders INVALID_RECORD: value\.placedAt: expected long, 4 bytes left/)
  lines.length = 0
  expect(await journey(doors)).toEqual({ produced: 8, refused: 1, consumed: 8 })
  expect(lines.filter(line => line.startsWith('read'))).toHaveLength(8)
})

describe('a producer', () => {
  test('says where its events are, in the order of the calls', async () => {
    const { write } = await newTopic('placed')
    expect(await write({ text: 'a' }, { text: 'b' })).toEqual([{ partition: 0, offset: 0n }])
    expect(await write({ text: 'c' })).toEqual([{ partition: 0, offset: 2n }])
  })

  test('sends nothing when a value does not fit, and says which and where', async () => {
    const { write } = await newTopic('unfit')
    const failure = await failureOf(write({ text: 'a' }, { text: 'b', stars: 1.5 }))
    expect(isAssayError(failure, 'EVENT_NOT_ENCODABLE') && failure.facts).toMatchObject({ index: 1, path: 'value.stars' })
    expect(await write({ text: 'a' })).toEqual([{ partition: 0, offset: 0n }])
  })

  test('does not send with a schema that nobody registered, unless it may register it', async () => {
    await newTopic('unknown')
    const writer = producer({ topics: { unknown: { key: null, value: Note } }, bootstrap: served.kafka, registry })
    const failure = await failureOf(writer.send('unknown', { value: { text: 'a' } }))
    expect(isAssayError(failure, 'SCHEMA_NOT_REGISTERED') && failure.facts).toEqual({
      name: 'test.Note',
      subject: 'unknown-value'
    })
    await expect(writer.resolve()).rejects.toThrow("not registered under subject 'unknown-value'")
    await registry.register('unknown-value', { schema: Note.schema })
    await writer.resolve()
    expect(await writer.send('unknown', { value: { text: 'a' } })).toHaveLength(1)
    await writer.close()
  })

  test('goes on after a refusal: nothing of the refused call is stored, and no sequence number is used up', async () => {
    await newTopic('refused')
    const topics = { refused: { key: null, value: Note } }
    const writer = producer({ topics, bootstrap: served.kafka, registry, register: true })
    await writer.send('refused', { value: { text: 'a' } })
    // The registry of this producer answers an ID of another schema: the broker finds that the payload does not fit it.
    const foreignId = await registry.register('refused-value', {
      schema: noteText('{"name":"n","type":{"type":"fixed","name":"F","size":9},"default":"         "}')
    })
    const liar = producer({
      topics,
      bootstrap: served.kafka,
      registry: { ...registry, register: async () => foreignId },
      register: true
    })
    const failure = await failureOf(liar.send('refused', { value: { text: 'a' } }))
    expect(isAssayError(failure, 'PEER_REFUSED') && failure.facts).toMatchObject({
      status: 'INVALID_RECORD',
      reason: expect.stringContaining('value.n')
    })
    expect(await writer.send('refused', { value: { text: 'b' } })).toEqual([{ partition: 0, offset: 1n }])
    await liar.close()
    await writer.close()
  })

  test('says that nobody answers', async () => {
    const topics = { t: { key: null, value: Note } }
    const client = { ...registry, lookUp: async () => ({ subject: 't-value', version: 1, schemaId: 1, schema: '' }) }
    const writer = producer({ topics, bootstrap: '127.0.0.1:1', registry: client, timeoutMs: 300 })
    expect(isAssayError(await failureOf(writer.send('t', { value: { text: 'a' } })), 'UNREACHABLE')).toBe(true)
    await writer.close()
  }, 20_000)
})

describe('a consumer', () => {
  test('of a group goes on behind what was processed', async () => {
    const { write, reader } = await newTopic('resumed')
    await write({ text: 'a' }, { text: 'b' }, { text: 'c' })
    const texts: (string | undefined)[] = []
    const first = reader()
    for await (const { value } of first.stream('resumed', { limit: 2 })) texts.push(value?.text)
    await first.close()
    const second = reader()
    for await (const { value, offset } of second.stream('resumed', { limit: 1 })) texts.push(`${value?.text}@${offset}`)
    await second.close()
    expect(texts).toEqual(['a', 'b', 'c@2'])
  })

  test('gets an event again at which a loop was left, unless it committed it', async () => {
    const { write, reader } = await newTopic('left')
    await write({ text: 'a' }, { text: 'b' })
    const seen: bigint[] = []
    for (const commits of [false, true, true]) {
      const client = reader()
      for await (const event of client.stream('left')) {
        seen.push(event.offset)
        if (commits) await client.commit(event)
        break
      }
      await client.close()
    }
    expect(seen).toEqual([0n, 0n, 1n])
  })

  test('reads what older versions wrote as its own version', async () => {
    const { write, reader } = await newTopic('versions')
    const old = producer({
      topics: { versions: { key: null, value: OldNote } },
      bootstrap: served.kafka,
      registry,
      register: true
    })
    await old.send('versions', { key: 'k', value: { text: 'old' }, headers: { source: 'test' }, timestampMs: 1_000 })
    await old.close()
    await write({ text: 'new', stars: 5 })
    const client = reader()
    const found: unknown[] = []
    for await (const { key, value, headers, timestampMs, schema } of client.stream('versions', { limit: 2 })) {
      found.push({ key, value, source: headers['source']?.toString(), isOld: timestampMs === 1_000, id: schema.id })
    }
    await client.close()
    const ids = await Promise.all([OldNote, Note].map(({ schema }) => registry.lookUp('versions-value', { schema })))
    expect(found).toEqual([
      { key: 'k', value: { text: 'old', stars: 0 }, source: 'test', isOld: true, id: ids[0]?.schemaId },
      { key: null, value: { text: 'new', stars: 5 }, source: undefined, isOld: false, id: ids[1]?.schemaId }
    ])
  })

  test('hands what cannot be decoded to its owner, or stops there', async () => {
    const { write, reader } = await newTopic('garbled', { 'assay.value.validation': 'off' })
    const schemaId = await registry.register('garbled-value', { schema: Note.schema })
    const garbled = typeOf<Note, NoteInit>('{"type":"fixed","name":"F","size":3}')
    const liar = producer({
      topics: { garbled: { key: null, value: garbled as AvroType<unknown, never> } },
      bootstrap: served.kafka,
      registry: { ...registry, lookUp: async () => ({ subject: 'garbled-value', version: 1, schemaId, schema: '' }) }
    })
    await liar.send('garbled', { value: Buffer.from('abc') as never })
    await liar.close()
    await write({ text: 'good' })

    const strict = reader()
    const failure = await failureOf(strict.stream('garbled').next())
    expect(isAssayError(failure, 'RECORD_UNDECODABLE') && failure.facts).toMatchObject({
      topic: 'garbled',
      offset: 0n,
      part: 'value'
    })
    await strict.close()

    const passedOver: string[] = []
    const lenient = reader({
      onUndecodable: ({ offset, part, rawValue }) => passedOver.push(`${part}@${offset} ${rawValue?.length}`)
    })
    for await (const { value } of lenient.stream('garbled', { limit: 1 })) expect(value?.text).toBe('good')
    await lenient.close()
    expect(passedOver).toEqual(['value@0 8'])
  })

  test('that waits ends when it is closed', async () => {
    const { reader } = await newTopic('quiet')
    const client = reader()
    const waiting = client.stream('quiet').next()
    await new Promise(resolve => setTimeout(resolve, 500))
    await client.close()
    expect(await waiting).toEqual({ done: true, value: undefined })
  })
})

describe('JSON events', () => {
  test('go in by schema and come back by page, by cursor and by time', async () => {
    await newTopic('json')
    const schemaId = await registry.register('json-value', { schema: Note.schema })
    const answer = await events.produce('json', [
      { key: 'k', value: { text: 'a', stars: 1 } },
      { value: { text: 'b', stars: 2 } }
    ])
    expect(answer).toEqual({
      schemaId,
      events: [
        { partition: 0, offset: 0 },
        { partition: 0, offset: 1 }
      ]
    })
    const page = await events.read('json', { limit: 1 })
    expect(page.events).toMatchObject([{ offset: 0, key: 'k', value: { text: 'a', stars: 1 }, valueSchemaId: schemaId }])
    const rest = await events.read('json', { from: { cursor: page.next } })
    expect(rest.events.map(({ offset }) => offset)).toEqual([1])
    expect((await events.read('json', { from: new Date(Date.now() + 3_600_000) })).events).toEqual([])
  })

  test('that do not fit are refused with their place', async () => {
    await newTopic('json-unfit')
    await registry.register('json-unfit-value', { schema: Note.schema })
    const failure = await failureOf(events.produce('json-unfit', [{ value: { text: 'a', stars: 'many' } }]))
    expect(isAssayError(failure, 'PEER_REFUSED') && failure.facts).toMatchObject({
      status: 42252,
      reason: expect.stringContaining('value.stars')
    })
  })

  test('keep a long beyond 2^53', async () => {
    await newTopic('json-long')
    await registry.register('json-long-value', { schema: '"long"' })
    await events.produce('json-long', [{ value: 9_007_199_254_740_993n }])
    expect((await events.read('json-long')).events).toMatchObject([{ value: '9007199254740993' }])
  })

  test('are followed as they come', async () => {
    const { write } = await newTopic('followed')
    await write({ text: 'before' })
    const abort = new AbortController()
    const texts: string[] = []
    for await (const { value, cursor } of events.follow('followed', { signal: abort.signal })) {
      texts.push(`${(value as Note).text} ${cursor}`)
      if (texts.length === 1) await write({ text: 'after' })
      else abort.abort()
    }
    expect(texts).toEqual(['before 0:1', 'after 0:2'])
  })

  test('of a topic that is not there are told by code', async () => {
    const failure = await failureOf(events.follow('nowhere').next())
    expect(isAssayError(failure, 'PEER_REFUSED') && failure.facts.status).toBe(40411)
  })
})

test('a followed stream is taken up again where it broke off, after the server came back', async () => {
  const first = await serve()
  const url = first.http
  const client = eventsClient({ url })
  const admin = topicAdmin({ bootstrap: first.kafka, timeoutMs: 10_000 })
  await admin.create({ name: 'broken', partitions: 1, configs: {} })
  await admin.close()
  await registryClient({ url }).register('broken-value', { schema: '"string"' })
  await client.produce('broken', [{ value: 'a' }, { value: 'b' }])
  const stream = client.follow('broken')
  expect((await stream.next()).value).toMatchObject({ value: 'a' })
  expect((await stream.next()).value).toMatchObject({ value: 'b' })
  const next = stream.next()
  await first.kill()
  const again = await serve({ directory: first.directory, http: new URL(url).host, kafka: first.kafka })
  await client.produce('broken', [{ value: 'c' }])
  expect((await next).value).toMatchObject({ value: 'c', offset: 2 })
  await stream.return()
  await again.stop()
}, 60_000)
