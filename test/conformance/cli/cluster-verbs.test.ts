/** `assay cluster` against a served process: what it tells and changes, and how it ends. */
import { topicAdmin } from '@assay/client'
import { ProduceAcks, Producer } from '@platformatic/kafka'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, serve } from '../../served.ts'
import { commandLine } from './command.ts'

let served: Served
const { run } = commandLine(() => served, { ownProcess: false })
const json = async (...args: string[]): Promise<Record<string, unknown>> =>
  JSON.parse((await run(['cluster', ...args, '-o', 'json'])).out) as Record<string, unknown>

beforeAll(async () => {
  served = await serve()
})

afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

test('the cluster is one broker, which leads itself', async () => {
  const [host, port] = served.kafka.split(':')
  const told = await json('describe')
  expect(told).toMatchObject({ controllerId: 0, brokers: [{ id: 0, host, port: Number(port), rack: null }] })
  expect(told['clusterId']).toMatch(/^[\w-]{22}$/)
  const shown = await run(['cluster', 'describe'])
  expect(shown).toMatchObject({ code: 0, out: expect.stringContaining(served.kafka) })
})

test('features and the APIs behind them are told', async () => {
  const { features, apis } = (await json('features', '--apis')) as {
    features: object[]
    apis: { key: number; versions: string }[]
  }
  expect(apis).toContainEqual({ key: 1, api: 'Fetch', versions: '4-18' })
  const has = (key: number): boolean => apis.some(api => api.key === key)
  expect(features.length).toBe([has(26), has(68)].filter(Boolean).length)
  expect(await json('features')).not.toHaveProperty('apis')
  expect((await run(['cluster', 'features', '--apis'])).out).toMatch(/Fetch\s+4-18/)
})

test('what partitions occupy is told, the largest first', async () => {
  const admin = topicAdmin({ bootstrap: served.kafka, timeoutMs: 10_000 })
  await admin.create({ name: 'large', partitions: 2, configs: {} })
  await admin.create({ name: 'empty', partitions: 1, configs: {} })
  await admin.close()
  const producer = new Producer({ clientId: 'c', bootstrapBrokers: [served.kafka] })
  const messages = [{ topic: 'large', partition: 1, value: Buffer.alloc(5000, 'a') }]
  await producer.send({ messages, acks: ProduceAcks.ALL })
  await producer.close()
  const told = (await json('log-dirs')) as { directory: string; freeBytes: number; partitions: { topic: string }[] }
  expect(told.directory).toBe(served.directory)
  expect(told.freeBytes).toBeGreaterThan(0)
  expect(told.partitions[0]).toMatchObject({ topic: 'large', partition: 1 })
  const one = (await json('log-dirs', '--topic', 'large')) as { bytes: number; partitions: { bytes: number }[] }
  expect(one.partitions.map(({ bytes }) => bytes)).toEqual([one.bytes, 0])
  expect(one.bytes).toBeGreaterThan(5000)
  expect((await run(['cluster', 'log-dirs', '--topic', 'empty'])).out).toMatch(/empty\s+0\s+0/)
})

test('settings of brokers are shown and changed, all or none', async () => {
  expect(await run(['cluster', 'alter', '--set', 'log.retention.ms=60000', '--dry-run'])).toMatchObject({ code: 0 })
  const own = async (): Promise<unknown> => JSON.parse((await run(['cluster', 'config', '-o', 'json'])).out) as unknown
  expect(await own()).not.toContainEqual(expect.objectContaining({ setting: 'log.retention.ms' }))
  expect(await run(['cluster', 'alter', '--set', 'log.retention.ms=60000'])).toMatchObject({ code: 0 })
  expect(await run(['cluster', 'alter', '--broker', '0', '--set', 'log.segment.bytes=2000000'])).toMatchObject({ code: 0 })
  expect(await own()).toEqual(
    expect.arrayContaining([
      { setting: 'log.retention.ms', value: '60000', from: 'all brokers' },
      { setting: 'log.segment.bytes', value: '2000000', from: 'this broker' }
    ])
  )
  const refused = await run(['cluster', 'alter', '--set', 'log.retention.ms=1', '--set', 'no.such.setting=1'])
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('no.such.setting') })
  expect(await run(['cluster', 'alter', '--unset', 'log.retention.ms'])).toMatchObject({ code: 0 })
  expect(await own()).not.toContainEqual(expect.objectContaining({ setting: 'log.retention.ms' }))
  const one = await run(['cluster', 'config', 'num.partitions', '--explain'])
  expect(one.out).toMatch(/num\.partitions\s+1\s+default\s+Partitions of a topic/)
})

test.each<[string, string[], number, RegExp]>([
  ['a setting that is none, to show', ['config', 'no.such'], 2, /no\.such is no setting of a broker/],
  ['nothing to change', ['alter'], 2, /--set log\.retention\.ms=60000/],
  ['a broker that is none', ['config', '--broker', '7'], 2, /no broker 7 in the cluster; there is 0/],
  ['a broker that is none, to change', ['alter', '--broker', 'x', '--set', 'log.retention.ms=1'], 2, /no broker x/]
])('%s is told', async (_, args, code, reason) => {
  const { code: ended, err } = await run(['cluster', ...args])
  expect({ ended, err }).toEqual({ ended: code, err: expect.stringMatching(reason) })
})
