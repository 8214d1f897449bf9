/** HTTP by hand: bytes as they are given, in the pieces that are given, and the answers that come back. For requests that no client would send. */
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export interface Exchange {
  /** In the order in which they came; interim ones (100 Continue) are left out. */
  readonly answers: readonly Answer[]
  /** The server closed the connection, or cut it off. */
  readonly isClosed: boolean
  /** From the last byte that was sent to the last answer or the close; -1 when neither came in time. */
  readonly millis: number
  /** What was read after the last whole answer. */
  readonly rubbish: string
}

export interface Sending {
  /** Written one after the other, with a turn of the event loop between them. */
  readonly pieces: readonly Buffer[]
  /** As many answers as are waited for, unless the connection is closed before. */
  readonly answers: number
  /** The answers have no body, whatever their headers say: the method is HEAD. */
  readonly isHead?: boolean
  /** Sends FIN after the last byte: what is missing will not come. */
  readonly ends?: boolean
}

export interface WireClient {
  send(sending: Sending): Promise<Exchange>
  close(): void
}

/** One connection after the other to HOST:PORT: a new one whenever the server, or a sending that ends, has closed the last. */
export function wireClient(address: string, timeoutMs: number): WireClient {
  const { hostname, port } = new URL(`http://${address}`)
  let socket: Socket | undefined

  /** A kept connection may be closed by the server while a request is on its way: what was not heard is sent again, as every client does. */
  async function send(sending: Sending): Promise<Exchange> {
    const isKept = socket !== undefined
    const exchange = await sendOnce(sending)
    return isKept && exchange.isClosed && exchange.answers.length === 0 ? sendOnce(sending) : exchange
  }

  async function sendOnce({ pieces, answers: expected, isHead = false, ends = false }: Sending): Promise<Exchange> {
    if (socket?.destroyed) socket = undefined
    socket ??= await connected(hostname, Number(port))
    const own = socket
    const received: Buffer[] = []
    const { promise: settled, resolve: settle } = Promise.withResolvers<boolean>()
    let isClosed = false
    const onData = (chunk: Buffer): void => {
      received.push(chunk)
      if (!ends && readAnswers(Buffer.concat(received), isHead).answers.length >= expected) settle(true)
    }
    const onClose = (): void => {
      isClosed = true
      settle(true)
    }
    own.on('data', onData).once('close', onClose)
    for (const [at, piece] of pieces.entries()) {
      if (at > 0) await new Promise(resolve => setImmediate(resolve))
      if (own.writable) own.write(piece)
    }
    if (ends) own.end()
    const sent = performance.now()
    const timer = setTimeout(() => settle(false), timeoutMs)
    const inTime = await settled
    clearTimeout(timer)
    const millis = inTime ? performance.now() - sent : -1
    own.off('data', onData).off('close', onClose)
    const { answers, rest } = readAnswers(Buffer.concat(received), isHead)
    const closes = isClosed || answers.some(({ closes }) => closes)
    if (closes || ends || !inTime) {
      own.destroy()
      socket = undefined
    }
    return { answers, isClosed, millis, rubbish: rest.toString('latin1', 0, 200) }
  }

  return { send, close: () => void socket?.destroy() }
}

function connected(host: string, port: number): Promise<Socket> {
  const socket = connect(port, host)
  socket.setNoDelay(true)
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      // A connection that is cut off is an answer, too; it is told by its close.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}

interface ReadAnswer extends Answer {
  readonly closes: boolean
}

/** Whole answers at the front, and what is left. Chunked bodies are put together. */
function readAnswers(bytes: Buffer, isHead: boolean): { readonly answers: ReadAnswer[]; readonly rest: Buffer } {
  const answers: ReadAnswer[] = []
  let rest = bytes
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n')
    if (headEnd < 0) return { answers, rest }
    const [statusLine = '', ...lines] = rest.toString('latin1', 0, headEnd).split('\r\n')
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1])
    if (!status) return { answers, rest }
    const headers = new Map(lines.map(line => splitHeader(line)))
    const hasBody = !isHead && status >= 200 && status !== 204 && status !== 304
    const body = hasBody ? readBody(rest.subarray(headEnd + 4), headers) : { text: '', bytes: 0 }
    if (body === undefined) return { answers, rest }
    rest = rest.subarray(headEnd + 4 + body.bytes)
    if (status < 200) continue
    const closes = headers.get('connection')?.toLowerCase() === 'close'
    answers.push({ status, contentType: headers.get('content-type') ?? '', body: body.text, closes })
  }
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}

function readBody(
  bytes: Buffer,
  headers: ReadonlyMap<string, string>
): { readonly text: string; readonly bytes: number } | undefined {
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(bytes)
  const length = Number(headers.get('content-length') ?? 0)
  return bytes.length < length ? undefined : { text: bytes.toString('utf8', 0, length), bytes: length }
}

function readChunks(bytes: Buffer): { readonly text: string; readonly bytes: number } | undefined {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (bytes.length < next) return undefined
    if (size === 0) return { text: Buffer.concat(parts).toString('utf8'), bytes: next }
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = next
  }
}
