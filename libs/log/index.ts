export { BACKUP_FORMAT, BACKUP_MEDIA_TYPE } from './backup/frames.ts'
export { type BackedUpPartition, type Manifest, readManifest } from './backup/manifest.ts'
export { receiveBackup } from './backup/receive.ts'
export { examineBackup, type RestoreOptions, restoreLog } from './backup/restore.ts'
export { type BackupParts, takeBackup } from './backup/take.ts'
export type { Flush } from './commit.ts'
export { type DirectoryOptions, openLog } from './directory.ts'
export { type LogOptions, type LogParts, logDefaults, openLogOver } from './journal-log.ts'
export type {
  Append,
  Appended,
  Log,
  Offset,
  PartitionKey,
  PartitionLog,
  ReadOptions,
  TimedOffset
} from './log.ts'
export {
  type ContentExamination,
  type ContentFacts,
  type Examination,
  type Examined,
  type ExamineOptions,
  examineData,
  scratchDirectory,
  withExamined
} from './offline/examine.ts'
export { type Finding, type Findings, findings } from './offline/finding.ts'
export { assertFree, makeDirectory } from './offline/new-directory.ts'
export type { Progress } from './offline/progress.ts'
export { type Loss, type Salvage, type SalvageOptions, salvage } from './offline/salvage.ts'
export { keepForever, type Retention } from './retention-settings.ts'
