/** Fetch sessions as a reader meets them (KIP-227), and the bounds on all of them. */
import { createTopics, deleteRecords, deleteTopics, errorName, fetch, produce } from '@assay/protocol'
import { describe, expect, test } from 'vitest'
import { openEngine, records, session, settle, type TestEngine } from './engine.fixture.ts'
import type { FetchPartition } from './fetch-session.ts'
import { type FetchSessions, fetchSessions } from './fetch-sessions.ts'

const PARTITIONS = 4
const BY_NAME = 12
const BY_ID = 13

interface Reader {
  readonly on: TestEngine
  /** Topic IDs by name. */
  readonly ids: ReadonlyMap<string, string>
}

async function withTopics(names = ['t', 'u'], options = {}): Promise<Reader> {
  const on = await openEngine(options)
  const { topics } = await on.ask(createTopics, {
    topics: names.map(name => ({ name, numPartitions: PARTITIONS, replicationFactor: 1 }))
  })
  return { on, ids: new Map(topics.map(({ name, topicId }) => [name, topicId])) }
}

const write = async ({ on }: Reader, topic: string, index: number, value = 'x'): Promise<void> => {
  const body = { acks: -1, topicData: [{ name: topic, partitionData: [{ index, records: records(on.clock, value) }] }] }
  const answer = await on.ask(produce, body, { version: 12 })
  expect(answer.responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
}

interface Step {
  readonly id?: number
  readonly epoch?: number
  /** `t:0@5` asks for partition 0 of t from offset 5 on. */
  readonly asks?: string
  readonly forgets?: string
  readonly version?: number
  readonly waitMs?: number
  readonly bytesMax?: number
  readonly by?: ReturnType<typeof session>
}

/** One Fetch and its answer in short: `t:0 1` is a partition with one record batch or more, `t:0` one that is told without. */
async function step(reader: Reader, { id = 0, epoch = 0, asks = '', forgets = '', version = BY_ID, ...rest }: Step = {}) {
  const named = (name: string): object => (version >= BY_ID ? { topicId: reader.ids.get(name) ?? name } : { topic: name })
  const split = (text: string): { name: string; partition: number; offset: number }[] =>
    text
      .split(' ')
      .filter(Boolean)
      .map(one => {
        const [, name, partition, offset] = /^(\w+):(\d+)(?:@(\d+))?$/.exec(one)!
        return { name: name!, partition: Number(partition), offset: Number(offset ?? 0) }
      })
  const answer = await reader.on.ask(
    fetch,
    {
      sessionId: id,
      sessionEpoch: epoch,
      maxWaitMs: rest.waitMs ?? 0,
      minBytes: 1,
      maxBytes: rest.bytesMax ?? 1_000_000,
      topics: split(asks).map(({ name, partition, offset }) => ({
        ...named(name),
        partitions: [{ partition, fetchOffset: BigInt(offset), partitionMaxBytes: 1_000_000 }]
      })),
      forgottenTopicsData: split(forgets).map(({ name, partition }) => ({ ...named(name), partitions: [partition] }))
    },
    { version, ...(rest.by && { session: rest.by }) }
  )
  const nameOf = (topic: string, topicId: string): string =>
    version >= BY_ID ? ([...reader.ids].find(([, known]) => known === topicId)?.[0] ?? '?') : topic
  return {
    id: answer.sessionId,
    error: errorName(answer.errorCode),
    told: answer.responses
      .flatMap(({ topic, topicId, partitions }) =>
        partitions.map(({ partitionIndex, records: found, errorCode: code }) => {
          const what = code !== 0 ? ` ${errorName(code)}` : Buffer.concat(found ?? []).length > 0 ? ' +' : ''
          return `${nameOf(topic, topicId)}:${partitionIndex}${what}`
        })
      )
      .join(', ')
  }
}

describe.each([
  ['topics by name', BY_NAME],
  ['topics by ID', BY_ID],
  ['the newest version', 18],
  ['the oldest version with sessions', 7]
])('%s', (_, version) => {
  test('the first answer tells all, the next only what has changed', async () => {
    const reader = await withTopics()
    await write(reader, 't', 0)
    const first = await step(reader, { asks: 't:0 t:1 u:0', version })
    expect(first).toEqual({ id: first.id, error: 'NONE', told: 't:0 +, t:1, u:0' })
    expect(first.id).toBeGreaterThan(0)
    const again = { id: first.id, version }
    expect(await step(reader, { ...again, epoch: 1, asks: 't:0@1' })).toEqual({ id: first.id, error: 'NONE', told: '' })
    await write(reader, 'u', 0)
    expect((await step(reader, { ...again, epoch: 2 })).told).toBe('u:0 +')
    // Its offset was not moved on, so it is read again.
    expect((await step(reader, { ...again, epoch: 3 })).told).toBe('u:0 +')
    expect((await step(reader, { ...again, epoch: 4, asks: 'u:0@1 u:1' })).told).toBe('u:1')
  })
})

describe('a session', () => {
  test('forgets what it is told to forget', async () => {
    const reader = await withTopics()
    const { id } = await step(reader, { asks: 't:0 t:1' })
    for (const partition of [0, 1]) await write(reader, 't', partition)
    expect((await step(reader, { id, epoch: 1, forgets: 't:0' })).told).toBe('t:1 +')
    // What is named and forgotten in one request is forgotten; without partitions the session is over.
    expect(await step(reader, { id, epoch: 2, forgets: 't:1' })).toEqual({ id: 0, error: 'NONE', told: '' })
    expect((await step(reader, { id, epoch: 3 })).error).toBe('FETCH_SESSION_ID_NOT_FOUND')
  })

  test('tells a high watermark and a start of the log that have moved, without records', async () => {
    const reader = await withTopics()
    const { id } = await step(reader, { asks: 't:0@1 t:1' })
    await write(reader, 't', 0)
    expect((await step(reader, { id, epoch: 1 })).told).toBe('t:0')
    await reader.on.ask(deleteRecords, { topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 1n }] }] })
    expect((await step(reader, { id, epoch: 2 })).told).toBe('t:0')
    expect((await step(reader, { id, epoch: 3 })).told).toBe('')
  })

  test('tells an error each time, and the partition once more when it is over', async () => {
    const reader = await withTopics()
    const { id } = await step(reader, { asks: 't:0@5 t:1' })
    for (const epoch of [1, 2]) expect((await step(reader, { id, epoch })).told).toBe('t:0 OFFSET_OUT_OF_RANGE')
    expect((await step(reader, { id, epoch: 3, asks: 't:0@0' })).told).toBe('t:0')
    expect((await step(reader, { id, epoch: 4 })).told).toBe('')
    await reader.on.ask(deleteTopics, { topics: [{ name: 't', topicId: '0'.repeat(32) }] })
    expect((await step(reader, { id, epoch: 5 })).told).toBe('t:0 UNKNOWN_TOPIC_ID, t:1 UNKNOWN_TOPIC_ID')
  })

  test('gives each partition its turn when answers are full', async () => {
    const reader = await withTopics()
    for (const partition of [0, 1, 2]) await write(reader, 't', partition)
    const first = await step(reader, { asks: 't:0 t:1 t:2', bytesMax: 1 })
    expect(first.told).toBe('t:0 +, t:1, t:2')
    const turns: string[] = []
    for (const epoch of [1, 2, 3]) turns.push((await step(reader, { id: first.id, epoch, bytesMax: 1 })).told)
    expect(turns).toEqual(['t:1 +', 't:2 +', 't:0 +'])
  })

  test('waits for a partition that only the session names, and wakes when it is written to', async () => {
    const reader = await withTopics()
    const { id } = await step(reader, { asks: 't:0 t:1' })
    let isAnswered = false
    const waiting = step(reader, { id, epoch: 1, waitMs: 60_000 }).finally(() => {
      isAnswered = true
    })
    await settle()
    expect(isAnswered).toBe(false)
    await write(reader, 't', 1)
    expect((await waiting).told).toBe('t:1 +')
  })

  test('is over for a request that was overtaken by the next', async () => {
    const reader = await withTopics()
    const { id } = await step(reader, { asks: 't:0' })
    const overtaken = step(reader, { id, epoch: 1, waitMs: 60_000, by: session() })
    await settle()
    expect((await step(reader, { id, epoch: 2 })).error).toBe('NONE')
    await write(reader, 't', 0)
    expect(await overtaken).toEqual({ id: 0, error: 'INVALID_FETCH_SESSION_EPOCH', told: '' })
  })

  test('outlives its connection, as in Kafka, and belongs to one principal', async () => {
    const reader = await withTopics()
    const { id } = await step(reader, { asks: 't:0', by: session() })
    const stranger = { ...session(), principal: 'User:mallory' }
    expect((await step(reader, { id, epoch: 1, by: stranger })).error).toBe('FETCH_SESSION_ID_NOT_FOUND')
    expect((await step(reader, { id, epoch: -1, by: stranger })).error).toBe('NONE')
    expect((await step(reader, { id, epoch: 1, by: session() })).error).toBe('NONE')
  })
})

