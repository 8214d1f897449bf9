import { describe, expect, test } from 'vitest'
import type { Effect } from './effects.ts'
import { emptyGroup, type Group, nextDeadlineMs, restoreGroup, storedGroup } from './group.ts'
import { type GroupEvent, type GroupLimits, type Join, step } from './step.ts'

const limits: GroupLimits = { membersMax: 4, initialRebalanceDelayMs: 0 }
const subscription = (text: string) => Buffer.from(text)

/** A group, a clock in hand, and short words for what members do. Requests are numbered in the order they are sent. */
function scene(over: Partial<GroupLimits> = {}) {
  const group = emptyGroup('g', 0)
  const bounds = { ...limits, ...over }
  let nowMs = 0
  let lastRequest = 0
  const send = (event: GroupEvent): Effect[] => step(group, event, nowMs, bounds)
  const request = () => ++lastRequest
  const join = (memberId: string, more: Partial<Join> = {}): Effect[] =>
    send({
      type: 'join',
      request: request(),
      memberId,
      newMemberId: `new-${lastRequest}`,
      instanceId: null,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 30_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription('a') }],
      knowsMemberIdRequired: false,
      knowsSkipAssignment: false,
      ...more
    })
  const sync = (memberId: string, assignments: Record<string, string> = {}, generation = group.generation): Effect[] =>
    send({
      type: 'sync',
      request: request(),
      memberId,
      instanceId: null,
      generation,
      protocolType: null,
      protocolName: null,
      assignments: new Map(Object.entries(assignments).map(([id, text]) => [id, Buffer.from(text)]))
    })
  const heartbeat = (memberId: string, generation = group.generation): string => {
    const [effect] = send({ type: 'heartbeat', request: request(), memberId, instanceId: null, generation })
    return effect?.type === 'heartbeat' ? effect.error : 'nothing'
  }
  const leave = (...members: { memberId: string; instanceId: string | null }[]) =>
    send({ type: 'leave', request: request(), members })
  const stored = (ok = true) => send({ type: 'stored', generation: group.generation, ok })
  const after = (ms: number): Effect[] => {
    nowMs += ms
    return send({ type: 'tick' })
  }
  /** One member alone, with its assignment. */
  const settleAlone = (more: Partial<Join> = {}): string => {
    const id = joined(join('', more)).memberId
    sync(id, { [id]: 'all' })
    stored()
    return id
  }
  /** Two members, stable. */
  const settleTwo = (): [string, string] => {
    const first = settleAlone()
    join('')
    const second = `new-${lastRequest}`
    join(first)
    sync(group.leaderId!, { [first]: '1', [second]: '2' })
    sync(group.leaderId === first ? second : first)
    stored()
    return [first, second]
  }
  return { group, send, join, sync, heartbeat, leave, stored, after, settleAlone, settleTwo, at: () => lastRequest }
}

const joins = (effects: readonly Effect[]) => effects.flatMap(effect => (effect.type === 'join' ? [effect.answer] : []))
const syncs = (effects: readonly Effect[]) => effects.flatMap(effect => (effect.type === 'sync' ? [effect.answer] : []))
const joined = (effects: readonly Effect[]) => joins(effects)[0]!
const states = (group: Group) => `${group.state} ${group.generation}`

