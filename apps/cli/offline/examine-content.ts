/**
 * Looks at what the server keeps of its own in a log, by the code that reads it at a start: topics, groups, schemas. What a start would
 * write is written into the examined view and forgotten.
 */
import { randomBytes } from 'node:crypto'
import { levelEngine, METADATA_TOPIC_ID, readTopics, SCHEMAS_TOPIC } from '@assay/engine'
import { isAssayError } from '@assay/errors'
import type { ContentExamination, ContentFacts, Finding } from '@assay/log'
import { openRegistry, type Registry, type SnapshotStore } from '@assay/registry'
import { type Logger, silentLogger, systemClock } from '@assay/std'

export interface ContentOptions {
  /** Those of the data directory, to be looked at as well. */
  readonly snapshots?: SnapshotStore | undefined
  /** Called with the names of topics by their IDs. */
  readonly onTopics?: (names: ReadonlyMap<string, string>) => void
}

const REPAIR = 'restore a backup, or ask `assay doctor --repair OUT` for what is sound'

export function contentExamination({ snapshots, onTopics }: ContentOptions): ContentExamination {
  return async (log, facts) => {
    const told = async (kind: Finding['kind'], work: () => Promise<void>): Promise<void> => {
      try {
        await work()
      } catch (error) {
        if (!isAssayError(error)) throw error
        facts.found.add({ kind, severity: 'damage', says: error.message, advice: REPAIR })
      }
    }
    await told('topics', async () => {
      const topics = await readTopics(log)
      onTopics?.(new Map(topics.map(({ id, name }) => [id, name])))
      compareTopics(new Map(topics.map(({ id, partitionCount }) => [id, partitionCount])), facts)
      const engine = await levelEngine({
        ...{ log, clock: systemClock, logger: silentLogger, random: randomBytes, clusterId: '' },
        advertised: () => ({ host: '127.0.0.1', port: 0 })
      })
      try {
        await told('schemas', () => examineSchemas(engine.partition(SCHEMAS_TOPIC, 0)!, facts, snapshots))
      } finally {
        await engine.close()
      }
    })
  }
}

function compareTopics(topics: ReadonlyMap<string, number>, { found, partitions }: ContentFacts): void {
  for (const partition of partitions) {
    const { topicId, partition: number } = partition
    if (topicId === METADATA_TOPIC_ID) continue
    const count = topics.get(topicId)
    if (count !== undefined && number < count) continue
    if (count !== undefined) {
      const says = `the topic has ${count} partitions, and there are records of partition ${number}`
      found.add({ kind: 'topics', severity: 'damage', partition, says, advice: REPAIR })
    } else if (topics.size === 0) {
      found.add({ kind: 'topics', severity: 'damage', partition, says: 'nothing is known of its topic', advice: REPAIR })
    } else {
      const says = 'its topic was deleted'
      found.add({ kind: 'topics', severity: 'note', partition, says, advice: 'nothing: the next start clears it away' })
    }
  }
}

async function examineSchemas(
  log: Parameters<typeof openRegistry>[0]['log'],
  { found }: ContentFacts,
  snapshots: SnapshotStore | undefined
): Promise<void> {
  const advice = 'nothing: the registry goes on without it'
  const logger: Logger = {
    ...silentLogger,
    warn: (facts, message) => {
      found.add({ kind: 'schemas', severity: 'note', says: `${message} ${JSON.stringify(facts)}`, advice })
    }
  }
  const registry: Registry = await openRegistry({ log, clock: systemClock, logger, ...(snapshots && { snapshots }) })
  await registry.close()
}
