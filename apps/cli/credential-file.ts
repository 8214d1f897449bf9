/** Files that settings name: certificates, keys, and passwords in their first line. */
import { readFileSync } from 'node:fs'
import { keyOf, type SettingName } from '@assay/config'
import { AssayError } from '@assay/errors'

/** Fails with INVALID_ARGUMENT, which names the setting. */
export function readNamedFile(name: SettingName, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new AssayError(
      'INVALID_ARGUMENT',
      { reason: `--${keyOf(name)} ${path}: ${(error as Error).message}` },
      { cause: error }
    )
  }
}

export const firstLine = (text: string): string => text.split(/\r?\n/, 1)[0]!
