import { describe, expect, test } from 'vitest'
import { randomOf } from '../../../../test/suites/random.ts'
import { type Assignor, assign, type Candidate } from './assignors.ts'
import type { Partitions } from './records.ts'

type Given = Map<string, Partitions>

/** `m1: a b` wants topics a and b; `m1(i): a` is static. */
function candidates(text: string, before: Given = new Map()): Candidate[] {
  return text.split(',').map(part => {
    const [who, topics] = part.split(':') as [string, string]
    const [, id, instanceId] = /^\s*(\w+)(?:\((\w+)\))?/.exec(who)!
    return {
      id: id!,
      instanceId: instanceId ?? null,
      topics: new Set(topics.trim().split(' ').filter(Boolean)),
      before: before.get(id!) ?? new Map()
    }
  })
}
const counts = (text: string) =>
  new Map(text.split(' ').map(part => [part.slice(0, part.indexOf('=')), Number(part.slice(part.indexOf('=') + 1))]))
const told = (given: Given): Record<string, string> =>
  Object.fromEntries(
    [...given].map(([id, partitions]) => [
      id,
      [...partitions].flatMap(([topic, indexes]) => indexes.map(index => `${topic}${index}`)).join(' ')
    ])
  )
const sizes = (given: Given): number[] =>
  [...given.values()].map(partitions => [...partitions.values()].reduce((sum, indexes) => sum + indexes.length, 0)).sort()

describe('range', () => {
  const rows: [name: string, members: string, topics: string, expected: Record<string, string>][] = [
    ['gives neighbours, the first members more', 'x: a, y: a', 'a=5', { x: 'a0 a1 a2', y: 'a3 a4' }],
    ['divides topics of equal size alike', 'x: a b, y: a b', 'a=2 b=2', { x: 'a0 b0', y: 'a1 b1' }],
    ['leaves out who does not want a topic', 'x: a, y: a b', 'a=2 b=2', { x: 'a0', y: 'a1 b0 b1' }],
    ['puts static members first, by their instance', 'x: a, y(z): a, w(b): a', 'a=3', { w: 'a0', y: 'a1', x: 'a2' }],
    ['gives nothing where there are more members than partitions', 'x: a, y: a', 'a=1', { x: 'a0', y: '' }]
  ]
  test.each(rows)('%s', (_name, members, topics, expected) => {
    const given = assign('range', { candidates: candidates(members), partitionCounts: counts(topics) })
    expect(told(given)).toEqual(expected)
  })
})

describe('uniform', () => {
  test('a newcomer gets its share and the others keep theirs', () => {
    const partitionCounts = counts('a=6 b=3')
    const first = assign('uniform', { candidates: candidates('x: a b, y: a b'), partitionCounts })
    expect(sizes(first)).toEqual([4, 5])
    const second = assign('uniform', { candidates: candidates('x: a b, y: a b, z: a b', first), partitionCounts })
    expect(sizes(second)).toEqual([3, 3, 3])
    for (const id of ['x', 'y']) {
      const before = new Set(told(first)[id]!.split(' '))
      expect(
        told(second)
          [id]!.split(' ')
          .every(one => before.has(one))
      ).toBe(true)
    }
  })

  test('who is gone leaves its partitions to the others, and nothing else moves', () => {
    const partitionCounts = counts('a=6')
    const before: Given = new Map([
      ['x', new Map([['a', [0, 3]]])],
      ['y', new Map([['a', [1, 4]]])]
    ])
    const given = assign('uniform', { candidates: candidates('x: a, y: a', before), partitionCounts })
    expect(sizes(given)).toEqual([3, 3])
    expect(given.get('x')!.get('a')).toEqual(expect.arrayContaining([0, 3]))
    expect(given.get('y')!.get('a')).toEqual(expect.arrayContaining([1, 4]))
  })

  test('of different subscriptions, who can have little gets it', () => {
    const given = assign('uniform', { candidates: candidates('x: a b, y: b'), partitionCounts: counts('a=4 b=4') })
    expect(told(given)).toEqual({ x: 'a0 a1 a2 a3', y: 'b0 b1 b2 b3' })
  })
})

const assignors: Assignor[] = ['uniform', 'range']
test.each(assignors)('%s: every partition goes to one member that wants it, whatever was before', assignor => {
  const random = randomOf(11)
  let before: Given = new Map()
  for (let round = 0; round < 400; round++) {
    const partitionCounts = new Map(['a', 'b', 'c'].map(topic => [topic, 1 + random(12)]))
    const members = Array.from({ length: 1 + random(8) }, () => ({
      id: `m${random(10)}`,
      topics: ['a', 'b', 'c'].filter(() => random(3) > 0)
    }))
    const unique = [...new Map(members.map(member => [member.id, member])).values()]
    const list = candidates(unique.map(({ id, topics }) => `${id}: ${topics.join(' ')}`).join(','), before)
    const given = assign(assignor, { candidates: list, partitionCounts })
    const seen = new Map<string, string>()
    for (const candidate of list) {
      for (const [topic, indexes] of given.get(candidate.id)!) {
        expect(candidate.topics.has(topic)).toBe(true)
        for (const index of indexes) {
          expect(index).toBeLessThan(partitionCounts.get(topic)!)
          expect(seen.has(`${topic}${index}`), 'nobody shares a partition').toBe(false)
          seen.set(`${topic}${index}`, candidate.id)
        }
      }
    }
    for (const [topic, count] of partitionCounts) {
      if (!list.some(({ topics }) => topics.has(topic))) continue
      for (let index = 0; index < count; index++) expect(seen.has(`${topic}${index}`), 'none is left out').toBe(true)
    }
    if (assignor === 'uniform') {
      const everyone = list.every(({ topics }) => topics.size === 3)
      const shares = sizes(given).sort((a, b) => a - b)
      if (everyone) expect(shares.at(-1)! - shares[0]!).toBeLessThanOrEqual(1)
      expect(told(assign(assignor, { candidates: [...list].reverse(), partitionCounts }))).toEqual(told(given))
      const settled = list.map(candidate => ({ ...candidate, before: given.get(candidate.id)! }))
      expect(told(assign(assignor, { candidates: settled, partitionCounts })), 'what is fair stays').toEqual(told(given))
    }
    before = given
  }
})
