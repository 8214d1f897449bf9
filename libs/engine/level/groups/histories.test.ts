/** Random histories of one group: whatever members do and whenever the disk answers, what they are told fits together. */
import { expect, test } from 'vitest'
import { type Answer, type Effect, failedJoin, failedSync } from './effects.ts'
import { emptyGroup, restoreGroup, type StoredGroup, storedGroup } from './group.ts'
import { type GroupEvent, type GroupLimits, step } from './step.ts'

const limits: GroupLimits = { membersMax: 8, initialRebalanceDelayMs: 0 }

/** Small and repeatable (mulberry32). */
function generator(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below) | 0
  }
}

interface Client {
  readonly instanceId: string | null
  memberId: string
  generation: number
  leads: boolean
  others: readonly string[]
  waiting: number | undefined
  kind: 'join' | 'sync' | undefined
}

function play(seed: number, steps: number) {
  const random = generator(seed)
  let group = emptyGroup('g', 0)
  let durable: StoredGroup | undefined
  let nowMs = 0
  let lastRequest = 0
  const clients: Client[] = Array.from({ length: 5 }, (_, at) => fresh(at < 2 ? `i${at}` : null))
  const open = new Map<number, Client>()
  const storing: { stored: StoredGroup; generation: number; answers: readonly Answer[] }[] = []
  /** Who was told to lead a generation, and the assignment that each generation came to. */
  const leaders = new Map<string, Set<string>>()
  const assigned = new Map<string, Map<string, string>>()
  let era = 0
  const seen = { rebalances: 0, syncs: 0, restarts: 0, fenced: 0 }

  function fresh(instanceId: string | null): Client {
    return { instanceId, memberId: '', generation: -1, leads: false, others: [], waiting: undefined, kind: undefined }
  }
  const send = (event: GroupEvent): void => run(step(group, event, nowMs, limits))
  function run(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'store')
        storing.push({ stored: storedGroup(group), generation: effect.generation, answers: effect.answers })
      else receive(effect)
    }
  }
  function receive(answer: Answer): void {
    const client = open.get(answer.request)
    open.delete(answer.request)
    if (client === undefined) return
    if (client.waiting === answer.request) {
      client.waiting = undefined
      client.kind = undefined
    }
    const reset = (): void => {
      client.memberId = ''
      client.generation = -1
    }
    if (answer.type === 'join') {
      const { error, memberId, generation, leaderId, members, skipAssignment } = answer.answer
      if (error === 'MEMBER_ID_REQUIRED') client.memberId = memberId
      else if (error === 'FENCED_INSTANCE_ID') seen.fenced++
      if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID') reset()
      if (error !== 'NONE') return
      seen.rebalances++
      client.memberId = memberId
      client.generation = generation
      client.leads = leaderId === memberId && !skipAssignment
      client.others = members.map(member => member.memberId)
      if (client.leads) {
        expect(client.others, 'a leader is told of itself').toContain(memberId)
        const told = leaders.get(`${era}/${generation}`) ?? new Set()
        leaders.set(`${era}/${generation}`, told.add(memberId))
        expect(told.size, `generation ${generation} has one leader`).toBe(1)
      }
    }
    if (answer.type === 'sync') {
      const { error, assignment } = answer.answer
      if (error === 'UNKNOWN_MEMBER_ID') reset()
      if (error !== 'NONE') return
      seen.syncs++
      const key = `${era}/${client.generation}`
      const of = assigned.get(key) ?? new Map()
      assigned.set(key, of)
      const text = assignment.toString()
      expect(text, 'an assignment is of the generation that its member is in').toMatch(
        text === '' ? /^$/ : new RegExp(`^${client.generation}:`)
      )
      const earlier = of.get(client.memberId)
      if (earlier !== undefined) expect(text, 'a generation keeps its assignments').toBe(earlier)
      of.set(client.memberId, text)
      expect(durable?.generation, 'an assignment is told when it is durable').toBe(client.generation)
    }
  }
  function join(client: Client): void {
    const request = ++lastRequest
    client.waiting = request
    client.kind = 'join'
    open.set(request, client)
    send({
      type: 'join',
      request,
      memberId: client.memberId,
      newMemberId: `m${request}`,
      instanceId: client.instanceId,
      clientId: 'c',
      clientHost: '/h',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 20_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from(random(5) === 0 ? 'b' : 'a') }],
      knowsMemberIdRequired: random(2) === 0,
      knowsSkipAssignment: true
    })
  }
  function sync(client: Client): void {
    const request = ++lastRequest
    client.waiting = request
    client.kind = 'sync'
    open.set(request, client)
    const ids = client.leads ? client.others : []
    send({
      type: 'sync',
      request,
      memberId: client.memberId,
      instanceId: client.instanceId,
      generation: client.generation,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: new Map(ids.map(id => [id, Buffer.from(`${client.generation}:${id}`)]))
    })
  }
  /** As the coordinator does it when an append fails. */
  function failed(answer: Answer): Answer {
    if (answer.type === 'join') return failedJoin(answer.request, 'COORDINATOR_NOT_AVAILABLE', answer.answer.memberId)
    return answer.type === 'sync' ? failedSync(answer.request, 'COORDINATOR_NOT_AVAILABLE') : answer
  }
  function answerOldestStore(ok: boolean): void {
    const first = storing.shift()
    if (first === undefined) return
    if (ok) durable = first.stored
    for (const answer of first.answers) receive(ok ? answer : failed(answer))
    send({ type: 'stored', generation: first.generation, ok })
  }
  function restart(): void {
    seen.restarts++
    era++
    storing.length = 0
    open.clear()
    for (const client of clients) {
      client.waiting = undefined
      client.kind = undefined
    }
    group = durable === undefined ? emptyGroup('g', nowMs) : restoreGroup('g', { ...durable, startsSince: 0 }, nowMs)
    if (durable !== undefined) expect(storedGroup(group), 'what is replayed is what was stored').toEqual(durable)
  }

  const acts: [weight: number, act: (client: Client) => void][] = [
    [20, client => client.waiting === undefined && join(client)],
    [25, client => client.waiting === undefined && client.generation >= 0 && sync(client)],
    [15, () => answerOldestStore(true)],
    [1, () => answerOldestStore(false)],
    [
      10,
      client => {
        const heard = step(
          group,
          {
            type: 'heartbeat',
            request: ++lastRequest,
            memberId: client.memberId,
            instanceId: client.instanceId,
            generation: client.generation
          },
          nowMs,
          limits
        )
        const error = heard[0]?.type === 'heartbeat' ? heard[0].error : 'NONE'
        if (error === 'NONE') expect(client.generation, 'only the current generation is alive').toBe(group.generation)
        if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID') {
          client.memberId = ''
          client.generation = -1
        }
      }
    ],
    [
      3,
      client => {
        if (client.waiting === undefined) return
        const request = client.waiting
        client.waiting = undefined
        client.kind = undefined
        open.delete(request)
        send({ type: 'abandoned', request })
      }
    ],
    [
      3,
      client => {
        if (client.waiting !== undefined) return
        send({ type: 'leave', request: ++lastRequest, members: [{ memberId: client.memberId, instanceId: client.instanceId }] })
        client.memberId = ''
        client.generation = -1
      }
    ],
    // A static member's process starts anew: it has forgotten its ID and kept its instance.
    [
      2,
      client => {
        if (client.instanceId === null || client.waiting !== undefined) return
        client.memberId = ''
        client.generation = -1
      }
    ],
    [
      12,
      () => {
        nowMs += random(6000)
        send({ type: 'tick' })
      }
    ],
    [1, () => restart()]
  ]
  const total = acts.reduce((sum, [weight]) => sum + weight, 0)

  function check(): void {
    const { members, state, leaderId, staticMembers } = group
    if (state === 'Empty') expect(members.size, 'an empty group has no members').toBe(0)
    if (state === 'Stable' || state === 'CompletingRebalance')
      expect(members.has(leaderId ?? ''), 'the leader is a member').toBe(true)
    for (const member of members.values()) {
      if (member.joinWaiting !== undefined)
        expect(state, 'joins wait only while a rebalance is prepared').toBe('PreparingRebalance')
      if (member.syncWaiting !== undefined) expect(state, 'syncs wait only for an assignment').toBe('CompletingRebalance')
      if (member.instanceId !== null) expect(staticMembers.get(member.instanceId), 'an instance has one member').toBe(member.id)
    }
    for (const id of staticMembers.values()) expect(members.has(id), 'an instance has a member').toBe(true)
  }

  for (let at = 0; at < steps; at++) {
    let choice = random(total)
    const client = clients[random(clients.length)]!
    for (const [weight, act] of acts) {
      choice -= weight
      if (choice >= 0) continue
      act(client)
      break
    }
    check()
  }

  // Peace: everybody behaves, and the group must come to rest with everyone assigned.
  for (let round = 0; round < 60; round++) {
    for (const client of clients) {
      if (client.waiting !== undefined) continue
      if (client.generation < 0 || client.generation !== group.generation || group.state === 'PreparingRebalance') join(client)
      else if (group.state === 'CompletingRebalance') sync(client)
    }
    while (storing.length > 0) answerOldestStore(true)
    check()
    nowMs += 1000
    for (const client of clients) send({ type: 'heard', memberId: client.memberId })
    send({ type: 'tick' })
  }
  const failure = `${group.state} with ${group.members.size} members after peace`
  expect(group.state, failure).toBe('Stable')
  const ids = clients.map(client => client.memberId)
  expect([...group.members.keys()].sort(), failure).toEqual([...ids].sort())
  for (const member of group.members.values()) {
    expect(member.assignment.toString(), 'every member is assigned').toMatch(new RegExp(`^${group.generation}:`))
  }
  return seen
}

const seedGiven = process.env.ASSAY_SEED
const firstSeed = seedGiven === undefined ? 1 + Math.floor(Math.random() * 1_000_000) : Number(seedGiven)

test(`random histories from seed ${firstSeed} (ASSAY_SEED repeats them)`, () => {
  const total = { rebalances: 0, syncs: 0, restarts: 0, fenced: 0 }
  for (let seed = firstSeed; seed < firstSeed + 60; seed++) {
    let seen: typeof total
    try {
      seen = play(seed, 600)
    } catch (error) {
      throw new Error(`seed ${seed} breaks it; repeat with ASSAY_SEED=${seed}: ${(error as Error).message}`, { cause: error })
    }
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += seen[key]
  }
  // A run in which nothing happens proves nothing.
  expect(total.rebalances).toBeGreaterThan(1000)
  expect(total.syncs).toBeGreaterThan(500)
  expect(total.restarts).toBeGreaterThan(50)
  expect(total.fenced).toBeGreaterThan(0)
})
