/** Expected failures as the wire tells them. Anything else is a fault of ours and goes on being thrown. */
import { AssayError } from '@assay/errors'
import { errorCodeOf } from '@assay/protocol'

export interface Refusal {
  readonly errorCode: number
  readonly errorMessage: string
}

export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof AssayError)) throw error
  return { errorCode: errorCodeOf(error), errorMessage: error.message }
}
