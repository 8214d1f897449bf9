import {
  createTopics,
  deleteGroups,
  deleteTopics,
  describeGroups,
  fetch,
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  offsetCommit,
  offsetFetch,
  syncGroup
} from '@assay/protocol'
import { decodeBatch } from '@assay/records'
import { describe, expect, test } from 'vitest'
import { openEngine, session, settle, type TestEngine, type TestSession } from './engine.fixture.ts'
import { readOffsetsRecord } from './groups/offset-records.ts'

interface JoinMore {
  version?: number
  memberId?: string
  instanceId?: string
  on?: TestSession
  metadata?: string
  sessionTimeoutMs?: number
  groupId?: string
}

const join = (on: TestEngine, more: JoinMore = {}) =>
  on.ask(
    joinGroup,
    {
      groupId: more.groupId ?? 'g',
      sessionTimeoutMs: more.sessionTimeoutMs ?? 10_000,
      rebalanceTimeoutMs: 30_000,
      memberId: more.memberId ?? '',
      groupInstanceId: more.instanceId ?? null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from(more.metadata ?? 'wants') }]
    },
    { version: more.version ?? 9, session: more.on ?? on.session }
  )

const sync = (on: TestEngine, memberId: string, generationId: number, assignments: Record<string, string> = {}, version = 5) =>
  on.ask(
    syncGroup,
    {
      groupId: 'g',
      memberId,
      generationId,
      assignments: Object.entries(assignments).map(([id, text]) => ({ memberId: id, assignment: Buffer.from(text) })),
      protocolType: version >= 5 ? 'consumer' : null,
      protocolName: version >= 5 ? 'range' : null
    },
    { version }
  )

const beat = async (on: TestEngine, memberId: string, generationId: number, version = 4) =>
  (await on.ask(heartbeat, { groupId: 'g', memberId, generationId }, { version })).errorCode

/** A member that joined as clients do, with the ID that it was told first. */
async function joinWithId(on: TestEngine, more: JoinMore = {}) {
  const told = await join(on, more)
  return told.errorCode === 79 ? join(on, { ...more, memberId: told.memberId }) : told
}

/** A lone member with its assignment. */
async function settledMember(on: TestEngine, more: JoinMore = {}) {
  const { memberId, generationId } = await joinWithId(on, more)
  const { errorCode } = await sync(on, memberId, generationId, { [memberId]: 'all' })
  expect(errorCode).toBe(0)
  return { memberId, generationId }
}

async function withTopic(partitions = 3, options = {}) {
  const on = await openEngine(options)
  const { topics } = await on.ask(createTopics, { topics: [{ name: 't', numPartitions: partitions, replicationFactor: 1 }] })
  return { on, topicId: topics[0]!.topicId }
}

interface CommitMore {
  memberId?: string
  generation?: number
  partition?: number
  metadata?: string | null
  group?: string
  topic?: string
}

async function commit(on: TestEngine, offset: number, more: CommitMore = {}, version = 9, topicId?: string) {
  const { topics } = await on.ask(
    offsetCommit,
    {
      groupId: more.group ?? 'g',
      generationIdOrMemberEpoch: more.generation ?? -1,
      memberId: more.memberId ?? '',
      topics: [
        {
          ...(version >= 10 ? { topicId: topicId! } : { name: more.topic ?? 't' }),
          partitions: [
            {
              partitionIndex: more.partition ?? 0,
              committedOffset: BigInt(offset),
              committedLeaderEpoch: version >= 6 ? 0 : -1,
              committedMetadata: more.metadata === undefined ? 'note' : more.metadata
            }
          ]
        }
      ]
    },
    { version }
  )
  return topics[0]!.partitions[0]!.errorCode
}

/** Every committed offset of a group, as `topic-partition=offset:metadata`. */
async function committed(on: TestEngine, group = 'g'): Promise<string[]> {
  const { groups } = await on.ask(offsetFetch, { groups: [{ groupId: group, topics: null }] }, { version: 9 })
  return groups[0]!.topics
    .flatMap(({ name, partitions }) =>
      partitions.map(
        ({ partitionIndex, committedOffset, metadata }) => `${name}-${partitionIndex}=${committedOffset}:${metadata}`
      )
    )
    .sort()
}