describe('refused', () => {
  test.each([
    ['a session that was never given out', { epoch: 1, id: 7 }, 'FETCH_SESSION_ID_NOT_FOUND'],
    ['no session at a later epoch', { epoch: 1, id: 0 }, 'FETCH_SESSION_ID_NOT_FOUND'],
    ['an epoch that was used', { epoch: 1 }, 'INVALID_FETCH_SESSION_EPOCH'],
    ['an epoch to come', { epoch: 3 }, 'INVALID_FETCH_SESSION_EPOCH'],
    ['names in a session of IDs', { epoch: 2, version: BY_NAME }, 'FETCH_SESSION_TOPIC_ID_ERROR'],
    ['an epoch that is none', { epoch: -2 }, 'INVALID_FETCH_SESSION_EPOCH']
  ])('%s', async (_, asked: Step, error) => {
    const reader = await withTopics()
    const { id } = await step(reader, { asks: 't:0' })
    expect((await step(reader, { id, epoch: 1 })).error).toBe('NONE')
    expect(await step(reader, { id, ...asked })).toEqual({ id: 0, error, told: '' })
    // It goes on for who names it rightly.
    expect((await step(reader, { id, epoch: 2 })).error).toBe('NONE')
  })

  test('IDs in a session of names', async () => {
    const reader = await withTopics()
    const { id } = await step(reader, { asks: 't:0', version: BY_NAME })
    expect((await step(reader, { id, epoch: 1 })).error).toBe('FETCH_SESSION_TOPIC_ID_ERROR')
  })

  test('a session that its owner closed, or replaced by a new one', async () => {
    const reader = await withTopics()
    const { id: first } = await step(reader, { asks: 't:0' })
    expect(await step(reader, { id: first, epoch: -1, asks: 't:0' })).toMatchObject({ id: 0, told: 't:0' })
    expect((await step(reader, { id: first, epoch: 1 })).error).toBe('FETCH_SESSION_ID_NOT_FOUND')
    const { id: second } = await step(reader, { asks: 't:0' })
    const { id: third } = await step(reader, { id: second, epoch: 0, asks: 't:0' })
    expect((await step(reader, { id: second, epoch: 1 })).error).toBe('FETCH_SESSION_ID_NOT_FOUND')
    expect((await step(reader, { id: third, epoch: 1 })).error).toBe('NONE')
  })
})

