/** Members of groups in nothing but requests, of both protocols: each does one thing at a time, and says what it owns the moment it does. */
import {
  consumerGroupHeartbeat,
  errorName,
  heartbeat,
  joinGroup,
  leaveGroup,
  offsetCommit,
  offsetFetch,
  type RequestOf,
  syncGroup,
  ZERO_UUID
} from '@assay/protocol'
import type { RawClient } from '../raw-client.ts'

export interface GroupTopic {
  readonly name: string
  readonly id: string
  readonly partitions: number
}

/** Who reads what, in the eyes of those who read. */
export interface Ledger {
  take(member: string, partition: number): void
  give(member: string, partition: number): void
  /** Fenced or gone: nothing of it counts any more. */
  giveAll(member: string): void
  readonly anomalies: string[]
  /** The highest offset that was acknowledged as committed, by partition. */
  readonly committed: Map<number, number>
  /** How often a member learned that partitions came or went. */
  moves: number
}

export function ledger(): Ledger {
  const readers = new Map<number, string>()
  const anomalies: string[] = []
  return {
    anomalies,
    committed: new Map(),
    moves: 0,
    take(member, partition) {
      const other = readers.get(partition)
      if (other !== undefined && other !== member) anomalies.push(`partition ${partition} is read by ${other} and by ${member}`)
      readers.set(partition, member)
    },
    give(member, partition) {
      if (readers.get(partition) === member) readers.delete(partition)
    },
    giveAll(member) {
      for (const [partition, reader] of [...readers]) if (reader === member) readers.delete(partition)
    }
  }
}

export interface GroupMember {
  readonly name: string
  readonly owned: ReadonlySet<number>
  readonly epoch: number
  /** One exchange with the server. Rejects when the connection is gone. */
  act(client: RawClient): Promise<void>
  /** One commit further in each partition that it owns. */
  commit(client: RawClient): Promise<void>
  leave(client: RawClient): Promise<void>
  /** Stops without a word. */
  die(): void
}

export interface MemberParts {
  readonly name: string
  readonly group: string
  readonly topic: GroupTopic
  readonly ledger: Ledger
}

interface Owning {
  readonly owned: Set<number>
  readonly positions: Map<number, number>
  set(next: ReadonlySet<number>): void
  drop(): void
}

function owning({ name, ledger }: MemberParts): Owning {
  const owned = new Set<number>()
  const positions = new Map<number, number>()
  return {
    owned,
    positions,
    set(next) {
      for (const partition of [...owned]) {
        if (next.has(partition)) continue
        owned.delete(partition)
        positions.delete(partition)
        ledger.give(name, partition)
        ledger.moves++
      }
      for (const partition of next) {
        if (owned.has(partition)) continue
        owned.add(partition)
        ledger.take(name, partition)
        ledger.moves++
      }
    },
    drop() {
      owned.clear()
      positions.clear()
      ledger.giveAll(name)
    }
  }
}

interface Identity {
  readonly memberId: string
  readonly epoch: number
}

/** Reads where to go on, and commits one further. What was acknowledged once is never gone. */
async function commitOne(client: RawClient, parts: MemberParts, own: Owning, identity: Identity): Promise<string> {
  const { group, topic, ledger, name } = parts
  const { memberId, epoch } = identity
  const missing = [...own.owned].filter(partition => !own.positions.has(partition))
  if (missing.length > 0) {
    const topics = [{ name: topic.name, topicId: ZERO_UUID, partitionIndexes: missing }]
    const body = { groups: [{ groupId: group, memberId, memberEpoch: epoch, topics }], requireStable: true }
    const answer = await client.ask(offsetFetch, 9, body as RequestOf<typeof offsetFetch>)
    const found = answer.groups[0]!
    if (found.errorCode !== 0) return errorName(found.errorCode)
    for (const { partitionIndex, committedOffset } of found.topics[0]?.partitions ?? []) {
      const known = ledger.committed.get(partitionIndex) ?? -1
      // A commit that was not answered may stand as well.
      if (Number(committedOffset) < known) {
        ledger.anomalies.push(
          `${name} is told ${committedOffset} for partition ${partitionIndex} where ${known} was acknowledged`
        )
      }
      if (own.owned.has(partitionIndex)) own.positions.set(partitionIndex, Number(committedOffset))
    }
  }
  const wanted = [...own.positions].map(([partition, offset]) => ({ partition, offset: offset + 1 }))
  if (wanted.length === 0) return 'NONE'
  const partitions = wanted.map(({ partition, offset }) => ({
    partitionIndex: partition,
    committedOffset: BigInt(offset),
    committedLeaderEpoch: -1,
    committedMetadata: name
  }))
  const answer = await client.ask(offsetCommit, 9, {
    groupId: group,
    generationIdOrMemberEpoch: epoch,
    memberId,
    groupInstanceId: null,
    retentionTimeMs: -1n,
    topics: [{ name: topic.name, topicId: ZERO_UUID, partitions }]
  })
  const error = errorName(answer.topics[0]!.partitions[0]!.errorCode)
  if (error !== 'NONE') return error
  for (const { partition, offset } of wanted) {
    if (own.positions.has(partition)) own.positions.set(partition, offset)
    ledger.committed.set(partition, Math.max(offset, ledger.committed.get(partition) ?? -1))
  }
  return error
}

