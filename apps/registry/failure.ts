/** The one place where a failure becomes a status and a body: always `{ error_code, message }`, because clients read nothing else. */
import { AssayError, isAssayError } from '@assay/errors'

export interface Failure {
  readonly status: number
  readonly body: { readonly error_code: number; readonly message: string }
  /** The row's name, or UNEXPECTED. */
  readonly code: string
  /** True for a fault of ours, which is logged in full and not told. */
  readonly isFault: boolean
}

/** What fastify calls its own refusals, as rows of our table. */
export function failureOf(error: unknown, { bodyBytesMax }: { readonly bodyBytesMax: number }): Failure {
  if (isAssayError(error)) {
    const { http = 500, registry = 500 } = error.row
    return { status: http, body: { error_code: registry, message: error.message }, code: error.code, isFault: false }
  }
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message?: string }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return failureOf(new AssayError('BODY_TOO_LARGE', { limit: bodyBytesMax }), { bodyBytesMax })
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return failureOf(new AssayError('INVALID_REQUEST_BODY', { reason: message ?? 'The request cannot be read' }), {
      bodyBytesMax
    })
  }
  return { status: 500, body: { error_code: 500, message: 'Internal Server Error' }, code: 'UNEXPECTED', isFault: true }
}
