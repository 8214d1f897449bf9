/** The way of a backup out of a server that goes on serving. */
import { assert } from '@assay/std'
import { t } from '../json-schema.ts'
import { route } from '../route.ts'

export interface Backups {
  /** The bytes of a backup of all that was acknowledged before. Fails with BACKUP_RUNNING while another is being taken. */
  take(): Promise<AsyncIterable<Uint8Array>>
}

export const takeBackup = route<Backups>()({
  method: 'GET',
  path: '/v1/backup',
  access: 'admin',
  says: 'Sends all records of all topics and the registry as of one moment, in the format of docs/formats/backup.md; assay backup stores it.',
  errors: ['BACKUP_RUNNING'],
  reply: t.String({ format: 'binary' }),
  sends: { mediaType: 'application/vnd.assay.backup' },
  headers: { 'cache-control': 'no-store' },
  streams: (_input, backups) => backups.take(),
  run: () => {
    assert(false, 'a backup is streamed')
  }
})

export const backupRoutes = [takeBackup]
