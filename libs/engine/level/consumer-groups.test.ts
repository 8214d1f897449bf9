/** Groups of the consumer protocol (KIP-848) through the engine: every answer as its version carries it, every state as it is after a restart. */
import {
  consumerGroupDescribe,
  consumerGroupHeartbeat,
  createPartitions,
  createTopics,
  deleteGroups,
  deleteTopics,
  describeConfigs,
  describeGroups,
  errorName,
  heartbeat,
  incrementalAlterConfigs,
  joinGroup,
  leaveGroup,
  listGroups,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  type RequestOf,
  syncGroup
} from '@assay/protocol'
import { describe, expect, test } from 'vitest'
import type { Session } from '../engine.ts'
import { openEngine, session, settle, type TestEngine } from './engine.fixture.ts'

type Beat = Partial<RequestOf<typeof consumerGroupHeartbeat>>

/** A consumer that does what it is told: gives up and takes, and says so. */
function member(on: TestEngine, memberId: string, first: Beat = {}, caller?: Session) {
  const state = { on, epoch: 0, owned: new Map<string, number[]>(), intervalMs: 0, error: 'NONE' }
  const told = () => [...state.owned].map(([topicId, partitions]) => ({ topicId, partitions }))
  async function beat(more: Beat = {}) {
    const joins = { rebalanceTimeoutMs: 30_000, subscribedTopicNames: ['t'], topicPartitions: [], ...first }
    const body = {
      groupId: 'g',
      memberId,
      memberEpoch: state.epoch,
      ...(first.instanceId === undefined ? {} : { instanceId: first.instanceId }),
      ...(state.epoch === 0 ? joins : { topicPartitions: told() }),
      ...more
    }
    const answer = await state.on.ask(consumerGroupHeartbeat, body, caller && { session: caller })
    state.error = errorName(answer.errorCode)
    if (answer.errorCode !== 0) return answer
    state.epoch = answer.memberEpoch
    state.intervalMs = answer.heartbeatIntervalMs
    if (answer.assignment !== null) {
      state.owned = new Map(answer.assignment.topicPartitions.map(({ topicId, partitions }) => [topicId, partitions]))
    }
    return answer
  }
  const partitions = () => [...state.owned.values()].flat().sort((a, b) => a - b)
  return Object.assign(state, { beat, partitions, memberId })
}

async function start(partitions = 4, options = {}) {
  const on = await openEngine(options)
  const { topics } = await on.ask(createTopics, { topics: [{ name: 't', numPartitions: partitions, replicationFactor: 1 }] })
  return { on, topicId: topics[0]!.topicId }
}

/** Rounds of heartbeats until nothing moves. */
async function settleAll(...members: ReturnType<typeof member>[]): Promise<void> {
  for (let round = 0; round < 5; round++) for (const one of members) await one.beat()
}

const described = async (on: TestEngine, groupId = 'g') =>
  (await on.ask(consumerGroupDescribe, { groupIds: [groupId] })).groups[0]!
const listed = async (on: TestEngine) =>
  (await on.ask(listGroups, {})).groups.map(({ groupId, groupState, groupType }) => `${groupId} ${groupState} ${groupType}`)

async function commit(on: TestEngine, memberId: string, epoch: number, offset: number, partition = 0, version = 9) {
  const topics = [{ name: 't', partitions: [{ partitionIndex: partition, committedOffset: BigInt(offset) }] }]
  const body = { groupId: 'g', memberId, generationIdOrMemberEpoch: epoch, topics }
  const answer = await on.ask(offsetCommit, body, { version })
  return errorName(answer.topics[0]!.partitions[0]!.errorCode)
}

