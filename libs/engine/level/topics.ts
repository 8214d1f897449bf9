/** The catalog of topics: which there are, how many partitions they have, how they are set. Every change is durable before it is seen. */
import { AssayError } from '@assay/errors'
import type { Append, Log, PartitionLog } from '@assay/log'
import type { Logger } from '@assay/std'
import type { Topic } from '../engine.ts'
import { checkTogether } from './config-names.ts'
import { METADATA_TOPIC_ID, type MetadataChange, type MetadataLog, type MetadataRecord } from './metadata-log.ts'
import { configOf, type ServerDefaults } from './topic-configs.ts'
import { checkTopicName, collisionKey, isOwnTopic } from './topic-name.ts'

export interface NewTopic {
  readonly name: string
  readonly partitionCount: number
  readonly configs: ReadonlyMap<string, string>
}

export type TopicRef = { readonly name: string } | { readonly id: string }

/** What a change of one topic came to, or why it was refused. */
export type Outcome = Topic | AssayError

export interface ChangeOptions {
  /** Checks and answers as if, and changes nothing. */
  readonly validateOnly: boolean
  /** Told how many partitions each change creates or deletes, just before it is made; what it fails with refuses the change. */
  readonly spend?: (partitions: number) => void
}

/** What goes with a topic: run when it is deleted, `appends` in the same atomic write. */
export type OnDelete = (topic: Topic) => { readonly appends: readonly Append[]; readonly done: () => void }

export interface Topics {
  get(ref: TopicRef): Topic | undefined
  all(): Topic[]
  partition(topic: Topic, index: number): PartitionLog | undefined
  /** The value in force of a topic-level setting. */
  config(topic: Topic, name: string): string
  create(wanted: readonly NewTopic[], options?: ChangeOptions): Promise<Outcome[]>
  remove(refs: readonly TopicRef[], options?: Pick<ChangeOptions, 'spend'>): Promise<Outcome[]>
  grow(wanted: readonly { readonly name: string; readonly count: number }[], options?: ChangeOptions): Promise<Outcome[]>
  /** `change` gets the explicit settings and gives the new ones, or fails with INVALID_CONFIG. */
  configure(
    name: string,
    change: (configs: ReadonlyMap<string, string>) => ReadonlyMap<string, string>,
    options?: ChangeOptions
  ): Promise<Outcome>
}

export interface TopicsParts {
  readonly log: Log
  readonly metadataLog: MetadataLog
  readonly logger: Logger
  /** 16 random bytes. */
  readonly randomId: () => Buffer
  readonly partitionsMax: number
  /** What is in force in topics that set nothing. */
  readonly serverDefaults: ServerDefaults
  readonly onDelete: OnDelete
}

const nameOf = (ref: TopicRef): string => ('name' in ref ? ref.name : ref.id)
const applying: ChangeOptions = { validateOnly: false }

