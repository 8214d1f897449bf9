/**
 * Writes a whole log into an empty directory, partition by partition: what a restore and a repair end with. Offsets stay what they are,
 * sequences of the journal are given anew. Producer state follows from the batches, as at a replay.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { assert, type Clock, silentLogger } from '@assay/std'
import { fileSegments, openLevel } from '@assay/store'
import { baseOffsetOf, readFacts } from '../batch-facts.ts'
import { journalKey } from '../journal.ts'
import { logDefaults } from '../journal-log.ts'
import { type Journal, openJournal } from '../journal-segments.ts'
import type { Offset, PartitionKey } from '../log.ts'
import type { Partition } from '../partition.ts'
import { isSequenced, windowAfter } from '../producers.ts'
import { newSegment, segmentTable } from '../segment-table.ts'
import {
  applyOnDisk,
  isCheckpointDue,
  isRollDue,
  type LogState,
  newState,
  partitionOf,
  rollSegment,
  writeCheckpoint
} from '../state.ts'

export interface WholePartition {
  readonly key: PartitionKey
  readonly startOffset: Offset
  /** The next offset to be given. */
  readonly endOffset: Offset
  /** Dense, from the one that holds the start offset to the one that ends before the end offset. */
  readonly batches: AsyncIterable<Buffer>
}

export interface WriteOptions {
  readonly clock: Clock
  readonly segmentBytes?: number
}

const WRITTEN_AT_ONCE_BYTES = 1 << 20

/** The directory is empty, or absent. When this resolves, a log opens there without replay; durable is that only after a sync of the tree. */
export async function writeLog(
  directory: string,
  partitions: AsyncIterable<WholePartition>,
  { clock, segmentBytes = logDefaults.segmentBytes }: WriteOptions
): Promise<void> {
  await mkdir(directory, { recursive: true })
  const journal = await openJournal(fileSegments(join(directory, 'journal')), {
    openMax: 0,
    mustExist: false,
    endOf: () => undefined
  })
  try {
    const index = await openLevel(join(directory, 'index'))
    try {
      const state = newState(
        {
          ...{ journal, index, clock, logger: silentLogger, segmentBytes },
          ...{
            tailCacheBytes: 0,
            segmentMs: Number.POSITIVE_INFINITY,
            onReplay() {},
            checkpointBytes: logDefaults.checkpointBytes
          },
          ...{ producerExpiryMs: logDefaults.producerExpiryMs, producersMax: logDefaults.producersMax },
          abortedKept: logDefaults.abortedKept
        },
        segmentTable()
      )
      state.segments.add(newSegment(0, clock.now()))
      const writer = writerOver(state, journal)
      for await (const partition of partitions) await writer.write(partition)
      await writer.finish()
    } finally {
      await index.close()
    }
  } finally {
    await journal.close()
  }
}

interface Waiting {
  readonly partition: Partition
  readonly bytes: Buffer
  readonly sequence: number
}

function writerOver(state: LogState, journal: Journal) {
  let waiting: Waiting[] = []
  let waitingBytes = 0
  let last: Waiting | undefined

  /** Once more, unchanged: that makes durable all that was written before. */
  async function sync(): Promise<void> {
    if (last === undefined) return
    await journal.batch([{ type: 'put', key: journalKey(last.sequence, last.partition.prefix), value: last.bytes }], {
      sync: true
    })
  }

  async function flush(): Promise<void> {
    const rows = waiting
    waiting = []
    waitingBytes = 0
    if (rows.length === 0) return
    const ops = rows.map(({ partition, bytes, sequence }) => ({
      ...{ type: 'put' as const, key: journalKey(sequence, partition.prefix), value: bytes }
    }))
    await journal.batch(ops, { sync: false })
    for (const row of rows) apply(state, row)
    last = rows.at(-1)
    if (isRollDue(state)) {
      await sync()
      await rollSegment(state, state.nextSequence)
      // Its segment is closed, and durable.
      last = undefined
    }
    if (isCheckpointDue(state)) await writeCheckpoint(state, sync)
  }

  return {
    async write({ key, startOffset, endOffset, batches }: WholePartition): Promise<void> {
      const partition = partitionOf(state, key)
      let next: Offset | undefined
      for await (const bytes of batches) {
        const baseOffset = baseOffsetOf(bytes)
        if (next === undefined) {
          assert(baseOffset <= startOffset, `${partition.name}: the first batch holds the start offset`)
          partition.highWatermark = baseOffset
          partition.startOffset = startOffset
        } else {
          assert(baseOffset === next, `${partition.name}: batch ${baseOffset} follows offset ${next}`)
        }
        next = baseOffset + readFacts(bytes).lastOffsetDelta + 1
        waiting.push({ partition, bytes, sequence: state.nextSequence++ })
        waitingBytes += bytes.length
        if (waitingBytes >= WRITTEN_AT_ONCE_BYTES) await flush()
      }
      await flush()
      if (next === undefined) {
        partition.startOffset = startOffset
        partition.highWatermark = endOffset
        state.changed.add(partition)
      }
      assert(partition.highWatermark === endOffset, `${partition.name}: it ends at ${partition.highWatermark}, not ${endOffset}`)
      partition.logEndOffset = endOffset
    },
    finish: () => writeCheckpoint(state, sync)
  }
}

function apply(state: LogState, { partition, bytes, sequence }: Waiting): void {
  const facts = readFacts(bytes)
  const baseOffset = baseOffsetOf(bytes)
  const nowMs = state.parts.clock.now()
  const producer = isSequenced(facts)
    ? (partition.producers.get(facts.producerId) ??
      state.producers.add(partition.producers, { id: facts.producerId, prefix: partition.prefix, nowMs }))
    : undefined
  const window = producer && windowAfter(producer.committed, facts, baseOffset)
  if (producer !== undefined) producer.staged = window
  applyOnDisk(state, {
    ...{ partition, facts, producer, window },
    batch: {
      ...{ sequence, baseOffset, bytes, sizeBytes: bytes.length, prefix: partition.prefix, home: partition.recent },
      ...{ lastOffset: baseOffset + facts.lastOffsetDelta, isIndexed: false },
      ...{ maxTimestampMs: facts.maxTimestampMs, runningMaxTimestampMs: facts.maxTimestampMs }
    }
  })
}
