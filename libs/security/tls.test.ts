/** Files of TLS: what is refused at start, what a renewal does, and who is let in. Real sockets, certificates made here. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type Server } from 'node:tls'
import { type Facts, type Logger, silentLogger } from '@assay/std'
import { afterEach, describe, expect, test } from 'vitest'
import { issue } from './certificates.fixture.ts'
import { handClock } from './time.fixture.ts'
import { openTls, type Tls, type TlsFiles } from './tls.ts'

const authority = issue([['CN', 'authority']])
const server = issue([['CN', 'localhost']], { by: authority })
const client = issue([['CN', 'anna']], { by: authority })
const stranger = issue([['CN', 'anna']], { by: issue([['CN', 'authority']]) })

const folder = mkdtempSync(join(tmpdir(), 'assay-tls-'))
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const files: TlsFiles = {
  cert: write('cert.pem', server.certificate),
  key: write('key.pem', server.key),
  clientCa: write('ca.pem', authority.certificate),
  clientAuth: 'required'
}

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function open(given: Partial<TlsFiles>, logger: Logger = silentLogger) {
  const clock = handClock(Date.now())
  const tls = await openTls({ files: { ...files, ...given }, settings: 'http-tls', clock, logger })
  closing.push(() => tls.close())
  return { tls, clock }
}

async function listen(tls: Tls): Promise<{ readonly door: Server; readonly port: number }> {
  const door = createServer(tls.options, socket => socket.end(`${socket.authorized}`))
  door.on('tlsClientError', () => {})
  await new Promise<void>(resolve => door.listen(0, '127.0.0.1', resolve))
  closing.push(() => new Promise(resolve => door.close(resolve)))
  return { door, port: (door.address() as AddressInfo).port }
}

/** What the server says, or `refused`; and the name in its certificate. */
function ask(port: number, own: { certificate?: string; key?: string; maxVersion?: 'TLSv1.1' } = {}): Promise<[string, string]> {
  return new Promise(resolve => {
    let said = ''
    let name = ''
    const socket = connect({
      port,
      host: '127.0.0.1',
      ca: authority.certificate,
      ...(own.certificate && { cert: own.certificate, key: own.key }),
      ...(own.maxVersion && { minVersion: own.maxVersion, maxVersion: own.maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' })
    })
    socket.on('secureConnect', () => {
      name = String(socket.getPeerCertificate().subject.CN)
    })
    socket.on('data', data => {
      said += data
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve([said || 'refused', name]))
  })
}

describe('a door with TLS', () => {
  test.each([
    ['none', 'false', 'false', 'false'],
    ['optional', 'false', 'true', 'false'],
    ['required', 'refused', 'true', 'refused']
  ] as const)('that asks clients: %s', async (clientAuth, nobody, known, unknown) => {
    const { tls } = await open(clientAuth === 'none' ? { clientAuth, clientCa: '' } : { clientAuth })
    const { port } = await listen(tls)
    expect((await ask(port))[0]).toBe(nobody)
    expect((await ask(port, client))[0]).toBe(known)
    expect((await ask(port, stranger))[0]).toBe(unknown)
  })

  test('speaks TLS 1.2 at least', async () => {
    const { tls } = await open({ clientAuth: 'none', clientCa: '' })
    expect(tls.options.minVersion).toBe('TLSv1.2')
    expect(await ask((await listen(tls)).port, { maxVersion: 'TLSv1.1' })).toEqual(['refused', ''])
  })

  test('takes a renewed certificate without a restart, and keeps the old one when the new has a fault', async () => {
    const [cert, key] = [write('renewed.pem', server.certificate), write('renewed.key', server.key)]
    const messages: string[] = []
    const note = (_facts: Facts, message: string): void => void messages.push(message)
    const logger = { ...silentLogger, info: note, error: note }
    const { tls, clock } = await open({ cert, key, clientAuth: 'none', clientCa: '' }, logger)
    const { door, port } = await listen(tls)
    tls.onRenewal(context => door.setSecureContext(context))
    expect((await ask(port))[1]).toBe('localhost')
    const next = issue([['CN', 'renewed']], { by: authority })
    write('renewed.pem', next.certificate)
    const lastMessage = (): string | undefined => {
      clock.advance(10_000)
      return messages.at(-1)
    }
    await expect.poll(lastMessage).toBe('the files of TLS have a fault; what was read before stays in force')
    expect((await ask(port))[1]).toBe('localhost')
    write('renewed.key', next.key)
    await expect.poll(lastMessage).toBe('the certificate was renewed')
    expect((await ask(port))[1]).toBe('renewed')
  })

  const faults: [name: string, given: Partial<TlsFiles>, says: RegExp][] = [
    ['no key', { key: '' }, /^http-tls-key = : is missing beside http-tls-cert$/],
    ['no certificate', { cert: '' }, /^http-tls-cert = : is missing beside http-tls-key$/],
    ['no authorities', { clientCa: '' }, /^http-tls-client-ca = : is missing beside http-tls-client-auth$/],
    ['authorities for nothing', { clientAuth: 'none' }, /^http-tls-client-auth = none: asks no client for a certificate/],
    ['a file that is not there', { cert: join(folder, 'none.pem') }, /^http-tls-cert = .*ENOENT/],
    ['the key of another', { key: write('other.key', client.key) }, /^http-tls-key = .*is not the key of .*cert\.pem$/],
    ['no PEM', { cert: write('bad.pem', 'hello') }, /^http-tls-cert = .*must hold a certificate and its key as PEM/],
    [
      'authorities that are none',
      { clientCa: write('badca.pem', 'hello') },
      /^http-tls-client-ca = .*holds no certificate as PEM/
    ]
  ]
  test.each(faults)('is refused at start with %s', async (_name, given, says) => {
    await expect(open(given)).rejects.toThrow(says)
  })
})
