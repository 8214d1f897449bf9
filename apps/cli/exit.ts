/** Exit codes: a script can tell "your schemas have findings" from "the tool failed". */
import { isAssayError } from '@assay/errors'
import pc from 'picocolors'
import { say } from './print.ts'

export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  unreachable: 3,
  findings: 100
} as const

/** Of the verbs that examine a directory: what they are called by asks for these. */
export const doctorCodes = {
  sound: 0,
  findings: 1,
  failure: 2
} as const

/** What cannot be examined is no finding. */
export async function reportingFailure(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isAssayError(error)) throw error
    say(`${pc.red('assay:')} ${error.message}`)
    process.exitCode = doctorCodes.failure
  }
}

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  if (isAssayError(error, 'INVALID_SETTING', 'INVALID_ARGUMENT')) return exitCodes.usage
  if (isAssayError(error, 'UNREACHABLE')) return exitCodes.unreachable
  return exitCodes.failure
}
