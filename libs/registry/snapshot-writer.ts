/** When snapshots are written: in the background, never two at once, and again a little later when one failed. */
import type { Logger } from '@assay/std'
import type { Change } from './changes.ts'
import type { RegistryLimits } from './limits.ts'
import { beginSnapshot, type JournalPlace, type SnapshotStore, type SnapshotUnderway } from './snapshot.ts'
import type { State } from './subjects.ts'

export interface SnapshotWriter {
  /** To be called before each change of the state. */
  before(change: Change): void
  /** To be called when the state has come so many records of the journal further. A snapshot is begun if it is time. */
  advanced(records: number): void
  /** Waits for the snapshot under way, and writes a last one if it spares the next start enough. Never fails. */
  close(): Promise<void>
}

export interface SnapshotWriterParts {
  readonly store: SnapshotStore
  readonly state: State
  /** How far in the journal the state is at the moment of the call. */
  readonly place: () => JournalPlace
  readonly logger: Logger
  readonly limits: Pick<RegistryLimits, 'snapshotEveryRecords'>
  /** Records in the snapshot that the state was read from. */
  readonly records: number
  /** Whether the snapshot that is there is of no use. */
  readonly replaces: boolean
}

/** A snapshot is written whole: of a large state it waits until a fifth as many records came, so that no record pays for more than five. */
const SHARE_OF_RECORDS = 1 / 5
/** Of the usual distance: after it a failed snapshot is tried again, and at the end one is worth its while. */
const SHORT_DISTANCE = 1 / 10

export function snapshotWriter({ store, state, place, logger, limits, records, replaces }: SnapshotWriterParts): SnapshotWriter {
  const usualDistance = (size: number): number => Math.max(limits.snapshotEveryRecords, size * SHARE_OF_RECORDS)
  /** Records of the journal that no snapshot holds. */
  let unsaved = 0
  let dueAt = replaces ? 1 : usualDistance(records)
  let underway: SnapshotUnderway | undefined
  let saving: Promise<void> | undefined

  const save = async (): Promise<void> => {
    const held = unsaved
    underway = beginSnapshot(state, place())
    const size = underway.records
    try {
      await store.write(underway.pieces)
      unsaved -= held
      dueAt = usualDistance(size)
    } catch (error) {
      // A start without it is slow, and nothing worse.
      logger.warn({ err: error }, 'the registry has no new snapshot')
      dueAt = unsaved + limits.snapshotEveryRecords * SHORT_DISTANCE
    }
    underway = undefined
    saving = undefined
  }
  return {
    before(change) {
      underway?.before(change)
    },
    advanced(added) {
      unsaved += added
      if (saving === undefined && unsaved >= dueAt) saving = save()
    },
    async close() {
      await saving
      if (unsaved >= Math.min(dueAt, limits.snapshotEveryRecords * SHORT_DISTANCE)) await save()
    }
  }
}