describe('a member', () => {
  test('alone gets everything with its first heartbeat, and a short interval', async () => {
    const { on } = await start()
    const one = member(on, 'one')
    const answer = await one.beat()
    expect([answer.memberId, one.epoch, one.partitions()]).toEqual(['one', 1, [0, 1, 2, 3]])
    expect(one.intervalMs).toBeLessThan(1000)
    on.clock.advance(12_000)
    expect((await one.beat()).assignment).toBeNull()
    expect(one.intervalMs).toBe(5000)
  })

  test('of version 0 may leave its ID to the server', async () => {
    const { on } = await start()
    const body = { groupId: 'g', memberEpoch: 0, rebalanceTimeoutMs: 1000, subscribedTopicNames: ['t'], topicPartitions: [] }
    const answer = await on.ask(consumerGroupHeartbeat, { ...body, memberId: '' }, { version: 0 })
    expect(answer).toMatchObject({ errorCode: 0, memberEpoch: 1 })
    expect(answer.memberId).toMatch(/^[0-9a-f]{32}$/)
    expect(errorName((await on.ask(consumerGroupHeartbeat, { ...body, memberId: '' })).errorCode)).toBe('INVALID_REQUEST')
  })

  test('that is second gets what the first has given up, and not before', async () => {
    const { on } = await start()
    const [one, two] = [member(on, 'one'), member(on, 'two')]
    await one.beat()
    await two.beat()
    expect([two.epoch, two.partitions()]).toEqual([2, []])
    expect((await described(on)).groupState).toBe('Reconciling')
    // Told to give up two of four; until it says that it has, nobody else gets them.
    await one.beat()
    expect([one.epoch, one.partitions().length]).toEqual([1, 2])
    expect((await two.beat()).assignment).toBeNull()
    await one.beat()
    expect(one.epoch).toBe(2)
    await two.beat()
    expect([...one.partitions(), ...two.partitions()].sort()).toEqual([0, 1, 2, 3])
    expect((await described(on)).groupState).toBe('Stable')
  })

  test('that falls silent is put out, and the other gets what it had', async () => {
    const { on } = await start()
    const [one, two] = [member(on, 'one'), member(on, 'two')]
    await settleAll(one, two)
    for (let at = 0; at < 6; at++) {
      on.clock.advance(8000)
      await one.beat()
      await settle()
    }
    await settleAll(one)
    expect(one.partitions()).toEqual([0, 1, 2, 3])
    await two.beat()
    expect(two.error).toBe('UNKNOWN_MEMBER_ID')
  })

  test('that does not give up in time is put out', async () => {
    const { on } = await start()
    const [slow, two] = [member(on, 'slow', { rebalanceTimeoutMs: 10_000 }), member(on, 'two')]
    await slow.beat()
    const owned = [...slow.owned].map(([topicId, partitions]) => ({ topicId, partitions }))
    await two.beat()
    for (let at = 0; at < 3; at++) {
      await slow.beat({ topicPartitions: owned })
      await two.beat()
      on.clock.advance(4000)
      await settle()
    }
    await settle()
    await slow.beat({ topicPartitions: owned })
    expect(slow.error).toBe('UNKNOWN_MEMBER_ID')
    await settleAll(two)
    expect(two.partitions()).toEqual([0, 1, 2, 3])
  })

  test('leaves at once', async () => {
    const { on } = await start()
    const [one, two] = [member(on, 'one'), member(on, 'two')]
    await settleAll(one, two)
    expect(await two.beat({ memberEpoch: -1, topicPartitions: null })).toMatchObject({ errorCode: 0, memberEpoch: -1 })
    await settleAll(one)
    expect(one.partitions()).toEqual([0, 1, 2, 3])
  })

  test('whose answer was lost is heard under its former epoch, with no more than it was given', async () => {
    const { on, topicId } = await start()
    const one = member(on, 'one')
    await one.beat()
    await one.beat({ subscribedTopicNames: ['t', 'u'] })
    expect(one.epoch).toBe(2)
    one.epoch = 1
    await one.beat()
    expect([one.error, one.epoch]).toEqual(['NONE', 2])
    await one.beat({ memberEpoch: 1, topicPartitions: [{ topicId, partitions: [7] }] })
    expect(one.error).toBe('FENCED_MEMBER_EPOCH')
    await one.beat({ memberEpoch: 3 })
    expect(one.error).toBe('FENCED_MEMBER_EPOCH')
    one.epoch = 0
    await one.beat()
    expect([one.error, one.partitions()]).toEqual(['NONE', [0, 1, 2, 3]])
  })

  const refused: [name: string, beat: Beat, error: string][] = [
    ['no group', { groupId: '' }, 'INVALID_REQUEST'],
    ['no member ID', { memberId: '' }, 'INVALID_REQUEST'],
    ['an empty instance ID', { instanceId: '' }, 'INVALID_REQUEST'],
    ['an empty rack', { rackId: '' }, 'INVALID_REQUEST'],
    ['no rebalance timeout', { rebalanceTimeoutMs: -1 }, 'INVALID_REQUEST'],
    ['partitions it cannot have', { topicPartitions: [{ topicId: 'f'.repeat(32), partitions: [0] }] }, 'INVALID_REQUEST'],
    ['no word of what it owns', { topicPartitions: null }, 'INVALID_REQUEST'],
    ['no subscription', { subscribedTopicNames: null }, 'INVALID_REQUEST'],
    ['an unknown assignor', { serverAssignor: 'fair' }, 'UNSUPPORTED_ASSIGNOR'],
    ['a pattern that is none', { subscribedTopicRegex: '(' }, 'INVALID_REGULAR_EXPRESSION'],
    ['an epoch that is none', { memberEpoch: -3 }, 'INVALID_REQUEST'],
    ['a leave of a static member without its instance', { memberEpoch: -2 }, 'INVALID_REQUEST'],
    ['an epoch in a group that is not there', { memberEpoch: 1 }, 'GROUP_ID_NOT_FOUND'],
    ['more than may be told', { subscribedTopicNames: ['x'.repeat(2000)] }, 'INVALID_REQUEST']
  ]
  test.each(refused)('that joins with %s is refused', async (_name, beat, error) => {
    const { on } = await start(1, { groupMemberBytesMax: 1000 })
    const one = member(on, 'one')
    await one.beat(beat)
    expect(one.error).toBe(error)
    expect(await listed(on)).toEqual([])
  })

  test('beyond the limit is refused', async () => {
    const { on } = await start(1, { groupMembersMax: 1 })
    const [one, two] = [member(on, 'one'), member(on, 'two')]
    await one.beat()
    await two.beat()
    expect([one.error, two.error]).toEqual(['NONE', 'GROUP_MAX_SIZE_REACHED'])
  })
})

