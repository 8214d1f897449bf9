/** Questions over HTTP with a bound on time and size. Whatever goes wrong is UNREACHABLE, or PEER_REFUSED with the peer's code and text. */
import { AssayError, isAssayError } from '@assay/errors'
import { type TlsOptions, transportOf } from './transport.ts'

export type HttpAuth = { readonly bearer: string } | { readonly username: string; readonly password: string }

export interface HttpOptions {
  /** Address of the HTTP door, such as http://localhost:8081; a path in it stays in front. */
  readonly url: string
  /** For each question, from the first byte to the last. Default 10,000. */
  readonly timeoutMs?: number
  readonly auth?: HttpAuth
  /** For https with certificates of one's own. */
  readonly tls?: TlsOptions
}

export interface Question {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Each part is one segment and gets escaped. */
  readonly path: readonly (string | number)[]
  /** A list stands for a parameter that is given several times. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined | readonly string[]>>
  readonly body?: unknown
}

export interface HttpPeer {
  /** The answer's JSON; undefined when it has no content. */
  ask(question: Question): Promise<unknown>
  /** The answer as it stands. */
  askText(question: Question): Promise<string>
  /** An answer that does not end by itself: only its head is awaited within the time limit. */
  open(question: Question, options: { readonly accept: string; readonly signal?: AbortSignal }): Promise<Response>
  /** The error that a failure below `open` becomes, such as a connection that breaks off. */
  lost(error: unknown): AssayError
}

const answerBytesMax = 64 * 1024 * 1024
const NO_CONTENT = 204

/** `what` names the peer in errors: "The registry". `mediaType` is what its bodies are sent as. */
export function httpPeer({ url, timeoutMs = 10_000, auth, tls }: HttpOptions, what: string, mediaType: string): HttpPeer {
  const { base, where, authorization } = addressOf(url, auth)
  const transport = transportOf(tls)
  const lost = (error: unknown): AssayError =>
    new AssayError('UNREACHABLE', { what, where, reason: reasonOf(error, timeoutMs) }, { cause: error })

  const send = async (
    { method = 'GET', path, query, body }: Question,
    accept: string,
    signal: AbortSignal
  ): Promise<Response> => {
    const target = `${base}/${path.map(part => encodeURIComponent(part)).join('/')}${queryText(query)}`
    const headers: Record<string, string> = { accept }
    if (authorization !== undefined) headers['authorization'] = authorization
    if (body !== undefined) headers['content-type'] = mediaType
    const once = (): Promise<Response> =>
      transport(target, { method, headers, signal, ...(body !== undefined && { body: JSON.stringify(body, bigintAsText) }) })
    let response: Response
    try {
      response = await once().catch(error => {
        if (method === 'GET' && wasCutOff(error)) return once()
        throw error
      })
    } catch (error) {
      throw isAssayError(error) ? error : lost(error)
    }
    if (!response.ok) throw refusalOf(response.status, await readText(response), what)
    return response
  }
  const readText = async (response: Response): Promise<string> => {
    const chunks: Uint8Array[] = []
    let size = 0
    try {
      for await (const chunk of response.body ?? []) {
        size += chunk.length
        if (size > answerBytesMax) throw new Error(`the answer is larger than ${answerBytesMax} bytes`)
        chunks.push(chunk)
      }
    } catch (error) {
      throw lost(error)
    }
    return Buffer.concat(chunks).toString('utf8')
  }

  return {
    lost,
    askText: async question => readText(await send(question, '*/*', AbortSignal.timeout(timeoutMs))),
    async ask(question) {
      const response = await send(question, `${mediaType}, application/json`, AbortSignal.timeout(timeoutMs))
      const text = await readText(response)
      if (response.status === NO_CONTENT) return undefined
      try {
        return JSON.parse(text)
      } catch (error) {
        throw new AssayError('PEER_REFUSED', { what, status: response.status, reason: 'the body is not JSON' }, { cause: error })
      }
    },
    async open(question, { accept, signal }) {
      const headTimeout = new AbortController()
      const timer = setTimeout(() => headTimeout.abort(new DOMException('timed out', 'TimeoutError')), timeoutMs)
      try {
        return await send(question, accept, signal ? AbortSignal.any([signal, headTimeout.signal]) : headTimeout.signal)
      } finally {
        clearTimeout(timer)
      }
    }
  }
}

/** A registry's error codes begin with the HTTP status (40403), so one number holds both; the status alone when there is no code. */
function refusalOf(status: number, text: string, what: string): AssayError<'PEER_REFUSED'> {
  let code: unknown
  let message: unknown
  try {
    const body = JSON.parse(text) as Record<string, unknown> | null
    code = body?.['error_code']
    message = body?.['message']
  } catch {
    message = text.slice(0, 200)
  }
  const reason = typeof message === 'string' && message !== '' ? message : 'no reason given'
  return new AssayError('PEER_REFUSED', { what, status: typeof code === 'number' ? code : status, reason })
}

/** fetch takes no credentials in a URL, and an error text must not show them. */
function addressOf(url: string, auth: HttpAuth | undefined): { base: string; where: string; authorization: string | undefined } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw new AssayError('INVALID_ARGUMENT', { reason: 'url: expected an address such as http://localhost:8081' })
  }
  const { username, password } = parsed
  const given =
    auth ?? (username === '' ? undefined : { username: decodeURIComponent(username), password: decodeURIComponent(password) })
  const base = `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '')
  return { base, where: base, authorization: given && authorizationOf(given) }
}

function authorizationOf(auth: HttpAuth): string {
  if ('bearer' in auth) return `Bearer ${auth.bearer}`
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`
}

function queryText(query: Question['query'] = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map(one => [name, String(one)])
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}

/**
 * A connection kept for the next question may be closed by the other side at the very moment when it is used again.
 * A question that changes nothing may then be asked once more (RFC 9110, 9.2.2).
 */
function wasCutOff(error: unknown): boolean {
  const { code = (error as { cause?: { code?: string } }).cause?.code } = error as { code?: string }
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
}

/** fetch says "fetch failed"; what happened is in its cause. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error)
  const { code, cause } = error as { code?: unknown; cause?: { name?: string; code?: unknown; message?: string } }
  if (error.name === 'TimeoutError' || cause?.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`
  if (typeof cause?.code === 'string') return cause.code
  return cause?.message ?? (typeof code === 'string' ? code : error.message)
}

/** A long beyond 2^53 travels as text: a JSON number of that size may be rounded on its way. */
const bigintAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
