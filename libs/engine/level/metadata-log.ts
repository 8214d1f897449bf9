/**
 * What the engine knows of the whole cluster: topics and producer IDs. The metadata log is its truth: a change is computed,
 * appended (durable), and only then visible; a start replays the log through the same function. Layout: docs/formats/metadata-log.md.
 */
import { AssayError } from '@assay/errors'
import type { Append, Log, PartitionLog } from '@assay/log'
import { type Clock, systemClock } from '@assay/std'
import type { Topic } from '../engine.ts'
import { type KeyedRecord, keyedBatch, replay } from './keyed-log.ts'

/** The topic ID of the metadata log: the one that Kafka reserves for its own `__cluster_metadata`. */
export const METADATA_TOPIC_ID = '00000000000000000000000000000001'

const PRODUCER_IDS_KEY = 'producer-ids'
const TOPIC_KEY_PREFIX = 'topic/'
const BROKER_KEY_PREFIX = 'broker-configs/'
const GROUP_KEY_PREFIX = 'group-configs/'
const QUOTAS_KEY_PREFIX = 'client-quotas/'

export interface Metadata {
  readonly topicsById: Map<string, Topic>
  readonly idsByName: Map<string, string>
  /** Settings made for a broker while it runs, by its node ID; under the empty string those for all brokers. */
  readonly brokerConfigs: Map<string, ReadonlyMap<string, string>>
  /** Settings of consumer groups, by group ID. */
  readonly groupConfigs: Map<string, ReadonlyMap<string, string>>
  /** Grows with every change of a topic. */
  topicsVersion: number
  /** Quotas by the text of their entity (client-quotas.ts). */
  readonly clientQuotas: Map<string, ReadonlyMap<string, number>>
  /** Grows with every change of a quota. */
  quotasVersion: number
  /** Every producer ID below this was given out, or may have been. */
  producerIdsNext: number
}

/** One key of the metadata with its new value; null takes it away. */
export type MetadataRecord =
  | { readonly type: 'topic'; readonly id: string; readonly topic: Topic | null }
  | { readonly type: 'producer-ids'; readonly next: number }
  | { readonly type: 'group-configs'; readonly group: string; readonly configs: ReadonlyMap<string, string> }
  | { readonly type: 'client-quotas'; readonly entity: string; readonly values: ReadonlyMap<string, number> }
  | { readonly type: 'broker-configs'; readonly scope: string; readonly configs: ReadonlyMap<string, string> }

export interface MetadataChange<T> {
  readonly records: readonly MetadataRecord[]
  /** Written in the same atomic append. */
  readonly alongside?: readonly Append[]
  /** Runs after the records have become visible. */
  readonly result: () => T
}

export interface MetadataLog {
  readonly metadata: Metadata
  /** True when the log had nothing in it at the start. */
  readonly wasEmpty: boolean
  /** One change at a time: `compute` sees everything that was changed before. Nothing is visible before it is durable. */
  change<T>(compute: () => MetadataChange<T>): Promise<T>
  /** Resolves when no change is under way. */
  settled(): Promise<void>
}

export async function openMetadataLog(parts: { readonly log: Log; readonly clock: Clock }): Promise<MetadataLog> {
  const partition: PartitionLog = parts.log.partition({ topicId: METADATA_TOPIC_ID, partition: 0 })
  const metadata: Metadata = {
    topicsById: new Map(),
    idsByName: new Map(),
    brokerConfigs: new Map(),
    groupConfigs: new Map(),
    topicsVersion: 0,
    clientQuotas: new Map(),
    quotasVersion: 0,
    producerIdsNext: 0
  }
  await replay(partition, record => apply(metadata, decode(record)))

  let tail: Promise<unknown> = Promise.resolve()
  async function run<T>(compute: () => MetadataChange<T>): Promise<T> {
    const { records, alongside = [], result } = compute()
    if (records.length > 0) {
      const batch = keyedBatch(records.map(encode), parts.clock.now())
      // Small, and without it no topic could be deleted when the disk is nearly full.
      await parts.log.appendAll([{ log: partition, batch }, ...alongside], { fromReserve: true })
      for (const record of records) apply(metadata, record)
    }
    return result()
  }
  return {
    metadata,
    wasEmpty: partition.logEndOffset === 0,
    change(compute) {
      const done = tail.then(() => run(compute))
      // A change that fails is told to whoever asked for it; the next one goes on from the state that is visible.
      tail = done.catch(() => undefined)
      return done
    },
    settled: async () => void (await tail)
  }
}

/** The topics of a log that no engine has open. Fails with STORE_CORRUPT. */
export async function readTopics(log: Log): Promise<Topic[]> {
  const { metadata } = await openMetadataLog({ log, clock: systemClock })
  return [...metadata.topicsById.values()]
}

