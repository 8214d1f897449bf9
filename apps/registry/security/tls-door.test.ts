/** The door over TLS, on real sockets: certificates as principals, passwords beside them, and answers that end when a right is taken away. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClientAuth, openTls } from '@assay/security'
import { silentLogger, systemClock } from '@assay/std'
import { afterEach, expect, test } from 'vitest'
import { type Issued, issue } from '../../../libs/security/certificates.fixture.ts'
import { listenHttp } from '../server.ts'
import { basic, openSecured } from './secured.fixture.ts'

const authority = issue([['CN', 'authority']])
const server = issue([['CN', 'localhost']], { by: authority })
const anna = issue(
  [
    ['O', 'Assay'],
    ['CN', 'anna']
  ],
  { by: authority }
)
const nameless = issue([], { by: authority })
const stranger = issue(
  [
    ['O', 'Assay'],
    ['CN', 'anna']
  ],
  { by: issue([['CN', 'authority']]) }
)
const folder = mkdtempSync(join(tmpdir(), 'assay-door-'))
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function open(clientAuth: ClientAuth) {
  const files = {
    cert: write('cert.pem', server.certificate),
    key: write('key.pem', server.key),
    clientCa: clientAuth === 'none' ? '' : write('ca.pem', authority.certificate),
    clientAuth
  }
  const tls = await openTls({ files, settings: 'http-tls', clock: systemClock, logger: silentLogger })
  const secured = await openSecured({
    users: ['bert'],
    acls: ['CN=anna,O=Assay allow read subject a', 'CN=anna,O=Assay allow read topic mine', 'bert allow read subject b']
  })
  const door = await listenHttp({ ...secured.parts, tls, host: '127.0.0.1', port: 0 })
  closing.push(
    () => tls.close(),
    () => secured.close(),
    () => door.close()
  )
  return { secured, url: door.url }
}

interface Sent {
  readonly by?: Issued
  readonly headers?: Record<string, string>
}

const send = (url: string, { by, headers = {} }: Sent = {}): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const own = by && { cert: by.certificate, key: by.key }
    request(url, { ca: authority.certificate, ...own, headers, agent: false }, resolve)
      .on('error', reject)
      .end()
  })
const statusOf = async (url: string, sent?: Sent): Promise<number> => {
  const answer = await send(url, sent)
  answer.resume()
  return answer.statusCode!
}

test('a certificate is a principal by its subject, and a password beside it goes before', async () => {
  const { secured, url } = await open('optional')
  expect(url).toMatch(/^https:/)
  expect(await statusOf(`${url}/subjects/a/versions`, { by: anna })).toBe(404)
  expect(await statusOf(`${url}/subjects/b/versions`, { by: anna })).toBe(403)
  expect(secured.audited.at(-1)).toMatchObject({ principal: 'User:CN=anna,O=Assay', outcome: 'denied', address: '127.0.0.1' })
  const headers = { authorization: basic('bert') }
  expect(await statusOf(`${url}/subjects/b/versions`, { by: anna, headers })).toBe(404)
  expect(await statusOf(`${url}/subjects/a/versions`, { by: anna, headers })).toBe(403)
  expect(await statusOf(`${url}/subjects/b/versions`, { headers })).toBe(404)
})

test('a certificate that is none of ours, or of nobody, is a failed log-in', async () => {
  const { url } = await open('optional')
  for (const by of [stranger, nameless]) expect(await statusOf(`${url}/subjects/a/versions`, { by })).toBe(401)
  expect(await statusOf(`${url}/subjects/a/versions`)).toBe(401)
  expect(await statusOf(`${url}/health`)).toBe(200)
})

test('where a certificate is required, nobody is heard without one', async () => {
  const { url } = await open('required')
  expect(await statusOf(`${url}/subjects/a/versions`, { by: anna })).toBe(404)
  await expect(statusOf(`${url}/health`)).rejects.toThrow()
  await expect(statusOf(`${url}/health`, { by: stranger })).rejects.toThrow()
})

test('without certificates of clients there are passwords', async () => {
  const { url } = await open('none')
  expect(await statusOf(`${url}/subjects/b/versions`, { by: anna })).toBe(401)
  expect(await statusOf(`${url}/subjects/b/versions`, { by: anna, headers: { authorization: basic('bert') } })).toBe(404)
})

test('an answer that goes on ends when the right to it is taken away', async () => {
  const { secured, url } = await open('optional')
  await secured.registry.register('mine-value', { schema: '"long"' })
  const produce = async (value: number): Promise<void> => {
    const { status } = await secured.ask('POST /v1/topics/mine/events', { user: 'bert', body: { events: [{ value }] } })
    expect(status).toBe(200)
  }
  await secured.change(['CN=anna,O=Assay allow read topic mine', 'bert allow write topic mine'])
  await produce(1)
  const answer = await send(`${url}/v1/topics/mine/events`, { by: anna, headers: { accept: 'text/event-stream' } })
  expect(answer.statusCode).toBe(200)
  let isEnded = false
  let text = ''
  answer.setEncoding('utf8').on('data', chunk => {
    text += chunk
  })
  answer.on('end', () => {
    isEnded = true
  })
  await produce(2)
  await expect.poll(() => text).toContain('"value":2')
  expect(isEnded).toBe(false)
  await secured.change(['bert allow write topic mine'])
  await produce(3)
  await expect.poll(() => isEnded).toBe(true)
  expect(text).not.toContain('"value":3')
})
