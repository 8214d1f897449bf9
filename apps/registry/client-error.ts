/** Answers what is no HTTP, too large, or too slow, where no request comes of it and no route can answer: the same body as any other failure. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { PREFERRED_TYPE } from './negotiate.ts'

/** What Node's parser says, by code; everything else is a request that cannot be read. */
const known: Readonly<Record<string, readonly [status: number, phrase: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not arrive in time']
}

export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // The client has gone, or an answer is under way already: nothing can be said any more.
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, phrase, message] = known[error.code ?? ''] ?? [400, 'Bad Request', `The request is no HTTP: ${error.message}`]
  const body = Buffer.from(JSON.stringify({ error_code: status, message }))
  const head = [
    `HTTP/1.1 ${status} ${phrase}`,
    `content-type: ${PREFERRED_TYPE}`,
    `content-length: ${body.length}`,
    'connection: close'
  ]
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]))
}

/** An `Expect` that is not `100-continue` (RFC 9110, 10.1.1). */
export function answerExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify({ error_code: 417, message: 'HTTP 417 Expectation Failed: only 100-continue is met here' })
  response.writeHead(417, { 'content-type': PREFERRED_TYPE, 'content-length': Buffer.byteLength(body), connection: 'close' })
  response.end(body)
}
