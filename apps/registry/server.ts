/** The HTTP door: mounts routes on fastify, lets the guard judge every request, and answers every failure as `{ error_code, message }`. */
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Server as TlsServer } from 'node:tls'
import { isLoopback } from '@assay/config'
import { AssayError } from '@assay/errors'
import type { Registry } from '@assay/registry'
import type { AuditSink, Security, Tls } from '@assay/security'
import { assert, type Clock, type Logger, systemClock } from '@assay/std'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import { answerClientError, answerExpectation } from './client-error.ts'
import type { RegistryContext } from './context.ts'
import { renderDocs } from './docs.ts'
import { failureOf } from './failure.ts'
import { bodyCheck, parseBody, textReader } from './input.ts'
import { type Metrics, openMetrics } from './metrics.ts'
import { BODY_TYPES, EVENT_STREAM, isReadable, JSON_TYPES, negotiate, PREFERRED_TYPE } from './negotiate.ts'
import { renderOpenApi } from './openapi.ts'
import { contextFault, rewritePath } from './paths.ts'
import { type BoundRoute, bind, type Method, takesBody } from './route.ts'
import { registryRoutes } from './routes/all.ts'
import type { Caller } from './security/caller.ts'
import { type Guard, openGuard } from './security/guard.ts'
import { registryViews } from './security/registry-view.ts'

export interface HttpLimits {
  /** Largest request body. */
  readonly bodyBytesMax: number
  /** A request that has not arrived whole by then is cut off. */
  readonly requestTimeoutMs: number
  /** A connection without a request for so long is closed. */
  readonly idleTimeoutMs: number
  readonly connectionsMax: number
}

export const defaultHttpLimits: HttpLimits = {
  bodyBytesMax: 10 * 1024 * 1024,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 72_000,
  connectionsMax: 10_000
}

export interface HttpParts {
  readonly registry: Registry
  readonly logger: Logger
  readonly limits?: Partial<HttpLimits>
  /** Routes besides the registry's own, bound to their contexts with `bind`. */
  readonly routes?: readonly BoundRoute[]
  /** What to count in; the server's own when absent. Others may register metrics in its set. */
  readonly metrics?: Metrics
  /** Why nothing can be written now, undefined when it can: what health tells. */
  readonly storageRefusal?: () => AssayError | undefined
  /** Names the data; what the Kafka door answers. */
  readonly clusterId?: string
  /** Who may do what; when absent, everybody may do everything. */
  readonly security?: Security | undefined
  /** Takes down every write, every denial and every failed log-in. */
  readonly audit?: AuditSink | undefined
  /** When absent, the door speaks plain HTTP. */
  readonly tls?: Tls | undefined
  /** Nobody but this machine can reach the door: requests that come by another name are refused while security is off. */
  readonly isLoopbackOnly?: boolean
  readonly clock?: Clock
  /** Names a request, in its answer and in the audit. */
  readonly requestId?: () => string
}

/** Longest path parameter as it stands in the URL: a subject of a thousand characters, each percent-encoded. */
const PARAMETER_CHARS_MAX = 16 * 1024
const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'DELETE']

/** Node would answer a request without Host itself, and with nothing in it. */
const NODE_OPTIONS = { requireHostHeader: false }

/** Routes check what comes in and write what goes out: fastify is given no schema, and need not load the two compilers it has for them. */
const NO_COMPILERS = { buildValidator: noCompiler, buildSerializer: noCompiler }

function noCompiler(): never {
  throw new Error('a route was given a schema for fastify; declare it with `route` instead')
}

