/**
 * What is done with a log besides serving it: backups, and the examination and repair of a data directory. Loaded by `logTools` when it is
 * asked for, so that a server starts without it.
 */
export { BACKUP_FORMAT, BACKUP_MEDIA_TYPE } from './backup/frames.ts'
export { readManifest } from './backup/manifest.ts'
export { receiveBackup } from './backup/receive.ts'
export { examineBackup, restoreLog } from './backup/restore.ts'
export { takeBackup } from './backup/take.ts'
export { examineData, scratchDirectory, withExamined } from './offline/examine.ts'
export { findings } from './offline/finding.ts'
export { assertFree, makeDirectory } from './offline/new-directory.ts'
export { salvage } from './offline/salvage.ts'
