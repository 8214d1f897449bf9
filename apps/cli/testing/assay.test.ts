/** Assay embedded in a test process, as a stranger's test uses it: by its published name, with clients of others. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listGroups, offsetCommit } from '@assay/protocol'
import { Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { type Assay, startAssay } from 'assay/testing'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { requestOf } from '../../../test/filled.ts'
import { rawClient } from '../../../test/raw-client.ts'

const payment = {
  type: 'record',
  name: 'Payment',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'amount', type: 'double' }
  ]
}

let assay: Assay

const seed = {
  topics: { payments: { partitions: 2 } },
  schemas: { 'payments-value': payment },
  events: { payments: [{ key: 'p-0', partition: 0, value: { id: 'p-0', amount: 1 } }] }
}

beforeEach(async () => {
  assay = await startAssay({ seed })
})

afterEach(() => assay.close())

const kafkajs = () => new Kafka({ brokers: [assay.kafka], logLevel: logLevel.NOTHING })

describe('an embedded Assay', () => {
  test('takes records of kafkajs and shows them', async () => {
    await assay.createTopic('notes')
    const producer = kafkajs().producer()
    await producer.connect()
    await producer.send({ topic: 'notes', messages: [{ key: 'a', value: 'one', headers: { from: 'test' } }, { value: 'two' }] })
    await producer.disconnect()
    expect(await assay.records('notes')).toMatchObject([
      { partition: 0, offset: 0, key: 'a', value: 'one', headers: { from: 'test' } },
      { partition: 0, offset: 1, key: null, value: 'two' }
    ])
  })

  test('gives a group of @platformatic/kafka what a producer wrote', async () => {
    await assay.createTopic('notes', { partitions: 3 })
    const producer = new Producer({ clientId: 'p', bootstrapBrokers: [assay.kafka], serializers: stringSerializers })
    await producer.send({ messages: ['a', 'b', 'c'].map(value => ({ topic: 'notes', key: value, value })) })
    const consumer = new Consumer({
      clientId: 'c',
      groupId: 'readers',
      bootstrapBrokers: [assay.kafka],
      deserializers: stringDeserializers
    })
    const values: string[] = []
    const stream = await consumer.consume({ topics: ['notes'], mode: 'earliest' })
    for await (const { value } of stream) {
      values.push(value)
      if (values.length === 3) break
    }
    expect(values.sort()).toEqual(['a', 'b', 'c'])
    await stream.close()
    await Promise.all([consumer.close(), producer.close()])
  })

  test('refuses what the schema does not allow, whoever sends it', async () => {
    await expect(assay.produce('payments', { value: { id: 'p-1', amount: 'a lot' } })).rejects.toThrow(/amount/)
    const producer = kafkajs().producer({ retry: { retries: 0 } })
    await producer.connect()
    const sent = producer.send({ topic: 'payments', messages: [{ value: Buffer.from([0, 0, 0, 0, 1, 2]) }] })
    await expect(sent).rejects.toThrow(/INVALID_RECORD|record/i)
    await producer.disconnect()
    expect(await assay.records('payments')).toHaveLength(1)
  })

  test('registers schemas over either way, and says why one is refused', async () => {
    const id = await assay.register('orders-value', payment)
    const answer = await fetch(`${assay.http}/subjects/orders-value/versions/latest`)
    expect(await answer.json()).toMatchObject({ id, version: 1 })
    const fields = [...payment.fields, { name: 'currency', type: 'string' }]
    await expect(assay.register('orders-value', { ...payment, fields })).rejects.toThrow(/currency/)
    await expect(assay.createTopic('payments')).rejects.toThrow(/exist/)
    await expect(assay.createTopic('odd', { configs: { 'no.such.setting': '1' } })).rejects.toThrow(/no.such.setting/)
  })
})

describe('reset', () => {
  test('leaves what the seed planted and nothing else, with clients connected', async () => {
    const producer = kafkajs().producer()
    await producer.connect()
    await assay.createTopic('notes')
    await producer.send({ topic: 'notes', messages: [{ value: 'one' }] })
    await assay.produce('payments', { key: 'p-1', value: { id: 'p-1', amount: 2 } })
    await assay.register('money-value', { type: 'record', name: 'Money', fields: [] })
    const reference = { name: 'Payment', subject: 'payments-value', version: 1 }
    const body = { schema: '{"type":"array","items":"Payment"}', references: [reference] }
    const headers = { 'content-type': 'application/json' }
    const url = (path: string): string => `${assay.http}${path}`
    const referring = await fetch(url('/subjects/lists-value/versions'), { method: 'POST', headers, body: JSON.stringify(body) })
    expect(referring.status).toBe(200)
    const mode = JSON.stringify({ mode: 'READONLY' })
    expect((await fetch(url('/mode/money-value'), { method: 'PUT', headers, body: mode })).status).toBe(200)
    const level = JSON.stringify({ compatibility: 'NONE' })
    expect((await fetch(url('/config'), { method: 'PUT', headers, body: level })).status).toBe(200)

    await assay.reset()

    expect((await assay.records('payments')).map(({ value }) => value)).toEqual([{ id: 'p-0', amount: 1 }])
    await expect(assay.records('notes')).rejects.toThrow(/notes/)
    const subjects = (await (await fetch(url('/subjects?deleted=true'))).json()) as string[]
    expect(subjects.filter(subject => !subject.startsWith('_'))).toEqual(['payments-value'])
    expect(await (await fetch(url('/config'))).json()).toMatchObject({ compatibilityLevel: 'BACKWARD' })
    expect((await fetch(url('/mode/money-value'))).status).toBe(404)
    await producer.send({ topic: 'payments', messages: [{ value: null }] })
    expect(await assay.records('payments')).toHaveLength(2)
    await producer.disconnect()
  })

  test('forgets committed offsets and refusals', async () => {
    const client = await rawClient(assay.kafka)
    const partitions = [{ partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: null }]
    const memberless = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null }
    const topics = [{ name: 'payments', partitions }]
    await client.ask(offsetCommit, 8, requestOf(offsetCommit, { groupId: 'g', ...memberless, topics }))
    const groups = async () => (await client.ask(listGroups, 5, requestOf(listGroups, {}))).groups.map(({ groupId }) => groupId)
    expect(await groups()).toEqual(['g'])
    await expect(assay.produce('payments', { value: 1 })).rejects.toThrow()
    await assay.reset()
    expect(await groups()).toEqual([])
    expect(await assay.records('_assay.rejects')).toEqual([])
    client.close()
  })
})

test('two side by side know nothing of each other', async () => {
  await using other = await startAssay({ settings: { defaultPartitions: 7, autoCreateTopics: false } })
  expect(other.kafka).not.toBe(assay.kafka)
  await other.createTopic('here')
  await expect(assay.records('here')).rejects.toThrow(/here/)
  expect(await assay.records('payments')).toHaveLength(1)
})

test('a directory is there for the next, a temporary one is gone', async () => {
  const before = new Set(readdirSync(tmpdir()))
  const passing = await startAssay({ storage: 'temporary', seed })
  const [made] = readdirSync(tmpdir()).filter(name => name.startsWith('assay-testing-') && !before.has(name))
  expect(made).toBeDefined()
  const directory = join(tmpdir(), made!)
  await passing.close()
  expect(existsSync(directory)).toBe(false)

  const kept = await startAssay({ storage: { directory }, seed })
  await kept.close()
  const again = await startAssay({ storage: { directory } })
  expect(await again.records('payments')).toHaveLength(1)
  await again.close()
  rmSync(directory, { recursive: true })
})

test('a setting that is none, and a seed that is refused, are told, and nothing stays open', async () => {
  await expect(startAssay({ settings: { defaultPartitions: 0 } })).rejects.toThrow(/default-partitions/)
  await expect(startAssay({ seed: { schemas: { s: '{' } } })).rejects.toThrow(/schema/i)
})

test.each(['memory', 'temporary'])('a process with one on %s is ready at once and ends by itself', async storage => {
  const child = spawn(process.execPath, ['--conditions=source', join(import.meta.dirname, 'process.fixture.ts'), storage], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => (stdout += chunk))
  child.stderr.on('data', chunk => (stderr += chunk))
  const code = await new Promise(resolve => child.once('exit', resolve))
  expect([code, stderr]).toEqual([0, ''])
  const { count, secondMs } = JSON.parse(stdout) as { count: number; secondMs: number }
  expect(count).toBe(1)
  // Far above what it takes (20 ms), for machines that do other things too.
  expect(secondMs).toBeLessThan(1000)
})