/** The server, not yet listening. */
export function buildHttp({
  registry,
  logger,
  routes: more = [],
  metrics = openMetrics(registry),
  clusterId = 'assay',
  storageRefusal = () => undefined,
  security,
  audit,
  tls,
  isLoopbackOnly = false,
  clock = systemClock,
  requestId = randomUUID,
  ...given
}: HttpParts): FastifyInstance {
  const limits = { ...defaultHttpLimits, ...given.limits }
  const routes: BoundRoute[] = []
  const viewOf = registryViews(registry)
  const context: RegistryContext = {
    registry,
    metrics,
    openApi: once(() => renderOpenApi(routes)),
    docs: once(() => renderDocs(routes)),
    clusterId,
    storageRefusal,
    startupSeconds: performance.now() / 1000
  }
  const contextFor = (caller: Caller) => {
    const view = viewOf(caller)
    return view === registry ? context : { ...context, registry: view }
  }
  routes.push(...bind(contextFor, registryRoutes), ...more)
  const guard = openGuard({ registry, security, audit, isLoopbackOnly, clock })
  const options: FastifyServerOptions = {
    genReqId: requestId,
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    rewriteUrl: request => rewritePath(request.url ?? '/', registry),
    schemaController: { compilersFactory: NO_COMPILERS },
    routerOptions: { maxParamLength: PARAMETER_CHARS_MAX, ignoreTrailingSlash: true },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => fail(error, request as FastifyRequest, reply as FastifyReply)
  }
  // One type for both: the rest of this file does not care which of the two it is.
  const app: FastifyInstance = fastify({
    ...options,
    ...(tls ? { https: { ...tls.options, ...NODE_OPTIONS } } : { http: NODE_OPTIONS })
  } as FastifyServerOptions)
  app.server.on('checkExpectation', answerExpectation)
  app.server.maxConnections = limits.connectionsMax
  tls?.onRenewal(renewed => (app.server as unknown as TlsServer).setSecureContext(renewed))
  app.decorateRequest('admission', null)
  app.decorateRequest('errorCode', null)

  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const { status, body, code, isFault } = failureOf(error, limits)
    if (isFault) logger.error({ err: error, method: request.method, route: request.routeOptions?.url }, 'a request failed')
    metrics.refused(code)
    request.errorCode = body.error_code
    const type = negotiate(request.headers.accept, JSON_TYPES) ?? PREFERRED_TYPE
    if (status === 503) reply.header('retry-after', '1')
    // A GET may have set the type of another answer before it failed.
    reply
      .code(status)
      .header('content-type', type)
      .header('x-request-id', request.id)
      .send(Buffer.from(JSON.stringify(body)))
  }
  app.setErrorHandler((error, request, reply) => fail(error, request, reply))
  app.setNotFoundHandler((request, reply) => fail(contextFault(request.url) ?? notFound(request), request, reply))

  // Bodies reach the routes as bytes; `parseBody` reads them in one place, whatever their type is called.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', (request, _reply, done) => {
    const hasHost = request.headers.host !== undefined || request.raw.httpVersion === '1.0'
    done(hasHost ? undefined : new AssayError('INVALID_REQUEST_BODY', { reason: 'The request has no Host header' }))
  })
  app.addHook('onRequest', (request, reply, done) => {
    const admitted = guard.admit(request, reply)
    // Whoever is known already need not wait for a turn of the event loop.
    if (admitted === undefined) done()
    else admitted.then(() => done(), done)
  })
  app.addHook('onResponse', async (request, reply) => {
    guard.answered(request)
    metrics.answered(request.routeOptions.url ?? 'none', request.method, reply.statusCode, reply.elapsedTime / 1000)
    logger.debug(
      { method: request.method, url: request.url, status: reply.statusCode, ms: reply.elapsedTime },
      'request answered'
    )
  })
  const followers = new Set<Follower>()
  // A stream has no end of its own: without this, closing would wait for ever.
  app.addHook('preClose', async () => {
    for (const follower of followers) follower.stop()
  })
  for (const route of routes) mount(app, route, { followers, logger, guard })
  refuseOtherMethods(app, routes)
  return app
}

/** A client that a stream is being sent to. */
interface Follower {
  /** Ends the stream, or cuts it off when the client does not take what was sent. */
  stop(): void
}

interface Surroundings {
  readonly followers: Set<Follower>
  readonly logger: Logger
  readonly guard: Guard
}

