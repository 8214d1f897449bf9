/** Requests that a server must refuse, each from a seed and a number alone: broken as HTTP, as JSON, or as what the routes ask for. */
import { randomOf } from '../../suites/random.ts'
import type { RouteFacts } from './routes.ts'
import type { Sending } from './wire-client.ts'
import { noJson, oddJson, pick, type Random, wrongJson } from './wrong-values.ts'

export interface Malformed extends Sending {
  readonly kind: string
  /** HTTP as it should be: such a request is answered, and its connection not just cut off. */
  readonly isHttp: boolean
  /** Odd, but not wrong: it may be answered 2xx. */
  readonly mayPass?: boolean
}

type Made = Omit<Malformed, 'kind' | 'answers' | 'pieces'> & { readonly bytes: Buffer; readonly answers?: number }

interface Request {
  readonly method?: string
  readonly path?: string
  readonly headers?: readonly string[]
  readonly body?: Buffer | string
}

const TYPE = 'Content-Type: application/vnd.schemaregistry.v1+json'
const HOST = 'Host: localhost'

function http({ method = 'GET', path = '/subjects', headers = [], body }: Request): Buffer {
  const bytes = body === undefined ? undefined : Buffer.from(body as string)
  const length = bytes ? [`Content-Length: ${bytes.length}`] : []
  const head = `${method} ${path} HTTP/1.1\r\n${[HOST, ...headers, ...length].join('\r\n')}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), bytes ?? Buffer.alloc(0)])
}

const raw = (text: string): Buffer => Buffer.from(text, 'latin1')
const word = (random: Random): string => `fuzz-${random(500)}`

/** A path of the route with values for its parameters; `odd` are values for some of them. */
function pathOf({ path }: RouteFacts, random: Random, odd: Readonly<Record<string, string>> = {}): string {
  const usual: Readonly<Record<string, string>> = { version: pick(random, ['1', 'latest', '-1']), id: '1', guid: word(random) }
  return path.replace(/\{(\w+)\}/g, (_, name: string) => odd[name] ?? usual[name] ?? word(random))
}

const post = (random: Random): string => `/subjects/${word(random)}/versions`
const manyHeaders = (count: number): string[] => Array.from({ length: count }, (_, at) => `X-${at}: ${at}`)
const noIntegers = [
  'abc',
  '1.5',
  '-',
  '0x1',
  '1e3',
  '99999999999',
  '2147483648',
  '-2147483649',
  'NaN',
  '%00',
  '%C3%A9',
  '1,2',
  '1%202'
]
const badPercents = ['%', '%z', '%zz', '%E0%A4%A', '%ff', '%C0%80', '%ED%A0%80', '%u0041', '%%41']

const kinds: Readonly<Record<string, (random: Random, routes: readonly RouteFacts[]) => Made>> = {
  'no HTTP at all': random => ({
    isHttp: false,
    ends: true,
    bytes: pick(random, [
      () => Buffer.from(Array.from({ length: 1 + random(400) }, () => random(256))),
      () => raw(`${'A'.repeat(1 + random(100))}\r\n\r\n`),
      () => raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      () => Buffer.from('16030100c8010000c40303', 'hex'),
      () => raw('\r\n\r\n\r\n'),
      () => raw('EHLO localhost\r\n'),
      () => Buffer.from('00000024001200040000000100047465737400', 'hex')
    ])()
  }),
  'a broken request line': random => ({
    isHttp: false,
    ends: true,
    bytes: raw(
      `${pick(random, [
        'GET',
        'get /subjects HTTP/1.1',
        'FOO /subjects HTTP/1.1',
        'GET /subjects HTTP/9.9',
        'GET /subjects HTTP/1',
        'GET /subjects HTTQ/1.1',
        'GET /sub jects HTTP/1.1',
        'GET /\0 HTTP/1.1',
        'GET /\xe9 HTTP/1.1',
        'GET subjects HTTP/1.1',
        'GET ?a=1 HTTP/1.1',
        ' GET /subjects HTTP/1.1',
        'GET\t/subjects\tHTTP/1.1',
        'CONNECT localhost:1 HTTP/1.1'
      ])}\r\n${HOST}\r\n\r\n`
    )
  }),
  'a broken header': random => ({
    isHttp: false,
    ends: true,
    bytes: raw(
      `GET /nowhere HTTP/1.1\r\n${HOST}\r\n${pick(random, [
        'no colon',
        ': no name',
        'Na me: x',
        'Name : x',
        'X: a\r\n folded',
        `X: ${String.fromCharCode(random(9))}`,
        'X: a\rb',
        'X\0: a',
        '\xe9: a',
        `Connection${' '.repeat(random(9))}`
      ])}\r\n\r\n`
    )
  }),
  'no or another host': random => ({
    isHttp: true,
    bytes: raw(
      pick(random, [
        'GET /subjects HTTP/1.1\r\n\r\n',
        'GET /subjects HTTP/1.1\r\nHost: example.org\r\n\r\n',
        'GET /subjects HTTP/1.1\r\nHost: localhost.example.org:8081\r\n\r\n'
      ])
    )
  }),
  // The rest of them comes in while the answer goes out, and a connection that is closed with bytes unread is reset.
  'headers beyond the limit': random => ({
    isHttp: false,
    bytes: http(
      pick<() => Request>(random, [
        () => ({ headers: [`X: ${'a'.repeat(17_000 + random(100_000))}`] }),
        () => ({ path: `/${'a'.repeat(17_000 + random(50_000))}` }),
        () => ({ path: `/subjects?${'a=1&'.repeat(5_000 + random(5_000))}` }),
        () => ({ headers: manyHeaders(3_000 + random(3_000)) })
      ])()
    )
  }),
  'many headers': random => ({ isHttp: true, bytes: http({ path: '/nowhere', headers: manyHeaders(random(900)) }) }),
  'an expectation that nobody meets': random => ({
    isHttp: true,
    bytes: http({ headers: [`Expect: ${pick(random, ['x', '200-ok', '101-continue', 'continue'])}`] })
  }),
  'a wrong length': random => ({
    isHttp: false,
    ends: true,
    bytes: raw(
      `POST ${post(random)} HTTP/1.1\r\n${HOST}\r\n${TYPE}\r\nContent-Length: ${pick(random, [
        '-1',
        '0x10',
        '1e3',
        'abc',
        '',
        '1, 2',
        '99999999999999999999999',
        '2\r\nContent-Length: 3',
        '1.5',
        '5000',
        '100',
        '1'
      ])}\r\n\r\n{"schema":"x"}`
    )
  }),
  'two lengths at once': random => ({
    isHttp: false,
    ends: true,
    bytes: raw(
      `POST ${post(random)} HTTP/1.1\r\n${HOST}\r\n${TYPE}\r\n${pick(random, [
        'Content-Length: 4\r\nTransfer-Encoding: chunked',
        'Transfer-Encoding: chunked\r\nContent-Length: 4',
        'Transfer-Encoding: chunked, identity',
        'Transfer-Encoding: gzip',
        'Transfer-Encoding: xchunked',
        'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
        'Transfer-Encoding : chunked'
      ])}\r\n\r\n5c\r\nGET /subjects HTTP/1.1\r\nHost: localhost\r\n\r\n0\r\n\r\n`
    )
  }),
  'broken chunks': random => ({
    isHttp: false,
    ends: true,
    bytes: raw(
      `POST ${post(random)} HTTP/1.1\r\n${HOST}\r\n${TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n${pick(random, [
        'zz\r\n{}\r\n0\r\n\r\n',
        '2\r\n{}',
        '2\r\n{}\r\n',
        '2\r\n{}x\r\n0\r\n\r\n',
        '-2\r\n{}\r\n0\r\n\r\n',
        'ffffffffffffffffff\r\n{}\r\n',
        '2\n{}\n0\n\n',
        `2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
        `0\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`
      ])}`
    )
  }),
  'a body beyond the limit': random => ({
    isHttp: true,
    bytes: raw(`POST ${post(random)} HTTP/1.1\r\n${HOST}\r\n${TYPE}\r\nContent-Length: ${11_000_000 + random(1e9)}\r\n\r\n{`)
  }),
  'a body that ends early': random => ({
    isHttp: false,
    ends: true,
    bytes: raw(
      `POST ${post(random)} HTTP/1.1\r\n${HOST}\r\n${TYPE}\r\nContent-Length: ${100 + random(10_000)}\r\n\r\n{"schema":"`
    )
  }),
  'an unknown route': random => ({
    isHttp: true,
    bytes: http({
      path: pick(random, [
        `/${word(random)}`,
        '/schemas/nothing',
        '/subjects/a/b/c/d',
        '/../../etc/passwd',
        '/subjects/../../etc/passwd',
        '/%2e%2e/%2e%2e/etc/passwd',
        '/v1',
        '/console/..%2f',
        '//subjects',
        '/SUBJECTS',
        '/subjects%2Fa',
        '/contexts/.a/contexts/.b/nothing',
        '/schemas/ids/1/versions/2',
        '/__proto__',
        '/constructor'
      ])
    })
  }),
  'a bad percent sign': (random, routes) => {
    const bad = pick(random, badPercents)
    const path = pick(random, [
      `/${bad}`,
      `/subjects/${bad}/versions`,
      `/contexts/${bad}/subjects`,
      pathOf(pick(random, routes), random, { subject: bad, id: bad, guid: bad, topic: bad, context: bad })
    ])
    return { isHttp: true, mayPass: true, bytes: http({ path }) }
  },
  'a wrong number in the path': (random, routes) => {
    const route = pick(
      random,
      routes.filter(({ integersInPath }) => integersInPath.length > 0)
    )
    const odd = Object.fromEntries(route.integersInPath.map(name => [name, pick(random, noIntegers)]))
    return { isHttp: true, bytes: http({ method: route.method, path: pathOf(route, random, odd) }) }
  },
  'a wrong version in the path': (random, routes) => {
    const route = pick(
      random,
      routes.filter(({ path }) => path.includes('{version}'))
    )
    const version = pick(random, [...noIntegers, '0', '-2', 'last', '2147483647'])
    const body = route.body && { headers: [TYPE], body: '{"schema":"\\"int\\""}' }
    return { isHttp: true, bytes: http({ method: route.method, path: pathOf(route, random, { version }), ...body }) }
  },
  'a wrong number in the query': (random, routes) => {
    const route = pick(
      random,
      routes.filter(({ integersInQuery }) => integersInQuery.length > 0)
    )
    const query = `${pick(random, route.integersInQuery)}=${pick(random, noIntegers)}`
    return { isHttp: true, bytes: http({ method: route.method, path: `${pathOf(route, random)}?${query}` }) }
  },
  'an odd query': (random, routes) => {
    const route = pick(
      random,
      routes.filter(({ method }) => method === 'GET')
    )
    const part = (): string =>
      pick(random, [
        'a',
        'deleted',
        'limit',
        'offset',
        '%',
        '%00',
        '=',
        '&',
        '?',
        '[]',
        '__proto__',
        'true',
        '%F0%9F%92%A9',
        '+',
        ';'
      ])
    const query = Array.from({ length: 1 + random(12) }, part).join(pick(random, ['=', '&', '']))
    return { isHttp: true, mayPass: true, bytes: http({ path: `${pathOf(route, random)}?${query}` }) }
  },
  'another method': (random, routes) => {
    const { path } = pick(random, routes)
    const known = routes.filter(route => route.path === path).map(({ method }) => method)
    const others = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'SEARCH'].filter(
      name => !known.includes(name)
    )
    return {
      isHttp: true,
      bytes: http({ method: pick(random, others), path: pathOf({ path } as RouteFacts, random), headers: [TYPE], body: '{}' })
    }
  },
  'only the head': (random, routes) => ({
    isHttp: true,
    isHead: true,
    mayPass: true,
    bytes: http({ method: 'HEAD', path: pathOf(pick(random, routes), random) })
  }),
  'another content type': (random, routes) => {
    const route = pick(
      random,
      routes.filter(({ body }) => body)
    )
    const type = pick(random, [
      'text/plain',
      'application/xml',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
      'json',
      '/',
      ';',
      'application/json5',
      'é/é'
    ])
    return {
      isHttp: true,
      bytes: http({
        method: route.method,
        path: pathOf(route, random),
        headers: [`Content-Type: ${type}`],
        body: '{"schema":"\\"int\\""}'
      })
    }
  },
  'an answer that nobody gives': (random, routes) => {
    const route = pick(
      random,
      routes.filter(({ body }) => body)
    )
    const accept = pick(random, [
      'text/html',
      'application/xml',
      'image/*',
      'application/json;q=0',
      '*/*;q=0',
      'application/vnd.schemaregistry.v2+json'
    ])
    return {
      isHttp: true,
      bytes: http({ method: route.method, path: pathOf(route, random), headers: [TYPE, `Accept: ${accept}`], body: '{}' })
    }
  },
  'no JSON': (random, routes) => {
    const route = pick(
      random,
      routes.filter(({ body }) => body)
    )
    return {
      isHttp: true,
      bytes: http({ method: route.method, path: pathOf(route, random), headers: [TYPE], body: noJson(random) })
    }
  },
  'a value of the wrong type': (random, routes) => {
    const route = pick(
      random,
      routes.filter(({ body }) => body)
    )
    const body = wrongJson(route.body!, random) ?? '[]'
    return { isHttp: true, bytes: http({ method: route.method, path: pathOf(route, random), headers: [TYPE], body }) }
  },
  'odd JSON': (random, routes) => {
    const route = pick(
      random,
      routes.filter(({ body, path }) => body && path.includes('{subject}') && path.includes('versions'))
    )
    return {
      isHttp: true,
      mayPass: true,
      bytes: http({ method: route.method, path: pathOf(route, random), headers: [TYPE], body: oddJson(random) })
    }
  },
  'a subject that cannot be': random => ({
    isHttp: true,
    bytes: http({
      method: 'POST',
      path: `/subjects/${pick(random, ['a'.repeat(1025 + random(5000)), '%00', 'a%0Ab', '__GLOBAL', '__EMPTY', ':.__GLOBAL:', '%7F'])}/versions`,
      headers: [TYPE],
      body: '{"schema":"\\"int\\""}'
    })
  })
}

