/** What clients of every kind meet on the socket of a served process: whatever fails is answered in the one shape that they can read. */
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, serve } from '../../served.ts'

const V1 = 'application/vnd.schemaregistry.v1+json'

let served: Served
beforeAll(async () => {
  served = await serve()
  await post('/subjects/a%2Fb/versions', '{"schema":"\\"int\\""}')
})
afterAll(async () => {
  expect(await served.stop()).toBe(0)
})

const post = (path: string, body: string, headers: Record<string, string> = { 'content-type': V1 }): Promise<Response> =>
  fetch(served.http + path, { method: 'POST', body, headers })

const refusals: [what: string, ask: () => Promise<Response>, status: number, code: number][] = [
  ['an unknown route', () => fetch(`${served.http}/nowhere`), 404, 404],
  ['an unknown route behind a context', () => fetch(`${served.http}/contexts/.c/nowhere`), 404, 404],
  ['a method that the route does not take', () => fetch(`${served.http}/subjects`, { method: 'PUT' }), 405, 405],
  ['an Accept that nothing can satisfy', () => fetch(`${served.http}/subjects`, { headers: { accept: 'text/html' } }), 406, 406],
  ['a type of body that is not taken', () => post('/subjects/s/versions', '{}', { 'content-type': 'text/plain' }), 415, 415],
  ['malformed JSON', () => post('/subjects/s/versions', '{"schema":'), 400, 400],
  ['JSON that is no object', () => post('/subjects/s/versions', '[]'), 400, 400],
  ['a schema that is not there', () => fetch(`${served.http}/schemas/ids/99`), 404, 40403],
  ['an ID that is no number', () => fetch(`${served.http}/schemas/ids/x`), 404, 404],
  ['a schema that is none', () => post('/subjects/s/versions', '{"schema":"x"}'), 422, 42201],
  ['a name with a control character', () => post('/subjects/a%00b/versions', '{"schema":"\\"int\\""}'), 422, 42208]
]

test.each(refusals)('%s', async (_what, ask, status, code) => {
  const answer = await ask()
  expect([answer.status, await answer.json()]).toEqual([status, { error_code: code, message: expect.stringMatching(/./) }])
  expect(answer.headers.get('content-type')).toMatch(/^application\/(vnd\.schemaregistry\.v1\+)?json/)
})

test('a name with a slash is one name', async () => {
  expect(await (await fetch(`${served.http}/subjects`)).json()).toContain('a/b')
  expect(await (await fetch(`${served.http}/subjects/a%2Fb/versions`)).json()).toEqual([1])
})

test('a body may come in chunks', async () => {
  const chunks = ['{"schema"', ':"\\"lo', 'ng\\""}'].map(text => new TextEncoder().encode(text))
  const request = { method: 'POST', body: ReadableStream.from(chunks), headers: { 'content-type': V1 }, duplex: 'half' as const }
  const answer = await fetch(`${served.http}/subjects/chunks/versions`, request)
  expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ version: 1 })])
})

test('HEAD is GET without the body', async () => {
  const answer = await fetch(`${served.http}/subjects`, { method: 'HEAD' })
  expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([200, V1, ''])
})

test('requests sent one behind the other are answered in order', async () => {
  const { hostname, port } = new URL(served.http)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.setEncoding('utf8').on('data', chunk => {
    text += chunk
  })
  const ended = new Promise(resolve => socket.once('close', resolve))
  const paths = ['/schemas/types', '/schemas/ids/99', '/mode']
  const last = paths.length - 1
  socket.write(
    paths
      .map((path, at) => `GET ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n${at === last ? 'connection: close\r\n' : ''}\r\n`)
      .join('')
  )
  await ended
  expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '404', '200'])
  expect(text.indexOf('AVRO')).toBeLessThan(text.indexOf('40403'))
  expect(text.indexOf('40403')).toBeLessThan(text.indexOf('READWRITE'))
})
