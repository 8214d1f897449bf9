/** Exit codes: a script can tell "your schemas have findings" from "the tool failed". */
import { isAssayError } from '@assay/errors'

export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  unreachable: 3,
  findings: 100
} as const

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  if (isAssayError(error, 'INVALID_SETTING', 'INVALID_ARGUMENT')) return exitCodes.usage
  if (isAssayError(error, 'UNREACHABLE')) return exitCodes.unreachable
  return exitCodes.failure
}
