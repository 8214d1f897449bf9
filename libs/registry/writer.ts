/** The one writer of a registry: a write sees everything written before it, and is answered once its own record was read back. */
import { AssayError } from '@assay/errors'
import type { PartitionLog } from '@assay/log'
import { encodeBatch } from '@assay/records'
import { assert, type Clock } from '@assay/std'
import type { Plan } from './changes.ts'
import { encodeChange } from './journal.ts'
import type { RegistryLimits } from './limits.ts'
import type { Replica } from './replica.ts'
import type { State } from './subjects.ts'

export interface Writer {
  /**
   * Decides on the state as it is after all writes before, appends what the decision says in one batch, and resolves when it is in force.
   * Whatever `decide` throws rejects this write alone. Fails with REGISTRY_BUSY when too many writes wait, STORE_FAILED as the log does.
   */
  write<A>(decide: (state: State) => Plan<A>): Promise<A>
  /** Waits for the writes under way; later ones fail with STORE_FAILED. */
  close(): Promise<void>
}

export interface WriterParts {
  readonly log: PartitionLog
  readonly replica: Replica
  readonly clock: Clock
  readonly limits: Pick<RegistryLimits, 'queuedWritesMax'>
}

export function openWriter({ log, replica, clock, limits }: WriterParts): Writer {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  let closed = false

  const perform = async <A>(decide: (state: State) => Plan<A>): Promise<A> => {
    await replica.catchUp()
    const { changes, answer } = decide(replica.state)
    if (changes.length === 0) return answer
    const { lastOffset } = await log.append(encodeBatch({ records: changes.map(encodeChange), baseTimestampMs: clock.now() }))
    await replica.catchUp()
    assert(replica.nextOffset > lastOffset, 'what was acknowledged can be read')
    return answer
  }

  return {
    write(decide) {
      if (closed) return Promise.reject(new AssayError('STORE_FAILED', { action: 'write: the registry is closed' }))
      if (waiting >= limits.queuedWritesMax)
        return Promise.reject(new AssayError('REGISTRY_BUSY', { limit: limits.queuedWritesMax }))
      waiting++
      const written = last.then(() => perform(decide)).finally(() => waiting--)
      last = written.catch(() => {})
      return written
    },
    async close() {
      closed = true
      await last
    }
  }
}
