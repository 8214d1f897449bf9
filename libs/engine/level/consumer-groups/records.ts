/**
 * The records of consumer groups (KIP-848) in `__consumer_offsets`, in Kafka's own layout: ConsumerGroupMetadata (3), MemberMetadata (5),
 * TargetAssignmentMetadata (6), TargetAssignmentMember (7), CurrentMemberAssignment (8), RegularExpression (16).
 * Layout: docs/formats/consumer-offsets.md.
 */
import type { GroupProtocol } from '../groups/group.ts'
import { type Cursor, int16, int32, int64, text, varint } from '../groups/record-bytes.ts'
import type { KeyedRecord } from '../keyed-log.ts'

/** Partition indexes by topic ID. */
export type Partitions = ReadonlyMap<string, readonly number[]>

/** By topic ID: each partition, with the member epoch at which it was given. */
export type Held = ReadonlyMap<string, ReadonlyMap<number, number>>

/** What a member told of itself. */
export interface MemberMetadata {
  /** `group.instance.id` of a static member. */
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Sorted. */
  readonly topicNames: readonly string[]
  /** Empty for none. */
  readonly topicPattern: string
  readonly rebalanceTimeoutMs: number
  /** Null: the member leaves the choice to the group. */
  readonly assignor: string | null
  /** Of a member that still speaks the classic protocol. */
  readonly classic: ClassicMetadata | null
}

export interface ClassicMetadata {
  readonly sessionTimeoutMs: number
  readonly protocols: readonly GroupProtocol[]
}

/** How far a member has come on its way to its target. */
export interface CurrentAssignment {
  readonly epoch: number
  /** An answer with the newer epoch may have been lost: the member is heard under this one too. -1 for none. */
  readonly previousEpoch: number
  /** Kafka's `MemberState`. */
  readonly state: number
  readonly assigned: Held
  /** Held until the member says that it does not own them any more. */
  readonly revoking: Held
}

export interface ResolvedPattern {
  /** Sorted. */
  readonly topics: readonly string[]
  /** Of the catalog that it was matched against. */
  readonly version: number
  readonly resolvedMs: number
}

interface OfGroup<T> {
  readonly group: string
  readonly value: T | null
}
interface OfMember<T> extends OfGroup<T> {
  readonly memberId: string
}

export type ConsumerGroupRecord =
  | ({ readonly type: 'consumer-group' } & OfGroup<{ readonly epoch: number; readonly metadataHash: bigint }>)
  | ({ readonly type: 'member' } & OfMember<MemberMetadata>)
  | ({ readonly type: 'target-metadata' } & OfGroup<{ readonly epoch: number; readonly assignedMs: number }>)
  | ({ readonly type: 'target-member' } & OfMember<Partitions>)
  | ({ readonly type: 'current' } & OfMember<CurrentAssignment>)
  | ({ readonly type: 'pattern'; readonly pattern: string } & OfGroup<ResolvedPattern>)

const KEYS = { 'consumer-group': 3, member: 5, 'target-metadata': 6, 'target-member': 7, current: 8, pattern: 16 } as const
const typesByKey = new Map(Object.entries(KEYS).map(([type, key]) => [key as number, type as ConsumerGroupRecord['type']]))

const VERSION = int16(0)
const NO_TAGS = varint(0)

const compact = (value: string): Buffer[] => {
  const bytes = Buffer.from(value)
  return [varint(bytes.length + 1), bytes]
}
const maybeCompact = (value: string | null): Buffer[] => (value === null ? [varint(0)] : compact(value))
const compactBytes = (bytes: Buffer): Buffer[] => [varint(bytes.length + 1), bytes]
const array = <T>(values: readonly T[], one: (value: T) => Buffer[]): Buffer[] => [
  varint(values.length + 1),
  ...values.flatMap(one)
]
const tagged = (...fields: readonly (readonly [tag: number, content: Buffer])[]): Buffer[] => [
  varint(fields.length),
  ...fields.flatMap(([tag, content]) => [varint(tag), varint(content.length), content])
]
const inOrder = <T>(entries: ReadonlyMap<string, T>): (readonly [string, T])[] =>
  [...entries].sort(([a], [b]) => (a < b ? -1 : 1))

export function consumerGroupRecord(record: ConsumerGroupRecord): KeyedRecord {
  const parts = [int16(KEYS[record.type]), ...text(record.group)]
  if ('memberId' in record) parts.push(...text(record.memberId))
  if ('pattern' in record) parts.push(...text(record.pattern))
  const value = bytesIn(record)
  return { key: Buffer.concat(parts), value: value === null ? null : Buffer.concat([VERSION, ...value]) }
}

