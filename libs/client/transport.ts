/** How a question travels: by fetch; over TLS with certificates of one's own by node:https, because fetch takes none. */
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { Readable } from 'node:stream'
import { createSecureContext } from 'node:tls'
import { AssayError } from '@assay/errors'

/** PEM texts, as in files of certificates. */
export interface TlsOptions {
  /** Authorities that the server's certificate may come from, instead of those of the system. */
  readonly ca?: string
  /** The client's own certificate and key, for a server that asks for one. */
  readonly cert?: string
  readonly key?: string
}

export interface Outgoing {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
}

/** Resolves with the head of the answer; rejects with what the system says when none comes. */
export type Transport = (url: string, outgoing: Outgoing) => Promise<Response>

/** Fails with INVALID_ARGUMENT when a certificate or key cannot be read. */
export function transportOf(tls: TlsOptions | undefined): Transport {
  return tls === undefined ? byFetch : byHttps(tls)
}

const byFetch: Transport = (url, outgoing) => fetch(url, { ...outgoing, redirect: 'error' })

function byHttps({ ca, cert, key }: TlsOptions): Transport {
  if ((cert === undefined) !== (key === undefined)) {
    throw new AssayError('INVALID_ARGUMENT', { reason: 'a client certificate needs its key, and a key its certificate' })
  }
  const given = { ...(ca !== undefined && { ca }), ...(cert !== undefined && key !== undefined && { cert, key }) }
  try {
    createSecureContext(given)
  } catch (error) {
    const reason = `the certificates cannot be used: ${(error as Error).message}`
    throw new AssayError('INVALID_ARGUMENT', { reason }, { cause: error })
  }
  const agent = new Agent({ keepAlive: true, ...given })
  return (url, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      if (!url.startsWith('https:'))
        throw new AssayError('INVALID_ARGUMENT', { reason: 'certificates are for an address that begins with https:' })
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const asked = request(url, { method, headers: { ...headers, ...length }, agent, signal })
      asked.once('error', error => reject(signal.aborted ? signal.reason : error))
      asked.once('response', message => resolve(responseOf(message)))
      asked.end(body)
    })
}

/** As fetch would hand it over: what reads an answer need not know how it came. */
function responseOf(message: IncomingMessage): Response {
  const status = message.statusCode ?? 0
  const headers = new Headers()
  for (const [name, value] of Object.entries(message.headers)) if (value !== undefined) headers.set(name, String(value))
  if (status === 204 || status === 304) {
    message.resume()
    return new Response(null, { status, headers })
  }
  return new Response(Readable.toWeb(message) as ReadableStream, { status, headers })
}
