/** The HTTP door: mounts routes on fastify, negotiates media types, and answers every failure as `{ error_code, message }`. */
import { Readable } from 'node:stream'
import { AssayError } from '@assay/errors'
import type { Registry } from '@assay/registry'
import type { Logger } from '@assay/std'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { failureOf } from './failure.ts'
import { bodyCheck, parseBody, textReader } from './input.ts'
import { type Metrics, openMetrics } from './metrics.ts'
import { BODY_TYPES, EVENT_STREAM, isReadable, JSON_TYPES, negotiate, PREFERRED_TYPE } from './negotiate.ts'
import { renderOpenApi } from './openapi.ts'
import { type BoundRoute, bind, type Method } from './route.ts'
import { registryRoutes } from './routes/all.ts'

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
}

/** Longest path parameter as it stands in the URL: a subject of a thousand characters, each percent-encoded. */
const PARAMETER_CHARS_MAX = 16 * 1024
const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'DELETE']

/** The server, not yet listening. */
export function buildHttp({
  registry,
  logger,
  routes: more = [],
  metrics = openMetrics(registry),
  ...given
}: HttpParts): FastifyInstance {
  const limits = { ...defaultHttpLimits, ...given.limits }
  const routes: BoundRoute[] = []
  const document = once(() => renderOpenApi(routes))
  routes.push(...bind({ registry, metrics, openApi: document }, registryRoutes), ...more)
  const app = fastify({
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    routerOptions: { maxParamLength: PARAMETER_CHARS_MAX, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => fail(error, request as FastifyRequest, reply as FastifyReply)
  })
  app.server.maxConnections = limits.connectionsMax

  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const { status, body, code, isFault } = failureOf(error, limits)
    if (isFault) logger.error({ err: error, method: request.method, route: request.routeOptions?.url }, 'a request failed')
    metrics.refused(code)
    const type = negotiate(request.headers.accept, JSON_TYPES) ?? PREFERRED_TYPE
    // A GET may have set the type of another answer before it failed.
    reply
      .code(status)
      .header('content-type', type)
      .send(Buffer.from(JSON.stringify(body)))
  }
  app.setErrorHandler((error, request, reply) => fail(error, request, reply))
  app.setNotFoundHandler((request, reply) => fail(notFound(request), request, reply))

  // Bodies reach the routes as bytes; `parseBody` reads them in one place, whatever their type is called.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addHook('onResponse', async (request, reply) => {
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
  for (const route of routes) mount(app, route, { followers, logger })
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
}

function mount(app: FastifyInstance, route: BoundRoute, surroundings: Surroundings): void {
  const takesBody = route.method === 'POST' || route.method === 'PUT'
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
    // Before the body is read: what will be refused anyway need not be received.
    onRequest: async (request, reply) => {
      const chosen = negotiate(request.headers.accept, offeredRanges)
      if (chosen === undefined) throw new AssayError('NOT_ACCEPTABLE', { offered: offeredRanges.join(', ') })
      if (takesBody && !isReadable(request.headers['content-type'])) {
        throw new AssayError('UNSUPPORTED_MEDIA_TYPE', { accepted: BODY_TYPES.join(', ') })
      }
      reply.header('content-type', typeof route.sends === 'object' ? route.sends.mediaType : chosen)
    },
    handler: async (request, reply) => {
      const params = readParams(request.params)
      const query = readQuery(request.query)
      const body = takesBody ? checkBody(parseBody((request.body as Buffer | undefined) ?? Buffer.alloc(0))) : {}
      if (route.streams && reply.getHeader('content-type') === EVENT_STREAM) {
        return follow(reply, signal => route.streams!({ params, query, body }, signal), surroundings)
      }
      const answer = await route.run({ params, query, body })
      return reply.send(Buffer.from(route.sends === undefined ? JSON.stringify(answer) : (answer as string)))
    }
  })
}

/** Sends texts as they come, until there are no more, the client has gone, or the server closes. */
async function follow(
  reply: FastifyReply,
  open: (signal: AbortSignal) => Promise<AsyncIterable<string>>,
  { followers, logger }: Surroundings
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
  const texts = Readable.from(await open(ended.signal))
  texts.on('error', error => {
    if (!ended.signal.aborted) logger.error({ err: error }, 'a stream was cut off')
  })
  // The connection ends with the stream; kept alive, it would keep a closing server waiting.
  return reply.header('cache-control', 'no-cache').header('connection', 'close').send(texts)
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
  const app = buildHttp(parts)
  const url = await app.listen({ host, port })
  parts.logger.info({ url }, 'the HTTP door is open')
  return { url, close: () => app.close() }
}
