export type { TransactionEnd } from './batch-facts.ts'
export type { Flush } from './commit.ts'
export { type DirectoryOptions, openLog } from './directory.ts'
export { type LogOptions, type LogParts, logDefaults, openLogOver } from './journal-log.ts'
export type {
  AbortedTransaction,
  Append,
  Appended,
  AppendOptions,
  Log,
  Offset,
  PartitionKey,
  PartitionLog,
  ProducerView,
  ReadOptions,
  TimedOffset
} from './log.ts'
export { keepForever, type Retention } from './retention-settings.ts'
export { markerBatch } from './transactions.ts'
