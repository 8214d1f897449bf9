/** Members come and go while the server is killed again and again, and what they own and commit is written down and judged. */
import { topicAdmin } from '@assay/client'
import { consumerGroupDescribe, describeGroups, errorName, listGroups } from '@assay/protocol'
import { type RawClient, rawClient } from '../raw-client.ts'
import { type Served, serve } from '../served.ts'
import { randomOf } from '../suites/random.ts'
import { classicMember, consumerMember, type GroupMember, type GroupTopic, type Ledger, ledger } from './group-members.ts'

const TOPIC = 'owned'
const PARTITIONS = 8
const MEMBERS_MAX = 5
const SETTLE_MS = 60_000

export interface GroupKillOptions {
  readonly rebalances: number
  readonly kills: number
  readonly seed: number
}

export interface GroupKillReport {
  readonly rebalances: number
  readonly kills: number
  readonly moves: number
  readonly commits: number
  readonly anomalies: readonly string[]
}

interface Running {
  readonly member: GroupMember
  readonly stopping: AbortController
  readonly done: Promise<void>
}

/** Half of the rebalances are of a group of the consumer protocol, half of a classic one. */
export async function groupKillLoop({ rebalances, kills, seed }: GroupKillOptions): Promise<GroupKillReport> {
  const random = randomOf(seed)
  let served = await serve()
  const { directory, kafka } = served
  const http = new URL(served.http).host
  const topic = await makeTopic(served)
  const groups = [
    { name: 'consumers', make: consumerMember, ledger: ledger(), running: new Set<Running>() },
    { name: 'classics', make: classicMember, ledger: ledger(), running: new Set<Running>() }
  ]
  const anomalies: string[] = []
  let last = 0
  let changes = 0
  let killed = 0
  while (changes < rebalances) {
    for (const group of groups) {
      const { running } = group
      const grows = running.size === 0 || (running.size < MEMBERS_MAX && random(2) === 0)
      if (grows) {
        const member = group.make({ name: `${group.name}-${++last}`, group: group.name, topic, ledger: group.ledger })
        running.add(start(kafka, member))
      } else {
        const leaving = [...running][random(running.size)]!
        running.delete(leaving)
        leaving.stopping.abort()
        await leaving.done
        // While the server is away nobody can say goodbye; it would be waited for as long as its session lasts.
        await saidTo(kafka, client => leaving.member.leave(client))
      }
      changes++
    }
    await pause(random(60))
    if (killed < Math.floor((changes * kills) / rebalances)) {
      killed++
      await served.kill()
      served = await serve({ directory, kafka, http })
    }
    if (changes % 20 === 0) for (const group of groups) anomalies.push(...(await settled(group.name, group.running)))
  }
  for (const group of groups) anomalies.push(...(await settled(group.name, group.running)))
  for (const { running } of groups) for (const { stopping } of running) stopping.abort()
  for (const { running } of groups) for (const { done } of running) await done
  const before = await describedAll(kafka)
  await served.kill()
  served = await serve({ directory, kafka, http })
  const after = await describedAll(kafka)
  if (before !== after) anomalies.push(`the groups were ${before} and are after a kill ${after}`)
  if ((await served.stop()) !== 0) anomalies.push('the server did not end as it was asked to')
  const sum = (of: (ledger: Ledger) => number): number => groups.reduce((total, group) => total + of(group.ledger), 0)
  return {
    rebalances: changes,
    kills: killed + 1,
    moves: sum(({ moves }) => moves),
    commits: sum(({ committed }) => [...committed.values()].reduce((total, offset) => total + offset + 1, 0)),
    anomalies: [...groups.flatMap(group => group.ledger.anomalies), ...anomalies]
  }
}

/** Once nobody comes or goes, every partition has an owner. */
async function settled(group: string, running: ReadonlySet<Running>): Promise<string[]> {
  const deadlineMs = Date.now() + SETTLE_MS
  const owned = (): number => [...running].reduce((sum, { member }) => sum + member.owned.size, 0)
  while (running.size > 0 && owned() !== PARTITIONS) {
    if (Date.now() > deadlineMs)
      return [`${group}: ${owned()} of ${PARTITIONS} partitions have an owner ${SETTLE_MS} ms after the last change`]
    await pause(10)
  }
  return []
}

/** Beats and commits in turn until it is stopped, on one connection after the other. */
function start(kafka: string, member: GroupMember): Running {
  const stopping = new AbortController()
  const { signal } = stopping
  async function live(): Promise<void> {
    while (!signal.aborted) {
      const client = await connected(kafka)
      if (client === undefined) continue
      const close = (): void => client.close()
      signal.addEventListener('abort', close)
      try {
        while (!signal.aborted) {
          await member.act(client)
          if (member.owned.size > 0 && !signal.aborted) await member.commit(client)
          await pause(5)
        }
      } catch (error) {
        if (!/the connection is gone/.test(String(error))) throw error
      } finally {
        signal.removeEventListener('abort', close)
        client.close()
      }
    }
    member.die()
  }
  return { member, stopping, done: live() }
}

async function saidTo(kafka: string, say: (client: RawClient) => Promise<void>): Promise<void> {
  for (;;) {
    const client = await connected(kafka)
    if (client === undefined) continue
    try {
      return await say(client)
    } catch (error) {
      if (!/the connection is gone/.test(String(error))) throw error
    } finally {
      client.close()
    }
  }
}

async function connected(kafka: string): Promise<RawClient | undefined> {
  try {
    return await rawClient(kafka)
  } catch {
    await pause(10)
    return undefined
  }
}

async function makeTopic({ kafka }: Served): Promise<GroupTopic> {
  const admin = topicAdmin({ bootstrap: kafka, timeoutMs: 10_000 })
  await admin.create({ name: TOPIC, partitions: PARTITIONS, configs: {} })
  const { id } = await admin.describe(TOPIC)
  await admin.close()
  return { name: TOPIC, id: id.replaceAll('-', ''), partitions: PARTITIONS }
}

/** Everything that can be asked of the groups, in one text. */
async function describedAll(kafka: string): Promise<string> {
  const client = await rawClient(kafka)
  const { groups: listed } = await client.ask(listGroups, 5, { statesFilter: [], typesFilter: [] })
  const consumer = await client.ask(consumerGroupDescribe, 1, { groupIds: ['consumers'], includeAuthorizedOperations: false })
  const classic = await client.ask(describeGroups, 6, { groups: ['classics'], includeAuthorizedOperations: false })
  client.close()
  const text = JSON.stringify([listed, consumer.groups, classic.groups])
  if (consumer.groups[0]!.errorCode !== 0) return `${errorName(consumer.groups[0]!.errorCode)} ${text}`
  return text
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
