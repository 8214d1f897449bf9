/** Real clients, unmodified, against a served process: what one writes, a group of another reads, before and after a restart of the server. */
import { groupAdmin, topicAdmin } from '@assay/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Served, serve } from '../../served.ts'
import { type Driver, type Member, type Received, type Visit, visitSchema } from './driver.ts'
import { kafkajs } from './kafkajs.ts'
import { platformatic } from './platformatic.ts'
import { pythonConfluent } from './python.ts'

const USERS = 20
const PARTITIONS = 4
const DEADLINE_MS = 30_000
const SETTLED_MS_MAX = 60_000
/** What the drivers ask their Fetches to wait. */
const FETCH_WAIT_MS = 200

let served: Served

beforeAll(async () => {
  served = await serve()
})

afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

const pairs: [Driver, Driver][] = [
  [kafkajs, platformatic],
  [platformatic, pythonConfluent],
  [pythonConfluent, kafkajs]
]

describe.each(pairs.map(([writer, reader]) => ({ title: `${writer.name} writes, ${reader.name} reads`, writer, reader })))(
  '$title',
  ({ writer, reader }) => {
    test('registers, produces, is read by a group of two, resumes after a restart, keeps order per key', async context => {
      for (const driver of [writer, reader]) {
        const missing = await driver.prepare()
        if (missing) return context.skip(`${driver.name}: ${missing}`)
      }
      const topic = `visits-${pairs.findIndex(pair => pair[0] === writer)}`
      const group = `readers-of-${topic}`
      await createTopic(topic)
      expect(await writer.register(served, `${topic}-value`, visitSchema)).toBeGreaterThan(0)

      const before = visits(0, 15)
      const first = await readAll(reader, { group, topic, members: 2 }, before.length, () =>
        writer.produce(served, topic, before)
      )
      expectOnceAndInOrder(first.received, before)
      expect(
        first.perMember.every(count => count > 0),
        `each member received something: ${first.perMember}`
      ).toBe(true)

      await restart()

      const after = visits(15, 5)
      const second = await readAll(reader, { group, topic, members: 1 }, after.length, () => writer.produce(served, topic, after))
      // Only what came after the committed offsets: nothing again, nothing left out.
      expectOnceAndInOrder(second.received, after)
    }, 180_000)
  }
)

test.for([kafkajs, platformatic, pythonConfluent].map(driver => ({ name: driver.name, driver })))(
  '$name: a record whose payload is truncated is refused with INVALID_RECORD',
  { timeout: 120_000 },
  async ({ driver }, context) => {
    const missing = await driver.prepare()
    if (missing) return context.skip(`${driver.name}: ${missing}`)
    const topic = `refusals-${driver.name.replace(/\W/g, '')}`
    await createTopic(topic)
    const id = await driver.register(served, `${topic}-value`, visitSchema)
    await driver.produce(served, topic, visits(0, 1))
    const truncated = Buffer.from([0, 0, 0, 0, id, 8, 0x61])
    const refusal = await driver.sendRaw(served, topic, truncated)
    expect(refusal).toMatch(/INVALID_RECORD/i)
  }
)

async function createTopic(name: string): Promise<void> {
  const admin = topicAdmin({ bootstrap: served.kafka, timeoutMs: 10_000 })
  await admin.create({ name, partitions: PARTITIONS, configs: {} })
  await admin.close()
}

/** Every member is there and has a share. */
async function settled(group: string, members: number): Promise<void> {
  const admin = groupAdmin({ bootstrap: served.kafka, timeoutMs: 10_000 })
  const deadline = Date.now() + SETTLED_MS_MAX
  try {
    for (;;) {
      const told = await admin.describe(group).catch(() => undefined)
      const shares = told?.state.toUpperCase() === 'STABLE' ? told.members.filter(({ partitions }) => partitions.length > 0) : []
      if (shares.length === members) return
      if (Date.now() > deadline) throw new Error(`${group} has ${shares.length} members with a share, and not ${members}`)
      await pause(100)
    }
  } finally {
    await admin.close()
  }
}

async function restart(): Promise<void> {
  const { directory, kafka, http } = served
  expect(await served.stop()).toBe(0)
  served = await serve({ directory, kafka, http: new URL(http).host })
}

/** Steps `from` .. `from + count - 1` of every user, users taking turns. */
function visits(from: number, count: number): Visit[] {
  return Array.from({ length: count * USERS }, (_, index) => ({
    user: `user-${index % USERS}`,
    step: from + Math.floor(index / USERS),
    page: `/page/${index}`
  }))
}

interface Readers {
  readonly group: string
  readonly topic: string
  readonly members: number
}

/** The members join, then `write` runs, then they read until `count` events are there. */
async function readAll(reader: Driver, { group, topic, members }: Readers, count: number, write: () => Promise<void>) {
  const received: Received[] = []
  const perMember = Array.from({ length: members }, () => 0)
  const joined: Member[] = []
  const join = (index: number): Promise<Member> =>
    reader.join(served, group, topic, event => {
      received.push(event)
      perMember[index]!++
    })
  try {
    for (let index = 0; index < members; index++) joined.push(await join(index))
    // The assignment settles before there is anything to read, so that each member has its share.
    await settled(group, members)
    // A Fetch sent before it settled is still waiting, and platformatic would hand out what that brings of partitions it gave up.
    await pause(2 * FETCH_WAIT_MS)
    await write()
    const deadline = Date.now() + DEADLINE_MS
    while (received.length < count && Date.now() < deadline) await pause(50)
    // A little longer: what would come twice has to have the time to.
    await pause(1000)
  } finally {
    for (const member of joined) await member.stop()
  }
  return { received, perMember }
}

function expectOnceAndInOrder(received: readonly Received[], sent: readonly Visit[]): void {
  const byKey = (visits: readonly Visit[]): Map<string, number[]> => {
    const steps = new Map<string, number[]>()
    for (const { user, step } of visits) steps.set(user, [...(steps.get(user) ?? []), step])
    return steps
  }
  expect(received.every(({ key, value }) => key === value.user)).toBe(true)
  expect(byKey(received.map(({ value }) => value))).toEqual(byKey(sent))
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
