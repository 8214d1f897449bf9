/**
 * The records of `__transaction_state` in Kafka's own layout: TransactionLogKey v0, TransactionLogValue v1; values of version 0 are read
 * too. Layout: docs/formats/transaction-state.md.
 */
import { AssayError } from '@assay/errors'
import { Cursor, int16, int32, int64, text, varint } from '../groups/record-bytes.ts'
import type { KeyedRecord } from '../keyed-log.ts'
import { NONE, type TopicPartitions, type Transaction, type TransactionState } from './transaction.ts'

export interface TransactionRecord {
  readonly id: string
  /** Null takes the transactional ID away. */
  readonly transaction: Transaction | null
}

const KEY_VERSION = 0
const VALUE_VERSION = 1
/** Those of the next producer ID and epoch, 1 and 3, are for an end in two steps. */
const TAG = { previousProducerId: 0, clientVersion: 2 } as const
/** By Kafka's numbers of them. Those of an end that has begun, and of an ID that is forgotten, are never written here. */
const STATES: readonly TransactionState[] = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead'
]

export function transactionRecord(id: string, transaction: Transaction | null): KeyedRecord {
  const key = Buffer.concat([int16(KEY_VERSION), ...text(id)])
  if (transaction === null) return { key, value: null }
  const parts = [
    int16(VALUE_VERSION),
    int64(BigInt(transaction.producerId)),
    int16(transaction.producerEpoch),
    int32(transaction.timeoutMs),
    Buffer.of(STATES.indexOf(transaction.state)),
    varint(transaction.partitions.size + 1)
  ]
  for (const [topic, indexes] of transaction.partitions) {
    const name = Buffer.from(topic)
    parts.push(varint(name.length + 1), name, varint(indexes.size + 1), ...[...indexes].map(int32), varint(0))
  }
  parts.push(int64(BigInt(transaction.updatedMs)), int64(BigInt(transaction.startedMs)))
  const tags: Buffer[] = []
  if (transaction.previousProducerId !== NONE) {
    tags.push(Buffer.concat([varint(TAG.previousProducerId), varint(8), int64(BigInt(transaction.previousProducerId))]))
  }
  if (transaction.version !== 0) tags.push(Buffer.concat([varint(TAG.clientVersion), varint(2), int16(transaction.version)]))
  parts.push(varint(tags.length), ...tags)
  return { key, value: Buffer.concat(parts) }
}

/** Undefined for a key of a version that is not known. Fails with STORE_CORRUPT when a record is not whole. */
export function readTransactionRecord(record: KeyedRecord): TransactionRecord | undefined {
  try {
    const key = new Cursor(record.key)
    if (key.int16() !== KEY_VERSION) return undefined
    const id = key.text()
    return { id, transaction: record.value === null ? null : readValue(id, record.value) }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw damaged('a record ends too soon', error)
  }
}

function readValue(id: string, bytes: Buffer): Transaction {
  const value = new Cursor(bytes)
  const version = value.int16()
  if (version > VALUE_VERSION) throw damaged(`the value of '${id}' has version ${version}`)
  const isFlexible = version >= 1
  const producerId = Number(value.int64())
  const producerEpoch = value.int16()
  const timeoutMs = value.int32()
  const state = STATES[value.take(1)[0]!]
  const isWritten = state === 'Empty' || state === 'Ongoing' || state === 'CompleteCommit' || state === 'CompleteAbort'
  if (!isWritten) throw damaged(`'${id}' is in a state that is not written to it`)
  const partitions = readPartitions(value, isFlexible)
  const updatedMs = Number(value.int64())
  const startedMs = Number(value.int64())
  let previousProducerId = NONE
  let clientVersion = 0
  for (let left = isFlexible ? value.varint() : 0; left > 0; left--) {
    const tag = value.varint()
    const content = new Cursor(value.take(value.varint()))
    if (tag === TAG.previousProducerId) previousProducerId = Number(content.int64())
    if (tag === TAG.clientVersion) clientVersion = content.int16()
  }
  return {
    ...{ id, state, producerId, producerEpoch, previousProducerId, lastEpoch: NONE, timeoutMs },
    ...{ partitions, startedMs, updatedMs, version: clientVersion >= 2 ? 2 : 0 }
  }
}

function readPartitions(value: Cursor, isFlexible: boolean): TopicPartitions {
  const partitions = new Map<string, ReadonlySet<number>>()
  const count = (): number => (isFlexible ? value.varint() - 1 : value.int32())
  for (let topics = count(); topics > 0; topics--) {
    const topic = isFlexible ? value.take(value.varint() - 1).toString() : value.text()
    const indexes = new Set<number>()
    for (let left = count(); left > 0; left--) indexes.add(value.int32())
    if (isFlexible) passTags(value)
    partitions.set(topic, indexes)
  }
  return partitions
}

function passTags(value: Cursor): void {
  for (let left = value.varint(); left > 0; left--) {
    value.varint()
    value.take(value.varint())
  }
}

const damaged = (reason: string, cause?: unknown): AssayError =>
  new AssayError('STORE_CORRUPT', { what: '__transaction_state', reason }, { cause })