function apply(metadata: Metadata, record: MetadataRecord): void {
  if (record.type === 'client-quotas') {
    metadata.quotasVersion++
    if (record.values.size === 0) metadata.clientQuotas.delete(record.entity)
    else metadata.clientQuotas.set(record.entity, record.values)
    return
  }
  if (record.type === 'producer-ids') {
    metadata.producerIdsNext = record.next
    return
  }
  if (record.type === 'broker-configs') {
    if (record.configs.size === 0) metadata.brokerConfigs.delete(record.scope)
    else metadata.brokerConfigs.set(record.scope, record.configs)
    return
  }
  if (record.type === 'group-configs') {
    if (record.configs.size === 0) metadata.groupConfigs.delete(record.group)
    else metadata.groupConfigs.set(record.group, record.configs)
    return
  }
  metadata.topicsVersion++
  const earlier = metadata.topicsById.get(record.id)
  if (earlier !== undefined) metadata.idsByName.delete(earlier.name)
  if (record.topic === null) {
    metadata.topicsById.delete(record.id)
  } else {
    metadata.topicsById.set(record.id, record.topic)
    metadata.idsByName.set(record.topic.name, record.id)
  }
}

function encode(record: MetadataRecord): KeyedRecord {
  if (record.type === 'client-quotas') {
    const key = Buffer.from(QUOTAS_KEY_PREFIX + record.entity)
    return { key, value: record.values.size === 0 ? null : json(Object.fromEntries(record.values)) }
  }
  if (record.type === 'producer-ids') return { key: Buffer.from(PRODUCER_IDS_KEY), value: json({ next: record.next }) }
  if (record.type === 'broker-configs') {
    const key = Buffer.from(BROKER_KEY_PREFIX + record.scope)
    return { key, value: record.configs.size === 0 ? null : json({ configs: Object.fromEntries(record.configs) }) }
  }
  if (record.type === 'group-configs') {
    const key = Buffer.from(GROUP_KEY_PREFIX + record.group)
    return { key, value: record.configs.size === 0 ? null : json({ configs: Object.fromEntries(record.configs) }) }
  }
  const key = Buffer.from(TOPIC_KEY_PREFIX + record.id)
  if (record.topic === null) return { key, value: null }
  const { name, partitionCount, configs } = record.topic
  return { key, value: json({ name, partitions: partitionCount, configs: Object.fromEntries(configs) }) }
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))

function decode({ key: keyBytes, value }: KeyedRecord): MetadataRecord {
  const key = keyBytes.toString()
  const damaged = (reason: string): AssayError => new AssayError('STORE_CORRUPT', { what: 'The metadata log', reason })
  let content: unknown = null
  try {
    if (value !== null) content = JSON.parse(value.toString())
  } catch {
    throw damaged(`the value of ${key} is not JSON`)
  }
  if (key.startsWith(QUOTAS_KEY_PREFIX)) {
    const values = Object.entries((content ?? {}) as Record<string, number>)
    if (!values.every(([, value]) => typeof value === 'number')) throw damaged(`the value of ${key} has no numbers`)
    return { type: 'client-quotas', entity: key.slice(QUOTAS_KEY_PREFIX.length), values: new Map(values) }
  }
  if (key === PRODUCER_IDS_KEY) {
    const next = (content as { next?: unknown } | null)?.next
    if (!Number.isSafeInteger(next)) throw damaged(`the value of ${key} has no next producer ID`)
    return { type: 'producer-ids', next: next as number }
  }
  if (/^broker-configs\/\d*$/.test(key)) {
    const scope = key.slice(BROKER_KEY_PREFIX.length)
    const { configs } = (content ?? { configs: {} }) as { configs?: unknown }
    if (typeof configs !== 'object' || configs === null) throw damaged(`the value of ${key} lacks configs`)
    return { type: 'broker-configs', scope, configs: new Map(Object.entries(configs as Record<string, string>)) }
  }
  if (key.startsWith(GROUP_KEY_PREFIX)) {
    const { configs } = (content ?? { configs: {} }) as { configs?: unknown }
    if (typeof configs !== 'object' || configs === null) throw damaged(`the value of ${key} lacks configs`)
    const group = key.slice(GROUP_KEY_PREFIX.length)
    return { type: 'group-configs', group, configs: new Map(Object.entries(configs as Record<string, string>)) }
  }
  if (!/^topic\/[0-9a-f]{32}$/.test(key)) throw damaged(`${key} is not a key of it`)
  const id = key.slice(TOPIC_KEY_PREFIX.length)
  if (content === null) return { type: 'topic', id, topic: null }
  const { name, partitions, configs } = content as { name?: unknown; partitions?: unknown; configs?: unknown }
  const valid = typeof name === 'string' && Number.isSafeInteger(partitions) && typeof configs === 'object' && configs !== null
  if (!valid) throw damaged(`the value of ${key} lacks name, partitions or configs`)
  const pairs = Object.entries(configs as Record<string, string>)
  return { type: 'topic', id, topic: { id, name, partitionCount: partitions as number, configs: new Map(pairs) } }
}