function mount(app: FastifyInstance, route: BoundRoute, surroundings: Surroundings): void {
  const hasBody = takesBody(route)
  const offered = typeof route.sends === 'object' ? [route.sends.mediaType] : JSON_TYPES
  const offeredRanges = [...offered.map(type => type.split(';', 1)[0] as string), ...(route.streams ? [EVENT_STREAM] : [])]
  const readParams = textReader(route.params, (name, reason) => {
    throw new AssayError('ROUTE_NOT_FOUND', { method: route.method, path: `${route.path} (${name} ${reason})` })
  })
  const readQuery = textReader(route.query, (name, reason) => {
    throw new AssayError('INVALID_REQUEST_BODY', { reason: `Query parameter ${name}: ${reason}` })
  })
  const checkBody = bodyCheck(route.body)
  app.route({
    method: route.method,
    url: route.path,
    config: { access: route.access },
    // Before the body is read: what will be refused anyway need not be received.
    onRequest: async (request, reply) => {
      const chosen = negotiate(request.headers.accept, offeredRanges)
      if (chosen === undefined) throw new AssayError('NOT_ACCEPTABLE', { offered: offeredRanges.join(', ') })
      if (hasBody && !isReadable(request.headers['content-type'])) {
        throw new AssayError('UNSUPPORTED_MEDIA_TYPE', { accepted: BODY_TYPES.join(', ') })
      }
      reply.header('content-type', typeof route.sends === 'object' ? route.sends.mediaType : chosen)
    },
    handler: async (request, reply) => {
      assert(request.admission, 'no route is called before the guard has admitted its caller')
      const { caller } = request.admission
      const params = readParams(request.params)
      const query = readQuery(request.query)
      const body = hasBody ? checkBody(parseBody((request.body as Buffer | undefined) ?? Buffer.alloc(0))) : {}
      if (route.streams && reply.getHeader('content-type') === EVENT_STREAM) {
        return follow(request, reply, signal => route.streams!({ params, query, body }, caller, signal), surroundings)
      }
      const answer = await route.run({ params, query, body }, caller)
      if (route.headers) reply.headers(route.headers)
      if (route.isUnavailable?.(answer)) reply.code(503)
      if (route.sends === 'nothing') return reply.removeHeader('content-type').code(204).send()
      return reply.send(Buffer.from(route.sends === undefined ? JSON.stringify(answer) : (answer as string)))
    }
  })
}

/** Sends texts as they come, until there are no more, the client has gone, or the server closes. */
async function follow(
  request: FastifyRequest,
  reply: FastifyReply,
  open: (signal: AbortSignal) => Promise<AsyncIterable<string>>,
  { followers, logger, guard }: Surroundings
): Promise<FastifyReply> {
  const ended = new AbortController()
  const follower: Follower = {
    stop() {
      ended.abort()
      if (reply.raw.writableNeedDrain) reply.raw.destroy()
    }
  }
  followers.add(follower)
  reply.raw.on('close', () => {
    ended.abort()
    followers.delete(follower)
  })
  const texts = Readable.from(whileAdmitted(await open(ended.signal), () => guard.stillAdmits(request)))
  texts.on('error', error => {
    if (!ended.signal.aborted) logger.error({ err: error }, 'a stream was cut off')
  })
  // The connection ends with the stream; kept alive, it would keep a closing server waiting.
  return reply.header('cache-control', 'no-cache').header('connection', 'close').send(texts)
}

/** Ends when the right to it is taken away. */
async function* whileAdmitted(texts: AsyncIterable<string>, isAdmitted: () => boolean): AsyncGenerator<string> {
  for await (const text of texts) {
    if (!isAdmitted()) return
    yield text
  }
}

/** A path that is known answers its other methods with 405 and not with 404. */
function refuseOtherMethods(app: FastifyInstance, routes: readonly BoundRoute[]): void {
  const methodsByPath = new Map<string, Method[]>()
  for (const { path, method } of routes) methodsByPath.set(path, [...(methodsByPath.get(path) ?? []), method])
  for (const [path, methods] of methodsByPath) {
    const others = [...METHODS.filter(method => !methods.includes(method)), 'PATCH', 'OPTIONS']
    app.route({
      method: others,
      url: path,
      handler: async (request, reply) => {
        reply.header('allow', methods.join(', '))
        throw new AssayError('METHOD_NOT_ALLOWED', { path: pathOf(request), allowed: methods.join(', ') })
      }
    })
  }
}

const notFound = (request: FastifyRequest): AssayError =>
  new AssayError('ROUTE_NOT_FOUND', { method: request.method, path: pathOf(request) })

/** The path alone, cut to a length that fits a message. */
const pathOf = (request: FastifyRequest): string => (request.url.split('?', 1)[0] ?? '').slice(0, 200)

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

export interface Listening {
  /** `http://HOST:PORT`, with the port that was taken. */
  readonly url: string
  /** Takes no more connections and waits for the requests under way. */
  close(): Promise<void>
}

/** Port 0 takes a free one. Fails when the address cannot be taken. */
export async function listenHttp({
  host,
  port,
  ...parts
}: HttpParts & { readonly host: string; readonly port: number }): Promise<Listening> {
  const app = buildHttp({ isLoopbackOnly: isLoopback(host), ...parts })
  const url = await app.listen({ host, port })
  parts.logger.info({ url }, 'the HTTP door is open')
  return { url, close: () => app.close() }
}
