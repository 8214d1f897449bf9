/**
 * Keeps web pages of other sites away. A page can make a browser send requests to this machine, and by pointing a name of its own at
 * 127.0.0.1 (DNS rebinding) also read the answers; with a password kept by the browser, or a certificate, it would act in its user's name.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { isLoopback } from '@assay/config'
import { AssayError } from '@assay/errors'

/** Fails with FOREIGN_ORIGIN unless the request is for this machine by a name that only means this machine. */
export function checkHost({ host }: IncomingHttpHeaders): void {
  const name = nameOf(host)
  if (name === undefined || isLoopback(name) || name.endsWith('.localhost')) return
  throw refused(
    `the server listens on this machine alone and was called ${name.slice(0, 100)}; call it localhost, or turn security on (--security-file)`
  )
}

/**
 * Fails with FOREIGN_ORIGIN for a write that a page of another origin makes a browser send. Programs send none of these headers.
 * A bearer token is not sent by browsers on their own, so whoever sends one means it.
 */
export function checkOrigin(method: string, headers: IncomingHttpHeaders): void {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return
  const { origin, host, authorization } = headers
  if (origin === undefined || authorization?.slice(0, 7).toLowerCase() === 'bearer ') return
  const site = headers['sec-fetch-site']
  if (site === 'same-origin' || (site === undefined && isSameHost(origin, host))) return
  throw refused(`a page of ${origin.slice(0, 100)} may not write here`)
}

function isSameHost(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()
}

/** Without port and brackets; undefined when there is none (HTTP/1.0, which no browser speaks). */
function nameOf(host: string | undefined): string | undefined {
  if (host === undefined || host === '') return undefined
  const bracketed = /^\[([^\]]*)\]/.exec(host)
  return (bracketed?.[1] ?? host.replace(/:\d*$/, '')).toLowerCase()
}

const refused = (reason: string): AssayError => new AssayError('FOREIGN_ORIGIN', { reason })
