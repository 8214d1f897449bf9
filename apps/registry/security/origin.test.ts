/** What web pages of other sites may make a browser send: nothing. */

import { silentLogger } from '@assay/std'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildHttp } from '../server.ts'
import { openService, type Service } from '../test/service.ts'
import { checkHost, checkOrigin } from './origin.ts'

const hosts: [host: string | undefined, isOurs: boolean][] = [
  ['localhost:8081', true],
  ['LOCALHOST', true],
  ['127.0.0.1:8081', true],
  ['127.9.9.9', true],
  ['[::1]:8081', true],
  ['assay.localhost:8081', true],
  [undefined, true],
  ['evil.test:8081', false],
  ['localhost.evil.test', false],
  ['127.0.0.1.evil.test', false],
  ['evillocalhost', false],
  ['192.168.0.7:8081', false],
  ['[::2]', false],
  ['0.0.0.0:8081', false]
]
test.each(hosts)('the host %s means this machine: %s', (host, isOurs) => {
  const check = (): void => checkHost({ host })
  if (isOurs) check()
  else expect(check).toThrow(/^Refused: the server listens on this machine alone and was called /)
})

const origins: [name: string, method: string, headers: Record<string, string>, isTaken: boolean][] = [
  ['a program', 'POST', { host: 'h:1' }, true],
  ['a page of ours', 'POST', { host: 'h:1', origin: 'http://h:1' }, true],
  ['a page of ours behind a proxy', 'PUT', { host: 'inner', origin: 'https://outer', 'sec-fetch-site': 'same-origin' }, true],
  ['a page of another site', 'POST', { host: 'h:1', origin: 'http://evil.test' }, false],
  ['a page of another port', 'DELETE', { host: 'h:1', origin: 'http://h:2' }, false],
  ['a page of a neighbour', 'PUT', { host: 'h:1', origin: 'http://h:1', 'sec-fetch-site': 'same-site' }, false],
  ['a page without an origin', 'POST', { host: 'h:1', origin: 'null' }, false],
  ['a page of another site that reads', 'GET', { host: 'h:1', origin: 'http://evil.test' }, true],
  ['a page of another site with a token', 'POST', { host: 'h:1', origin: 'http://app.test', authorization: 'Bearer x' }, true],
  ['a page of another site with a password', 'POST', { host: 'h:1', origin: 'http://app.test', authorization: 'Basic x' }, false]
]
test.each(origins)('%s: %s is taken', (_name, method, headers, isTaken) => {
  const check = (): void => checkOrigin(method, headers)
  if (isTaken) check()
  else expect(check).toThrow(/^Refused: a page of .* may not write here$/)
})

describe('a door without security', () => {
  let service: Service
  let loopback: FastifyInstance
  beforeAll(async () => {
    service = await openService()
    loopback = buildHttp({ registry: service.registry, logger: silentLogger, isLoopbackOnly: true })
  })
  afterAll(async () => {
    await loopback.close()
    await service.close()
  })

  test('that this machine alone can reach answers nobody who calls it by another name', async () => {
    const { statusCode, body } = await loopback.inject({ url: '/subjects', headers: { host: 'evil.test:8081' } })
    expect([statusCode, JSON.parse(body)]).toEqual([
      403,
      {
        error_code: 40302,
        message:
          'Refused: the server listens on this machine alone and was called evil.test; call it localhost, or turn security on (--security-file)'
      }
    ])
    expect((await loopback.inject({ url: '/subjects', headers: { host: 'localhost:8081' } })).statusCode).toBe(200)
  })

  test('that others can reach is called by any name', async () => {
    expect((await service.app.inject({ url: '/subjects', headers: { host: 'assay.test' } })).statusCode).toBe(200)
  })

  test('takes no writes of pages of other sites', async () => {
    const write = async (origin: string) =>
      (
        await service.app.inject({
          method: 'POST',
          url: '/subjects/s/versions',
          headers: { host: 'assay.test', origin },
          payload: '{"schema":"\\"int\\""}'
        })
      ).statusCode
    expect([await write('http://evil.test'), await write('http://assay.test')]).toEqual([403, 200])
  })
})