export const malformedKinds: readonly string[] = Object.keys(kinds)

/** The request of a number: kind after kind, in one piece, cut into pieces, or some of them on end. The same seed makes the same requests. */
export function malformedRequest(seed: number, index: number, routes: readonly RouteFacts[]): Malformed {
  const random = randomOf(seed + index * 7919)
  const kind = malformedKinds[index % malformedKinds.length]!
  const first = kinds[kind]!(random, routes)
  const isAlone = first.ends || first.isHead || random(8) !== 0
  if (isAlone) return { ...first, kind, answers: 1, pieces: cut(first.bytes, random) }
  const more = Array.from({ length: 1 + random(8) }, () => kinds[pick(random, malformedKinds)]!(random, routes)).filter(
    ({ ends, isHead }) => !ends && !isHead
  )
  const all = [first, ...more]
  return {
    kind: `${kind}, on end with others`,
    // Of several, the one before may close the connection.
    isHttp: false,
    mayPass: all.some(({ mayPass }) => mayPass === true),
    answers: all.length,
    pieces: cut(Buffer.concat(all.map(({ bytes }) => bytes)), random)
  }
}

function cut(bytes: Buffer, random: Random): Buffer[] {
  if (random(4) !== 0 || bytes.length < 2) return [bytes]
  const places = [...new Set(Array.from({ length: 1 + random(5) }, () => 1 + random(bytes.length - 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, at) => bytes.subarray(from, places[at] ?? bytes.length))
}