/** A member of the consumer protocol: does at once what it is told, and says so with the next heartbeat. */
export function consumerMember(parts: MemberParts): GroupMember {
  const { name, group, topic, ledger } = parts
  const own = owning(parts)
  let epoch = 0

  const request = (memberEpoch: number): RequestOf<typeof consumerGroupHeartbeat> => ({
    groupId: group,
    memberId: name,
    memberEpoch,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: 60_000,
    subscribedTopicNames: [topic.name],
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: own.owned.size === 0 ? [] : [{ topicId: topic.id, partitions: [...own.owned] }]
  })
  function rejoin(): void {
    own.drop()
    epoch = 0
  }
  return {
    name,
    owned: own.owned,
    get epoch() {
      return epoch
    },
    async act(client) {
      if (epoch === 0) own.drop()
      const answer = await client.ask(consumerGroupHeartbeat, 1, request(epoch))
      const error = errorName(answer.errorCode)
      if (error === 'FENCED_MEMBER_EPOCH' || error === 'UNKNOWN_MEMBER_ID' || error === 'GROUP_ID_NOT_FOUND') return rejoin()
      if (error === 'COORDINATOR_NOT_AVAILABLE' || error === 'NOT_COORDINATOR') return
      if (error !== 'NONE') throw new Error(`${name}: ${error} ${answer.errorMessage}`)
      if (answer.memberEpoch < epoch) ledger.anomalies.push(`${name} went back from epoch ${epoch} to ${answer.memberEpoch}`)
      epoch = answer.memberEpoch
      if (answer.assignment !== null) own.set(new Set(answer.assignment.topicPartitions.flatMap(({ partitions }) => partitions)))
    },
    async commit(client) {
      const error = await commitOne(client, parts, own, { memberId: name, epoch })
      if (error === 'UNKNOWN_MEMBER_ID') rejoin()
      else if (error !== 'NONE' && error !== 'STALE_MEMBER_EPOCH' && !/COORDINATOR/.test(error))
        throw new Error(`${name}: ${error}`)
    },
    async leave(client) {
      own.drop()
      await client.ask(consumerGroupHeartbeat, 1, { ...request(-1), topicPartitions: null, subscribedTopicNames: null })
    },
    die: () => own.drop()
  }
}

/** A member of the classic protocol, eager: gives up everything, joins, and gets its share from whoever leads. */
export function classicMember(parts: MemberParts): GroupMember {
  const { name, group, topic, ledger } = parts
  const own = owning(parts)
  let memberId = ''
  let generation = -1
  let mustJoin = true

  const metadata = (): Buffer => {
    const bytes = Buffer.from(topic.name)
    const [version, count, length, userData] = [Buffer.alloc(2), Buffer.alloc(4), Buffer.alloc(2), Buffer.alloc(4)]
    count.writeInt32BE(1)
    length.writeInt16BE(bytes.length)
    userData.writeInt32BE(-1)
    return Buffer.concat([version, count, length, bytes, userData])
  }
  function forget(): void {
    own.drop()
    memberId = ''
    generation = -1
    mustJoin = true
  }
  async function join(client: RawClient): Promise<void> {
    own.set(new Set())
    const answer = await client.ask(joinGroup, 7, {
      groupId: group,
      sessionTimeoutMs: 45_000,
      rebalanceTimeoutMs: 60_000,
      memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'shares', metadata: metadata() }],
      reason: null
    })
    const error = errorName(answer.errorCode)
    if (error === 'UNKNOWN_MEMBER_ID') return forget()
    if (error === 'MEMBER_ID_REQUIRED') memberId = answer.memberId
    if (error !== 'NONE') return
    if (answer.memberId === memberId && answer.generationId < generation) {
      ledger.anomalies.push(`${name} went back from generation ${generation} to ${answer.generationId}`)
    }
    memberId = answer.memberId
    generation = answer.generationId
    const members = answer.leader === memberId ? answer.members.map(one => one.memberId) : []
    const assignments = members.map((id, at) => {
      const mine = Array.from({ length: topic.partitions }, (_, index) => index).filter(index => index % members.length === at)
      return { memberId: id, assignment: Buffer.from(JSON.stringify(mine)) }
    })
    const synced = await client.ask(syncGroup, 5, {
      groupId: group,
      generationId: generation,
      memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'shares',
      assignments
    })
    if (synced.errorCode !== 0) return
    mustJoin = false
    own.set(new Set(JSON.parse(synced.assignment.toString() || '[]') as number[]))
  }
  return {
    name,
    owned: own.owned,
    get epoch() {
      return generation
    },
    async act(client) {
      if (mustJoin) return join(client)
      const answer = await client.ask(heartbeat, 4, { groupId: group, generationId: generation, memberId, groupInstanceId: null })
      const error = errorName(answer.errorCode)
      if (error === 'REBALANCE_IN_PROGRESS') mustJoin = true
      else if (error === 'UNKNOWN_MEMBER_ID' || error === 'ILLEGAL_GENERATION') forget()
    },
    async commit(client) {
      if (mustJoin) return
      const error = await commitOne(client, parts, own, { memberId, epoch: generation })
      if (error === 'UNKNOWN_MEMBER_ID' || error === 'ILLEGAL_GENERATION') forget()
      else if (error === 'REBALANCE_IN_PROGRESS') mustJoin = true
      else if (error !== 'NONE' && !/COORDINATOR/.test(error)) throw new Error(`${name}: ${error}`)
    },
    async leave(client) {
      own.drop()
      const leaving = { memberId, groupInstanceId: null, reason: null }
      await client.ask(leaveGroup, 5, { groupId: group, memberId: '', members: [leaving] })
    },
    die: () => own.drop()
  }
}