describe('a static member', () => {
  test('that goes and comes back under a new ID keeps its partitions, and nobody else moves', async () => {
    const { on } = await start()
    const [one, two] = [member(on, 'one', { instanceId: 'i' }), member(on, 'two')]
    await settleAll(one, two)
    const [before, epoch] = [one.partitions(), (await described(on)).groupEpoch]
    const again = member(on, 'again', { instanceId: 'i' })
    await again.beat()
    expect(again.error).toBe('UNRELEASED_INSTANCE_ID')
    await one.beat({ memberEpoch: -2, topicPartitions: null })
    await again.beat()
    expect([again.error, again.partitions()]).toEqual(['NONE', before])
    expect((await described(on)).groupEpoch).toBe(epoch)
    await one.beat({ memberEpoch: epoch })
    expect(one.error).toBe('FENCED_INSTANCE_ID')
  })

  test('that does not come back is put out when its session is over', async () => {
    const { on } = await start()
    const one = member(on, 'one', { instanceId: 'i' })
    await one.beat()
    await one.beat({ memberEpoch: -2, topicPartitions: null })
    on.clock.advance(45_000)
    await settle()
    expect((await described(on)).groupState).toBe('Empty')
  })
})

describe('topics', () => {
  test('that are made, grow and go are in the next assignment', async () => {
    const { on } = await start(1)
    const one = member(on, 'one', { subscribedTopicNames: ['t', 'u'] })
    await one.beat()
    expect(one.partitions()).toEqual([0])
    await on.ask(createTopics, { topics: [{ name: 'u', numPartitions: 1, replicationFactor: 1 }] })
    await one.beat()
    expect(one.owned.size).toBe(2)
    await on.ask(createPartitions, { topics: [{ name: 't', count: 3, assignments: null }] })
    await one.beat()
    expect(one.partitions()).toEqual([0, 0, 1, 2])
    await on.ask(deleteTopics, { topics: [{ name: 'u' }] })
    await one.beat()
    await one.beat()
    expect(one.partitions()).toEqual([0, 1, 2])
  })

  describe('that a member may not know of', () => {
    /** A member with a pattern, and what it may know of: `names` may be changed. */
    async function open() {
      const { on } = await start(2)
      const topics = ['o1', 'o2'].map(name => ({ name, numPartitions: 2, replicationFactor: 1 }))
      const made = await on.ask(createTopics, { topics })
      const names = new Map(made.topics.map(({ name, topicId }) => [topicId, name]))
      const seeing = (seen: Set<string>): Session => ({ ...session(), seesTopic: name => seen.has(name) })
      const joining = (id: string, seen: Set<string>) =>
        member(on, id, { subscribedTopicNames: null, subscribedTopicRegex: 'o.*' }, seeing(seen))
      const topicsOf = ({ owned }: ReturnType<typeof member>): string[] => [...owned.keys()].map(id => names.get(id)!).sort()
      const make = async (name: string): Promise<void> => {
        const { topics: more } = await on.ask(createTopics, { topics: [{ name, numPartitions: 2, replicationFactor: 1 }] })
        names.set(more[0]!.topicId, name)
      }
      return { on, joining, topicsOf, make }
    }

    test('are not given by a pattern, nor to him who shares it with one who may', async () => {
      const { joining, topicsOf, on } = await open()
      const sees = new Set(['o1', 'o2'])
      const [one, both] = [joining('one', new Set(['o1'])), joining('both', sees)]
      await one.beat()
      expect(topicsOf(one)).toEqual(['o1'])
      await settleAll(both, one)
      expect([topicsOf(one), topicsOf(both)]).toEqual([['o1'], ['o2']])
      expect([...one.owned.values(), ...both.owned.values()].flat().length).toBe(4)
      // After a start nobody knows what `one` may know of, before it is heard from.
      const again = await on.restart()
      for (const each of [one, both]) each.on = again
      const wish = { name: 'o3', numPartitions: 6, replicationFactor: 1 }
      await again.ask(createTopics, { topics: [wish] })
      sees.add('o3')
      await both.beat()
      await one.beat()
      expect(topicsOf(one)).toEqual(['o1'])
      await settleAll(both, one)
      expect([topicsOf(one), [...both.owned.values()].flat().length]).toEqual([['o1'], 8])
    })

    test('are given once he may know of them, and taken when he may no more', async () => {
      const { joining, topicsOf, on, make } = await open()
      const seen = new Set(['o1'])
      const one = joining('one', seen)
      await settleAll(one)
      seen.add('o2')
      await settleAll(one)
      expect(topicsOf(one)).toEqual(['o1'])
      // What the ACLs allow is looked at when topics change, and every ten minutes.
      for (let minute = 0; minute < 20; minute++) {
        on.clock.advance(30_000)
        await one.beat()
      }
      await settleAll(one)
      expect(topicsOf(one)).toEqual(['o1', 'o2'])
      await make('o3')
      seen.add('o3')
      seen.delete('o1')
      await settleAll(one)
      expect(topicsOf(one)).toEqual(['o2', 'o3'])
      // Without any change of topics what he may no more know of is taken with his next heartbeat.
      seen.delete('o3')
      await one.beat()
      expect(topicsOf(one)).toEqual(['o2'])
    })

    test('are given by name: that is decided before', async () => {
      const { joining, topicsOf } = await open()
      const one = joining('one', new Set())
      await one.beat({ subscribedTopicNames: ['o2'] })
      await settleAll(one)
      expect(topicsOf(one)).toEqual(['o2'])
    })
  })

  test('that match a pattern are given, the server’s own excepted', async () => {
    const { on } = await start(1)
    const one = member(on, 'one', { subscribedTopicNames: null, subscribedTopicRegex: '.*' })
    await one.beat()
    expect(one.owned.size).toBe(1)
    await on.ask(createTopics, { topics: [{ name: 'other', numPartitions: 2, replicationFactor: 1 }] })
    await one.beat()
    expect(one.partitions()).toEqual([0, 0, 1])
    await one.beat({ subscribedTopicRegex: 'o.*' })
    await one.beat()
    expect(one.partitions()).toEqual([0, 1])
    expect((await described(on)).members[0]).toMatchObject({ subscribedTopicRegex: 'o.*', memberType: 1 })
  })

  test.each(['uniform', 'range'])('are assigned by the assignor that members name (%s)', async assignor => {
    const { on } = await start(5)
    const [one, two] = [member(on, 'one', { serverAssignor: assignor }), member(on, 'two', { serverAssignor: assignor })]
    await settleAll(one, two)
    expect((await described(on)).assignorName).toBe(assignor)
    if (assignor === 'range')
      expect([one.partitions(), two.partitions()]).toEqual([
        [0, 1, 2],
        [3, 4]
      ])
    else expect(one.partitions().length + two.partitions().length).toBe(5)
  })
})

