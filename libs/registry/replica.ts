/** The state as one log tells it: reads the journal in pages and applies its records in order, at start and ever after. */
import { isAssayError } from '@assay/errors'
import type { PartitionLog } from '@assay/log'
import { decodeBatch, isControl, type RecordEntry, readHeader } from '@assay/records'
import { assert, type Logger } from '@assay/std'
import { decodeRecord } from './journal.ts'
import type { RegistryLimits } from './limits.ts'
import { crcOf, loadSnapshot, type SnapshotStore } from './snapshot.ts'
import { snapshotWriter } from './snapshot-writer.ts'
import { apply, emptyState, type State } from './subjects.ts'

export interface Replica {
  readonly state: State
  /** The offset of the first record that is not in the state yet. */
  readonly nextOffset: number
  /** Resolves when the state holds every record below the high watermark of the moment of the call. */
  catchUp(): Promise<void>
  /** Stops following the log. */
  close(): Promise<void>
}

export interface ReplicaParts {
  readonly log: PartitionLog
  readonly logger: Logger
  readonly limits: Pick<RegistryLimits, 'pageBytesMax' | 'inflatedBytesMax' | 'snapshotEveryRecords'>
  /** Where snapshots are kept; without it the whole log is read at each start. */
  readonly snapshots: SnapshotStore | undefined
}

/** Reads the snapshot and what follows it in the log, or the whole log, then follows it. Fails as `PartitionLog.read`. */
export async function openReplica({ log, logger, limits, snapshots }: ReplicaParts): Promise<Replica> {
  const loaded = snapshots && (await loadSnapshot(snapshots, { log, limits }))
  if (loaded && 'reason' in loaded) logger.warn({ reason: loaded.reason }, 'passed over the snapshot of the registry')
  const {
    state,
    nextOffset: from,
    lastCrc: crcBefore,
    records
  } = loaded && 'state' in loaded ? loaded : { state: emptyState(), nextOffset: log.startOffset, lastCrc: 0, records: 0 }
  let nextOffset = from
  let lastCrc = crcBefore
  const saved =
    snapshots &&
    snapshotWriter({
      store: snapshots,
      state,
      place: () => ({ nextOffset, lastCrc }),
      logger,
      limits,
      records,
      replaces: loaded !== undefined && 'reason' in loaded
    })
  /** Records applied since the snapshots were last told. */
  let untold = 0
  let reading: Promise<void> = Promise.resolve()
  let scheduled = false

  const readPages = async (): Promise<void> => {
    const until = log.highWatermark
    while (nextOffset < until) {
      const batches = await log.read(nextOffset, { bytesMax: limits.pageBytesMax })
      assert(batches.length > 0, `a read below the high watermark answers a batch (offset ${nextOffset} of ${until})`)
      for (const batch of batches) nextOffset = applyBatch(batch)
    }
  }

  /** All of a batch or nothing of it, without a pause in between: nobody sees half of a write. */
  const applyBatch = (batch: Buffer): number => {
    const header = readHeader(batch)
    if (!isControl(header)) {
      for (const record of recordsOf(batch, header.baseOffset)) if (record.offset >= nextOffset) applyRecord(record)
    }
    lastCrc = crcOf(batch)
    untold += header.recordCount
    return header.baseOffset + header.lastOffsetDelta + 1
  }

  const recordsOf = (batch: Buffer, offset: number): RecordEntry[] => {
    try {
      return decodeBatch(batch, limits.inflatedBytesMax)
    } catch (error) {
      // Its CRC was right when the log read it, so it says what its producer sent: nonsense, but no damage.
      if (!isAssayError(error)) throw error
      logger.warn({ offset, reason: error.message }, 'passed over a batch of the registry journal')
      return []
    }
  }

  const applyRecord = (record: RecordEntry): void => {
    const change = decodeRecord(record)
    if (change === undefined) return
    if (change.type !== 'unreadable') saved?.before(change)
    const refusal = change.type === 'unreadable' ? change.reason : apply(state, change, record.timestampMs)
    if (refusal !== undefined)
      logger.warn({ offset: record.offset, reason: refusal }, 'passed over a record of the registry journal')
  }

  const readAndSave = async (): Promise<void> => {
    await readPages()
    saved?.advanced(untold)
    untold = 0
  }

  const catchUp = (): Promise<void> => {
    const read = reading.then(readAndSave)
    // Whoever asked gets the failure; the next reading starts afresh.
    reading = read.catch(() => {})
    return read
  }

  await catchUp()
  const stop = log.onAppend(() => {
    if (scheduled) return
    scheduled = true
    const follow = async (): Promise<void> => {
      await reading
      scheduled = false
      await catchUp()
    }
    follow().catch((error: unknown) => logger.error({ err: error }, 'the registry cannot follow its journal'))
  })
  return {
    state,
    get nextOffset() {
      return nextOffset
    },
    catchUp,
    async close() {
      stop()
      await reading
      await saved?.close()
    }
  }
}
