export type { Flush } from './commit.ts'
export { type DirectoryOptions, openLog } from './directory.ts'
export { type LogOptions, type LogParts, logDefaults, openLogOver } from './journal-log.ts'
export type {
  Append,
  Appended,
  AppendOptions,
  Log,
  Offset,
  PartitionKey,
  PartitionLog,
  ReadOptions,
  TimedOffset
} from './log.ts'
export { keepForever, type Retention } from './retention-settings.ts'
