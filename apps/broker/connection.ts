/**
 * One client connection: requests in, answers out in the order of the requests. As in Kafka a request waits for the one before it,
 * except that Produce follows Produce at once, so that one commit serves many; they reach the engine in their order.
 */
import type { Socket } from 'node:net'
import type { Engine, Session } from '@assay/engine'
import { AssayError } from '@assay/errors'
import {
  type AnyApi,
  apiVersions,
  declaredApi,
  decodeRequest,
  encodeResponse,
  fetch,
  produce,
  type RequestOf,
  type ResponseOf,
  readRequestHeader,
  readRequestStart,
  responseFrame,
  saslAuthenticate,
  saslHandshake
} from '@assay/protocol'
import type { Clock, LentMemory, Logger, Timer } from '@assay/std'
import { answerApiVersions, answerUnknownApiVersions, doorApis } from './api-versions.ts'
import { type Frame, frameSplitter } from './frames.ts'
import { type QuotaDesk, WAIT_MS_MAX } from './quotas.ts'
import { type AuthenticationEvents, type AuthenticationTerms, openAuthentication } from './security/authentication.ts'

/** Produce requests of one connection that are under way together. Clients keep 5 or so in flight. */
const PIPELINE_MAX = 64

/** Largest request of who has not yet proved who he is: no message of a log-in needs more. */
const UNKNOWN_FRAME_BYTES_MAX = 64 * 1024

export interface ConnectionLimits {
  /** Largest request. */
  readonly frameBytesMax: number
  /** How long a client may take to prove who he is. */
  readonly handshakeTimeoutMs: number
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
  /** For the frames of all connections. */
  readonly memory: LentMemory
  readonly logger: Logger
  readonly clock: Clock
  /** Who the certificate of the client names. */
  readonly certified: string | undefined
  /** Undefined: nobody is asked who he is. */
  readonly authentication: AuthenticationTerms | undefined
  readonly onAuthentication: AuthenticationEvents
  /** Absent: nobody has a quota. */
  readonly quotas?: QuotaDesk | undefined
}

export interface Connection {
  /** Takes what has come, and copies it. */
  receive(chunk: Uint8Array): void
  readonly remoteAddress: string
  /** To be called from time to time: ends a connection that has taken too long to do what it must. */
  sweep(nowMs: number): void
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
  /** What comes behind it waits until it has been looked at. */
  readonly isProof: boolean
}

interface Answered {
  readonly api: AnyApi
  readonly clientId: string | null
  readonly frameBytes: number
  readonly answer: object | null
  /** For how long the thread has worked for it; undefined when nobody wants to know. */
  readonly workMs: number | undefined
}