describe('commits', () => {
  test('are fenced by member and epoch, and what a member had before its epoch rose it may still commit', async () => {
    const { on } = await start()
    const [one, two] = [member(on, 'one'), member(on, 'two')]
    await one.beat()
    expect(await commit(on, 'one', 1, 5, 3)).toBe('NONE')
    await settleAll(one, two)
    const [kept] = one.partitions()
    const [moved] = two.partitions()
    expect(await commit(on, 'one', 1, 6, kept)).toBe('NONE')
    expect(await commit(on, 'one', 1, 6, moved)).toBe('STALE_MEMBER_EPOCH')
    expect(await commit(on, 'one', 9, 6, kept)).toBe('STALE_MEMBER_EPOCH')
    expect(await commit(on, 'nobody', 1, 6, kept)).toBe('UNKNOWN_MEMBER_ID')
    expect(await commit(on, 'one', one.epoch, 6, kept, 8)).toBe('UNSUPPORTED_VERSION')
    expect(await commit(on, '', -1, 6, kept)).toBe('UNKNOWN_MEMBER_ID')
    const fetched = async (memberId: string | null, memberEpoch: number) =>
      errorName(
        (await on.ask(offsetFetch, { groups: [{ groupId: 'g', memberId, memberEpoch, topics: null }] })).groups[0]!.errorCode
      )
    expect(await fetched('one', one.epoch)).toBe('NONE')
    expect(await fetched('one', one.epoch - 1)).toBe('STALE_MEMBER_EPOCH')
    expect(await fetched('nobody', 1)).toBe('UNKNOWN_MEMBER_ID')
    expect(await fetched(null, -1)).toBe('NONE')
  })

  test('of a topic that the group reads are not deleted, others are', async () => {
    const { on } = await start()
    const one = member(on, 'one')
    await one.beat()
    await commit(on, 'one', 1, 5)
    const drop = async (name = 't', partitionIndex = 0) => {
      const answer = await on.ask(offsetDelete, { groupId: 'g', topics: [{ name, partitions: [{ partitionIndex }] }] })
      return errorName(answer.topics[0]?.partitions[0]?.errorCode ?? answer.errorCode)
    }
    expect(await drop()).toBe('GROUP_SUBSCRIBED_TO_TOPIC')
    await one.beat({ memberEpoch: -1, topicPartitions: null })
    expect(await drop('nowhere')).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await drop()).toBe('NONE')
    const again = await on.crash()
    const { groups } = await again.ask(offsetFetch, { groups: [{ groupId: 'g', topics: null }] })
    expect(groups[0]!.topics).toEqual([])
  })
})

