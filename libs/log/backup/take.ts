/**
 * Taking a backup of a log while it is written: every partition up to the high watermark that it has at one moment, the same for all, so
 * that what was appended to several partitions together is in it as a whole. What is read goes through the log as for any consumer.
 */
import { AssayError, isAssayError } from '@assay/errors'
import type { Clock, Timer } from '@assay/std'
import { baseOffsetOf, readFacts } from '../batch-facts.ts'
import type { Log, Offset, PartitionLog } from '../log.ts'
import { BACKUP_FORMAT, encodeFrame } from './frames.ts'

export interface BackupParts {
  readonly log: Log
  readonly clusterId: string
  readonly clock: Clock
}

/** Small, so that what producers wait for stands behind few of these reads: they share the threads for files. */
const READ_BYTES = 256 << 10
/** Whoever takes nothing for so long has gone, or has nowhere to put it: retention and compaction cannot wait for him. */
const STALL_MS = 60_000

/**
 * The frames of a backup that holds all that was acknowledged before the call of `next`. Until it has ended, or is returned, retention and
 * compaction wait. A damaged batch ends it with a frame that says so: a backup is whole or none.
 */
export async function* takeBackup({ log, clusterId, clock }: BackupParts): AsyncGenerator<Buffer> {
  const release = await log.holdUpkeep()
  let hasStalled = false
  let timer: Timer | undefined
  try {
    for await (const frame of framesOf(log, clusterId, clock)) {
      timer = clock.after(STALL_MS, () => {
        hasStalled = true
        release()
      })
      yield frame
      timer.cancel()
      if (hasStalled) throw new AssayError('STORE_FAILED', { action: `go on: nothing was taken for ${STALL_MS / 1000} s` })
    }
  } catch (error) {
    if (!isAssayError(error)) throw error
    yield encodeFrame({ kind: 'failed', message: error.message })
  } finally {
    timer?.cancel()
    release()
  }
}

async function* framesOf(log: Log, clusterId: string, clock: Clock): AsyncGenerator<Buffer> {
  // In one turn of the event loop: an append to several partitions becomes visible in one as well.
  const cut = log.partitions().map(partition => ({
    partition,
    startOffset: partition.startOffset,
    endOffset: partition.highWatermark
  }))
  yield encodeFrame({
    ...{ kind: 'begin', format: BACKUP_FORMAT, clusterId, takenAtMs: clock.now() },
    partitions: cut.map(({ partition: { key }, startOffset, endOffset }) => ({ ...key, startOffset, endOffset }))
  })
  const total = { batches: 0, bytes: 0 }
  for (const [at, { partition, startOffset, endOffset }] of cut.entries()) {
    yield* takePartition(partition, { at, startOffset, endOffset, total })
  }
  yield encodeFrame({ kind: 'end', ...total })
}

interface Taking {
  readonly at: number
  readonly startOffset: Offset
  readonly endOffset: Offset
  readonly total: { batches: number; bytes: number }
}

async function* takePartition(partition: PartitionLog, { at, startOffset, endOffset, total }: Taking): AsyncGenerator<Buffer> {
  const sent = { batches: 0, bytes: 0 }
  for (let from = startOffset; from < endOffset; ) {
    let batches: Buffer[]
    try {
      batches = await partition.read(from, { bytesMax: READ_BYTES })
    } catch (error) {
      const isDropped = isAssayError(error, 'PARTITION_NOT_FOUND')
      if (!isDropped && !isAssayError(error, 'OFFSET_OUT_OF_RANGE')) throw error
      // Somebody deleted the topic, or records in it. Of the partition there is left what lies behind.
      from = isDropped ? endOffset : Math.min(partition.startOffset, endOffset)
      total.batches -= sent.batches
      total.bytes -= sent.bytes
      Object.assign(sent, { batches: 0, bytes: 0 })
      yield encodeFrame({ kind: 'restart', at, startOffset: from })
      continue
    }
    const wanted = batches.filter(batch => baseOffsetOf(batch) < endOffset)
    const last = wanted.at(-1)!
    from = baseOffsetOf(last) + readFacts(last).lastOffsetDelta + 1
    const bytes = wanted.reduce((sum, { length }) => sum + length, 0)
    for (const count of [sent, total]) {
      count.batches += wanted.length
      count.bytes += bytes
    }
    yield encodeFrame({ kind: 'batches', at, bytes }, wanted)
  }
}