export function serveConnection(parts: ConnectionParts): Connection {
  const { id, socket, engine, limits, memory, logger, clock, certified } = parts
  const gone = new AbortController()
  const remoteAddress = socket.remoteAddress ?? 'unknown'
  const authentication = openAuthentication(parts.authentication, { certified, address: remoteAddress }, parts.onAuthentication)
  const session: Session = {
    id,
    get principal() {
      return authentication.principal
    },
    remoteAddress,
    closed: gone.signal
  }
  const splitter = frameSplitter(
    () => (authentication.isKnown ? limits.frameBytesMax : Math.min(limits.frameBytesMax, UNKNOWN_FRAME_BYTES_MAX)),
    memory
  )
  const bornMs = clock.now()
  /** When the last frame was whole: who sends the next one byte by byte is as idle as who sends nothing. */
  let frameAtMs = bornMs
  /** A message of a log-in is being looked at: what it says decides about the frames behind it. */
  let isProving = false
  const behindProof: Frame[] = []
  /** Nothing is read or begun before: the client has sent or read more than he may. */
  let mutedUntilMs = 0
  let unmuting: Timer | undefined
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
    unmuting?.cancel()
    for (const pending of started) pending.release?.()
    markClosed()
  })
  socket.on('drain', advance)

  function receive(chunk: Uint8Array): void {
    if (stopping) return
    try {
      const frames = splitter.push(chunk)
      if (frames.length > 0) frameAtMs = clock.now()
      for (const frame of frames) takeInTurn(frame)
    } catch (error) {
      refuse(error)
    }
    advance()
  }

  /** What cannot be read cannot be answered either: the client would take the answer for another one's. */
  function refuse(error: unknown, facts: object = {}): void {
    const message = error instanceof Error ? error.message : String(error)
    logger.warn({ connection: id, remoteAddress: session.remoteAddress, reason: message, ...facts }, 'connection closed')
    socket.destroy()
  }

  function takeInTurn(frame: Frame): void {
    if (isProving) {
      behindProof.push(frame)
      return
    }
    take(frame)
    // A handshake must be done before the frame behind it can be read.
    if (!authentication.isKnown) advance()
  }

  /** Answers a message of a log-in, and reads on when it has been looked at. */
  async function prove(message: Buffer): Promise<object> {
    const { body, ends } = await authentication.authenticate(message)
    if (ends) endAfterAnswer()
    return body
  }

  function proved(): void {
    isProving = false
    try {
      while (behindProof.length > 0 && !isProving) takeInTurn(behindProof.shift()!)
    } catch (error) {
      refuse(error)
    }
  }

  function endAfterAnswer(): void {
    stopping = true
    // They are not answered, and must not look as if they were still to be.
    for (const { frameBytes } of waiting.splice(0)) bytesUnderWay -= frameBytes
    behindProof.length = 0
  }

  /** The message of a mechanism without any header, answered in kind; a failure has no form here and closes the connection. */
  function takeBare(message: Buffer): void {
    isProving = true
    bytesUnderWay += message.length
    const run = async (): Promise<object | null> => {
      const { body } = await authentication.authenticate(message)
      if (body.errorCode === 0) return body
      refuse(new AssayError('NOT_AUTHENTICATED', { reason: body.errorMessage ?? 'refused' }))
      return null
    }
    const encode = (body: object): Buffer[] => {
      const { authBytes } = body as { readonly authBytes: Buffer }
      const length = Buffer.alloc(4)
      length.writeInt32BE(authBytes.length)
      return [length, authBytes]
    }
    waiting.push({ api: saslAuthenticate, frameBytes: message.length, run, encode, isProof: true })
  }

  function take({ bytes, release }: Frame): void {
    if (socket.destroyed || stopping) return
    if (authentication.isBare) {
      takeBare(Buffer.from(bytes))
      release()
      return
    }
    const start = readRequestStart(bytes)
    // Whoever answers anything else may keep parts of the request; the log keeps its own copy of batches, or none, once they are written.
    const isLent = start.key === produce.key
    const frame = isLent ? bytes : Buffer.from(bytes)
    if (!isLent) release()
    const api = declaredApi(start)
    if (api === undefined || !isServed(api, start.version)) {
      if (start.key === apiVersions.key)
        enqueue(apiVersions, 0, start.correlationId, frame, async () => answerUnknownApiVersions())
      else refuse(`API key ${start.key} version ${start.version} is not served`)
      return
    }
    const refusal = authentication.refusal(api)
    if (refusal !== undefined) {
      refuse(new AssayError('NOT_AUTHENTICATED', { reason: refusal }))
      return
    }
    const { clientId, bodyAt } = readRequestHeader(frame, api)
    const work = parts.quotas?.begin()
    const piece = <T>(run: () => T): T => (work === undefined ? run() : parts.quotas!.run(work, run))
    const body = piece(() => decodeRequest(api, start.version, frame, bodyAt, limits.requestElementsMax))
    const answer = async (): Promise<object | null> => {
      if (api.key === apiVersions.key) return answerApiVersions(engine, start.version, body as RequestOf<typeof apiVersions>)
      if (api.key === saslAuthenticate.key) return prove((body as RequestOf<typeof saslAuthenticate>).authBytes)
      if (api.key === saslHandshake.key) {
        const shaken = authentication.handshake(start.version, (body as RequestOf<typeof saslHandshake>).mechanism)
        if (shaken.ends) endAfterAnswer()
        return shaken.body
      }
      try {
        const answered = await piece(() => engine.answer({ api, version: start.version, clientId, body }, session))
        throttle({ api, clientId, frameBytes: frame.length, answer: answered, workMs: work?.ms })
        return answered
      } catch (error) {
        refuse(error, { api: api.name, version: start.version, clientId, err: error })
        return null
      } finally {
        if (isLent) release()
      }
    }
    enqueue(api, start.version, start.correlationId, frame, answer, encode => {
      if (work === undefined) return encode()
      const answeredMs = work.ms
      const encoded = piece(encode)
      parts.quotas!.owe('request_percentage', { principal: session.principal, clientId }, work.ms - answeredMs)
      return encoded
    })
  }

  /** Tells the client how long he must wait, and sees to it that he does. */
  function throttle({ api, clientId, frameBytes, answer, workMs }: Answered): void {
    const { quotas } = parts
    if (quotas === undefined || quotas.isIdle) return
    const who = { principal: session.principal, clientId }
    const told = answer as { throttleTimeMs?: number } | null
    // The engine has bounded how many partitions come and go.
    let waitMs = told?.throttleTimeMs ?? 0
    if (waitMs > 0) quotas.noteMutation()
    if (api.key === produce.key) waitMs = Math.max(waitMs, quotas.charge('producer_byte_rate', who, frameBytes))
    if (api.key === fetch.key) waitMs = Math.max(waitMs, quotas.charge('consumer_byte_rate', who, recordBytesOf(answer)))
    if (workMs !== undefined) waitMs = Math.max(waitMs, quotas.charge('request_percentage', who, workMs))
    if (waitMs === 0) return
    if (told?.throttleTimeMs !== undefined) told.throttleTimeMs = waitMs
    mutedUntilMs = Math.max(mutedUntilMs, clock.now() + Math.min(WAIT_MS_MAX, waitMs))
    unmuting?.cancel()
    unmuting = clock.after(mutedUntilMs - clock.now(), unmute)
  }

  function unmute(): void {
    // A timer may come a moment before its time.
    const leftMs = mutedUntilMs - clock.now()
    if (leftMs > 0) unmuting = clock.after(leftMs, unmute)
    else advance()
  }

  function isServed(api: AnyApi, version: number): boolean {
    if (doorApis.some(({ key }) => key === api.key)) return true
    const served = engine.apis.find(candidate => candidate.api.key === api.key)
    return served !== undefined && version >= served.versions[0] && version <= served.versions[1]
  }

  function enqueue(
    api: AnyApi,
    version: number,
    correlationId: number,
    frame: Buffer,
    run: Pending['run'],
    measured: (encode: () => Buffer[]) => Buffer[] = encode => encode()
  ): void {
    bytesUnderWay += frame.length
    const encode = (body: object): Buffer[] =>
      measured(() => responseFrame(api, version, correlationId, encodeResponse(api, version, body as never)))
    const isProof = api.key === saslAuthenticate.key
    if (isProof) isProving = true
    waiting.push({ api, frameBytes: frame.length, run, encode, isProof })
  }

  /** Starts what may start, and reads on or stops reading. */
  function advance(): void {
    while (waiting.length > 0 && mayStart(waiting[0]!)) start(waiting.shift()!)
    const full =
      isProving ||
      clock.now() < mutedUntilMs ||
      bytesUnderWay > limits.connectionBytesMax ||
      socket.writableLength > limits.connectionBytesMax
    // When stopping, what still comes is read and dropped: a paused socket would never see the client's end, and would be reset with answers unread.
    if (full && !stopping) socket.pause()
    else if (socket.isPaused()) socket.resume()
    if (stopping && waiting.length === 0 && started.length === 0) socket.end()
  }

  function mayStart(next: Pending): boolean {
    // A client that does not take its answers gets no more of them.
    if (socket.writableNeedDrain && socket.writableLength > limits.connectionBytesMax) return false
    if (clock.now() < mutedUntilMs && !stopping) return false
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
    if (pending.isProof) proved()
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
    receive,
    remoteAddress,
    sweep(nowMs) {
      const isLate = !authentication.isKnown && nowMs - bornMs >= limits.handshakeTimeoutMs
      if (isLate || (bytesUnderWay === 0 && nowMs - frameAtMs >= limits.connectionIdleMs)) socket.destroy()
    },
    stop() {
      stopping = true
      // Whoever waits on behalf of this connection answers with what there is.
      gone.abort()
      advance()
    },
    destroy: () => socket.destroy()
  }
}

/** What a Fetch brings its reader. */
function recordBytesOf(answer: object | null): number {
  let bytes = 0
  for (const { partitions } of (answer as ResponseOf<typeof fetch> | null)?.responses ?? []) {
    for (const { records } of partitions) for (const part of records ?? []) bytes += part.length
  }
  return bytes
}

/** An answer may hold memory of a bounded budget until it has been written. */
function releaseOf(body: object | null): () => void {
  const dispose = (body as { [Symbol.dispose]?: () => void } | null)?.[Symbol.dispose]
  return dispose === undefined ? () => {} : () => dispose.call(body)
}