describe('after a restart', () => {
  test.each(['restart', 'crash'] as const)('the group is what it was (%s)', async how => {
    const { on } = await start()
    const [one, two] = [
      member(on, 'one', { instanceId: 'i' }),
      member(on, 'two', { subscribedTopicNames: [], subscribedTopicRegex: 't' })
    ]
    await settleAll(one, two)
    await member(on, 'three').beat()
    await one.beat()
    const before = [await described(on), await listed(on)]
    const again = await on[how]()
    expect([await described(again), await listed(again)]).toEqual(before)
    for (const each of [one, two]) {
      each.on = again
      await each.beat()
      expect(each.error).toBe('NONE')
    }
  })

  test('a deleted group stays deleted', async () => {
    const { on } = await start()
    const one = member(on, 'one')
    await one.beat()
    const remove = async (from: TestEngine) =>
      errorName((await from.ask(deleteGroups, { groupsNames: ['g'] })).results[0]!.errorCode)
    expect(await remove(on)).toBe('NON_EMPTY_GROUP')
    await one.beat({ memberEpoch: -1, topicPartitions: null })
    expect(await remove(on)).toBe('NONE')
    expect(await remove(on)).toBe('GROUP_ID_NOT_FOUND')
    expect(await listed(await on.crash())).toEqual([])
  })

  test('what could not be stored was not told, and is not there', async () => {
    const { on } = await start()
    const one = member(on, 'one')
    await one.beat()
    on.failNextWrite()
    const two = member(on, 'two')
    await two.beat()
    expect(two.error).toBe('COORDINATOR_NOT_AVAILABLE')
    expect((await described(on)).members).toHaveLength(1)
    expect((await described(await on.crash())).groupEpoch).toBe(1)
  })
})

