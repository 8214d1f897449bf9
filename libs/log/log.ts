/**
 * The seam of the log: partitions as append-only sequences of record batches.
 * Everything derives from one journal, so one append may span partitions and still be all or nothing.
 */

import type { AssayError } from '@assay/errors'
import type { Retention } from './retention-settings.ts'

/** The number of a record in its partition; dense, from 0. Below 2^53, hence a plain number inside, a bigint only on the wire. */
export type Offset = number

/** What names a partition for ever: a topic that is deleted and made again has another topic ID. */
export interface PartitionKey {
  /** 16 bytes as 32 hex digits without dashes, as `protocol` reads a uuid. */
  readonly topicId: string
  readonly partition: number
}

/** Where a batch came to lie. */
export interface Appended {
  readonly baseOffset: Offset
  readonly lastOffset: Offset
  /** -1 unless the topic stamps records with the time of the append. */
  readonly logAppendTimeMs: number
  /** True when an idempotent producer had sent this very batch before: nothing was written, the first place is told. */
  readonly duplicate: boolean
}

export interface ReadOptions {
  /** The answer stops before the batch that would exceed this, but the first batch that has records is always whole. */
  readonly bytesMax: number
  /** Where the answer may lie: gives a buffer of just so many bytes. What is not in one of these is memory of its own. */
  readonly allocate?: (bytes: number) => Buffer
}

/** A place in a partition found by time. */
export interface TimedOffset {
  readonly offset: Offset
  readonly timestampMs: number
}

/** An append-only sequence of record batches. The registry's journal is one of these, in either engine. */
export interface PartitionLog {
  readonly key: PartitionKey
  /** First offset still kept. */
  readonly startOffset: Offset
  /** Next offset to be given. */
  readonly logEndOffset: Offset
  /** First offset not yet visible: what lies before is on disk. */
  readonly highWatermark: Offset
  /** First offset that an open transaction may still change; the high watermark when there is none. */
  readonly lastStableOffset: Offset
  /** Bytes of the batches that are kept and visible. */
  readonly sizeBytes: number

  /**
   * Appends one record batch v2 whose framing and CRC the caller has checked, and resolves when it is on disk.
   * The base offset and leader epoch are written into `batch`, at once unless it has to wait for room in the queue. From the call on the
   * batch is the log's: it may not be changed, nor appended again unless it was refused. Batches take offsets in the order of the calls.
   * Fails with OUT_OF_ORDER_SEQUENCE, PRODUCER_FENCED or INVALID_TRANSACTION_STATE (nothing written), STORE_FULL (what was written is taken back
   * before the next append; a crash before that leaves its fate open), STORE_FAILED (fate unknown; the log takes no more),
   * PARTITION_NOT_FOUND after its topic was dropped.
   */
  append(batch: Buffer): Promise<Appended>
  /**
   * The batches from the one that holds `from` up to the high watermark, as stored; they are shared and may not be changed. Empty at the
   * high watermark. Fails with OFFSET_OUT_OF_RANGE outside startOffset..highWatermark, STORE_CORRUPT when the first batch is damaged (an
   * answer ends before a later one that is), PARTITION_NOT_FOUND after its topic was dropped.
   */
  read(from: Offset, options: ReadOptions): Promise<Buffer[]>
  /** The first record whose timestamp is at least this, or undefined when there is none. Looks inside the batch. */
  offsetAt(timestampMs: number): Promise<TimedOffset | undefined>
  /** The record with the largest timestamp, or undefined in an empty partition. */
  offsetOfMaxTimestamp(): Promise<TimedOffset | undefined>
  /**
   * The transactions that were aborted and have records in `from`..`below`, the latter not included; all of them lie before the last stable
   * offset. To be asked after the records were read. Fails with STORE_CORRUPT, STORE_FAILED, PARTITION_NOT_FOUND after its topic was dropped.
   */
  abortedTransactions(from: Offset, below: Offset): Promise<readonly AbortedTransaction[]>
  /** What is remembered of producers here, as it is on disk. */
  producers(): ProducerView[]
  /** Calls back after each rise of the high watermark, until the returned function is called. What it throws is logged. */
  onAppend(listener: () => void): () => void
}

/** A transaction that was aborted: the records of this producer from the first offset up to the marker are as if never written. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: Offset
  /** Of the marker that ended it. */
  readonly lastOffset: Offset
  /** The last stable offset once it had ended: no later entry begins before it. */
  readonly lastStableOffset: Offset
}

/** A producer that writes with sequences or in transactions, as one partition knows it. */
export interface ProducerView {
  readonly id: number
  readonly epoch: number
  /** -1 when it has sent none under this epoch. */
  readonly lastSequence: number
  /** By the server's clock. */
  readonly activeAtMs: number
  /** First offset of its open transaction. */
  readonly transactionFrom: Offset | undefined
}

export interface Append {
  readonly log: PartitionLog
  readonly batch: Buffer
  /** Passed over, told with offset -1, when the topic was dropped; without it the whole append fails then. */
  readonly ifKept?: boolean
}

export interface AppendOptions {
  /** Also when there is less space on the disk than is to be kept free: for what is small, and without which nothing could be deleted. */
  readonly fromReserve?: boolean
}

/** All partitions of one data directory. */
export interface Log {
  /** The partition of this name; one that was never written to is empty. The same object for the same key. */
  partition(key: PartitionKey): PartitionLog
  /** All that have, or had, a record. */
  partitions(): PartitionLog[]
  /** Appends to several partitions in one atomic write: after a crash all of it is there, or none. Checks as `append` does, before anything is written. */
  appendAll(appends: readonly Append[], options?: AppendOptions): Promise<Appended[]>
  /**
   * Why it takes no appends now; undefined while it does. STORE_FULL: there is too little space, and it goes on by itself once there is
   * enough. STORE_FAILED: a write has failed in another way, and nobody knows what is on disk before the log is opened again.
   */
  readonly refusal: AssayError | undefined
  /**
   * Lets the partition begin at this offset, for good when it resolves; gives the offset that it then begins at, which never falls. The
   * space is given back in the background. Fails with OFFSET_OUT_OF_RANGE outside 0..high watermark, PARTITION_NOT_FOUND, STORE_FAILED.
   */
  deleteRecords(log: PartitionLog, before: Offset): Promise<Offset>
  /** From now on what is kept of a topic is what this says at each check; without it, everything. */
  retainBy(retention: (topicId: string) => Retention): void
  /** Does now what else is done in the background: retention, and giving back space. Resolves when it is done; never rejects. */
  upkeep(): Promise<void>
  /**
   * From when this resolves until the function that it gives is called, nothing is deleted in the background, by age, size or compaction:
   * what is there can be copied at leisure. Appends, reads and deletions that somebody asks for go on.
   */
  holdUpkeep(): Promise<() => void>
  /** Forgets every partition whose topic ID is not kept, for good when it resolves; their space is given back as segments are dropped. */
  keepOnly(topicIds: ReadonlySet<string>): Promise<void>
  /** Forgets the partitions of a deleted topic; from the call on they take nothing and give nothing. Nothing happens when there are none. */
  drop(topicId: string): Promise<void>
  /** Writes a checkpoint, so that the next start replays nothing, and closes the stores. */
  close(): Promise<void>
}
