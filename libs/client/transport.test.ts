import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { registryClient } from './registry.ts'
import type { TlsOptions } from './transport.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

describe.skipIf(!hasOpenssl)('over TLS with certificates of our own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'assay-tls-'))
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8')
  let server: Server
  let url: string
  let asked: { name: string | undefined; body: string; authorization: string | undefined }[] = []

  const openssl = (...args: string[]): void => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  /** A certificate of our authority. */
  const issue = (name: string): void => {
    openssl('req', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    writeFileSync(join(directory, 'names.txt'), 'subjectAltName=IP:127.0.0.1')
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names.txt']
    openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.pem`)
  }

  beforeAll(async () => {
    openssl('req', '-x509', ...key, '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2')
    issue('server')
    issue('client')
    const options = { cert: read('server.pem'), key: read('server.key'), ca: read('ca.pem') }
    server = createServer({ ...options, requestCert: true, rejectUnauthorized: false }, (request, response) => {
      const socket = request.socket as TLSSocket
      const name = socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined
      let body = ''
      request.on('data', chunk => {
        body += String(chunk)
      })
      request.on('end', () => {
        asked.push({ name, body, authorization: request.headers.authorization })
        if (request.method === 'DELETE') response.writeHead(204).end()
        else if (request.method === 'POST') response.end('{"id":7}')
        else if (request.url!.startsWith('/mode')) response.writeHead(404).end('{"error_code":40409,"message":"no mode"}')
        else response.end('["a"]')
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
    rmSync(directory, { recursive: true })
  })
  const client = (tls: TlsOptions) => registryClient({ url, tls, auth: { bearer: 'token' }, timeoutMs: 2_000 })

  test('an authority of our own is trusted, bodies and refusals go through', async () => {
    asked = []
    const registry = client({ ca: read('ca.pem') })
    expect(await registry.subjects()).toEqual(['a'])
    expect(await registry.register('é-value', { schema: '"é"' })).toBe(7)
    expect(asked.at(-1)).toEqual({ name: undefined, body: '{"schema":"\\"é\\""}', authorization: 'Bearer token' })
    await registry.deleteContext('.sales')
    const refused = await registry.mode('a').catch((error: unknown) => error)
    expect(refused).toMatchObject({ facts: { status: 40409, reason: 'no mode' } })
  })

  test('a client certificate is shown', async () => {
    asked = []
    await client({ ca: read('ca.pem'), cert: read('client.pem'), key: read('client.key') }).subjects()
    expect(asked).toMatchObject([{ name: 'client' }])
  })

  test('a server of another authority is not asked', async () => {
    asked = []
    const failure = await client({ ca: read('client.pem') })
      .subjects()
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'UNREACHABLE', facts: { reason: expect.stringMatching(/CERT|SIGNATURE/) } })
    expect(asked).toEqual([])
  })

  test('mistakes are told before anything is sent', async () => {
    expect(() => client({ cert: read('client.pem') })).toThrow('needs its key')
    expect(() => client({ ca: 'ca', cert: 'no', key: 'none' })).toThrow('certificates cannot be used')
    const plain = registryClient({ url: 'http://127.0.0.1:1', tls: { ca: read('ca.pem') } })
    await expect(plain.subjects()).rejects.toThrow('begins with https:')
  })
})