function bytesIn(record: ConsumerGroupRecord): Buffer[] | null {
  if (record.value === null) return null
  switch (record.type) {
    case 'consumer-group':
      return [int32(record.value.epoch), ...hashTag(record.value.metadataHash)]
    case 'target-metadata':
      return [int32(record.value.epoch), ...tagged([0, int64(BigInt(record.value.assignedMs))])]
    case 'target-member':
      return [
        ...array(inOrder(record.value), ([topicId, partitions]) => [
          Buffer.from(topicId, 'hex'),
          ...array(partitions, one => [int32(one)]),
          NO_TAGS
        ]),
        NO_TAGS
      ]
    case 'current': {
      const { epoch, previousEpoch, state, assigned, revoking } = record.value
      return [int32(epoch), int32(previousEpoch), Buffer.from([state]), ...held(assigned), ...held(revoking), NO_TAGS]
    }
    case 'pattern': {
      const { topics, version, resolvedMs } = record.value
      return [...array(topics, compact), int64(BigInt(version)), int64(BigInt(resolvedMs)), NO_TAGS]
    }
    case 'member': {
      const { classic, ...member } = record.value
      return [
        ...maybeCompact(member.instanceId),
        ...maybeCompact(member.rackId),
        ...compact(member.clientId),
        ...compact(member.clientHost),
        ...array(member.topicNames, compact),
        ...maybeCompact(member.topicPattern),
        int32(member.rebalanceTimeoutMs),
        ...maybeCompact(member.assignor),
        ...(classic === null ? [NO_TAGS] : tagged([0, classicBytes(classic)]))
      ]
    }
  }
}

const hashTag = (hash: bigint): Buffer[] => (hash === 0n ? [NO_TAGS] : tagged([0, int64(hash)]))

const held = (partitions: Held): Buffer[] =>
  array(inOrder(partitions), ([topicId, epochs]) => {
    const rows = [...epochs].sort(([a], [b]) => a - b)
    return [
      Buffer.from(topicId, 'hex'),
      ...array(rows, ([partition]) => [int32(partition)]),
      ...tagged([0, Buffer.concat(array(rows, ([, epoch]) => [int32(epoch)]))])
    ]
  })

/** A nullable struct in a tag: one byte that says it is there, then its fields. */
const classicBytes = ({ sessionTimeoutMs, protocols }: ClassicMetadata): Buffer =>
  Buffer.concat([
    Buffer.from([1]),
    int32(sessionTimeoutMs),
    ...array(protocols, ({ name, metadata }) => [...compact(name), ...compactBytes(metadata), NO_TAGS]),
    NO_TAGS
  ])

/** Undefined when the key is of another kind. A RangeError tells that the bytes end too soon. */
export function readConsumerGroupRecord(keyVersion: number, key: Cursor, value: Cursor | null): ConsumerGroupRecord | undefined {
  const type = typesByKey.get(keyVersion)
  if (type === undefined) return undefined
  const group = key.text()
  value?.int16()
  switch (type) {
    case 'consumer-group':
      return { type, group, value: value && { epoch: value.int32(), metadataHash: readTags(value).get(0)?.int64() ?? 0n } }
    case 'target-metadata':
      return { type, group, value: value && { epoch: value.int32(), assignedMs: Number(readTags(value).get(0)?.int64() ?? 0n) } }
    case 'target-member':
      return { type, group, memberId: key.text(), value: value && readTarget(value) }
    case 'current':
      return { type, group, memberId: key.text(), value: value && readCurrent(value) }
    case 'pattern':
      return { type, group, pattern: key.text(), value: value && readPattern(value) }
    case 'member':
      return { type, group, memberId: key.text(), value: value && readMember(value) }
  }
}

const readTarget = (value: Cursor): Partitions =>
  new Map(
    value.array(() => {
      const topicId = value.take(16).toString('hex')
      const partitions = value.array(() => value.int32())
      readTags(value)
      return [topicId, partitions] as const
    })
  )

const readCurrent = (value: Cursor): CurrentAssignment => {
  const [epoch, previousEpoch, state] = [value.int32(), value.int32(), value.take(1)[0]!]
  return { epoch, previousEpoch, state, assigned: readHeld(value, epoch), revoking: readHeld(value, epoch) }
}

/** A partition without its own epoch (an older broker wrote it) was given at the member's. */
const readHeld = (value: Cursor, memberEpoch: number): Held =>
  new Map(
    value.array(() => {
      const topicId = value.take(16).toString('hex')
      const partitions = value.array(() => value.int32())
      const tag = readTags(value).get(0)
      const epochs = tag?.array(() => tag.int32()) ?? []
      return [topicId, new Map(partitions.map((partition, at) => [partition, epochs[at] ?? memberEpoch]))] as const
    })
  )

const readPattern = (value: Cursor): ResolvedPattern => ({
  topics: value.array(() => value.compactText()),
  version: Number(value.int64()),
  resolvedMs: Number(value.int64())
})

function readMember(value: Cursor): MemberMetadata {
  const member = {
    instanceId: value.maybeCompactText(),
    rackId: value.maybeCompactText(),
    clientId: value.compactText(),
    clientHost: value.compactText(),
    topicNames: value.array(() => value.compactText()),
    topicPattern: value.maybeCompactText() ?? '',
    rebalanceTimeoutMs: value.int32(),
    assignor: value.maybeCompactText()
  }
  const tag = readTags(value).get(0)
  return { ...member, classic: tag === undefined || tag.take(1)[0]! === 0xff ? null : readClassic(tag) }
}

const readClassic = (value: Cursor): ClassicMetadata => ({
  sessionTimeoutMs: value.int32(),
  protocols: value.array(() => {
    const protocol = { name: value.compactText(), metadata: Buffer.from(value.take(value.varint() - 1)) }
    readTags(value)
    return protocol
  })
})

function readTags(value: Cursor): Map<number, Cursor> {
  const tags = new Map<number, Cursor>()
  for (let left = value.varint(); left > 0; left--) {
    const tag = value.varint()
    tags.set(tag, value.part(value.varint()))
  }
  return tags
}