describe('what others ask', () => {
  test('about a consumer group under the classic API, and the other way round', async () => {
    const { on } = await start()
    await member(on, 'one').beat()
    const classic = (version: number) => on.ask(describeGroups, { groups: ['g'] }, { version })
    expect((await classic(6)).groups[0]).toMatchObject({ errorCode: 69, errorMessage: 'Group g is not a classic group.' })
    expect((await classic(5)).groups[0]).toMatchObject({ errorCode: 0, groupState: 'Dead' })
    expect(await described(on, 'h')).toMatchObject({ errorCode: 69, errorMessage: 'Group h not found.' })
    await commitPlain(on, 'h')
    expect(await described(on, 'h')).toMatchObject({ errorCode: 69, errorMessage: 'Group h is not a consumer group.' })
    expect(await listed(on)).toEqual(['g Stable consumer', 'h Empty classic'])
    const typed = await on.ask(listGroups, { typesFilter: ['Consumer'], statesFilter: ['stable'] })
    expect(typed.groups.map(({ groupId }) => groupId)).toEqual(['g'])
  })

  test('settings of a group are told, changed, kept and in force', async () => {
    const { on } = await start()
    const one = member(on, 'one')
    await one.beat()
    const set = async (name: string, value: string) => {
      const configs = [{ name, configOperation: 0, value }]
      const answer = await on.ask(incrementalAlterConfigs, { resources: [{ resourceType: 32, resourceName: 'g', configs }] })
      return errorName(answer.responses[0]!.errorCode)
    }
    expect(await set('consumer.session.timeout.ms', '10000')).toBe('NONE')
    expect(await set('consumer.heartbeat.interval.ms', '2000')).toBe('NONE')
    for (const [name, value] of [
      ['consumer.session.timeout.ms', '1'],
      ['consumer.heartbeat.interval.ms', '10000'],
      ['consumer.heartbeat.interval.ms', 'soon'],
      ['share.session.timeout.ms', '1000']
    ] as const) {
      expect(await set(name, value), name).toBe('INVALID_CONFIG')
    }
    const again = await on.restart()
    one.on = again
    const { results } = await again.ask(describeConfigs, {
      resources: [{ resourceType: 32, resourceName: 'g', configurationKeys: null }]
    })
    expect(results[0]!.configs.map(({ name, value, configSource }) => [name, value, configSource])).toEqual([
      ['consumer.session.timeout.ms', '10000', 8],
      ['consumer.heartbeat.interval.ms', '2000', 8]
    ])
    again.clock.advance(9000)
    await one.beat()
    again.clock.advance(9000)
    await one.beat()
    expect([one.error, one.intervalMs]).toEqual(['NONE', 2000])
    again.clock.advance(10_000)
    await settle()
    await one.beat()
    expect(one.error).toBe('UNKNOWN_MEMBER_ID')
  })

  test('offsets nobody reads for long are forgotten, and then the group', async () => {
    const { on } = await start(4, { offsetsRetentionMinutes: 60 })
    const one = member(on, 'one')
    await one.beat()
    await commit(on, 'one', 1, 5)
    await commitPlain(on, 'h')
    for (let minute = 0; minute < 150; minute++) {
      on.clock.advance(60_000 / 2)
      await one.beat()
      await settle()
    }
    expect(await listed(on)).toEqual(['g Stable consumer'])
    const { groups } = await on.ask(offsetFetch, { groups: [{ groupId: 'g', topics: null }] })
    expect(groups[0]!.topics).toHaveLength(1)
    await one.beat({ memberEpoch: -1, topicPartitions: null })
    for (let minute = 0; minute < 90; minute++) {
      on.clock.advance(60_000)
      await settle()
    }
    expect(await listed(on)).toEqual([])
    expect(await listed(await on.crash())).toEqual([])
  })
})

