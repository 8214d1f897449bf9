/** Making a log out of a backup, and looking whether that would be possible. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isAssayError } from '@assay/errors'
import type { Clock } from '@assay/std'
import type { Findings } from '../offline/finding.ts'
import type { Progress } from '../offline/progress.ts'
import { type WholePartition, writeLog } from '../offline/write-log.ts'
import { type BackedUpPartition, fileOf, type Manifest, PARTITIONS_DIRECTORY } from './manifest.ts'
import { batchesOfFile } from './partition-file.ts'

export interface RestoreOptions {
  readonly clock: Clock
  /** In bytes. */
  readonly onProgress?: Progress
  /** Of the others only the end offset is restored. Default: all are. */
  readonly wants?: (partition: BackedUpPartition) => boolean
}

/** Writes the log into an empty directory; every byte is checked on its way. Fails with STORE_CORRUPT, STORE_FAILED. */
export async function restoreLog(
  backup: string,
  manifest: Manifest,
  directory: string,
  { clock, onProgress, wants = () => true }: RestoreOptions
): Promise<void> {
  const onBytes = meterOf(manifest, onProgress)
  async function* partitions(): AsyncGenerator<WholePartition> {
    for (const partition of manifest.partitions) {
      const { topicId, startOffset, endOffset } = partition
      const key = { topicId, partition: partition.partition }
      if (wants(partition)) yield { key, startOffset, endOffset, batches: batchesOfFile(backup, partition, onBytes) }
      else yield { key, startOffset: endOffset, endOffset, batches: none() }
    }
  }
  await writeLog(directory, partitions(), { clock })
}

async function* none(): AsyncGenerator<never> {}

/** Reads every byte of a backup and tells each fault. Progress is in bytes. */
export async function examineBackup(
  backup: string,
  manifest: Manifest,
  { found, onProgress }: { readonly found: Findings; readonly onProgress?: Progress | undefined }
): Promise<void> {
  const onBytes = meterOf(manifest, onProgress)
  const advice = 'take another backup; of this one, this partition cannot be restored'
  for (const partition of manifest.partitions) {
    const { topicId, partition: number, startOffset: from, endOffset } = partition
    try {
      for await (const _ of batchesOfFile(backup, partition, onBytes));
    } catch (error) {
      if (!isAssayError(error, 'STORE_CORRUPT', 'STORE_FAILED')) throw error
      found.add({
        ...{ kind: 'file', severity: 'damage', file: fileOf(backup, partition), partition: { topicId, partition: number } },
        ...{ from, to: endOffset - 1, says: error.message, advice }
      })
    }
  }
  const expected = new Set(manifest.partitions.filter(({ batches }) => batches > 0).map(partition => fileOf(backup, partition)))
  for (const name of await readdir(join(backup, PARTITIONS_DIRECTORY)).catch(() => [])) {
    const file = join(backup, PARTITIONS_DIRECTORY, name)
    if (expected.has(file)) continue
    found.add({
      kind: 'file',
      severity: 'note',
      file,
      says: 'the manifest does not name it',
      advice: 'nothing: it is not restored'
    })
  }
}

function meterOf({ partitions }: Manifest, onProgress: Progress | undefined): (bytes: number) => void {
  const total = partitions.reduce((sum, { bytes }) => sum + bytes, 0)
  let done = 0
  return bytes => {
    done += bytes
    onProgress?.({ done, total })
  }
}