describe('joining', () => {
  test('a lone first member is answered at once and leads', () => {
    const { group, join } = scene()
    const answer = joined(join(''))
    expect(answer).toMatchObject({ error: 'NONE', generation: 1, leaderId: answer.memberId, protocolName: 'range' })
    expect(answer.members).toEqual([{ memberId: answer.memberId, instanceId: null, metadata: subscription('a') }])
    expect(states(group)).toBe('CompletingRebalance 1')
  })

  test('with an initial delay the first member waits, and each newcomer makes it wait again', () => {
    const { join, after, group } = scene({ initialRebalanceDelayMs: 3000 })
    expect(join('')).toEqual([])
    expect(after(2000)).toEqual([])
    expect(join('')).toEqual([])
    expect(after(2000)).toEqual([])
    expect(joins(after(1000)).map(answer => answer.generation)).toEqual([1, 1])
    expect(group.members.size).toBe(2)
  })

  test('a client that knows MEMBER_ID_REQUIRED gets its ID first, and the others wait for it', () => {
    const { join, group, settleAlone, heartbeat } = scene()
    const first = settleAlone()
    const told = joined(join('', { knowsMemberIdRequired: true }))
    expect(told.error).toBe('MEMBER_ID_REQUIRED')
    expect(states(group)).toBe('Stable 1')
    expect(join(told.memberId, { knowsMemberIdRequired: true })).toEqual([])
    expect(heartbeat(first)).toBe('REBALANCE_IN_PROGRESS')
    expect(joins(join(first)).map(answer => [answer.error, answer.generation])).toEqual([
      ['NONE', 2],
      ['NONE', 2]
    ])
  })

  test('an ID that never comes back lapses with its session timeout', () => {
    const { join, after, group } = scene()
    join('', { knowsMemberIdRequired: true })
    expect(nextDeadlineMs(group, 0)).toBe(10_000)
    after(10_000)
    expect(group.pending.size).toBe(0)
    expect(nextDeadlineMs(group, 10_000)).toBeUndefined()
  })

  const refused: [string, (s: ReturnType<typeof scene>) => Effect[], string][] = [
    ['an unknown member ID', s => s.join('stranger'), 'UNKNOWN_MEMBER_ID'],
    ['no protocol', s => s.join('', { protocols: [] }), 'INCONSISTENT_GROUP_PROTOCOL'],
    ['no protocol type', s => s.join('', { protocolType: '' }), 'INCONSISTENT_GROUP_PROTOCOL'],
    ['another protocol type', s => s.join('', { protocolType: 'connect' }), 'INCONSISTENT_GROUP_PROTOCOL'],
    [
      'no protocol in common',
      s => s.join('', { protocols: [{ name: 'other', metadata: subscription('a') }] }),
      'INCONSISTENT_GROUP_PROTOCOL'
    ]
  ]
  test.each(refused)('%s is refused', (_name, act, error) => {
    const s = scene()
    s.settleAlone()
    expect(joined(act(s)).error).toBe(error)
    expect(states(s.group)).toBe('Stable 1')
  })

  test('one member more than the limit is refused, pending ones counted', () => {
    const s = scene({ membersMax: 2 })
    s.settleAlone()
    s.join('', { knowsMemberIdRequired: true })
    expect(joined(s.join('')).error).toBe('GROUP_MAX_SIZE_REACHED')
  })

  test('a follower that joins again unchanged keeps its generation; the leader starts a new one', () => {
    const s = scene()
    const [first, second] = s.settleTwo()
    const follower = s.group.leaderId === first ? second : first
    expect(joined(s.join(follower))).toMatchObject({ error: 'NONE', generation: 2, members: [] })
    expect(states(s.group)).toBe('Stable 2')
    expect(s.join(s.group.leaderId!)).toEqual([])
    expect(states(s.group)).toBe('PreparingRebalance 2')
  })

  test('a member that joins again while its JoinGroup waits replaces it', () => {
    const s = scene()
    s.settleAlone()
    s.join('')
    const second = `new-${s.at()}`
    expect(joined(s.join(second)).error).toBe('REBALANCE_IN_PROGRESS')
  })

  test('the protocol that most members like best among the common ones wins', () => {
    const s = scene()
    const like = (...names: string[]) => ({ protocols: names.map(name => ({ name, metadata: subscription(name) })) })
    const first = s.settleAlone(like('a', 'b', 'c'))
    s.join('', like('b', 'a'))
    s.join('', like('b', 'a', 'x'))
    expect(joins(s.join(first, like('a', 'b', 'c'))).map(answer => answer.protocolName)).toEqual(['b', 'b', 'b'])
  })

  test('who has not joined when the rebalance timeout ends is left out', () => {
    const s = scene()
    const first = s.settleAlone({ sessionTimeoutMs: 60_000 })
    s.join('', { sessionTimeoutMs: 60_000 })
    expect(joins(s.after(29_999))).toEqual([])
    expect(joins(s.after(1))).toMatchObject([{ error: 'NONE', generation: 2 }])
    expect(s.heartbeat(first)).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('syncing', () => {
  test('nobody gets an assignment before it is stored', () => {
    const s = scene()
    const id = joined(s.join('')).memberId
    expect(s.sync(id, { [id]: 'all' })).toEqual([{ type: 'store', generation: 1, answers: [] }])
    expect(states(s.group)).toBe('CompletingRebalance 1')
    expect(syncs(s.stored()).map(({ error, assignment }) => [error, assignment.toString()])).toEqual([['NONE', 'all']])
    expect(states(s.group)).toBe('Stable 1')
    expect(syncs(s.sync(id))[0]!.assignment.toString()).toBe('all')
  })

  test('a member that the leader forgot gets an empty assignment', () => {
    const s = scene()
    const first = s.settleAlone()
    s.join('')
    const second = `new-${s.at()}`
    s.join(first)
    s.sync(second)
    s.sync(first, { [first]: 'all', stranger: 'x' })
    expect(syncs(s.stored()).map(({ assignment }) => assignment.toString())).toEqual(['all', ''])
  })

  test('when storing fails everybody is sent back and asked to join again', () => {
    const s = scene()
    const id = joined(s.join('')).memberId
    s.sync(id, { [id]: 'all' })
    expect(syncs(s.stored(false)).map(({ error }) => error)).toEqual(['COORDINATOR_NOT_AVAILABLE'])
    expect(states(s.group)).toBe('PreparingRebalance 1')
  })

  test('a rebalance that begins while storing wins: the stored assignment is nobody’s', () => {
    const s = scene()
    const id = joined(s.join('')).memberId
    s.sync(id, { [id]: 'all' })
    expect(syncs(s.join('')).map(({ error }) => error)).toEqual(['REBALANCE_IN_PROGRESS'])
    expect(s.stored()).toEqual([])
    expect(states(s.group)).toBe('PreparingRebalance 1')
  })

  const refusedSyncs: [string, (s: ReturnType<typeof scene>, id: string) => Effect[], string][] = [
    ['an older generation', (s, id) => s.sync(id, {}, 0), 'ILLEGAL_GENERATION'],
    ['a stranger', s => s.sync('stranger'), 'UNKNOWN_MEMBER_ID'],
    [
      'another protocol',
      (s, id) =>
        s.send({
          type: 'sync',
          request: 99,
          memberId: id,
          instanceId: null,
          generation: 1,
          protocolType: 'consumer',
          protocolName: 'other',
          assignments: new Map()
        }),
      'INCONSISTENT_GROUP_PROTOCOL'
    ]
  ]
  test.each(refusedSyncs)('%s is refused', (_name, act, error) => {
    const s = scene()
    const id = joined(s.join('')).memberId
    expect(syncs(act(s, id))[0]!.error).toBe(error)
  })

  test('a leader that never syncs is removed when the rebalance timeout ends, and its followers join again', () => {
    const s = scene()
    const first = s.settleAlone({ sessionTimeoutMs: 60_000 })
    s.join('', { sessionTimeoutMs: 60_000 })
    const second = `new-${s.at()}`
    s.join(first, { sessionTimeoutMs: 60_000 })
    expect(s.group.leaderId).toBe(first)
    s.sync(second)
    expect(syncs(s.after(30_000)).map(({ error }) => error)).toEqual(['REBALANCE_IN_PROGRESS'])
    expect([...s.group.members.keys()]).toEqual([second])
    expect(states(s.group)).toBe('PreparingRebalance 2')
  })
})

describe('living and dying', () => {
  test('heartbeats tell of generation, rebalance and membership', () => {
    const s = scene()
    const id = s.settleAlone()
    expect(s.heartbeat(id)).toBe('NONE')
    expect(s.heartbeat(id, 0)).toBe('ILLEGAL_GENERATION')
    expect(s.heartbeat('stranger')).toBe('UNKNOWN_MEMBER_ID')
    s.join('')
    expect(s.heartbeat(id)).toBe('REBALANCE_IN_PROGRESS')
  })

  test('a silent member goes when its session ends, one that is heard stays', () => {
    const s = scene()
    const [first, second] = s.settleTwo()
    s.after(9000)
    s.heartbeat(first)
    s.after(1000)
    expect([...s.group.members.keys()]).toEqual([first])
    expect(s.heartbeat(second)).toBe('UNKNOWN_MEMBER_ID')
    expect(states(s.group)).toBe('PreparingRebalance 2')
  })

  test('the last member leaves an empty group of the next generation behind, and that is stored', () => {
    const s = scene()
    const id = s.settleAlone()
    const effects = s.leave({ memberId: id, instanceId: null })
    expect(effects.map(effect => effect.type)).toEqual(['store', 'leave'])
    expect(states(s.group)).toBe('Empty 2')
  })

  test('leaving in a batch answers each member for itself', () => {
    const s = scene()
    const [first] = s.settleTwo()
    const effects = s.leave({ memberId: first, instanceId: null }, { memberId: 'stranger', instanceId: null })
    expect(effects.at(-1)).toMatchObject({ answers: [{ error: 'NONE' }, { error: 'UNKNOWN_MEMBER_ID' }] })
    expect(s.group.members.size).toBe(1)
  })

  test('a newcomer whose connection goes before the generation begins is forgotten', () => {
    const s = scene()
    const first = s.settleAlone()
    s.join('')
    s.send({ type: 'abandoned', request: s.at() })
    expect([...s.group.members.keys()]).toEqual([first])
    expect(joined(s.join(first)).generation).toBe(2)
  })

  test('an old member whose connection goes while it waits has its session timeout to come back', () => {
    const s = scene()
    const first = s.settleAlone()
    s.join('')
    s.join(first, { protocols: [{ name: 'range', metadata: subscription('b') }] })
    expect(states(s.group)).toBe('CompletingRebalance 2')
    s.join('')
    s.join(first)
    s.send({ type: 'abandoned', request: s.at() })
    expect(s.group.members.has(first)).toBe(true)
    s.after(10_000)
    expect(s.group.members.has(first)).toBe(false)
  })
})

describe('static members', () => {
  const statically = { instanceId: 'i', knowsSkipAssignment: true }

  test('coming back without its ID takes the old place without a rebalance, once that is stored', () => {
    const s = scene()
    const old = s.settleAlone(statically)
    const effects = s.join('', statically)
    expect(effects).toMatchObject([
      {
        type: 'store',
        generation: 1,
        answers: [{ type: 'join', answer: { error: 'NONE', generation: 1, skipAssignment: true } }]
      }
    ])
    expect(states(s.group)).toBe('Stable 1')
    expect(s.heartbeat(old)).toBe('UNKNOWN_MEMBER_ID')
    const fenced = s.send({ type: 'heartbeat', request: 98, memberId: old, instanceId: 'i', generation: 1 })
    expect(fenced).toMatchObject([{ error: 'FENCED_INSTANCE_ID' }])
    expect([...s.group.members.values()][0]!.assignment.toString()).toBe('all')
  })

  test('an older client is not told that it leads, lest it sends an assignment', () => {
    const s = scene()
    const old = s.settleAlone({ instanceId: 'i' })
    const [store] = s.join('', { instanceId: 'i' })
    expect(store).toMatchObject({ answers: [{ answer: { leaderId: old, skipAssignment: false, members: [] } }] })
  })

  test('coming back with another wish starts a rebalance', () => {
    const s = scene()
    s.settleAlone(statically)
    const effects = s.join('', { ...statically, protocols: [{ name: 'range', metadata: subscription('b') }] })
    expect(joins(effects)).toMatchObject([{ error: 'NONE', generation: 2 }])
  })

  test('a twin that joins while the first one waits fences it', () => {
    const s = scene()
    const first = s.settleAlone()
    s.join('', statically)
    const effects = s.join('', statically)
    expect(joins(effects)).toMatchObject([{ error: 'FENCED_INSTANCE_ID' }])
    expect(joins(s.join(first)).map(({ error }) => error)).toEqual(['NONE', 'NONE'])
  })

  test('one that is late keeps its place until its session ends', () => {
    const s = scene()
    const old = s.settleAlone({ ...statically, sessionTimeoutMs: 60_000 })
    s.join('')
    expect(joins(s.after(30_000))).toMatchObject([{ error: 'NONE', generation: 2 }])
    expect(s.group.members.has(old)).toBe(true)
  })

  test('an administrator removes it by its instance, and a wrong member ID is fenced', () => {
    const s = scene()
    s.settleAlone(statically)
    expect(s.leave({ memberId: 'wrong', instanceId: 'i' }).at(-1)).toMatchObject({ answers: [{ error: 'FENCED_INSTANCE_ID' }] })
    expect(s.leave({ memberId: '', instanceId: 'i' }).at(-1)).toMatchObject({ answers: [{ error: 'NONE' }] })
    expect(states(s.group)).toBe('Empty 2')
  })
})

test('a stored group is found again as it was, and its members have a session to be heard from', () => {
  const s = scene()
  s.settleTwo()
  const again = restoreGroup('g', { ...storedGroup(s.group), startsSince: 0 }, 5000)
  expect(storedGroup(again)).toEqual(storedGroup(s.group))
  expect(states(again)).toBe('Stable 2')
  expect(nextDeadlineMs(again, 5000)).toBe(15_000)
  // Between 2 and the kill there may have been generations that were told and not stored: none of their numbers comes again.
  expect(again.nextGeneration).toBe(103)
  // Neither do those that were told after a start and not stored before the next one.
  expect(restoreGroup('g', { ...storedGroup(s.group), startsSince: 2 }, 5000).nextGeneration).toBe(303)
})
