/** `assay group` against a served process: what it shows of groups of both protocols, and what it moves and deletes. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Admin, Consumer, Producer, stringDeserializer, stringSerializer } from '@platformatic/kafka'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, serve, temporaryDirectory } from '../../served.ts'
import { commandLine } from './command.ts'

const WAITING = { timeout: 10_000, interval: 100 }

let served: Served
const { run } = commandLine(() => served, { ownProcess: false })

beforeAll(async () => {
  served = await serve()
  await run(['topic', 'create', 'read', '--partitions', '2'])
  const producer = new Producer({
    clientId: 'verbs',
    bootstrapBrokers: [served.kafka],
    serializers: { key: stringSerializer, value: stringSerializer }
  })
  const messages = Array.from({ length: 20 }, (_, at) => ({
    topic: 'read',
    partition: at % 2,
    value: `v${at}`,
    timestamp: BigInt(Date.now() - 3_600_000 + Math.floor(at / 2) * 60_000)
  }))
  await producer.send({ messages })
  await producer.close()
})

afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

async function commit(group: string, offsets: readonly number[]): Promise<void> {
  const admin = new Admin({ clientId: 'verbs', bootstrapBrokers: [served.kafka] })
  const partitionOffsets = offsets.map((offset, partition) => ({ partition, offset: BigInt(offset) }))
  await admin.alterConsumerGroupOffsets({ groupId: group, topics: [{ name: 'read', partitionOffsets }] })
  await admin.close()
}

const offsetsOf = async (group: string): Promise<unknown[]> =>
  (JSON.parse((await run(['group', 'describe', group, '-o', 'json'])).out) as { offsets: { committed: number }[] }).offsets.map(
    ({ committed }) => committed
  )

test('lag is told in records and in seconds', async () => {
  await commit('lags', [4, 10])
  const { offsets, state, members } = JSON.parse((await run(['group', 'describe', 'lags', '-o', 'json'])).out) as {
    offsets: Record<string, unknown>[]
    state: string
    members: unknown[]
  }
  expect([state.toLowerCase(), members]).toEqual(['empty', []])
  expect(offsets).toMatchObject([
    { topic: 'read', partition: 0, committed: 4, end: 10, lag: 6 },
    { topic: 'read', partition: 1, committed: 10, end: 10, lag: 0, seconds: 0 }
  ])
  // The fifth record was written four minutes after the first.
  expect(Number(offsets[0]!['seconds'])).toBeGreaterThanOrEqual(3_600 - 240)
  expect(Number(offsets[0]!['seconds'])).toBeLessThan(3_600 - 180)
  expect((await run(['group', 'describe', 'lags'])).out).toMatch(/TOPIC\s+PARTITION\s+COMMITTED\s+END\s+LAG\s+SECONDS/)
})

const iso = (minutesAgo: number): string => new Date(Date.now() - minutesAgo * 60_000).toISOString()
const plan = join(temporaryDirectory(), 'plan.csv')
const ways: [name: string, args: () => string[], expected: number[]][] = [
  ['the first record', () => ['--topic', 'read', '--to-earliest'], [0, 0]],
  ['the end', () => ['--all-topics', '--to-latest'], [10, 10]],
  ['where it is', () => ['--topic', 'read', '--to-current'], [5, 5]],
  ['an offset', () => ['--topic', 'read', '--to-offset', '7'], [7, 7]],
  ['an offset beyond the end', () => ['--topic', 'read', '--to-offset', '700'], [10, 10]],
  ['one partition only', () => ['--topic', 'read:1', '--to-offset', '7'], [5, 7]],
  ['a time', () => ['--topic', 'read', '--to-datetime', iso(57.5)], [3, 3]],
  ['a time after all records', () => ['--topic', 'read', '--to-datetime', iso(0)], [10, 10]],
  ['so long ago', () => ['--topic', 'read', '--by-duration', 'PT54M30S'], [6, 6]],
  ['some records back', () => ['--topic', 'read', '--shift-by', '-3'], [2, 2]],
  ['more records back than there are', () => ['--topic', 'read', '--shift-by=-30'], [0, 0]],
  ['what a file says', () => ['--from-file', plan], [1, 8]]
]
test.each(ways)('offsets are moved to %s', async (name, args, expected) => {
  const group = `moved-${name.replace(/\W+/g, '-')}`
  writeFileSync(plan, '# topic,partition,offset\nread,0,1\n"read",1,8\n')
  await commit(group, [5, 5])
  const dry = await run(['group', 'reset-offsets', group, ...args(), '--dry-run', '-o', 'json'])
  expect(dry.code, dry.err).toBe(0)
  expect(await offsetsOf(group), 'a dry run moves nothing').toEqual([5, 5])
  const done = await run(['group', 'reset-offsets', group, ...args(), '--yes', '-o', 'json'])
  expect(done.out.length).toBeGreaterThan(0)
  expect(await offsetsOf(group)).toEqual(expected)
})

test.each([
  ['no way', ['--topic', 'read']],
  ['two ways', ['--topic', 'read', '--to-latest', '--to-earliest']],
  ['no topic', ['--to-latest']],
  ['a partition that is none', ['--topic', 'read:x', '--to-latest']],
  ['a partition that is not there', ['--topic', 'read:9', '--to-latest']],
  ['a duration that is none', ['--topic', 'read', '--by-duration', 'P']],
  ['a file that is not there', ['--from-file', 'nowhere.csv']]
])('a move with %s is refused', async (_name, args) => {
  await commit('kept', [5, 5])
  expect((await run(['group', 'reset-offsets', 'kept', ...args, '--yes'])).code).toBe(2)
  expect(await offsetsOf('kept')).toEqual([5, 5])
})

test('offsets and groups are deleted', async () => {
  await commit('gone', [1, 2])
  expect((await run(['group', 'delete-offsets', 'gone', '--topic', 'read:0', '--yes'])).code).toBe(0)
  expect(await offsetsOf('gone')).toEqual([2])
  expect((await run(['group', 'delete', 'gone', '--yes'])).out).toMatch(/deleted\s+gone/)
  expect(await run(['group', 'describe', 'gone'])).toMatchObject({ code: 1, err: expect.stringContaining("no group 'gone'") })
  expect(await run(['group', 'delete', 'gone', '--yes'])).toMatchObject({ code: 1 })
})

test('settings of groups are shown and changed, all or none', async () => {
  const own = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await run(['group', 'config', 'timed', ...args, '-o', 'json'])).out)
  const [session, heartbeat] = ['consumer.session.timeout.ms', 'consumer.heartbeat.interval.ms']
  expect(await own()).toEqual([])
  expect(await run(['group', 'config', 'timed'])).toMatchObject({
    code: 0,
    err: expect.stringMatching(/^Nobody has set anything/)
  })
  expect((await run(['group', 'alter', 'timed', '--set', `${session}=60000`, '--dry-run'])).out).toMatch(/changed\s+false/)
  expect(await own()).toEqual([])
  const args = ['--set', `${session}=60000`, '--set', `${heartbeat}=2000`]
  expect((await run(['group', 'alter', 'timed', ...args])).code).toBe(0)
  expect(await own()).toEqual([
    { setting: session, value: '60000', from: 'this group' },
    { setting: heartbeat, value: '2000', from: 'this group' }
  ])
  const refused = await run(['group', 'alter', 'timed', '--unset', session, '--set', `${heartbeat}=0`])
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('must lie between') })
  expect((await run(['group', 'alter', 'timed', '--unset', session])).code).toBe(0)
  expect(await own('--all')).toMatchObject([
    { setting: session, from: 'default' },
    { setting: heartbeat, value: '2000' }
  ])
  expect((await run(['group', 'config', 'timed', heartbeat, '--explain'])).out).toContain('How often a member')
  expect(await run(['group', 'config', 'timed', 'retention.ms'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('retention.ms is no setting of a group')
  })
  expect(await run(['group', 'alter', 'timed'])).toMatchObject({ code: 2, err: expect.stringContaining('name what to change') })
})

test.each(['classic', 'consumer'] as const)(
  'a group of the %s protocol with a member is shown, and not touched',
  async protocol => {
    const group = `live-${protocol}`
    const consumer = new Consumer({
      clientId: 'verbs',
      groupId: group,
      groupProtocol: protocol,
      bootstrapBrokers: [served.kafka],
      deserializers: { key: stringDeserializer, value: stringDeserializer }
    })
    const stream = await consumer.consume({ topics: ['read'], mode: 'earliest' })
    stream.resume()
    try {
      // Under the consumer protocol the library says that it consumes before it has joined.
      await expect
        .poll(async () => {
          const { code, out } = await run(['group', 'describe', group, '-o', 'json'])
          return code === 0 ? (JSON.parse(out) as unknown) : undefined
        }, WAITING)
        .toMatchObject({ type: protocol, members: [{ client: 'verbs', partitions: 'read:0 read:1' }] })
      const listed = JSON.parse((await run(['group', 'list', '--type', protocol, '-o', 'json'])).out) as { group: string }[]
      expect(listed.map(one => one.group)).toContain(group)
      for (const args of [
        ['reset-offsets', group, '--topic', 'read', '--to-latest', '--yes'],
        ['delete', group, '--yes']
      ]) {
        expect(await run(['group', ...args])).toMatchObject({ code: 1, err: expect.stringContaining('has members') })
      }
    } finally {
      await stream.close()
      await consumer.close(true)
    }
  }
)
