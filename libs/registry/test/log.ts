/** An empty partition of a log over memory, for tests. */
import { openLogOver, type PartitionLog } from '@assay/log'
import { silentLogger, systemClock } from '@assay/std'
import { memoryStore, type Store } from '@assay/store'

/** The stores may be given, to fail or to be opened twice. */
export async function openTestLog({
  journal = memoryStore(),
  index = memoryStore()
}: {
  journal?: Store
  index?: Store
} = {}): Promise<PartitionLog> {
  const log = await openLogOver({ journal, index, clock: systemClock, logger: silentLogger })
  return log.partition({ topicId: '0'.repeat(31).concat('1'), partition: 0 })
}
