import { AssayError } from '@assay/errors'
import { silentLogger } from '@assay/std'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { t } from './json-schema.ts'
import { bind, route } from './route.ts'
import { buildHttp, listenHttp } from './server.ts'
import { openService, type Service } from './test/service.ts'

let service: Service
const ask: Service['ask'] = (...request) => service.ask(...request)
const failure = (error_code: number, message: unknown) => ({ error_code, message })

describe('the door', () => {
  beforeAll(async () => {
    service = await openService({ limits: { bodyBytesMax: 100_000 } })
    await ask('POST /subjects/s/versions', { schema: '"int"' })
  })
  afterAll(() => service.close())

  const V1 = 'application/vnd.schemaregistry.v1+json'
  const doors: {
    name: string
    ask: string
    body?: unknown
    headers?: Record<string, string>
    status: number
    type?: string
    answer?: unknown
  }[] = [
    { name: 'any type gets the preferred one', ask: 'GET /subjects', headers: { accept: '*/*' }, status: 200, type: V1 },
    {
      name: 'JSON when asked',
      ask: 'GET /subjects',
      headers: { accept: 'application/json' },
      status: 200,
      type: 'application/json'
    },
    {
      name: 'the unversioned type when asked',
      ask: 'GET /subjects',
      headers: { accept: 'application/vnd.schemaregistry+json' },
      status: 200,
      type: 'application/vnd.schemaregistry+json'
    },
    {
      name: 'the higher quality',
      ask: 'GET /subjects',
      headers: { accept: `${V1};q=0.5, application/json;q=0.9` },
      status: 200,
      type: 'application/json'
    },
    {
      name: 'what the Java client sends',
      ask: 'GET /subjects',
      headers: { accept: `${V1}, application/vnd.schemaregistry+json; qs=0.9, application/json; qs=0.5` },
      status: 200,
      type: V1
    },
    {
      name: 'a failure keeps the type',
      ask: 'GET /schemas/ids/99',
      headers: { accept: 'application/json' },
      status: 404,
      type: 'application/json',
      answer: failure(40403, 'Schema 99 not found')
    },
    {
      name: 'a type that is not ours',
      ask: 'GET /subjects',
      headers: { accept: 'text/html' },
      status: 406,
      type: V1,
      answer: failure(406, expect.stringContaining('406'))
    },
    { name: 'quality zero', ask: 'GET /subjects', headers: { accept: `${V1};q=0` }, status: 406 },
    { name: 'no type for the body', ask: 'POST /subjects/s', body: '{"schema":"\\"int\\""}', status: 200 },
    {
      name: 'octets',
      ask: 'POST /subjects/s',
      body: '{"schema":"\\"int\\""}',
      headers: { 'content-type': 'application/octet-stream' },
      status: 200
    },
    {
      name: 'JSON with a charset',
      ask: 'POST /subjects/s',
      body: '{"schema":"\\"int\\""}',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      status: 200
    },
    {
      name: 'a body of another type',
      ask: 'POST /subjects/s',
      body: 'schema=int',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      status: 415,
      answer: failure(415, expect.stringContaining('415'))
    },
    {
      name: 'a delete with a type and no body',
      ask: 'DELETE /subjects/none',
      headers: { 'content-type': 'application/json' },
      status: 404,
      answer: failure(40401, expect.any(String))
    },
    {
      name: 'an unknown route',
      ask: 'GET /nope?x=1',
      status: 404,
      type: V1,
      answer: failure(404, 'HTTP 404 Not Found: GET /nope')
    },
    {
      name: 'an ID that is not a number',
      ask: 'GET /schemas/ids/abc',
      status: 404,
      answer: failure(404, expect.stringContaining('HTTP 404'))
    },
    { name: 'an ID beyond 32 bits', ask: 'GET /schemas/ids/99999999999', status: 404, answer: failure(404, expect.any(String)) },
    {
      name: 'another method',
      ask: 'PUT /subjects',
      status: 405,
      answer: failure(405, 'HTTP 405 Method Not Allowed: /subjects takes GET')
    },
    { name: 'a slash at the end', ask: 'GET /subjects/', status: 200 },
    {
      name: 'a limit that is not a number',
      ask: 'GET /subjects?limit=many',
      status: 400,
      answer: failure(400, "Query parameter limit: 'many' is not an integer")
    },
    { name: 'a parameter given twice: the first counts', ask: 'GET /subjects?offset=1&offset=0', status: 200, answer: [] },
    {
      name: 'a broken percent sign',
      ask: 'GET /subjects/%E0%A4%A/versions',
      status: 400,
      answer: failure(400, expect.any(String))
    },
    {
      name: 'metrics',
      ask: 'GET /metrics',
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      answer: expect.stringContaining('assay_registry_schemas 1')
    },
    { name: 'its own description', ask: 'GET /openapi.json', status: 200, answer: expect.objectContaining({ openapi: '3.1.0' }) }
  ]
  test.each(doors)('$name', async ({ ask: line, body, headers, status, type, answer }) => {
    const got = await ask(line, body, headers)
    expect(got.status).toBe(status)
    if (type) expect(got.type).toBe(type)
    if (answer) expect(got.body).toEqual(answer)
  })

  const hostile: { name: string; body: string; status: number; message: RegExp }[] = [
    { name: 'nothing', body: '', status: 422, message: /Empty schema/ },
    { name: 'no JSON', body: '{', status: 400, message: /not JSON/ },
    { name: 'a list', body: '[]', status: 400, message: /must be object/ },
    { name: 'a text', body: '"x"', status: 400, message: /must be object/ },
    { name: 'null', body: 'null', status: 400, message: /must be object/ },
    { name: 'a number for the schema', body: '{"schema":5}', status: 400, message: /\/schema must be string/ },
    { name: 'an object for the schema', body: '{"schema":{"type":"int"}}', status: 400, message: /\/schema must be string/ },
    {
      name: 'a text for references',
      body: '{"schema":"\\"int\\"","references":"x"}',
      status: 400,
      message: /\/references must be array/
    },
    {
      name: 'a reference without version',
      body: '{"schema":"\\"int\\"","references":[{"name":"a","subject":"b"}]}',
      status: 400,
      message: /version/
    },
    { name: 'deep lists', body: `{"schema":${'['.repeat(50_000)}`, status: 400, message: /deeper than 100/ },
    {
      name: 'a deep schema',
      body: JSON.stringify({ schema: '{"type":"array","items":'.repeat(2000) }),
      status: 422,
      message: /Invalid schema/
    },
    {
      name: 'more than is taken',
      body: JSON.stringify({ schema: 'x'.repeat(200_000) }),
      status: 413,
      message: /larger than 100000 bytes/
    }
  ]
  test.each(hostile)('a body that is hostile: $name', async ({ body, status, message }) => {
    const got = await ask('POST /subjects/h/versions', body)
    expect(got).toMatchObject({ status, body: { error_code: expect.any(Number), message: expect.stringMatching(message) } })
  })

  test('a body that is not UTF-8 is refused and not mended', async () => {
    const payload = Buffer.from('{"schema":"\\"int\\"","metadata":{"properties":{"a":"\xff"}}}', 'latin1')
    const got = await service.app.inject({ method: 'POST', url: '/subjects/h/versions', payload })
    expect(got.json()).toEqual(failure(400, expect.stringContaining('not valid for encoding utf-8')))
  })

  test('a body with __proto__ changes nothing but itself', async () => {
    const body =
      '{"__proto__":{"schema":"\\"long\\"","force":true},"schema":"\\"int\\"","metadata":{"properties":{"__proto__":"x","constructor":"y"}}}'
    const got = await ask('POST /subjects/proto/versions', body)
    expect(got.status).toBe(200)
    expect(JSON.stringify(got.body)).toContain('"properties":{"__proto__":"x","constructor":"y"}')
    expect(({} as Record<string, unknown>)['schema']).toBeUndefined()
  })

  test('ten megabytes are answered quickly', async () => {
    const large = await openService()
    const started = performance.now()
    const got = await large.ask('POST /subjects/s/versions', JSON.stringify({ schema: `"${'x'.repeat(10_000_000)}"` }))
    expect(got).toMatchObject({ status: 422, body: { error_code: 42209 } })
    expect(performance.now() - started).toBeLessThan(1000)
    await large.close()
  })

  test('listens on a free port, answers over a socket, and closes', async () => {
    const { registry } = service
    const { url, close } = await listenHttp({
      registry,
      logger: silentLogger,
      host: '127.0.0.1',
      port: 0,
      limits: { bodyBytesMax: 1000 }
    })
    const send = async (body: string) =>
      (
        await fetch(`${url}/subjects/wire/versions`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
      ).json()
    expect(await send('{"schema":"\\"int\\""}')).toMatchObject({ id: 1, version: 1 })
    expect(await send('x'.repeat(5000))).toEqual(failure(413, 'The request body is larger than 1000 bytes'))
    await close()
    await expect(fetch(url)).rejects.toThrow()
  })

  describe('a route that can follow', () => {
    const state = { ended: 0 }
    const numbers = route<typeof state>()({
      method: 'GET',
      path: '/numbers/:topic',
      access: 'read',
      says: 'Counts.',
      errors: ['TOPIC_NOT_FOUND'],
      params: t.Object({ topic: t.String() }),
      query: t.Object({ from: t.Integer({ default: 1, minimum: 1 }) }),
      reply: t.Array(t.Integer()),
      run: ({ query: { from } }) => [from],
      streams: async ({ params: { topic }, query: { from } }, counted, signal) => {
        if (topic === 'none') throw new AssayError('TOPIC_NOT_FOUND', { topic })
        return (async function* () {
          try {
            for (let n = from; !signal.aborted; n++) {
              yield `data: ${n}\n\n`
              await new Promise(resolve => setTimeout(resolve, 1))
            }
          } finally {
            counted.ended++
          }
        })()
      }
    })
    const listen = () =>
      listenHttp({ registry: service.registry, logger: silentLogger, host: '127.0.0.1', port: 0, routes: bind(state, [numbers]) })
    const sse = { headers: { accept: 'text/event-stream' } }

    test('answers JSON unless it is asked for a stream, and failures as ever', async () => {
      const { url, close } = await listen()
      expect(await (await fetch(`${url}/numbers/x?from=3`)).json()).toEqual([3])
      const none = await fetch(`${url}/numbers/none`, sse)
      expect([none.status, none.headers.get('content-type'), await none.json()]).toEqual([
        404,
        V1,
        failure(40411, "Topic 'none' not found.")
      ])
      expect(await (await fetch(`${url}/numbers/x?from=0`)).json()).toEqual(
        failure(400, expect.stringMatching(/^Query parameter from: /))
      )
      expect((await fetch(`${url}/subjects`, sse)).status).toBe(406)
      await close()
    })

    test('sends as it comes, stops when the client goes, and when the server closes', async () => {
      const { url, close } = await listen()
      const read = async () => {
        const answer = await fetch(`${url}/numbers/x`, sse)
        expect(answer.headers.get('content-type')).toBe('text/event-stream')
        const reader = answer.body!.getReader()
        const { value } = await reader.read()
        expect(Buffer.from(value!).toString()).toMatch(/^data: 1\n\n/)
        return reader
      }
      const first = await read()
      const before = state.ended
      await first.cancel()
      await expect.poll(() => state.ended).toBe(before + 1)
      const second = await read()
      await close()
      expect(state.ended).toBe(before + 2)
      await second.cancel().catch(() => {})
    })
  })

  test('a failure of ours is a 500 that tells nothing', async () => {
    const broken = {
      ...service.registry,
      subjects: () => {
        throw new Error('secret')
      }
    }
    const logged: unknown[] = []
    const app = buildHttp({ registry: broken, logger: { debug() {}, info() {}, warn() {}, error: facts => logged.push(facts) } })
    const answer = await app.inject('/subjects')
    expect(answer.statusCode).toBe(500)
    expect(answer.json()).toEqual(failure(500, 'Internal Server Error'))
    expect(logged).toHaveLength(1)
    await app.close()
  })
})
