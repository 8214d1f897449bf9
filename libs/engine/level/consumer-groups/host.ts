/** A consumer group with what is known of it only while the server runs: until when each member must be heard from. */
import { type ConsumerGroup, type ConsumerMember, EPOCH, MEMBER_STATE, stateOf } from './group.ts'

interface Deadlines {
  sessionEndsMs: number
  /** By then it has given up what it shall, or is out. */
  revokeEndsMs: number | undefined
  /** A classic member was told to join again, or joined and has to ask for its assignment. */
  classicEndsMs: number | undefined
}

export interface ConsumerHost {
  group: ConsumerGroup
  readonly deadlines: Map<string, Deadlines>
  /** Version of the catalog that the group was last looked at with, -1 after a start; and when. */
  seenCatalog: number
  lookedMs: number
  /** Which topics each member may know of, as of its last heartbeat. */
  readonly sight: Map<string, (topic: string) => boolean>
  /** When its members or their assignments last changed. */
  changedMs: number
}

export interface GroupTiming {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
}

/** Everybody has one session from now. */
export function hostConsumerGroup(group: ConsumerGroup, timing: GroupTiming, nowMs: number): ConsumerHost {
  const host: ConsumerHost = { group, deadlines: new Map(), seenCatalog: -1, lookedMs: nowMs, sight: new Map(), changedMs: nowMs }
  for (const member of group.members.values()) heard(host, member.id, timing, nowMs)
  settleDeadlines(host, nowMs)
  return host
}

export function heard(host: ConsumerHost, memberId: string, timing: GroupTiming, nowMs: number): void {
  const member = host.group.members.get(memberId)
  if (member === undefined) return
  const sessionEndsMs = nowMs + (member.classic?.sessionTimeoutMs ?? timing.sessionTimeoutMs)
  const known = host.deadlines.get(memberId)
  if (known === undefined) host.deadlines.set(memberId, { sessionEndsMs, revokeEndsMs: undefined, classicEndsMs: undefined })
  else known.sessionEndsMs = sessionEndsMs
}

/** Puts `next` in the place of the group, and makes the deadlines those of its members. */
export function replaceGroup(host: ConsumerHost, next: ConsumerGroup, nowMs: number): void {
  const before = host.group
  host.group = next
  host.changedMs = nowMs
  settleDeadlines(host, nowMs, before)
}

function settleDeadlines(host: ConsumerHost, nowMs: number, before?: ConsumerGroup): void {
  for (const id of [...host.deadlines.keys()]) if (!host.group.members.has(id)) host.deadlines.delete(id)
  for (const id of [...host.sight.keys()]) if (!host.group.members.has(id)) host.sight.delete(id)
  for (const member of host.group.members.values()) {
    const deadlines = host.deadlines.get(member.id)
    if (deadlines === undefined) continue
    if (member.state !== MEMBER_STATE.unrevoked) deadlines.revokeEndsMs = undefined
    else if (deadlines.revokeEndsMs === undefined || before?.members.get(member.id)?.epoch !== member.epoch) {
      deadlines.revokeEndsMs = nowMs + member.rebalanceTimeoutMs
    }
  }
}

/** A classic member has its rebalance timeout to do what it was told; undefined when it has done it. */
export function expectClassic(host: ConsumerHost, memberId: string, endsMs: number | undefined): void {
  const deadlines = host.deadlines.get(memberId)
  if (deadlines === undefined) return
  deadlines.classicEndsMs = endsMs === undefined ? undefined : Math.min(endsMs, deadlines.classicEndsMs ?? endsMs)
}

export function expired({ group, deadlines }: ConsumerHost, nowMs: number): ConsumerMember[] {
  return [...group.members.values()].filter(member => {
    const ends = deadlines.get(member.id)
    return ends !== undefined && endOf(member, ends) <= nowMs
  })
}

/** A static member that is away is not waited for longer, and not less long, than its session lasts. */
const endOf = (member: ConsumerMember, { sessionEndsMs, revokeEndsMs, classicEndsMs }: Deadlines): number =>
  member.epoch === EPOCH.leaveStatic
    ? sessionEndsMs
    : Math.min(sessionEndsMs, revokeEndsMs ?? Number.POSITIVE_INFINITY, classicEndsMs ?? Number.POSITIVE_INFINITY)

export function nextConsumerDeadlineMs({ group, deadlines }: ConsumerHost): number {
  let next = Number.POSITIVE_INFINITY
  for (const member of group.members.values()) {
    const ends = deadlines.get(member.id)
    if (ends !== undefined) next = Math.min(next, endOf(member, ends))
  }
  return next
}

const REBALANCING_FOR_MS = 30_000
const FRESH_FOR_MS = 10_000

/**
 * When the member shall be heard from again: soon while the group is moving partitions, rather soon while it is fresh (its next member may
 * be starting), else as configured. The more members, the less soon, so that their number of requests stays bounded.
 */
export function heartbeatIntervalMs({ group, changedMs }: ConsumerHost, timing: GroupTiming, nowMs: number): number {
  const sinceMs = nowMs - changedMs
  const count = group.members.size
  if (sinceMs < REBALANCING_FOR_MS && stateOf(group) !== 'Stable') return Math.min(timing.heartbeatIntervalMs, 100 + 5 * count)
  return sinceMs < FRESH_FOR_MS ? Math.min(timing.heartbeatIntervalMs, 500 + 10 * count) : timing.heartbeatIntervalMs
}
