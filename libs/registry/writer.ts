/**
 * The one writer of a registry: a write sees everything written before it, and is answered once its own record was read back.
 * Writes that wait together are decided one after the other and reach the log as one batch, so that one flush serves them all.
 */
import { AssayError } from '@assay/errors'
import type { PartitionLog } from '@assay/log'
import { encodeBatch } from '@assay/records'
import { assert, type Clock } from '@assay/std'
import type { Change, Plan } from './changes.ts'
import { type Content, fingerprintOf } from './content.ts'
import { encodeChange } from './journal.ts'
import type { RegistryLimits } from './limits.ts'
import { contextOf } from './qualified.ts'
import type { Underway } from './register.ts'
import type { Replica } from './replica.ts'
import { isSameContent, type State } from './subjects.ts'

/** Decides on the state; what is under way matters to those alone who share a batch. */
export type Decide<A> = (state: State, underway: Underway) => Plan<A>

export interface Writer {
  /**
   * Decides on the state as it is after all writes before, appends what the decision says in one batch, and resolves when it is in force.
   * Whatever `decide` throws rejects this write alone. `shares` names the one subject that the write reads and changes, if it can stand in a
   * batch beside others; a write without it stands alone.
   * Fails with REGISTRY_BUSY when too many writes wait, STORE_FAILED as the log does.
   */
  write<A>(decide: Decide<A>, shares?: string): Promise<A>
  /** Waits for the writes under way; later ones fail with STORE_FAILED. */
  close(): Promise<void>
}

export interface WriterParts {
  readonly log: PartitionLog
  readonly replica: Replica
  readonly clock: Clock
  readonly limits: Pick<RegistryLimits, 'queuedWritesMax' | 'batchWritesMax' | 'batchBytesMax'>
}

interface Job {
  readonly decide: Decide<unknown>
  readonly shares: string | undefined
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: unknown) => void
}

/** A write that is decided and waits for its batch. */
interface Decided {
  readonly job: Job
  readonly answer: unknown
}

export function openWriter({ log, replica, clock, limits }: WriterParts): Writer {
  const queue: Job[] = []
  let working: Promise<void> | undefined
  let waiting = 0
  let closed = false

  const work = async (): Promise<void> => {
    while (queue.length > 0) await writeNext()
    working = undefined
  }

  /** Takes as many writes from the front of the queue as keep clear of each other. */
  const writeNext = async (): Promise<void> => {
    const decided: Decided[] = []
    try {
      await replica.catchUp()
      const batch = openBatch()
      while (queue.length > 0 && batch.takes(queue[0]!, limits)) {
        const job = queue.shift()!
        const plan = decideOn(job, batch)
        if (plan === undefined) continue
        if (plan.changes.length === 0) settle(() => job.resolve(plan.answer))
        else {
          batch.add(job, plan.changes)
          decided.push({ job, answer: plan.answer })
        }
      }
      if (decided.length > 0) {
        const { lastOffset } = await log.append(encodeBatch({ records: batch.records, baseTimestampMs: clock.now() }))
        await replica.catchUp()
        assert(replica.nextOffset > lastOffset, 'what was acknowledged can be read')
      }
    } catch (error) {
      // The log or the reading of it failed: of those whose turn it was nobody knows more than that.
      const failed = decided.length > 0 ? decided.map(({ job }) => job) : queue.splice(0, 1)
      for (const job of failed) settle(() => job.reject(error))
      return
    }
    for (const { job, answer } of decided) settle(() => job.resolve(answer))
  }

  const decideOn = (job: Job, batch: Batch): Plan<unknown> | undefined => {
    try {
      return job.decide(replica.state, batch)
    } catch (error) {
      settle(() => job.reject(error))
      return undefined
    }
  }

  const settle = (answer: () => void): void => {
    waiting--
    answer()
  }

  return {
    write<A>(decide: Decide<A>, shares?: string): Promise<A> {
      if (closed) return Promise.reject(new AssayError('STORE_FAILED', { action: 'write: the registry is closed' }))
      if (waiting >= limits.queuedWritesMax)
        return Promise.reject(new AssayError('REGISTRY_BUSY', { limit: limits.queuedWritesMax }))
      waiting++
      return new Promise<A>((resolve, reject) => {
        queue.push({ decide, shares, resolve: resolve as (answer: unknown) => void, reject })
        working ??= work()
      })
    },
    async close() {
      closed = true
      await working
    }
  }
}

/** What one batch will hold, as those see it who are decided after the first. */
interface Batch extends Underway {
  readonly records: ReturnType<typeof encodeChange>[]
  /** Whether a write may still join. */
  takes(job: Job, limits: WriterParts['limits']): boolean
  add(job: Job, changes: readonly Change[]): void
}

function openBatch(): Batch {
  const records: ReturnType<typeof encodeChange>[] = []
  const subjects = new Set<string>()
  const maxIds = new Map<string, number>()
  const contents = new Map<string, { readonly id: number; readonly content: Content }>()
  let bytes = 0
  let standsAlone = false
  return {
    records,
    takes({ shares }, { batchWritesMax, batchBytesMax }) {
      if (records.length === 0) return true
      if (standsAlone || shares === undefined || subjects.has(shares)) return false
      return subjects.size < batchWritesMax && bytes < batchBytesMax
    },
    add({ shares }, changes) {
      if (shares === undefined) standsAlone = true
      else subjects.add(shares)
      for (const change of changes) {
        const record = encodeChange(change)
        records.push(record)
        bytes += record.key.length + (record.value?.length ?? 0)
        if (change.type !== 'schema') continue
        const context = contextOf(change.subject)
        maxIds.set(context, Math.max(maxIds.get(context) ?? 0, change.id))
        contents.set(`${context} ${fingerprintOf(change.content)}`, change)
      }
    },
    maxId: context => maxIds.get(context),
    idOf(context, content) {
      if (contents.size === 0) return undefined
      const known = contents.get(`${context} ${fingerprintOf(content)}`)
      return known && isSameContent(known.content, content) ? known.id : undefined
    }
  }
}