async function commitPlain(on: TestEngine, groupId: string): Promise<void> {
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1n }] }]
  await on.ask(offsetCommit, { groupId, topics, generationIdOrMemberEpoch: -1 }, { version: 9 })
}

/** A subscription to `t` as consumers of the classic protocol send it, version 1. */
function subscription(owned: readonly number[], topic = 't'): Buffer {
  const int32 = (value: number): Buffer => Buffer.from([value >> 24, value >> 16, value >> 8, value])
  const name = Buffer.concat([Buffer.from([0, topic.length]), Buffer.from(topic)])
  const kept = owned.length === 0 ? [int32(0)] : [int32(1), name, int32(owned.length), ...owned.map(int32)]
  return Buffer.concat([Buffer.from([0, 1]), int32(1), name, int32(-1), ...kept])
}

/** Partitions of the one topic in an assignment. */
function assigned(bytes: Buffer): number[] {
  if (bytes.length < 6 || bytes.readInt32BE(2) === 0) return []
  const at = 6 + 2 + bytes.readInt16BE(6)
  return Array.from({ length: bytes.readInt32BE(at) }, (_, index) => bytes.readInt32BE(at + 4 + index * 4)).sort()
}

/** What a leader hands in for one member. */
function assignment(partitions: readonly number[]): Buffer {
  const kept = subscription(partitions).subarray(2 + 4 + 3 + 4)
  return Buffer.concat([Buffer.from([0, 1]), kept, Buffer.from([255, 255, 255, 255])])
}

/** A cooperative consumer of the classic protocol. */
function classic(on: TestEngine) {
  const state = { on, memberId: '', generation: -1, owned: [] as number[], error: 'NONE' }
  const protocols = () => [{ name: 'cooperative', metadata: subscription(state.owned) }]
  async function join(): Promise<void> {
    const body = { groupId: 'g', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 30_000, protocolType: 'consumer' }
    const answer = await state.on.ask(joinGroup, { ...body, memberId: state.memberId, protocols: protocols() })
    state.memberId = answer.memberId
    state.error = errorName(answer.errorCode)
    if (state.error === 'MEMBER_ID_REQUIRED') return join()
    if (state.error !== 'NONE') return
    state.generation = answer.generationId
    await sync(answer.leader === answer.memberId ? answer.members.map(one => one.memberId) : [])
  }
  async function sync(followers: readonly string[]): Promise<void> {
    const share = 4 / Math.max(followers.length, 1)
    const assignments = followers.map((memberId, at) => ({
      memberId,
      assignment: assignment([0, 1, 2, 3].slice(at * share, (at + 1) * share))
    }))
    const answer = await state.on.ask(syncGroup, {
      ...claim(),
      protocolType: 'consumer',
      protocolName: 'cooperative',
      assignments
    })
    state.error = errorName(answer.errorCode)
    if (state.error === 'NONE') state.owned = assigned(answer.assignment)
  }
  const claim = () => ({ groupId: 'g', memberId: state.memberId, generationId: state.generation })
  async function beat(): Promise<void> {
    state.error = errorName((await state.on.ask(heartbeat, claim())).errorCode)
    if (state.error === 'REBALANCE_IN_PROGRESS') await join()
  }
  const leave = () => state.on.ask(leaveGroup, { groupId: 'g', members: [{ memberId: state.memberId }] })
  return Object.assign(state, { join, beat, leave, partitions: () => state.owned })
}

