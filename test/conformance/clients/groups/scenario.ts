/** What a group of real clients goes through: members come, go and come back, and every record is read. */

import { topicAdmin } from '@assay/client'
import { Producer, stringSerializer } from '@platformatic/kafka'
import { expect } from 'vitest'
import type { Member, MemberKind, MemberOptions } from './member.ts'

export const PARTITIONS = 4
const DEADLINE_MS = 45_000

export async function createTopic(bootstrap: string, name: string): Promise<void> {
  const admin = topicAdmin({ bootstrap, timeoutMs: 10_000 })
  await admin.create({ name, partitions: PARTITIONS, configs: {} })
  await admin.close()
}

/** One record in each partition for each round, named after where it is. */
export async function produce(bootstrap: string, topic: string, from: number, rounds: number): Promise<string[]> {
  const producer = new Producer({
    clientId: 'conformance-groups',
    bootstrapBrokers: [bootstrap],
    serializers: { key: stringSerializer, value: stringSerializer }
  })
  const messages = Array.from({ length: rounds * PARTITIONS }, (_, at) => {
    const partition = at % PARTITIONS
    return { topic, partition, value: `${topic}-${partition}@${from + Math.floor(at / PARTITIONS)}` }
  })
  await producer.send({ messages })
  await producer.close()
  return messages.map(({ value }) => value)
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + DEADLINE_MS
  while (!holds()) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain until ${what}`)
    await pause(25)
  }
}

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

export const allOf = (topic: string): string[] => Array.from({ length: PARTITIONS }, (_, at) => `${topic}-${at}`)
export const ownedBy = (...members: Member[]): string[] => members.flatMap(member => member.owned()).sort()
const sorted = (values: readonly string[]): string[] => [...values].sort()

/** Two members share, one goes and comes again: everything is read, nothing twice while members leave as they should. */
export async function shareAndResume(bootstrap: string, kind: MemberKind, options: MemberOptions): Promise<void> {
  const { topic } = options
  await createTopic(bootstrap, topic)
  const first = kind.start(bootstrap, options)
  const members = [first]
  try {
    await until('the first has everything', () => ownedBy(first).length === PARTITIONS)
    const second = kind.start(bootstrap, options)
    members.push(second)
    await until('both have a share', () => first.owned().length === 2 && second.owned().length === 2)
    expect(ownedBy(first, second)).toEqual(allOf(topic))
    const sent = await produce(bootstrap, topic, 0, 5)
    await until('everything was read', () => first.read.length + second.read.length >= sent.length)
    expect(sorted([...first.read, ...second.read])).toEqual(sorted(sent))
    await first.stop()
    members.shift()
    await until('the second has everything', () => second.owned().length === PARTITIONS)
    const more = await produce(bootstrap, topic, 5, 3)
    const before = second.read.filter(value => sent.includes(value)).length
    await until('the rest was read', () => second.read.length >= before + more.length)
    await pause(500)
    expect(sorted(second.read.slice(before)), 'nothing again, nothing left out').toEqual(sorted(more))
    await second.stop()
    members.shift()
    const last = await produce(bootstrap, topic, 8, 2)
    const third = kind.start(bootstrap, options)
    members.push(third)
    await until('the newcomer goes on where the others were', () => third.read.length >= last.length)
    await pause(500)
    expect(sorted(third.read)).toEqual(sorted(last))
    await third.stop()
    members.shift()
  } finally {
    for (const member of members) await member.kill()
  }
}

/** Two members share, one goes: all of it is read. */
export async function shareAndLeave(bootstrap: string, kind: MemberKind, options: MemberOptions): Promise<void> {
  const { topic } = options
  await createTopic(bootstrap, topic)
  const first = kind.start(bootstrap, options)
  const members = [first]
  try {
    await until('the first has everything', () => ownedBy(first).length === PARTITIONS)
    const second = kind.start(bootstrap, options)
    members.push(second)
    await until('both have a share', () => first.owned().length === 2 && second.owned().length === 2)
    expect(ownedBy(first, second)).toEqual(allOf(topic))
    const sent = await produce(bootstrap, topic, 0, 5)
    await until('everything was read', () => new Set([...first.read, ...second.read]).size === sent.length)
    await first.stop()
    members.shift()
    await until('the second has everything', () => second.owned().length === PARTITIONS)
    const more = await produce(bootstrap, topic, 5, 3)
    await until('the rest was read', () => more.every(value => second.read.includes(value)))
  } finally {
    for (const member of members) await member.kill()
  }
}

/** A static member is started again within its session: nobody else notices. */
export async function restartStatic(bootstrap: string, kind: MemberKind, options: MemberOptions): Promise<void> {
  await createTopic(bootstrap, options.topic)
  const other = kind.start(bootstrap, { ...options, instance: 'other' })
  const members = [other]
  try {
    await until('the first has everything', () => other.owned().length === PARTITIONS)
    const before = kind.start(bootstrap, { ...options, instance: 'restarted' })
    members.push(before)
    await until('both have a share', () => other.owned().length === 2 && before.owned().length === 2)
    const [owned, moves] = [before.owned(), other.moves()]
    await before.stop()
    members.pop()
    const after = kind.start(bootstrap, { ...options, instance: 'restarted' })
    members.push(after)
    await until('it has its share again', () => after.owned().length === 2)
    expect(after.owned()).toEqual(owned)
    expect(other.moves(), 'nothing moved elsewhere').toBe(moves)
  } finally {
    for (const member of members) await member.kill()
  }
}

/** A topic that is made later and matches the pattern is read; one that does not is not. */
export async function followPattern(bootstrap: string, kind: MemberKind, options: MemberOptions): Promise<void> {
  const { topic } = options
  await createTopic(bootstrap, `${topic}-a`)
  await createTopic(bootstrap, `not-${topic}`)
  const member = kind.start(bootstrap, { ...options, topic: `^${topic}-[a-z]` })
  try {
    await until('it has the one topic', () => member.owned().length === PARTITIONS)
    await createTopic(bootstrap, `${topic}-b`)
    await until('it has both topics', () => member.owned().length === 2 * PARTITIONS)
    const sent = [...(await produce(bootstrap, `${topic}-a`, 0, 2)), ...(await produce(bootstrap, `${topic}-b`, 0, 2))]
    await produce(bootstrap, `not-${topic}`, 0, 1)
    await until('all of it was read', () => member.read.length >= sent.length)
    expect(sorted(member.read)).toEqual(sorted(sent))
  } finally {
    await member.kill()
  }
}

/** A group of classic members goes over to the consumer protocol one by one, and back, without a pause. */
export async function migrate(bootstrap: string, kind: MemberKind, options: MemberOptions): Promise<void> {
  const { topic } = options
  await createTopic(bootstrap, topic)
  const classic = kind.start(bootstrap, { ...options, mode: 'cooperative' })
  const members = [classic]
  try {
    await until('the classic member has everything', () => classic.owned().length === PARTITIONS)
    const fresh = kind.start(bootstrap, { ...options, mode: 'consumer' })
    members.push(fresh)
    await until('both have a share', () => classic.owned().length === 2 && fresh.owned().length === 2)
    expect(ownedBy(classic, fresh)).toEqual(allOf(topic))
    const sent = await produce(bootstrap, topic, 0, 3)
    await until('everything was read', () => classic.read.length + fresh.read.length >= sent.length)
    await fresh.stop()
    members.pop()
    await until('the classic member has everything again', () => classic.owned().length === PARTITIONS)
    const more = await produce(bootstrap, topic, 3, 3)
    await until('the rest was read', () => new Set([...classic.read, ...fresh.read]).size >= sent.length + more.length)
    expect(sorted([...classic.read, ...fresh.read])).toEqual(sorted([...sent, ...more]))
  } finally {
    for (const member of members) await member.kill()
  }
}