export function openTopics(parts: TopicsParts): Topics {
  const { metadata } = parts.metadataLog

  function get(ref: TopicRef): Topic | undefined {
    const id = 'name' in ref ? metadata.idsByName.get(ref.name) : ref.id
    return id === undefined ? undefined : metadata.topicsById.get(id)
  }
  function partitionTotal(): number {
    let total = 0
    for (const topic of metadata.topicsById.values()) total += topic.partitionCount
    return total
  }
  /** Topic IDs that Kafka reserves (0 and 1) and the rare twin are drawn again. */
  function newId(): string {
    for (;;) {
      const id = parts.randomId().toString('hex')
      if (!id.startsWith('0'.repeat(30)) && id !== METADATA_TOPIC_ID && !metadata.topicsById.has(id)) return id
    }
  }

  /** A change that cannot be stored is refused as a whole. */
  async function changeAll(count: number, compute: () => MetadataChange<Outcome[]>): Promise<Outcome[]> {
    try {
      return await parts.metadataLog.change(compute)
    } catch (error) {
      if (!(error instanceof AssayError)) throw error
      parts.logger.error({ error }, 'a change of topics could not be stored')
      return Array.from({ length: count }, () => error)
    }
  }

  /** The topic is gone already: records that cannot be dropped now are dropped at the next start. */
  async function dropRecords(topic: Topic): Promise<void> {
    try {
      await parts.log.drop(topic.id)
    } catch (error) {
      if (!(error instanceof AssayError)) throw error
      parts.logger.error({ topic: topic.name, error }, 'the records of a deleted topic could not be dropped')
    }
  }

  /** Computes each outcome in turn; those that are topics are written in one append, unless only asked for. */
  function changeEach<W>(
    wanted: readonly W[],
    one: (wish: W) => { topic: Topic; record: MetadataRecord },
    options: ChangeOptions
  ): Promise<Outcome[]> {
    return changeAll(wanted.length, () => {
      const records: MetadataRecord[] = []
      const outcomes = wanted.map(wish =>
        outcomeOf(() => {
          const { topic, record } = one(wish)
          records.push(record)
          return topic
        })
      )
      return { records: options.validateOnly ? [] : records, result: () => outcomes }
    })
  }

  return {
    get,
    all: () => [...metadata.topicsById.values()],
    partition: (topic, index) =>
      Number.isInteger(index) && index >= 0 && index < topic.partitionCount
        ? parts.log.partition({ topicId: topic.id, partition: index })
        : undefined,
    config: (topic, name) => configOf(topic.configs, name, parts.serverDefaults),

    create(wanted, options = applying) {
      let fresh = 0
      const names = new Set<string>()
      return changeEach(
        wanted,
        wish => {
          checkTopicName(wish.name)
          if (metadata.idsByName.has(wish.name) || names.has(wish.name)) {
            throw new AssayError('TOPIC_EXISTS', { topic: wish.name })
          }
          checkCount(wish.partitionCount, partitionTotal() + fresh, parts.partitionsMax)
          checkTogether(wish.configs, parts.serverDefaults)
          const key = collisionKey(wish.name)
          for (const other of metadata.idsByName.keys()) {
            if (collisionKey(other) !== key) continue
            parts.logger.warn({ topic: wish.name, other }, 'topic names that differ in "." and "_" only share their metric names')
          }
          options.spend?.(wish.partitionCount)
          fresh += wish.partitionCount
          names.add(wish.name)
          const topic: Topic = { ...wish, id: newId(), configs: new Map(wish.configs) }
          return { topic, record: { type: 'topic', id: topic.id, topic } }
        },
        options
      )
    },

    async remove(refs, { spend } = {}) {
      const removed = new Set<string>()
      const outcomes = await changeAll(refs.length, () => {
        const records: MetadataRecord[] = []
        const alongside: Append[] = []
        const afterwards: (() => void)[] = []
        const found = refs.map(ref =>
          outcomeOf(() => {
            const topic = get(ref)
            if (topic === undefined || removed.has(topic.id)) throw new AssayError('TOPIC_NOT_FOUND', { topic: nameOf(ref) })
            if (isOwnTopic(topic.name)) throw ownTopic(topic.name)
            spend?.(topic.partitionCount)
            removed.add(topic.id)
            records.push({ type: 'topic', id: topic.id, topic: null })
            const { appends, done } = parts.onDelete(topic)
            alongside.push(...appends)
            afterwards.push(done)
            return topic
          })
        )
        const result = (): Outcome[] => {
          for (const done of afterwards) done()
          return found
        }
        return { records, alongside, result }
      })
      for (const outcome of outcomes) if (!(outcome instanceof AssayError)) await dropRecords(outcome)
      return outcomes
    },

    grow(wanted, options = applying) {
      let fresh = 0
      const grown = new Set<string>()
      return changeEach(
        wanted,
        ({ name, count }) => {
          const topic = get({ name })
          if (topic === undefined) throw new AssayError('TOPIC_NOT_FOUND', { topic: name })
          if (isOwnTopic(name)) throw ownTopic(name)
          if (grown.has(name)) throw new AssayError('INVALID_REQUEST', { reason: `Topic '${name}' is named twice.` })
          if (count <= topic.partitionCount) {
            throw new AssayError('INVALID_PARTITIONS', { count, reason: `the topic has ${topic.partitionCount} already` })
          }
          checkCount(count - topic.partitionCount, partitionTotal() + fresh, parts.partitionsMax)
          options.spend?.(count - topic.partitionCount)
          fresh += count - topic.partitionCount
          grown.add(name)
          const larger: Topic = { ...topic, partitionCount: count }
          return { topic: larger, record: { type: 'topic', id: topic.id, topic: larger } }
        },
        options
      )
    },

    async configure(name, change, options = applying) {
      const [outcome] = await changeEach(
        [name],
        () => {
          checkTopicName(name)
          const topic = get({ name })
          if (topic === undefined) throw new AssayError('TOPIC_NOT_FOUND', { topic: name })
          if (isOwnTopic(name)) throw ownTopic(name)
          const changed: Topic = { ...topic, configs: change(topic.configs) }
          checkTogether(changed.configs, parts.serverDefaults)
          return { topic: changed, record: { type: 'topic', id: topic.id, topic: changed } }
        },
        options
      )
      return outcome!
    }
  }
}

function outcomeOf(change: () => Topic): Outcome {
  try {
    return change()
  } catch (error) {
    if (error instanceof AssayError) return error
    throw error
  }
}

const ownTopic = (topic: string): AssayError =>
  new AssayError('INVALID_TOPIC', { topic, reason: 'it belongs to the server, which alone writes and changes it' })

function checkCount(more: number, already: number, max: number): void {
  const refuse = (reason: string): AssayError => new AssayError('INVALID_PARTITIONS', { count: more, reason })
  if (more < 1) throw refuse('at least one is needed')
  if (already + more > max) throw refuse(`all topics together may have ${max} partitions and have ${already}`)
}