describe('the bounds', () => {
  test('with no room for a session each answer is a whole one', async () => {
    const reader = await withTopics(['t'], { fetchSessionsMax: 0 })
    expect(await step(reader, { asks: 't:0 t:1' })).toEqual({ id: 0, error: 'NONE', told: 't:0, t:1' })
  })

  test('a later session takes the place of one that nobody uses, or of a smaller one that had its time', async () => {
    let now = 0
    const sessions = cache({ nowMs: () => now, sessionsMax: 2 })
    const [small, large] = [open(sessions, 1), open(sessions, 3)]
    expect([small, large].every(id => id > 0)).toBe(true)
    expect(open(sessions, 3)).toBe(0)
    now = 100_000
    for (const id of [small, large]) expect(goesOn(sessions, id, 1)).toBe(true)
    now = 121_000
    // Both are in use and have had their time: only a smaller one makes way.
    expect(open(sessions, 1)).toBe(0)
    const later = open(sessions, 3)
    expect(later).toBeGreaterThan(0)
    expect(goesOn(sessions, small, 2)).toBe(false)
    now = 221_000
    // `large` was last used 121 s ago.
    expect(open(sessions, 1)).toBeGreaterThan(0)
    expect(goesOn(sessions, large, 2)).toBe(false)
    expect(goesOn(sessions, later, 1)).toBe(true)
  })

  test('partitions are counted over all sessions; one that grows past the bound is closed', () => {
    const sessions = cache({ sessionsMax: 10, partitionsMax: 5 })
    const first = open(sessions, 3)
    expect(open(sessions, 3)).toBe(0)
    const second = open(sessions, 2)
    expect(sessions.partitionCount).toBe(5)
    // The same partitions again are no more than before.
    expect(goesOn(sessions, first, 1, 3)).toBe(true)
    expect(goesOn(sessions, second, 1, 3)).toBe(false)
    expect([sessions.sessionCount, sessions.partitionCount]).toEqual([1, 3])
    expect(open(sessions, 6)).toBe(0)
    expect(sessions.partitionCount).toBe(3)
  })
})

function cache(parts: Partial<Parameters<typeof fetchSessions>[0]>): FetchSessions {
  let next = 0
  const randomId = (): Buffer => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(++next)
    return bytes
  }
  return fetchSessions({ nowMs: () => 0, randomId, sessionsMax: 10, partitionsMax: 100, ...parts })
}

const asked = (sessionId: number, sessionEpoch: number, partitions: number) => ({
  version: 18,
  principal: 'User:reader',
  body: {
    sessionId,
    sessionEpoch,
    topics: [{ topic: '', topicId: 'a', partitions: Array.from({ length: partitions }, (_, partition) => ({ partition })) }],
    forgottenTopicsData: []
  } as never
})

const quiet = { errorCode: 0, divergingEpoch: { epoch: -1 }, highWatermark: 0n, logStartOffset: 0n, records: [] }

/** The ID of a new session, 0 when there is none to be had. */
function open(sessions: FetchSessions, partitions: number): number {
  const turn = sessions.begin(asked(0, 0, partitions))
  if ('refused' in turn) return 0
  return turn.finish(
    turn.wanted.map(({ asked: { partition } }) => ({ ...quiet, partitionIndex: partition }) as unknown as FetchPartition)
  ).sessionId
}

const goesOn = (sessions: FetchSessions, id: number, epoch: number, partitions = 0): boolean =>
  !('refused' in sessions.begin(asked(id, epoch, partitions)))
