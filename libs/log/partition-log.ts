/** The PartitionLogs that a Log gives out: one for each partition, the same for the same key. */
import { assert } from '@assay/std'
import { abortedBetween } from './aborted.ts'
import type { Append, Appended, PartitionKey, PartitionLog } from './log.ts'
import { assertKept, type Partition } from './partition.ts'
import { readPartition } from './read.ts'
import { type LogState, partitionOf } from './state.ts'
import { firstAtTime, latestRecord } from './times.ts'
import { lastStableOffsetOf } from './transactions.ts'

export interface PartitionLogs {
  get(key: PartitionKey): PartitionLog
  partitionOf(log: PartitionLog): Partition
}

export interface PartitionLogOptions {
  readonly append: (appends: readonly Append[]) => Promise<Appended[]>
  readonly inflateBytesMax: number
}

export function partitionLogs(state: LogState, options: PartitionLogOptions): PartitionLogs {
  const logs = new WeakMap<Partition, PartitionLog>()
  const partitions = new WeakMap<PartitionLog, Partition>()
  return {
    get(key) {
      const partition = partitionOf(state, key)
      const known = logs.get(partition)
      if (known !== undefined) return known
      const made = partitionLog(state, partition, options)
      logs.set(partition, made)
      partitions.set(made, partition)
      return made
    },
    partitionOf(log) {
      const partition = partitions.get(log)
      assert(partition !== undefined, 'an append names a partition of this log')
      return partition
    }
  }
}

function partitionLog(state: LogState, partition: Partition, options: PartitionLogOptions): PartitionLog {
  const { inflateBytesMax } = options
  const stores = state.parts

  /** When a topic goes while it is being read, that is the reason why nothing was found. */
  async function reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      assertKept(partition)
      throw error
    }
  }

  const log: PartitionLog = {
    key: partition.key,
    get startOffset() {
      return partition.startOffset
    },
    get logEndOffset() {
      return partition.logEndOffset
    },
    get highWatermark() {
      return partition.highWatermark
    },
    get lastStableOffset() {
      return lastStableOffsetOf(partition)
    },
    get sizeBytes() {
      return partition.sizeBytes
    },
    async append(batch) {
      const [appended] = await options.append([{ log, batch }])
      return appended!
    },
    read: (from, readOptions) => reading(() => readPartition(stores, partition, from, readOptions)),
    offsetAt: timestampMs => reading(() => firstAtTime(stores, partition, { timestampMs, inflateBytesMax })),
    offsetOfMaxTimestamp: () => reading(() => latestRecord(stores, partition, inflateBytesMax)),
    abortedTransactions: (from, below) => reading(() => abortedBetween(stores.index, partition, from, below)),
    producers: () =>
      [...partition.producers.values()].flatMap(({ id, committed, activeAtMs }) =>
        committed === undefined
          ? []
          : [
              {
                id,
                epoch: committed.epoch,
                lastSequence: committed.batches.at(-1)?.lastSequence ?? -1,
                activeAtMs,
                transactionFrom: committed.openFrom
              }
            ]
      ),
    onAppend(listener) {
      // Each call has its own end, even if the same function listens twice.
      const own = (): void => listener()
      partition.listeners.add(own)
      return () => {
        partition.listeners.delete(own)
      }
    }
  }
  return log
}
