/** What a request brings to prove who sends it: an Authorization header (RFC 7617, RFC 6750), or the certificate of its connection. */
import type { IncomingMessage } from 'node:http'
import { AssayError } from '@assay/errors'
import { type Credentials, certifiedPrincipal } from '@assay/security'

/** Undefined when there is no header. Fails with NOT_AUTHENTICATED when it cannot be read. */
export function credentialsOf(header: string | undefined): Credentials | undefined {
  if (header === undefined) return undefined
  const space = header.indexOf(' ')
  const scheme = header.slice(0, space).toLowerCase()
  const value = header.slice(space + 1).trim()
  if (scheme === 'bearer' && value !== '') return { kind: 'token', token: value }
  if (scheme === 'basic') {
    const text = Buffer.from(value, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    if (colon > 0) return { kind: 'password', name: text.slice(0, colon), password: text.slice(colon + 1) }
  }
  throw new AssayError('NOT_AUTHENTICATED', { reason: 'the Authorization header is neither Basic nor Bearer, or holds nothing' })
}

const principals = new WeakMap<object, string>()

/** Undefined for a connection without a certificate. Fails with NOT_AUTHENTICATED when its certificate is from nobody we know. */
export function certifiedBy({ socket }: Pick<IncomingMessage, 'socket'>): string | undefined {
  const known = principals.get(socket)
  if (known !== undefined) return known
  const principal = certifiedPrincipal(socket)
  if (principal !== undefined) principals.set(socket, principal)
  return principal
}
