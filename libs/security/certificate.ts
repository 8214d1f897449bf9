/** Who stands behind a TLS connection, by the certificate that the client has shown. */
import { TLSSocket } from 'node:tls'
import { AssayError } from '@assay/errors'
import { subjectOf } from './distinguished-name.ts'
import { userPrincipal } from './principal.ts'

/** Undefined for a connection without a certificate. Fails with NOT_AUTHENTICATED when its certificate is from nobody we know. */
export function certifiedPrincipal(socket: object): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  if (!socket.authorized) {
    const reason = `the certificate was refused: ${String(socket.authorizationError ?? 'unknown authority')}`
    throw new AssayError('NOT_AUTHENTICATED', { reason })
  }
  const subject = subjectOf(certificate.raw)
  if (subject === '') throw new AssayError('NOT_AUTHENTICATED', { reason: 'the certificate has no subject' })
  return userPrincipal(subject)
}
