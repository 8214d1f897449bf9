/**
 * One client connection: requests in, answers out in the order of the requests. As in Kafka a request waits for the one before it,
 * except that Produce follows Produce at once, so that one commit serves many; they reach the engine in their order.
 */
import type { Socket } from 'node:net'
import type { Engine, Session } from '@assay/engine'
import {
  type AnyApi,
  apiVersions,
  declaredApi,
  decodeRequest,
  encodeResponse,
  produce,
  type RequestOf,
  readRequestHeader,
  readRequestStart,
  responseFrame
} from '@assay/protocol'
import type { Logger } from '@assay/std'
import { answerApiVersions, answerUnknownApiVersions } from './api-versions.ts'
import { frameSplitter } from './frames.ts'

/** Produce requests of one connection that are under way together. Clients keep 5 or so in flight. */
const PIPELINE_MAX = 64

export interface ConnectionLimits {
  /** Largest request. */
  readonly frameBytesMax: number
  /** Bytes of requests under way, and of answers not yet taken by the client, before reading stops. */
  readonly connectionBytesMax: number
  readonly connectionIdleMs: number
  /** Most elements in all arrays of one request. */
  readonly requestElementsMax: number
}

export interface ConnectionParts {
  readonly id: number
  readonly socket: Socket
  readonly engine: Engine
  readonly limits: ConnectionLimits
  readonly logger: Logger
}

export interface Connection {
  /** Takes no more requests; ends the socket when what is under way has been answered. */
  stop(): void
  /** Ends it at once. */
  destroy(): void
  readonly closed: Promise<void>
}

interface Pending {
  readonly api: AnyApi
  readonly frameBytes: number
  readonly run: () => Promise<object | null>
  /** What to send; set when the answer is there. An empty row for a request that wants no answer. */
  answer?: readonly Buffer[]
  release?: () => void
  readonly encode: (body: object) => Buffer[]
}

