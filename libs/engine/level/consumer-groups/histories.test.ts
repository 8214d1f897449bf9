/** Random histories of a consumer group: members of both kinds come, go, fall silent and lose answers while topics change. */
import { expect, test } from 'vitest'
import { randomOf, seedOfRun } from '../../../../test/suites/random.ts'
import { readOffsetsRecord } from '../groups/offset-records.ts'
import { type Catalog, changeOf, type Surroundings } from './change.ts'
import { assignmentBytes, readAssignment } from './classic-member.ts'
import { classicHeartbeat, classicSync, stepClassicJoin } from './classic-step.ts'
import { apply, type ConsumerGroup, emptyConsumerGroup, recordsOf, stateOf } from './group.ts'
import { consumerGroupRecord } from './records.ts'
import { type ConsumerHeartbeat, fence, type Stepped, stepHeartbeat } from './step.ts'

interface Client {
  readonly id: string
  readonly instanceId: string | null
  readonly isClassic: boolean
  memberId: string
  epoch: number
  /** What its user reads at this moment. */
  owned: Set<string>
  topics: string[]
  pattern: string
  alive: boolean
}

const NO_MEMBER = ''

function play(seed: number, steps: number) {
  const random = randomOf(seed)
  const counts = new Map([
    ['a', 4],
    ['b', 3]
  ])
  let version = 0
  const catalog: Catalog = {
    get version() {
      return version
    },
    byName: name => (counts.has(name) ? { id: idOf(name), partitionCount: counts.get(name)! } : undefined),
    byId: id => (counts.has(nameOf(id)) ? { name: nameOf(id), partitionCount: counts.get(nameOf(id))! } : undefined),
    names: () => counts.keys()
  }
  let group = emptyConsumerGroup('g')
  let journal: Buffer[][] = []
  let nowMs = 0
  let lastId = 0
  const seen = { moves: 0, fenced: 0, restarts: 0, lost: 0, settled: 0 }
  const clients: Client[] = Array.from({ length: 6 }, (_, at) => ({
    id: `c${at}`,
    instanceId: at < 2 ? `i${at}` : null,
    isClassic: at > 3,
    memberId: NO_MEMBER,
    epoch: 0,
    owned: new Set<string>(),
    topics: ['a', 'b'],
    pattern: '',
    alive: true
  }))
  const around = (): Surroundings => ({ nowMs, catalog, membersMax: 10, topicsChanged: true, sees: () => true })

  /** Every member epoch only rises while the member is the same; records say all there is to say. */
  function write<A>(stepped: Stepped<A>): A {
    const before = group
    group = stepped.group
    for (const record of stepped.records) {
      const { key, value } = consumerGroupRecord(record)
      journal.push([key, ...(value === null ? [] : [value])])
    }
    expect(group.epoch, 'the group epoch rises').toBeGreaterThanOrEqual(before.epoch)
    for (const [id, member] of before.members) {
      const after = group.members.get(id)
      if (after === undefined || after.epoch === -2 || member.epoch === -2) continue
      if (after.epoch < member.epoch) throw new Error(`${id} went back from epoch ${member.epoch} to ${after.epoch}`)
    }
    return stepped.answer
  }
  function check(): void {
    const readers = new Map<string, string>()
    for (const client of clients) {
      if (!client.alive) continue
      for (const partition of client.owned) {
        const other = readers.get(partition)
        if (other !== undefined) throw new Error(`${partition} is read by ${client.id} and by ${other}`)
        readers.set(partition, client.id)
      }
    }
    const held = new Map<string, string>()
    for (const member of group.members.values()) {
      for (const partitions of [member.assigned, member.revoking]) {
        for (const [topicId, indexes] of partitions) {
          for (const index of indexes.keys()) {
            const other = held.get(`${topicId}/${index}`)
            if (other !== undefined) throw new Error(`${topicId}/${index} is of ${member.id} and of ${other}`)
            held.set(`${topicId}/${index}`, member.id)
          }
        }
      }
    }
  }
  function reset(client: Client): void {
    client.memberId = NO_MEMBER
    client.epoch = 0
    client.owned = new Set()
  }
  const ownedMap = (client: Client): Map<string, number[]> => {
    const owned = new Map<string, number[]>()
    for (const partition of client.owned) {
      const [topicId, index] = partition.split('/') as [string, string]
      owned.set(topicId, [...(owned.get(topicId) ?? []), Number(index)])
    }
    return owned
  }
  function beat(client: Client, { lost = false } = {}): void {
    if (!client.alive) return
    if (client.isClassic) {
      beatClassic(client)
      return
    }
    if (client.memberId === NO_MEMBER) client.memberId = `${client.id}-${++lastId}`
    const beat: ConsumerHeartbeat = {
      memberId: client.memberId,
      epoch: client.epoch,
      instanceId: client.instanceId,
      rackId: null,
      rebalanceTimeoutMs: 30_000,
      topicNames: client.topics,
      topicPattern: client.pattern,
      assignor: null,
      owned: client.epoch === 0 ? new Map() : ownedMap(client),
      clientId: 'c',
      clientHost: '/h',
      sees: () => true
    }
    if (client.epoch === 0) client.owned = new Set()
    const answer = write(stepHeartbeat(group, beat, around()))
    if (lost) {
      seen.lost++
      return
    }
    if (answer.error !== 'NONE') {
      seen.fenced++
      if (answer.error !== 'UNRELEASED_INSTANCE_ID') reset(client)
      return
    }
    client.epoch = answer.epoch
    if (answer.assigned !== null) {
      const next = new Set(
        [...answer.assigned].flatMap(([topicId, indexes]) => [...indexes.keys()].map(index => `${topicId}/${index}`))
      )
      if (next.size !== client.owned.size) seen.moves++
      client.owned = next
    }
  }
  /** A cooperative consumer of the classic protocol: joins again when told, and says what it still owns. */
  function beatClassic(client: Client): void {
    const claim = { memberId: client.memberId, instanceId: client.instanceId, generation: client.epoch }
    const error = client.memberId === NO_MEMBER ? 'REBALANCE_IN_PROGRESS' : classicHeartbeat(group, claim)
    if (error === 'NONE') return
    if (error !== 'REBALANCE_IN_PROGRESS') reset(client)
    const named = new Map([...ownedMap(client)].map(([topicId, indexes]) => [topicId, new Map(indexes.map(index => [index, 0]))]))
    // A subscription is an assignment's bytes with the topics in front: version, topics, user data, owned.
    const owned = assignmentBytes(1, named, nameOf).subarray(2, -4)
    const topics = Buffer.concat(client.topics.map(topic => Buffer.from(`\0${String.fromCharCode(topic.length)}${topic}`)))
    const metadata = Buffer.concat([
      Buffer.from([0, 1, 0, 0, 0, client.topics.length]),
      topics,
      Buffer.from([255, 255, 255, 255]),
      owned
    ])
    const answer = write(
      stepClassicJoin(
        group,
        {
          memberId: client.memberId,
          newMemberId: `${client.id}-${++lastId}`,
          instanceId: client.instanceId,
          clientId: 'c',
          clientHost: '/h',
          sessionTimeoutMs: 10_000,
          rebalanceTimeoutMs: 30_000,
          protocolType: 'consumer',
          protocols: [{ name: 'cooperative', metadata }],
          knowsMemberIdRequired: false,
          knowsSkipAssignment: true
        },
        around()
      )
    )
    if (answer.error !== 'NONE') {
      reset(client)
      return
    }
    client.memberId = answer.memberId
    client.epoch = answer.generation
    const synced = classicSync(
      group,
      {
        memberId: client.memberId,
        instanceId: client.instanceId,
        generation: client.epoch,
        protocolType: 'consumer',
        protocolName: 'cooperative'
      },
      id => catalog.byId(id)?.name
    )
    expect(synced.error).toBe('NONE')
    const given = readAssignment(synced.assignment)!
    client.owned = new Set([...given].flatMap(([topic, indexes]) => indexes.map(index => `${idOf(topic)}/${index}`)))
  }
  function restart(): void {
    seen.restarts++
    const replayed = emptyConsumerGroup('g')
    for (const [key, value] of journal) {
      const record = readOffsetsRecord({ key: key!, value: value ?? null })
      if (record.type === 'group' || record.type === 'offset' || record.type === 'start' || record.type === 'unknown')
        throw new Error(record.type)
      apply(replayed, record)
    }
    const bytes = (of: ConsumerGroup): string =>
      recordsOf(of)
        .map(record => consumerGroupRecord(record))
        .map(({ key, value }) => `${key.toString('hex')}=${value?.toString('hex')}`)
        .join('\n')
    expect(bytes(replayed), 'live state is replayed state').toBe(bytes(group))
    group = replayed
    // Compaction: the same state in as few records as it takes.
    journal = recordsOf(group).map(record => {
      const { key, value } = consumerGroupRecord(record)
      return [key, ...(value === null ? [] : [value])]
    })
  }
  function putOut(client: Client): void {
    const member = group.members.get(client.memberId)
    if (member === undefined) return
    const change = changeOf(group)
    fence(change, [member], around())
    write({ records: change.records, group: change.group, answer: undefined })
    // Its session is over on its side too: it has stopped reading.
    client.owned = new Set()
  }

  const acts: [weight: number, act: (client: Client) => void][] = [
    [60, client => beat(client)],
    [4, client => beat(client, { lost: true })],
    [3, client => putOut(client)],
    [
      3,
      client => {
        if (!client.alive || client.isClassic || client.memberId === NO_MEMBER || client.epoch === 0) return
        const epoch = client.instanceId !== null && random(2) === 0 ? -2 : -1
        const leaving = { memberId: client.memberId, epoch, instanceId: client.instanceId, rackId: null, rebalanceTimeoutMs: -1 }
        client.owned = new Set()
        write(
          stepHeartbeat(
            group,
            {
              ...leaving,
              topicNames: null,
              topicPattern: null,
              assignor: null,
              owned: null,
              clientId: 'c',
              clientHost: '/h',
              sees: () => true
            },
            around()
          )
        )
        reset(client)
      }
    ],
    [
      3,
      client => {
        client.topics = [['a'], ['b'], ['a', 'b'], ['a', 'missing']][random(4)]!
        client.pattern = client.isClassic ? '' : ['', '', 'b|c', '.*'][random(4)]!
      }
    ],
    [1, () => restart()],
    [
      2,
      () => {
        const name = ['a', 'b', 'c'][random(3)]!
        if (!counts.has(name)) counts.set(name, 1 + random(4))
        else if (random(3) === 0 && name === 'c') counts.delete(name)
        else counts.set(name, counts.get(name)! + 1)
        if (counts.get(name)! > 8) counts.set(name, 8)
        version++
      }
    ]
  ]
  const total = acts.reduce((sum, [weight]) => sum + weight, 0)
  for (let at = 0; at < steps; at++) {
    nowMs += 100
    let pick = random(total)
    const [, act] = acts.find(([weight]) => {
      pick -= weight
      return pick < 0
    })!
    act(clients[random(clients.length)]!)
    check()
    if (at % 200 === 199) settle()
  }

  /** Sessions of members that nobody is any more come to their end. */
  function endGhosts(): void {
    const known = new Set(clients.map(({ memberId }) => memberId))
    const ghosts = [...group.members.values()].filter(({ id }) => !known.has(id))
    if (ghosts.length === 0) return
    const change = changeOf(group)
    fence(change, ghosts, around())
    write({ records: change.records, group: change.group, answer: undefined })
  }

  /** When nothing more happens, everybody has what it shall have, and nothing is left over. */
  function settle(): void {
    for (const client of clients) {
      client.topics = ['a', 'b']
      client.pattern = client.isClassic ? '' : 'c'
    }
    for (let round = 0; round < 40; round++) {
      // Who is fenced in the first rounds comes back by another ID, and has to wait for the end of its former session where it is static.
      if (round < 10) endGhosts()
      for (const client of clients) {
        beat(client)
        check()
      }
    }
    expect(stateOf(group)).toBe('Stable')
    const read = new Set(clients.flatMap(({ owned }) => [...owned]))
    const expected = [...counts].flatMap(([name, count]) => Array.from({ length: count }, (_, index) => `${idOf(name)}/${index}`))
    expect([...read].sort()).toEqual(expected.sort())
    seen.settled++
  }
  return seen
}

const idOf = (name: string): string => Buffer.from(name.padEnd(16, '.')).toString('hex').slice(0, 32)
const nameOf = (id: string): string => Buffer.from(id, 'hex').toString().replace(/\.+$/, '')

const base = seedOfRun()
test(`random histories from seed ${base} (ASSAY_SEED repeats them)`, { timeout: 30_000 }, () => {
  const sum = { moves: 0, fenced: 0, restarts: 0, lost: 0, settled: 0 }
  for (let seed = base; seed < base + 20; seed++) {
    try {
      const seen = play(seed, 600)
      for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += seen[key]
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
  }
  for (const [what, count] of Object.entries(sum)) expect(count, what).toBeGreaterThan(20)
})
