/** The one place where an error of the system becomes one of ours: a full disk is told from all else, because it passes by itself. */
import { AssayError } from '@assay/errors'

/** LevelDB's binding puts the reason of a failed opening into the cause. */
export function messageOf(error: unknown): string {
  const { cause } = error as { cause?: unknown }
  if (cause instanceof Error) return messageOf(cause)
  return error instanceof Error ? error.message : String(error)
}

/** Fails with STORE_FULL when there was no space, or no more of it for this user, STORE_FAILED otherwise. `action` follows "could not". */
export function storeFailure(action: string, error: unknown): AssayError<'STORE_FULL'> | AssayError<'STORE_FAILED'> {
  const facts = { action: `${action}: ${messageOf(error)}` }
  return isFull(error)
    ? new AssayError('STORE_FULL', facts, { cause: error })
    : new AssayError('STORE_FAILED', facts, { cause: error })
}

/** LevelDB asks for bytes behind the end of a file that is shorter than its own books say, and passes on what the system calls that. */
export function isTorn(error: unknown): boolean {
  const { code, message = '' } = error as { code?: unknown; message?: string }
  return code === 'LEVEL_IO_ERROR' && message.includes('Invalid argument')
}

/** LevelDB has one code for all failures of input and output, and the system's own words behind it. */
function isFull(error: unknown): boolean {
  const { code, message = '', cause } = error as { code?: unknown; message?: string; cause?: unknown }
  if (code === 'ENOSPC' || code === 'EDQUOT') return true
  if (code === 'LEVEL_IO_ERROR') return /No space left on device|Disk quota exceeded/.test(message)
  return cause instanceof Error && isFull(cause)
}
