/** Backups that a server is asked for: one at a time, for each keeps retention and compaction waiting. */
import { AssayError } from '@assay/errors'
import { type BackupParts, logTools } from '@assay/log'
import type { Backups } from '@assay/registry-service'

export function openBackups(parts: BackupParts): Backups {
  let isTaken = false
  return {
    async take() {
      if (isTaken) throw new AssayError('BACKUP_RUNNING', {})
      isTaken = true
      const release = (): void => {
        isTaken = false
      }
      try {
        const { takeBackup } = await logTools()
        return releasing(takeBackup(parts), release)
      } catch (error) {
        release()
        throw error
      }
    }
  }
}

/** Calls back also when nobody ever asks for the first frame: a generator that was not begun has no `finally`. */
function releasing(frames: AsyncGenerator<Buffer>, release: () => void): AsyncIterable<Buffer> {
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        try {
          const result = await frames.next()
          if (result.done) release()
          return result
        } catch (error) {
          release()
          throw error
        }
      },
      async return() {
        await frames.return(undefined)
        release()
        return { done: true as const, value: undefined }
      }
    })
  }
}
