/**
 * What is done when the disk was full and is not any more: both stores are opened again, and the log goes on where it was. What was refused
 * must not be there: rows behind the last one that was acknowledged are deleted, and what memory took for granted of them is taken back.
 */
import { isAssayError } from '@assay/errors'
import { assert } from '@assay/std'
import type { Commits } from './commit.ts'
import { corruptJournal, dropRowsFrom, syncJournal } from './journal.ts'
import { forgetPartition, type LogState, undoStaged, writeCheckpoint } from './state.ts'

export interface MendParts {
  readonly state: LogState
  readonly commits: Pick<Commits, 'idle'>
  readonly reopenIndex: () => Promise<void>
}

/**
 * Nothing else may be at work on the index, and nothing is appended. When this fails it may be called again: with STORE_FULL there was not
 * enough space after all; STORE_CORRUPT means that something acknowledged is missing.
 */
export async function mend({ state, commits, reopenIndex }: MendParts): Promise<void> {
  const { journal } = state.parts
  // A write under way may still succeed: it is among those that are deleted.
  await commits.idle()
  await journal.reopen()
  await dropRowsFrom(journal, state.appliedSequence)
  const { first } = state.segments.newest!
  assert(first === journal.firsts.at(-1), 'the journal and its table know the same newest segment')
  const last = await syncJournal(journal)
  if (state.appliedSequence > first && last !== state.appliedSequence - 1) {
    throw corruptJournal(`row ${state.appliedSequence - 1} was written before the disk was full, and is missing after it`)
  }
  undoStaged(state)
  await reopenIndex()
  await writeCheckpoint(state)
  await endDrops(state)
  // A compaction pass may have been cut short: what it wrote anew is in the index now, and nowhere else.
  for (const partition of state.partitions.values()) partition.recent.dropBelow(partition.highWatermark)
}

/** Topics whose deletion was cut short are deleted. */
async function endDrops(state: LogState): Promise<void> {
  const dropped = [...state.partitions.values()].filter(({ isDropped }) => isDropped)
  if (dropped.length === 0) return
  for (const partition of dropped) forgetPartition(state, partition)
  await writeCheckpoint(state)
  for (const partition of dropped) state.partitions.delete(partition.name)
}

/** True of what passes by itself once there is space. */
export const isFull = (error: unknown): boolean => isAssayError(error, 'STORE_FULL')
