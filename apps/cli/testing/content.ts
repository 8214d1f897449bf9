/** What is in an embedded server: planted, read and cleared by the ways that clients have, without their sockets. */

import { ask } from '@assay/engine'
import { AssayError, isAssayError } from '@assay/errors'
import { AUDIT_TOPIC, REJECTS_TOPIC } from '@assay/gate'
import {
  createTopics,
  deleteGroups,
  deleteRecords,
  deleteTopics,
  errorName,
  listGroups,
  metadata,
  ZERO_UUID
} from '@assay/protocol'
import { readSchemaFiles } from '../schemas/schema-folder.ts'
import { ownSession, type Server } from '../server.ts'
import type { Seed, StoredRecord, TestTopic } from './parts.ts'

const TIMEOUT_MS = 30_000
const PAGE = 1000
/** Topics and subjects of the server itself. */
const OWN_PREFIX = '_assay.'

export async function createTopic({ engine }: Server, name: string, { partitions = 1, configs = {} }: TestTopic): Promise<void> {
  const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
  const topic = { name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: entries }
  const answer = await ask(engine, createTopics, 7, { topics: [topic], timeoutMs: TIMEOUT_MS, validateOnly: false }, ownSession)
  const made = answer!.topics[0]!
  if (made.errorCode === 0) return
  const status = errorName(made.errorCode)
  throw new AssayError('PEER_REFUSED', { what: `Topic '${name}'`, status, reason: made.errorMessage ?? 'no reason' })
}

export async function registerSchema({ registry }: Server, subject: string, schema: object | string): Promise<number> {
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema)
  return (await registry.register(subject, { schema: text })).id
}

export async function plant(server: Server, { topics = {}, schemaFolder, schemas = {}, events = {} }: Seed): Promise<void> {
  for (const { subject, text } of schemaFolder === undefined ? [] : readSchemaFiles([schemaFolder])) {
    await registerSchema(server, subject, text)
  }
  for (const [subject, schema] of Object.entries(schemas)) await registerSchema(server, subject, schema)
  for (const [name, topic] of Object.entries(topics)) await createTopic(server, name, topic)
  for (const [topic, planted] of Object.entries(events)) await server.events.produce(topic, { events: planted })
}

export async function readAll({ events }: Server, topic: string): Promise<StoredRecord[]> {
  const records: StoredRecord[] = []
  let from: Parameters<typeof events.read>[1]['from'] = 'earliest'
  for (;;) {
    const page = await events.read(topic, { from, limit: PAGE })
    for (const { partition, offset, timestampMs, key, value, headers, undecoded } of page.events) {
      // A value without a schema is what its producer sent, taken for text.
      const shown = undecoded === undefined ? value : Buffer.from(undecoded.base64, 'base64').toString()
      records.push({ partition, offset, timestampMs, key, value: shown, headers })
    }
    if (page.events.length === 0) break
    from = page.next
  }
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}

export async function clear(server: Server): Promise<void> {
  await clearTopics(server)
  await clearGroups(server)
  await clearRegistry(server)
}

async function clearTopics({ engine }: Server): Promise<void> {
  const asked = { topics: null, allowAutoTopicCreation: false }
  const operations = { includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false }
  const known = (await ask(engine, metadata, 12, { ...asked, ...operations }, ownSession))!.topics
  const theirs = known.filter(({ name, isInternal }) => !isInternal && !name!.startsWith('_'))
  if (theirs.length > 0) {
    const topics = theirs.map(({ name }) => ({ name, topicId: ZERO_UUID }))
    await ask(engine, deleteTopics, 6, { topics, topicNames: [], timeoutMs: TIMEOUT_MS }, ownSession)
  }
  const own = known.filter(({ name }) => name === REJECTS_TOPIC || name === AUDIT_TOPIC)
  const emptied = own.map(({ name }) => ({ name: name!, partitions: [{ partitionIndex: 0, offset: -1n }] }))
  await ask(engine, deleteRecords, 2, { topics: emptied, timeoutMs: TIMEOUT_MS }, ownSession)
}

/** A group that has members stays; its offsets went with the topics. */
async function clearGroups({ engine }: Server): Promise<void> {
  const { groups } = (await ask(engine, listGroups, 5, { statesFilter: [], typesFilter: [] }, ownSession))!
  const groupsNames = groups.map(({ groupId }) => groupId)
  if (groupsNames.length > 0) await ask(engine, deleteGroups, 2, { groupsNames }, ownSession)
}

async function clearRegistry({ registry }: Server): Promise<void> {
  for (const context of registry.contexts()) {
    const scope = context === '.' ? null : `:${context}:`
    if (registry.mode(scope) !== undefined && registry.modeInScope(scope) !== 'READWRITE')
      await registry.setMode(scope, 'READWRITE')
    await quietly(() => registry.deleteConfig(scope))
  }
  // A schema that others refer to goes after them.
  for (;;) {
    const left = registry.subjects({ deleted: true }).filter(subject => !subject.includes(OWN_PREFIX))
    let gone = 0
    for (const subject of left) {
      await quietly(() => registry.setMode(subject, null, { force: true }))
      await quietly(() => registry.deleteConfig(subject))
      await quietly(() => registry.deleteSubject(subject))
      if (await quietly(() => registry.deleteSubject(subject, { permanent: true }))) gone++
    }
    if (gone === 0) return
  }
}

/** True when it could be done; that there is nothing to do is no fault. */
async function quietly(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    if (isAssayError(error)) return false
    throw error
  }
}
