/** What is kept of a topic: the settings that the log goes by. */

/** How a topic's records leave it; the names are Kafka's, with -1 for "without bound". */
export interface Retention {
  /** `delete` drops the oldest batches, `compact` keeps the last record of each key. */
  readonly cleanup: 'delete' | 'compact' | 'compact,delete'
  /** A batch goes once its latest record is older than this. */
  readonly retentionMs: number
  /** Bytes of batches of one partition. */
  readonly retentionBytes: number
  /** With compaction: how long a tombstone stays after the pass that first met it. */
  readonly deleteRetentionMs: number
  /** With compaction: batches with younger records are left alone. */
  readonly minCompactionLagMs: number
  /** With compaction: a batch with a record older than this makes a pass worth its while by itself. */
  readonly maxCompactionLagMs: number
  /** With compaction: a pass is worth its while when so large a part of the partition's bytes was written since the last one. */
  readonly minCleanableDirtyRatio: number
}

export const keepForever: Retention = {
  cleanup: 'delete',
  retentionMs: -1,
  retentionBytes: -1,
  deleteRetentionMs: 86_400_000,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  minCleanableDirtyRatio: 0.5
}
