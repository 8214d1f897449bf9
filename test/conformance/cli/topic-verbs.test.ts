/** `assay topic config`, `alter` and `delete-records` against a served process: what they change, what they say, and how they end. */
import { ProduceAcks, Producer } from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Served, serve } from '../../served.ts'
import { commandLine } from './command.ts'

let served: Served
const { run } = commandLine(() => served, { ownProcess: false })

beforeAll(async () => {
  served = await serve()
})

afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

test('settings of a topic are shown and changed, all or none, and it grows', async () => {
  await run(['topic', 'create', 'changed', '--set', 'retention.ms=1000'])
  const own = async () => JSON.parse((await run(['topic', 'config', 'changed', '-o', 'json'])).out) as unknown
  expect(await own()).toEqual([{ setting: 'retention.ms', value: '1000', from: 'this topic' }])
  const changes = ['--set', 'max.message.bytes=5000', '--add', 'cleanup.policy=compact', '--unset', 'retention.ms']
  expect(await run(['topic', 'alter', 'changed', ...changes, '--dry-run'])).toMatchObject({ code: 0 })
  expect(await own()).toHaveLength(1)
  expect(await run(['topic', 'alter', 'changed', ...changes, '--partitions', '3'])).toMatchObject({ code: 0 })
  expect(await own()).toEqual([
    { setting: 'cleanup.policy', value: 'delete,compact', from: 'this topic' },
    { setting: 'max.message.bytes', value: '5000', from: 'this topic' }
  ])
  expect(JSON.parse((await run(['topic', 'describe', 'changed', '-o', 'json'])).out)).toMatchObject({
    partitions: [{ partition: 0 }, { partition: 1 }, { partition: 2 }]
  })
  const one = await run(['topic', 'config', 'changed', 'segment.ms', '--explain'])
  expect(one.out).toMatch(/segment\.ms\s+604800000\s+default\s+.*Partitions share one journal/)
  expect(JSON.parse((await run(['topic', 'config', 'changed', '--all', '-o', 'json'])).out)).toHaveLength(50)
  // More partitions are refused, and so nothing else is done either.
  const both = await run(['topic', 'alter', 'changed', '--set', 'max.message.bytes=6000', '--partitions', '2'])
  expect(both).toMatchObject({ code: 1, err: expect.stringContaining('has 3 already') })
  expect(await own()).toContainEqual({ setting: 'max.message.bytes', value: '5000', from: 'this topic' })
})

describe('mistakes about topics', () => {
  beforeAll(async () => {
    await run(['topic', 'create', 'mistaken'])
    await run(['topic', 'create', 'compacted', '--set', 'cleanup.policy=compact'])
  })

  test.each<[string, string[], number, RegExp]>([
    [
      'a setting that is none',
      ['alter', 'mistaken', '--set', 'retention.mss=1'],
      1,
      /INVALID_CONFIG.*Did you mean retention\.ms\?/
    ],
    ['a value that is none', ['alter', 'mistaken', '--set', 'retention.ms=soon'], 1, /retention\.ms.*not an integer/],
    ['nothing to change', ['alter', 'mistaken'], 2, /--set retention\.ms=60000/],
    ['a pair that is none', ['alter', 'mistaken', '--set', 'retention.ms'], 2, /expected name=value/],
    ['another topic', ['alter', 'mistakem', '--set', 'retention.ms=1'], 1, /Did you mean mistaken\?/],
    ['a setting that is none, to show', ['config', 'mistaken', 'no.such'], 2, /no\.such is no setting/],
    ['two ways to delete', ['delete-records', 'mistaken', '--all', '--before', '5'], 2, /one of --before/],
    ['no way to delete', ['delete-records', 'mistaken'], 2, /one of --before/],
    ['a time that is none', ['delete-records', 'mistaken', '--older-than', 'lunch'], 2, /--older-than lunch: expected/],
    ['a partition that is none', ['delete-records', 'mistaken', '--all', '--partition', '7'], 2, /no partition 7/],
    ['an offset behind the end', ['delete-records', 'mistaken', '--before', '5'], 1, /OFFSET_OUT_OF_RANGE/],
    ['records of a compacted topic', ['delete-records', 'compacted', '--all'], 1, /POLICY_VIOLATION/]
  ])('%s is refused', async (_name, args, code, says) => {
    const ran = await run(['topic', ...args])
    expect(ran.err).toMatch(says)
    expect(ran.code).toBe(code)
  })
})

test('records of a topic are deleted by offset, by time, and all', async () => {
  await run(['topic', 'create', 'cleared', '--partitions', '2'])
  const producer = new Producer({ clientId: 'test', bootstrapBrokers: [served.kafka] })
  const messages = [0, 1].flatMap(partition =>
    [1000, 2000, 3000].map(ms => ({ topic: 'cleared', partition, timestamp: BigInt(ms), value: Buffer.from('v') }))
  )
  await producer.send({ messages, acks: ProduceAcks.ALL })
  await producer.close()
  const clear = async (...args: string[]) => {
    const { code, out, err } = await run(['topic', 'delete-records', 'cleared', ...args, '-o', 'json'])
    expect(code, err).toBe(0)
    return out === '' ? err : (JSON.parse(out) as { start: number }[]).map(({ start }) => start)
  }
  expect(await clear('--before', '1', '--partition', '1')).toEqual([1])
  expect(await clear('--older-than', '1970-01-01T00:00:02Z')).toEqual([1])
  expect(await clear('--older-than', '2000')).toMatch(/No record of cleared is that old/)
  expect(await clear('--older-than', '2001')).toEqual([2, 2])
  expect(await clear('--all', '--yes')).toEqual([3, 3])
  const topic = JSON.parse((await run(['topic', 'describe', 'cleared', '-o', 'json'])).out) as { partitions: unknown }
  expect(topic.partitions).toEqual([0, 1].map(partition => ({ partition, start: 3, end: 3 })))
})
