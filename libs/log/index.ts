export type { BackedUpPartition, Manifest } from './backup/manifest.ts'
export type { RestoreOptions } from './backup/restore.ts'
export type { BackupParts } from './backup/take.ts'
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
export type { ContentExamination, ContentFacts, Examination, Examined, ExamineOptions } from './offline/examine.ts'
export type { Finding, Findings } from './offline/finding.ts'
export type { Progress } from './offline/progress.ts'
export type { Loss, Salvage, SalvageOptions } from './offline/salvage.ts'
export { keepForever, type Retention } from './retention-settings.ts'
export type { Replay } from './state.ts'
export { markerBatch } from './transactions.ts'

/** Backups, and work on a data directory that no server has open. */
export const logTools = () => import('./tools.ts')
