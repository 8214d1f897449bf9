/** The subscription and the assignment that consumers of the classic protocol exchange as bytes (Kafka's ConsumerProtocol, versions 0 to 3). */
import { Cursor, int16, int32, text } from '../groups/record-bytes.ts'
import type { Held, Partitions } from './records.ts'

export interface Subscription {
  readonly version: number
  readonly topics: readonly string[]
  /** By topic name. */
  readonly owned: ReadonlyMap<string, readonly number[]>
  readonly rackId: string | null
}

const VERSION_MAX = 3
const ELEMENTS_MAX = 100_000

/** Undefined when the bytes are no subscription: whoever sent them is no consumer. */
export function readSubscription(bytes: Buffer): Subscription | undefined {
  try {
    const cursor = new Cursor(bytes)
    const version = Math.min(cursor.int16(), VERSION_MAX)
    if (version < 0) return undefined
    const topics = many(cursor, () => cursor.text())
    const userData = cursor.int32()
    if (userData > 0) cursor.take(userData)
    const owned = version >= 1 ? many(cursor, () => [cursor.text(), many(cursor, () => cursor.int32())] as const) : ([] as const)
    if (version >= 2) cursor.int32()
    const rackId = version >= 3 ? cursor.maybeText() : null
    return { version, topics, owned: new Map(owned), rackId }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function many<T>(cursor: Cursor, one: () => T): T[] {
  const count = cursor.int32()
  if (count > ELEMENTS_MAX) throw new RangeError(`${count} elements`)
  return Array.from({ length: Math.max(count, 0) }, one)
}

/** What the member is told by SyncGroup. Topics without a name are gone. */
export function assignmentBytes(version: number, held: Held, nameOf: (topicId: string) => string | undefined): Buffer {
  const topics = [...held].flatMap(([topicId, partitions]) => {
    const name = nameOf(topicId)
    return name === undefined ? [] : [{ name, partitions: [...partitions.keys()].sort((a, b) => a - b) }]
  })
  topics.sort((a, b) => (a.name < b.name ? -1 : 1))
  return Buffer.concat([
    int16(Math.min(version, VERSION_MAX)),
    int32(topics.length),
    ...topics.flatMap(({ name, partitions }) => [...text(name), int32(partitions.length), ...partitions.map(int32)]),
    int32(-1)
  ])
}

/** The partitions of an assignment made by a leader, by topic name; undefined when the bytes are none. */
export function readAssignment(bytes: Buffer): ReadonlyMap<string, readonly number[]> | undefined {
  if (bytes.length === 0) return new Map()
  try {
    const cursor = new Cursor(bytes)
    if (cursor.int16() < 0) return undefined
    return new Map(many(cursor, () => [cursor.text(), many(cursor, () => cursor.int32())] as const))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** By topic ID what is given by name; what is no topic falls away. */
export function byTopicId(named: ReadonlyMap<string, readonly number[]>, idOf: (name: string) => string | undefined): Partitions {
  return new Map(
    [...named].flatMap(([name, partitions]) => {
      const id = idOf(name)
      return id === undefined ? [] : [[id, partitions] as const]
    })
  )
}