const described = async (on: TestEngine, version = 6) => {
  const { groups } = await on.ask(describeGroups, { groups: ['g'] }, { version })
  return groups[0]!
}

describe('a lone member', () => {
  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])('joins, syncs, beats and leaves, JoinGroup v%i', async version => {
    const on = await openEngine()
    const first = await join(on, { version })
    expect(first.errorCode).toBe(version >= 4 ? 79 : 0)
    const joined = version >= 4 ? await join(on, { version, memberId: first.memberId }) : first
    expect(joined).toMatchObject({ errorCode: 0, generationId: 1, protocolName: 'range', leader: joined.memberId })
    expect(joined.members.map(({ memberId, metadata }) => [memberId, metadata.toString()])).toEqual([[joined.memberId, 'wants']])
    const other = Math.min(version, 5)
    const synced = await sync(on, joined.memberId, 1, { [joined.memberId]: 'all' }, other)
    expect([synced.errorCode, synced.assignment.toString()]).toEqual([0, 'all'])
    expect(await beat(on, joined.memberId, 1, Math.min(version, 4))).toBe(0)
    const body =
      other >= 3 ? { groupId: 'g', members: [{ memberId: joined.memberId }] } : { groupId: 'g', memberId: joined.memberId }
    const left = await on.ask(leaveGroup, body, { version: other })
    expect(left.errorCode).toBe(0)
    if (other >= 3) expect(left.members).toMatchObject([{ memberId: joined.memberId, errorCode: 0 }])
    expect((await described(on)).groupState).toBe('Empty')
    const again = await on.ask(leaveGroup, body, { version: other })
    expect(other >= 3 ? again.members[0]!.errorCode : again.errorCode).toBe(25)
  })

  const refused: [string, JoinMore, number][] = [
    ['no group ID', { groupId: '' }, 24],
    ['too short a session', { sessionTimeoutMs: 100 }, 26],
    ['too long a session', { sessionTimeoutMs: 3_600_000 }, 26],
    ['an ID that nobody gave it', { memberId: 'stranger' }, 25],
    ['a subscription beyond the limit', { metadata: 'x'.repeat(2000) }, 42],
    ['a group ID beyond what a record can hold', { groupId: 'g'.repeat(40_000) }, 42]
  ]
  test.each(refused)('with %s is refused', async (_name, more, code) => {
    const on = await openEngine({ groupMemberBytesMax: 1000 })
    expect((await join(on, more)).errorCode).toBe(code)
    expect((await on.ask(listGroups, {})).groups).toEqual([])
  })

  test('of no group beats, syncs and leaves in vain', async () => {
    const on = await openEngine()
    const claim = { groupId: '', memberId: 'm', generationId: 1 }
    expect((await on.ask(heartbeat, claim)).errorCode).toBe(24)
    expect((await on.ask(syncGroup, claim)).errorCode).toBe(24)
    expect((await on.ask(leaveGroup, { groupId: '', members: [{ memberId: 'm' }] })).errorCode).toBe(24)
  })

  test('of a group too many is refused', async () => {
    const on = await openEngine({ groupsMax: 1 })
    await settledMember(on)
    expect((await join(on, { groupId: 'h' })).errorCode).toBe(81)
    expect(await commit(on, 1, { group: 'h', topic: '_schemas' })).toBe(81)
  })
})