export function serveConnection({ id, socket, engine, limits, logger }: ConnectionParts): Connection {
  const gone = new AbortController()
  const session: Session = {
    id,
    principal: 'User:ANONYMOUS',
    remoteAddress: socket.remoteAddress ?? 'unknown',
    closed: gone.signal
  }
  const splitter = frameSplitter(limits.frameBytesMax)
  const { promise: closed, resolve: markClosed } = Promise.withResolvers<void>()
  /** Not yet started, oldest first. */
  const waiting: Pending[] = []
  /** Started and not yet sent, oldest first. */
  const started: Pending[] = []
  let running = 0
  let bytesUnderWay = 0
  let stopping = false
  let isGathering = false

  socket.setNoDelay(true)
  socket.setKeepAlive(true)
  socket.setTimeout(limits.connectionIdleMs)
  socket.on('timeout', () => {
    // A request may wait longer than the idle time, but not for a client that has stopped taking its answers: it would stay for ever.
    if (bytesUnderWay === 0 || socket.writableLength > 0) socket.destroy()
  })
  socket.on('error', error => logger.debug({ err: error, connection: id }, 'a connection broke'))
  socket.on('close', () => {
    gone.abort()
    for (const pending of started) pending.release?.()
    markClosed()
  })
  socket.on('drain', advance)
  socket.on('data', chunk => {
    if (stopping) return
    try {
      for (const frame of splitter.push(chunk as Buffer)) take(frame)
    } catch (error) {
      refuse(error)
    }
    advance()
  })

  /** What cannot be read cannot be answered either: the client would take the answer for another one's. */
  function refuse(error: unknown, facts: object = {}): void {
    const message = error instanceof Error ? error.message : String(error)
    logger.warn({ connection: id, remoteAddress: session.remoteAddress, reason: message, ...facts }, 'connection closed')
    socket.destroy()
  }

  function take(frame: Buffer): void {
    if (socket.destroyed || stopping) return
    const start = readRequestStart(frame)
    const api = declaredApi(start)
    if (api === undefined || !isServed(api, start.version)) {
      if (start.key === apiVersions.key)
        enqueue(apiVersions, 0, start.correlationId, frame, async () => answerUnknownApiVersions())
      else refuse(`API key ${start.key} version ${start.version} is not served`)
      return
    }
    const { clientId, bodyAt } = readRequestHeader(frame, api)
    const body = decodeRequest(api, start.version, frame, bodyAt, limits.requestElementsMax)
    enqueue(api, start.version, start.correlationId, frame, async () => {
      if (api.key === apiVersions.key) return answerApiVersions(engine, start.version, body as RequestOf<typeof apiVersions>)
      try {
        return await engine.answer({ api, version: start.version, clientId, body }, session)
      } catch (error) {
        refuse(error, { api: api.name, version: start.version, clientId, err: error })
        return null
      }
    })
  }

  function isServed(api: AnyApi, version: number): boolean {
    if (api.key === apiVersions.key) return true
    const served = engine.apis.find(candidate => candidate.api.key === api.key)
    return served !== undefined && version >= served.versions[0] && version <= served.versions[1]
  }

  function enqueue(api: AnyApi, version: number, correlationId: number, frame: Buffer, run: Pending['run']): void {
    bytesUnderWay += frame.length
    const encode = (body: object): Buffer[] =>
      responseFrame(api, version, correlationId, encodeResponse(api, version, body as never))
    waiting.push({ api, frameBytes: frame.length, run, encode })
  }

  /** Starts what may start, and reads on or stops reading. */
  function advance(): void {
    while (waiting.length > 0 && mayStart(waiting[0]!)) start(waiting.shift()!)
    const full = bytesUnderWay > limits.connectionBytesMax || socket.writableLength > limits.connectionBytesMax
    // When stopping, what still comes is read and dropped: a paused socket would never see the client's end, and would be reset with answers unread.
    if (full && !stopping) socket.pause()
    else if (socket.isPaused()) socket.resume()
    if (stopping && waiting.length === 0 && started.length === 0) socket.end()
  }

  function mayStart(next: Pending): boolean {
    // A client that does not take its answers gets no more of them.
    if (socket.writableNeedDrain && socket.writableLength > limits.connectionBytesMax) return false
    if (running === 0) return true
    return started.length < PIPELINE_MAX && next.api.key === produce.key && started.at(-1)?.api.key === produce.key
  }

  function start(pending: Pending): void {
    started.push(pending)
    running++
    pending.run().then(
      body => settle(pending, body),
      error => {
        refuse(error, { api: pending.api.name, err: error })
        settle(pending, null)
      }
    )
  }

  function settle(pending: Pending, body: object | null): void {
    running--
    pending.release = releaseOf(body)
    try {
      pending.answer = body === null ? [] : pending.encode(body)
    } catch (error) {
      refuse(error, { api: pending.api.name, err: error })
      pending.answer = []
    }
    while (started[0]?.answer) send(started.shift()!)
    advance()
  }

  function send({ answer, release, frameBytes }: Pending): void {
    bytesUnderWay -= frameBytes
    if (socket.destroyed || answer!.length === 0) {
      release?.()
      return
    }
    // One commit answers many requests: what is ready in the same turn leaves in one write.
    if (!isGathering) {
      isGathering = true
      socket.cork()
      process.nextTick(() => {
        isGathering = false
        socket.uncork()
      })
    }
    const last = answer!.length - 1
    for (const [index, buffer] of answer!.entries()) socket.write(buffer, index === last ? release : undefined)
  }

  return {
    closed,
    stop() {
      stopping = true
      // Whoever waits on behalf of this connection answers with what there is.
      gone.abort()
      advance()
    },
    destroy: () => socket.destroy()
  }
}

/** An answer may hold memory of a bounded budget until it has been written. */
function releaseOf(body: object | null): () => void {
  const dispose = (body as { [Symbol.dispose]?: () => void } | null)?.[Symbol.dispose]
  return dispose === undefined ? () => {} : () => dispose.call(body)
}
