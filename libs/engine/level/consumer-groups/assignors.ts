/**
 * The server-side assignors of KIP-848. Both give every partition of every subscribed topic to exactly one member that wants it, and the
 * same answer to the same question, in whatever order the members come.
 */
import type { Partitions } from './records.ts'

export const ASSIGNORS = ['uniform', 'range'] as const
export type Assignor = (typeof ASSIGNORS)[number]

export interface Candidate {
  readonly id: string
  readonly instanceId: string | null
  /** IDs of the existing topics it wants. */
  readonly topics: ReadonlySet<string>
  /** What it was to have before: kept where that is fair. */
  readonly before: Partitions
}

export interface Question {
  readonly candidates: readonly Candidate[]
  readonly partitionCounts: ReadonlyMap<string, number>
}

export const assign = (assignor: Assignor, question: Question): Map<string, Partitions> =>
  assignor === 'range' ? range(question) : uniform(question)

/** Static members come first and under their instance ID, so that a restart changes nothing. */
const byRank = (a: Candidate, b: Candidate): number => {
  if ((a.instanceId === null) !== (b.instanceId === null)) return a.instanceId === null ? 1 : -1
  const [left, right] = [a.instanceId ?? a.id, b.instanceId ?? b.id]
  return left < right ? -1 : left > right ? 1 : 0
}

/** Of each topic, one run of neighbouring partitions to each member in order: topics of equal size are divided alike. */
function range({ candidates, partitionCounts }: Question): Map<string, Partitions> {
  const ranked = [...candidates].sort(byRank)
  const given = new Map(ranked.map(({ id }) => [id, new Map<string, number[]>()]))
  for (const [topicId, count] of sorted(partitionCounts)) {
    const wanting = ranked.filter(({ topics }) => topics.has(topicId))
    if (wanting.length === 0) continue
    const [share, extra] = [Math.floor(count / wanting.length), count % wanting.length]
    let next = 0
    for (const [at, { id }] of wanting.entries()) {
      const size = share + (at < extra ? 1 : 0)
      if (size > 0) given.get(id)!.set(topicId, indexes(next, size))
      next += size
    }
  }
  return given
}

interface Share {
  readonly candidate: Candidate
  readonly held: Map<string, Set<number>>
  size: number
}

/** As many partitions to each member as possible alike, whatever topics they are of, and as few moves as that takes. */
function uniform(question: Question): Map<string, Partitions> {
  const shares = [...question.candidates].sort(byRank).map((candidate): Share => ({ candidate, held: new Map(), size: 0 }))
  const wanting = new Map<string, Share[]>()
  for (const [topicId] of sorted(question.partitionCounts)) {
    const those = shares.filter(({ candidate }) => candidate.topics.has(topicId))
    if (those.length > 0) wanting.set(topicId, those)
  }
  const owner = keepWhatWas(shares, wanting, question.partitionCounts)
  for (const [topicId, those] of wanting) {
    for (let partition = 0; partition < question.partitionCounts.get(topicId)!; partition++) {
      if (!owner.get(topicId)!.has(partition)) move(topicId, partition, undefined, leastOf(those))
    }
  }
  balance()
  return new Map(
    shares.map(({ candidate, held }) => [
      candidate.id,
      new Map([...held].map(([topicId, partitions]) => [topicId, [...partitions].sort((a, b) => a - b)]))
    ])
  )

  function move(topicId: string, partition: number, from: Share | undefined, to: Share): void {
    if (from !== undefined) drop(from, topicId, partition)
    take(to, topicId, partition)
    owner.get(topicId)!.set(partition, to)
  }

  /** Each move brings two members nearer together, so this comes to an end. */
  function balance(): void {
    for (let moved = true; moved; ) {
      moved = false
      for (const [topicId, those] of wanting) {
        for (const [partition, from] of owner.get(topicId)!) {
          const to = leastOf(those)
          if (from.size - to.size < 2) continue
          move(topicId, partition, from, to)
          moved = true
        }
      }
    }
  }
}

/** Whoever had a partition and still wants its topic keeps it; of two that claim it (a topic that grew back), the first. */
function keepWhatWas(
  shares: readonly Share[],
  wanting: ReadonlyMap<string, readonly Share[]>,
  partitionCounts: ReadonlyMap<string, number>
): Map<string, Map<number, Share>> {
  const owner = new Map([...wanting.keys()].map(topicId => [topicId, new Map<number, Share>()]))
  for (const share of shares) {
    for (const [topicId, partitions] of share.candidate.before) {
      if (!share.candidate.topics.has(topicId)) continue
      const owners = owner.get(topicId)
      if (owners === undefined) continue
      for (const partition of partitions) {
        if (partition >= partitionCounts.get(topicId)! || owners.has(partition)) continue
        owners.set(partition, share)
        take(share, topicId, partition)
      }
    }
  }
  return owner
}

function take(share: Share, topicId: string, partition: number): void {
  const held = share.held.get(topicId)
  if (held === undefined) share.held.set(topicId, new Set([partition]))
  else held.add(partition)
  share.size++
}

function drop(share: Share, topicId: string, partition: number): void {
  const held = share.held.get(topicId)!
  held.delete(partition)
  if (held.size === 0) share.held.delete(topicId)
  share.size--
}

const leastOf = (shares: readonly Share[]): Share => shares.reduce((least, share) => (share.size < least.size ? share : least))

const indexes = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at)
const sorted = <T>(map: ReadonlyMap<string, T>): (readonly [string, T])[] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