describe('two members', () => {
  async function two() {
    const { on, topicId } = await withTopic()
    const first = await settledMember(on)
    const joining = joinWithId(on)
    await settle()
    expect(await beat(on, first.memberId, 1)).toBe(27)
    const [again, second] = await Promise.all([join(on, { memberId: first.memberId }), joining])
    expect([again.generationId, second.generationId, again.leader, second.leader]).toEqual([2, 2, first.memberId, first.memberId])
    expect(again.members.map(({ memberId }) => memberId).sort()).toEqual([first.memberId, second.memberId].sort())
    expect(second.members).toEqual([])
    return { on, topicId, leader: first.memberId, follower: second.memberId }
  }

  test('share a generation and get their own assignments, the follower waiting for the leader', async () => {
    const { on, leader, follower } = await two()
    const waiting = sync(on, follower, 2)
    await settle()
    expect((await described(on)).groupState).toBe('CompletingRebalance')
    expect((await sync(on, leader, 2, { [leader]: '1', [follower]: '2' })).assignment.toString()).toBe('1')
    expect((await waiting).assignment.toString()).toBe('2')
    const group = await described(on)
    expect(group).toMatchObject({ errorCode: 0, groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' })
    expect(group.members).toHaveLength(2)
    expect(group.members[0]).toMatchObject({ clientId: 'assay', clientHost: '/127.0.0.1' })
  })

  test('one falls silent and the other is asked to join again', async () => {
    const { on, leader, follower } = await two()
    await Promise.all([sync(on, follower, 2), sync(on, leader, 2, {})])
    on.clock.advance(9000)
    expect(await beat(on, follower, 2)).toBe(0)
    on.clock.advance(1500)
    expect(await beat(on, follower, 2)).toBe(27)
    expect(await join(on, { memberId: follower })).toMatchObject({ errorCode: 0, generationId: 3, leader: follower })
    expect(await beat(on, leader, 2)).toBe(25)
  })

  test('a commit while the assignment is being made, and one of an older generation, are refused', async () => {
    const { on, leader, follower } = await two()
    expect(await commit(on, 5, { memberId: leader, generation: 2 })).toBe(27)
    expect(await commit(on, 5, { memberId: leader, generation: 1 })).toBe(22)
    expect(await commit(on, 5, { memberId: 'stranger', generation: 2 })).toBe(25)
    expect(await commit(on, 5)).toBe(25)
    await Promise.all([sync(on, follower, 2), sync(on, leader, 2, {})])
    expect(await commit(on, 5, { memberId: leader, generation: 2 })).toBe(0)
    expect(await committed(on)).toEqual(['t-0=5:note'])
  })
})

test('a member whose connection goes while it waits does not hold up the others', async () => {
  const on = await openEngine()
  const { memberId } = await settledMember(on)
  const gone = session()
  const told = await join(on, { on: gone })
  const waiting = join(on, { on: gone, memberId: told.memberId })
  await settle()
  gone.close()
  expect((await waiting).errorCode).toBe(16)
  expect(await join(on, { memberId })).toMatchObject({ errorCode: 0, generationId: 2 })
})

test('a stopping engine sends away who waits, so that clients look elsewhere', async () => {
  const on = await openEngine()
  await settledMember(on)
  const waiting = joinWithId(on)
  await settle()
  await on.engine.close()
  expect((await waiting).errorCode).toBe(16)
})

test('a static member that starts again keeps its assignment, and its former self is fenced', async () => {
  const on = await openEngine()
  const old = await join(on, { instanceId: 'i' })
  await on.ask(syncGroup, {
    groupId: 'g',
    memberId: old.memberId,
    generationId: 1,
    groupInstanceId: 'i',
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: [{ memberId: old.memberId, assignment: Buffer.from('all') }]
  })
  const again = await join(on, { instanceId: 'i' })
  expect(again).toMatchObject({ errorCode: 0, generationId: 1, skipAssignment: true, leader: again.memberId })
  expect(again.memberId).not.toBe(old.memberId)
  const fenced = await on.ask(heartbeat, { groupId: 'g', memberId: old.memberId, generationId: 1, groupInstanceId: 'i' })
  expect(fenced.errorCode).toBe(82)
  const restarted = await on.restart()
  const kept = await restarted.ask(heartbeat, { groupId: 'g', memberId: again.memberId, generationId: 1, groupInstanceId: 'i' })
  expect(kept.errorCode).toBe(0)
  const left = await restarted.ask(leaveGroup, { groupId: 'g', members: [{ memberId: '', groupInstanceId: 'i' }] })
  expect(left.members[0]!.errorCode).toBe(0)
})

describe('committed offsets', () => {
  test.each([2, 3, 5, 6, 7, 8, 9, 10])('by OffsetCommit v%i', async version => {
    const { on, topicId } = await withTopic()
    expect(await commit(on, 42, {}, version, topicId)).toBe(0)
    expect(await committed(on)).toEqual(['t-0=42:note'])
  })

  test.each([1, 2, 5, 6, 7])('by OffsetFetch v%i', async version => {
    const { on } = await withTopic()
    await commit(on, 42)
    const topics = [{ name: 't', partitionIndexes: [0, 1] }]
    const answer = await on.ask(offsetFetch, { groupId: 'g', topics }, { version })
    expect(answer.topics[0]!.partitions).toMatchObject([
      { partitionIndex: 0, committedOffset: 42n, metadata: 'note', errorCode: 0 },
      { partitionIndex: 1, committedOffset: -1n, metadata: '', errorCode: 0 }
    ])
    if (version >= 5) expect(answer.topics[0]!.partitions[0]!.committedLeaderEpoch).toBe(0)
    if (version < 2) return
    const all = await on.ask(offsetFetch, { groupId: 'g', topics: null }, { version })
    expect(all.topics).toMatchObject([{ name: 't', partitions: [{ committedOffset: 42n }] }])
  })

  test.each([8, 9, 10])('of several groups at once, OffsetFetch v%i', async version => {
    const { on, topicId } = await withTopic()
    await commit(on, 1)
    await commit(on, 2, { group: 'h' })
    const topics = [{ ...(version >= 10 ? { topicId } : { name: 't' }), partitionIndexes: [0] }]
    const { groups } = await on.ask(
      offsetFetch,
      { groups: ['g', 'h', 'nobody'].map(groupId => ({ groupId, topics })), requireStable: true },
      { version }
    )
    expect(
      groups.map(group => [group.groupId, group.errorCode, Number(group.topics[0]!.partitions[0]!.committedOffset)])
    ).toEqual([
      ['g', 0, 1],
      ['h', 0, 2],
      ['nobody', 0, -1]
    ])
    if (version < 10) return
    const unknown = await on.ask(offsetFetch, {
      groups: [{ groupId: 'g', topics: [{ topicId: 'f'.repeat(32), partitionIndexes: [0] }] }]
    })
    expect(unknown.groups[0]!.topics[0]!.partitions[0]!.errorCode).toBe(100)
  })

  test('are refused for topics and partitions that are not there, and with too much metadata', async () => {
    const { on } = await withTopic()
    expect(await commit(on, 1, { topic: 'nowhere' })).toBe(3)
    expect(await commit(on, 1, { partition: 3 })).toBe(3)
    expect(await commit(on, 1, {}, 10, 'f'.repeat(32))).toBe(100)
    expect(await commit(on, 1, { metadata: 'x'.repeat(4097) })).toBe(12)
    expect(await commit(on, 1, { metadata: null })).toBe(0)
    expect(await commit(on, 1, { generation: 3, memberId: 'm', group: 'unheard' })).toBe(22)
    expect(await committed(on)).toEqual(['t-0=1:'])
  })

  test('lie in __consumer_offsets, where clients can read them', async () => {
    const { on } = await withTopic()
    await commit(on, 42)
    const topic = on.engine.topic({ name: '__consumer_offsets' })!
    const answer = await on.ask(fetch, {
      maxBytes: 10_000,
      topics: [{ topicId: topic.id, partitions: [{ partition: 0, partitionMaxBytes: 10_000 }] }]
    })
    const bytes = answer.responses[0]!.partitions[0]!.records
    const [record] = decodeBatch(Buffer.isBuffer(bytes) ? bytes : Buffer.concat(bytes!), 10_000)
    expect(readOffsetsRecord({ key: record!.key!, value: record!.value })).toMatchObject({
      type: 'offset',
      key: { group: 'g', topic: 't', partition: 0 },
      value: { offset: 42n, metadata: 'note' }
    })
  })

  test('of a deleted topic are gone, and a topic of the same name starts without, also after a restart', async () => {
    const { on } = await withTopic()
    await commit(on, 42)
    await commit(on, 1, { topic: '_schemas' })
    await on.ask(deleteTopics, { topics: [{ name: 't' }] })
    expect(await committed(on)).toEqual(['_schemas-0=1:note'])
    await on.ask(createTopics, { topics: [{ name: 't', numPartitions: 3, replicationFactor: 1 }] })
    expect(await committed(on)).toEqual(['_schemas-0=1:note'])
    expect(await committed(await on.crash())).toEqual(['_schemas-0=1:note'])
  })

  test('that are on their way while their topic is deleted are not those of the next topic of that name', async () => {
    const { on } = await withTopic()
    await commit(on, 1)
    const late = commit(on, 42, { partition: 1 })
    await Promise.all([late, on.ask(deleteTopics, { topics: [{ name: 't' }] })])
    await on.ask(createTopics, { topics: [{ name: 't', numPartitions: 3, replicationFactor: 1 }] })
    expect(await committed(on)).toEqual([])
    const again = await on.crash()
    expect(await committed(again)).toEqual([])
    expect((await again.ask(listGroups, {})).groups).toEqual([])
    expect(await commit(again, 2, { partition: 1 })).toBe(0)
    expect(await committed(await again.crash())).toEqual(['t-1=2:note'])
  })

  test('that could not be stored are not told as stored, and are not there', async () => {
    const { on } = await withTopic()
    await commit(on, 1)
    on.failNextWrite()
    expect(await commit(on, 2)).toBe(15)
    expect(await committed(on)).toEqual(['t-0=1:note'])
    expect(await committed(await on.crash())).toEqual(['t-0=1:note'])
  })
})

describe('after a restart', () => {
  test.each(['restart', 'crash'] as const)('members go on in their generation (%s)', async how => {
    const { on } = await withTopic()
    const { memberId, generationId } = await settledMember(on)
    await commit(on, 7, { memberId, generation: generationId })
    const before = [await described(on), await committed(on)]
    const again = await on[how]()
    expect([await described(again), await committed(again)], 'live state is replayed state').toEqual(before)
    expect(await beat(again, memberId, generationId)).toBe(0)
    expect((await sync(again, memberId, generationId)).assignment.toString()).toBe('all')
    expect(await commit(again, 8, { memberId, generation: generationId })).toBe(0)
    again.clock.advance(10_000)
    expect(await beat(again, memberId, generationId)).toBe(25)
    expect((await described(again)).groupState).toBe('Empty')
  })

  test('an assignment that was not stored is nobody’s', async () => {
    const on = await openEngine()
    const { memberId } = await joinWithId(on)
    on.failNextWrite()
    const { errorCode } = await sync(on, memberId, 1, { [memberId]: 'all' })
    expect(errorCode).toBe(15)
    expect((await described(await on.crash())).groupState).toBe('Dead')
  })

  test('a member is told of later generations only, however often the server stops before one is stored', async () => {
    let on = await openEngine()
    const { memberId, generationId } = await settledMember(on)
    const told = [generationId]
    for (let start = 0; start < 3; start++) {
      on = await on.crash()
      told.push((await join(on, { memberId, metadata: `otherwise ${start}` })).generationId)
      told.push((await join(on, { memberId, metadata: `once more ${start}` })).generationId)
    }
    expect(told).toEqual([...new Set(told)].sort((a, b) => a - b))
  })

  test('a deleted group stays deleted, with the commits that were on their way', async () => {
    const { on } = await withTopic()
    await commit(on, 1)
    const late = commit(on, 2, { partition: 1 })
    const { results } = await on.ask(deleteGroups, { groupsNames: ['g', 'nobody'] })
    expect(results.map(({ errorCode }) => errorCode)).toEqual([0, 69])
    expect(await late).toBe(0)
    expect(await committed(on)).toEqual([])
    const again = await on.crash()
    expect(await committed(again)).toEqual([])
    expect((await again.ask(listGroups, {})).groups).toEqual([])
  })
})

describe('looking at groups', () => {
  test.each([0, 3, 5, 6])('DescribeGroups v%i of a group that is not there', async version => {
    const on = await openEngine()
    expect(await described(on, version)).toMatchObject({ errorCode: version >= 6 ? 69 : 0, groupState: 'Dead', members: [] })
  })

  test('lists by state and type', async () => {
    const { on } = await withTopic()
    await settledMember(on)
    await commit(on, 1, { group: 'offsets only' })
    const list = async (body: object, version = 5) =>
      (await on.ask(listGroups, body, { version })).groups.map(({ groupId }) => groupId).sort()
    expect(await list({})).toEqual(['g', 'offsets only'])
    expect(await list({}, 0)).toEqual(['g', 'offsets only'])
    expect(await list({ statesFilter: ['stable'] }, 4)).toEqual(['g'])
    expect(await list({ statesFilter: ['Empty'] })).toEqual(['offsets only'])
    expect(await list({ typesFilter: ['consumer'] })).toEqual([])
    expect(await list({ typesFilter: ['Classic'] })).toHaveLength(2)
  })

  test('a group with members is not deleted; one without members and offsets goes by itself', async () => {
    const { on } = await withTopic()
    const { memberId } = await settledMember(on)
    const { results } = await on.ask(deleteGroups, { groupsNames: ['g'] })
    expect(results[0]!.errorCode).toBe(68)
    await on.ask(leaveGroup, { groupId: 'g', members: [{ memberId }] })
    expect((await described(on)).groupState).toBe('Empty')
    await settle()
    on.clock.advance(600_000)
    await settle()
    expect((await on.ask(listGroups, {})).groups).toEqual([])
    expect((await (await on.crash()).ask(listGroups, {})).groups).toEqual([])
  })

  test.each([0, 1, 3, 4, 6])('the coordinator of everything is this node, FindCoordinator v%i', async version => {
    const on = await openEngine()
    const ask = async (keyType: number) => {
      const body = version >= 4 ? { keyType, coordinatorKeys: ['a', 'b'] } : version >= 1 ? { keyType, key: 'a' } : { key: 'a' }
      const answer = await on.ask(findCoordinator, body, { version })
      return version >= 4 ? answer.coordinators : [answer]
    }
    for (const keyType of [0, 1]) {
      for (const place of await ask(keyType))
        expect(place).toMatchObject({ errorCode: 0, nodeId: 0, host: 'broker.test', port: 9092 })
    }
    expect(await ask(0)).toHaveLength(version >= 4 ? 2 : 1)
    if (version >= 1) expect((await ask(7))[0]!.errorCode).toBe(42)
  })
})

test('random commits, crashes and restarts: what was acknowledged last is what is there, at every moment', async () => {
  const seed = Number(process.env.ASSAY_SEED ?? 1 + Math.floor(Math.random() * 1_000_000))
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % below
  }
  let { on } = await withTopic()
  const model = new Map<string, string>()
  const expected = () => [...model].map(([key, value]) => `${key}=${value}`).sort()
  for (let at = 0; at < 150; at++) {
    const roll = random(20)
    if (roll === 0) on = await on.crash()
    else if (roll === 1) on = await on.restart()
    else if (roll === 2) {
      const { results } = await on.ask(deleteGroups, { groupsNames: ['g'] })
      expect([0, 69]).toContain(results[0]!.errorCode)
      model.clear()
    } else {
      // Several at once: they take effect in the order in which they were sent.
      const burst = Array.from({ length: 1 + random(4) }, () => ({ partition: random(3), offset: random(1000) }))
      const codes = await Promise.all(burst.map(({ partition, offset }) => commit(on, offset, { partition })))
      expect(codes.every(code => code === 0)).toBe(true)
      for (const { partition, offset } of burst) model.set(`t-${partition}`, `${offset}:note`)
    }
    expect(await committed(on), `seed ${seed}, step ${at}; ASSAY_SEED=${seed} repeats it`).toEqual(expected())
  }
})
