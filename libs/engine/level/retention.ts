/** What the log keeps of each topic: the topic's settings in force, as the log goes by them. */
import { keepForever, type Retention } from '@assay/log'
import type { Topic } from '../engine.ts'
import { SCHEMAS_TOPIC } from './topic-name.ts'
import type { Topics } from './topics.ts'

/** Topics that are not in the catalog keep everything: they are the server's own, or on their way out. */
export function retentionOf(topics: Topics, topicId: string): Retention {
  const topic = topics.get({ id: topicId })
  // Without the versions that were deleted, the registry could not tell which schema IDs it has given out before.
  if (topic === undefined || topic.name === SCHEMAS_TOPIC) return keepForever
  const number = (name: string): number => safeNumber(topics.config(topic, name))
  const cleanup = cleanupOf(topics, topic)
  return {
    cleanup: cleanup === 'nothing' ? 'delete' : cleanup,
    retentionMs: cleanup === 'nothing' ? -1 : number('retention.ms'),
    retentionBytes: cleanup === 'nothing' ? -1 : number('retention.bytes'),
    deleteRetentionMs: number('delete.retention.ms'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
    maxCompactionLagMs: number('max.compaction.lag.ms'),
    minCleanableDirtyRatio: number('min.cleanable.dirty.ratio')
  }
}

function cleanupOf(topics: Topics, topic: Topic): Retention['cleanup'] | 'nothing' {
  const policies = topics.config(topic, 'cleanup.policy').split(',')
  const [compacts, deletes] = [policies.includes('compact'), policies.includes('delete')]
  if (compacts) return deletes ? 'compact,delete' : 'compact'
  return deletes ? 'delete' : 'nothing'
}

/** Settings were checked when they were made; the longest times of Kafka are longer than a number can tell. */
const safeNumber = (text: string): number => Math.min(Number(text), Number.MAX_SAFE_INTEGER)