describe('migration', () => {
  test('a consumer joins a classic group: both read on under the consumer protocol, and back again', async () => {
    const { on } = await start()
    const old = classic(on)
    await old.join()
    expect([old.error, old.owned]).toEqual(['NONE', [0, 1, 2, 3]])
    const fresh = member(on, 'fresh')
    await fresh.beat()
    expect([fresh.error, fresh.partitions()]).toEqual(['NONE', []])
    expect(await listed(on)).toEqual(['g Reconciling consumer'])
    for (let round = 0; round < 5; round++) {
      await old.beat()
      await fresh.beat()
    }
    expect(old.owned).toHaveLength(2)
    expect([...old.owned, ...fresh.partitions()].sort()).toEqual([0, 1, 2, 3])
    expect((await described(on)).members.map(({ memberType }) => memberType).sort()).toEqual([0, 1])
    expect(await commit(on, old.memberId, old.generation, 5, old.owned[0])).toBe('NONE')
    expect(await commit(on, old.memberId, old.generation - 1, 5, old.owned[0])).toBe('ILLEGAL_GENERATION')

    const again = await on.crash()
    old.on = again
    fresh.on = again
    await old.beat()
    await fresh.beat()
    expect([old.error, fresh.error]).toEqual(['NONE', 'NONE'])

    await fresh.beat({ memberEpoch: -1, topicPartitions: null })
    expect((await listed(again))[0]).toMatch(/classic$/)
    await old.beat()
    await old.beat()
    expect([old.error, old.owned]).toEqual(['NONE', [0, 1, 2, 3]])
    expect(await listed(await again.crash())).toEqual(['g Stable classic'])
  })

  test('a classic member joins a consumer group', async () => {
    const { on } = await start()
    const one = member(on, 'one')
    await one.beat()
    const old = classic(on)
    await old.join()
    for (let round = 0; round < 5; round++) {
      await one.beat()
      await old.beat()
    }
    expect([...old.owned, ...one.partitions()].sort()).toEqual([0, 1, 2, 3])
    await old.leave()
    await settleAll(one)
    expect(one.partitions()).toEqual([0, 1, 2, 3])
  })

  test('a classic member that does not join again when it is told is put out', async () => {
    const { on } = await start()
    const old = classic(on)
    await old.join()
    const fresh = member(on, 'fresh')
    await fresh.beat()
    for (let round = 0; round < 8; round++) {
      await on.ask(heartbeat, { groupId: 'g', memberId: old.memberId, generationId: old.generation })
      await fresh.beat()
      on.clock.advance(5000)
      await settle()
    }
    await settleAll(fresh)
    expect(fresh.partitions()).toEqual([0, 1, 2, 3])
    expect((await described(on)).members).toHaveLength(1)
  })

  test.each([
    ['disabled', 'GROUP_ID_NOT_FOUND'],
    ['downgrade', 'GROUP_ID_NOT_FOUND'],
    ['upgrade', 'NONE'],
    ['bidirectional', 'NONE']
  ] as const)('under the policy %s a consumer that joins a classic group gets %s', async (policy, error) => {
    const { on } = await start(4, { groupConsumerMigrationPolicy: policy })
    const old = classic(on)
    await old.join()
    const fresh = member(on, 'fresh')
    await fresh.beat()
    expect(fresh.error).toBe(error)
    await fresh.beat({ memberEpoch: -1, topicPartitions: null })
    expect((await listed(on))[0]).toMatch(policy === 'upgrade' ? /consumer$/ : /classic$/)
  })

  test('members of both protocols that come at once end up in one group, also after a crash', async () => {
    const { on } = await start()
    const [old, fresh] = [classic(on), member(on, 'fresh')]
    await fresh.beat()
    await fresh.beat({ memberEpoch: -1, topicPartitions: null })
    fresh.epoch = 0
    fresh.owned = new Map()
    await Promise.all([old.join(), fresh.beat()])
    for (let round = 0; round < 6; round++) {
      if (old.error === 'NONE' || old.error === 'REBALANCE_IN_PROGRESS') await old.beat()
      else await Object.assign(old, { memberId: '', generation: -1, owned: [] }).join()
      await fresh.beat()
    }
    expect([...old.owned, ...fresh.partitions()].sort()).toEqual([0, 1, 2, 3])
    const before = [await described(on), await listed(on)]
    const again = await on.crash()
    expect([await described(again), await listed(again)]).toEqual(before)
  })

  test('a group that nobody is in is of whichever protocol comes next, and keeps its offsets', async () => {
    const { on } = await start()
    await commitPlain(on, 'g')
    const one = member(on, 'one')
    await one.beat()
    expect(await listed(on)).toEqual(['g Stable consumer'])
    await one.beat({ memberEpoch: -1, topicPartitions: null })
    const old = classic(on)
    await old.join()
    expect(old.error).toBe('NONE')
    const again = await on.crash()
    expect(await listed(again)).toEqual(['g Stable classic'])
    const { groups } = await again.ask(offsetFetch, { groups: [{ groupId: 'g', topics: null }] })
    expect(groups[0]!.topics[0]!.partitions[0]!.committedOffset).toBe(1n)
  })
})
