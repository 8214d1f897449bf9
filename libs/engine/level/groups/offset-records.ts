/**
 * The records of `__consumer_offsets` in Kafka's own layout: OffsetCommitKey v1, OffsetCommitValue v4, GroupMetadataKey v2, GroupMetadataValue v3.
 * Older values that a Kafka broker wrote are read too. Layout: docs/formats/consumer-offsets.md.
 */
import { AssayError } from '@assay/errors'
import { type ConsumerGroupRecord, readConsumerGroupRecord } from '../consumer-groups/records.ts'
import type { KeyedRecord } from '../keyed-log.ts'
import type { StoredGroup, StoredMember } from './group.ts'
import { bytesOf, Cursor, int16, int32, int64, maybeText, text, varint } from './record-bytes.ts'

export interface OffsetKey {
  readonly group: string
  readonly topic: string
  readonly partition: number
}

export interface OffsetValue {
  readonly offset: bigint
  /** -1 when the consumer did not say. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly committedMs: number
  /** Which topic of that name it was (32 hex digits); null in records of Kafka brokers that do not say. */
  readonly topicId: string | null
}

export type OffsetsRecord =
  | { readonly type: 'offset'; readonly key: OffsetKey; readonly value: OffsetValue | null }
  | { readonly type: 'group'; readonly group: string; readonly value: StoredGroup | null }
  | ConsumerGroupRecord
  /** The so-manieth start of the server that found groups. */
  | { readonly type: 'start'; readonly start: number }
  /** A kind that later versions of Kafka write and we have no use for. */
  | { readonly type: 'unknown'; readonly version: number }

/** Longest text that an int16 length can tell. */
export const TEXT_BYTES_MAX = 32_767

const OFFSET_KEY = 1
const GROUP_KEY = 2
/** Our own: Kafka's begin at 0. */
const START_KEY = -1
const OFFSET_VALUE = 4
const GROUP_VALUE = 3
const START_VALUE = 0
const TOPIC_ID_TAG = 0

export function offsetRecord(key: OffsetKey, value: OffsetValue | null): KeyedRecord {
  const keyBytes = Buffer.concat([int16(OFFSET_KEY), ...text(key.group), ...text(key.topic), int32(key.partition)])
  if (value === null) return { key: keyBytes, value: null }
  const metadata = Buffer.from(value.metadata)
  const parts = [int16(OFFSET_VALUE), int64(value.offset), int32(value.leaderEpoch), varint(metadata.length + 1), metadata]
  parts.push(int64(BigInt(value.committedMs)))
  if (value.topicId === null) parts.push(varint(0))
  else parts.push(varint(1), varint(TOPIC_ID_TAG), varint(16), Buffer.from(value.topicId, 'hex'))
  return { key: keyBytes, value: Buffer.concat(parts) }
}

export function groupRecord(group: string, value: StoredGroup | null): KeyedRecord {
  const key = Buffer.concat([int16(GROUP_KEY), ...text(group)])
  if (value === null) return { key, value: null }
  const parts = [int16(GROUP_VALUE), ...text(value.protocolType), int32(value.generation)]
  parts.push(...maybeText(value.protocolName), ...maybeText(value.leaderId), int64(BigInt(value.stateSinceMs)))
  parts.push(int32(value.members.length))
  for (const member of value.members) {
    parts.push(...text(member.id), ...maybeText(member.instanceId), ...text(member.clientId), ...text(member.clientHost))
    parts.push(int32(member.rebalanceTimeoutMs), int32(member.sessionTimeoutMs))
    parts.push(...bytesOf(member.subscription), ...bytesOf(member.assignment))
  }
  return { key, value: Buffer.concat(parts) }
}

export const startRecord = (start: number): KeyedRecord => ({
  key: int16(START_KEY),
  value: Buffer.concat([int16(START_VALUE), int32(start)])
})

/** Fails with STORE_CORRUPT when a record is not whole. */
export function readOffsetsRecord(record: KeyedRecord): OffsetsRecord {
  try {
    const key = new Cursor(record.key)
    const version = key.int16()
    if (version === 0 || version === OFFSET_KEY) {
      const offsetKey: OffsetKey = { group: key.text(), topic: key.text(), partition: key.int32() }
      return { type: 'offset', key: offsetKey, value: record.value === null ? null : readOffset(record.value) }
    }
    if (version === GROUP_KEY) {
      return { type: 'group', group: key.text(), value: record.value === null ? null : readGroup(record.value) }
    }
    const value = record.value === null ? null : new Cursor(record.value)
    if (version === START_KEY && value !== null) {
      value.int16()
      return { type: 'start', start: value.int32() }
    }
    return readConsumerGroupRecord(version, key, value) ?? { type: 'unknown', version }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new AssayError('STORE_CORRUPT', { what: '__consumer_offsets', reason: 'a record ends too soon' }, { cause: error })
  }
}

function readOffset(bytes: Buffer): OffsetValue {
  const value = new Cursor(bytes)
  const version = value.int16()
  const offset = value.int64()
  const leaderEpoch = version >= 3 ? value.int32() : -1
  const metadata = version >= 4 ? value.take(value.varint() - 1).toString() : value.text()
  const committedMs = Number(value.int64())
  let topicId: string | null = null
  if (version >= 4) {
    for (let left = value.varint(); left > 0; left--) {
      const tag = value.varint()
      const content = value.take(value.varint())
      if (tag === TOPIC_ID_TAG && content.length === 16) topicId = content.toString('hex')
    }
  }
  return { offset, leaderEpoch, metadata, committedMs, topicId }
}

function readGroup(bytes: Buffer): StoredGroup {
  const value = new Cursor(bytes)
  const version = value.int16()
  const protocolType = value.text()
  const generation = value.int32()
  const protocolName = value.maybeText()
  const leaderId = value.maybeText()
  const stateSinceMs = version >= 2 ? Number(value.int64()) : 0
  const members: StoredMember[] = []
  for (let left = value.int32(); left > 0; left--) {
    const id = value.text()
    const instanceId = version >= 3 ? value.maybeText() : null
    const clientId = value.text()
    const clientHost = value.text()
    const rebalanceTimeoutMs = version >= 1 ? value.int32() : undefined
    const sessionTimeoutMs = value.int32()
    members.push({
      id,
      instanceId,
      clientId,
      clientHost,
      rebalanceTimeoutMs: rebalanceTimeoutMs ?? sessionTimeoutMs,
      sessionTimeoutMs,
      subscription: value.bytes(),
      assignment: value.bytes()
    })
  }
  return { protocolType, generation, protocolName, leaderId, stateSinceMs, members }
}
