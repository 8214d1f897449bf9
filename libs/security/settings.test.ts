/** Which settings of security go together, and which are refused at start. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, loadConfig } from '@assay/config'
import { silentLogger } from '@assay/std'
import { describe, expect, test } from 'vitest'
import { securityFromSettings, tlsFromSettings } from './settings.ts'
import { handClock } from './time.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-settings-'))
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text, { mode: 0o600 })
  return join(folder, name)
}
const parts = { clock: handClock(), logger: silentLogger, random: randomBytes }
const configOf = (flags: Partial<Record<keyof Config, unknown>>): Config => loadConfig({ flags, env: {}, file: {} }).config

const securityFile = file('security.yaml', 'users: {}\n')
const jwtKeys = JSON.stringify({ keys: [generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })] })
const tokens = { jwtKeys, jwtIssuer: 'https://issuer.test', jwtAudience: 'assay' }

async function openAll(flags: Partial<Record<keyof Config, unknown>>): Promise<void> {
  const config = configOf(flags)
  const security = await securityFromSettings(config, parts)
  await security?.close()
  const tls = await tlsFromSettings('http', config, parts)
  await tls?.close()
}

describe('settings of security', () => {
  test('that are not there mean no security and no TLS', async () => {
    expect(await securityFromSettings(configOf({}), parts)).toBeUndefined()
    expect(await tlsFromSettings('http', configOf({}), parts)).toBeUndefined()
  })

  test('with a file alone mean passwords', async () => {
    const security = await securityFromSettings(configOf({ securityFile }), parts)
    expect(security?.kinds).toEqual(['password'])
    await security?.close()
  })

  const refused: [name: string, flags: Partial<Record<keyof Config, unknown>>, says: RegExp][] = [
    ['a file that is not there', { securityFile: join(folder, 'none') }, /none: ENOENT/],
    ['an issuer without keys', { securityFile, jwtIssuer: 'x' }, /^jwt-issuer = x: means nothing without jwt-keys$/],
    ['an audience without keys', { securityFile, jwtAudience: 'x' }, /^jwt-audience = x: means nothing without jwt-keys$/],
    ['keys without an issuer', { securityFile, ...tokens, jwtIssuer: '' }, /^jwt-issuer = : is missing beside jwt-keys/],
    ['keys without an audience', { securityFile, ...tokens, jwtAudience: '' }, /^jwt-audience = : is missing beside jwt-keys/],
    ['no claim', { securityFile, ...tokens, jwtPrincipalClaim: '' }, /^jwt-principal-claim = : is empty$/],
    ['no algorithm', { securityFile, ...tokens, jwtAlgorithms: '' }, /^jwt-algorithms = : an empty name is not taken/],
    ['the algorithm none', { securityFile, ...tokens, jwtAlgorithms: 'RS256,none' }, /^jwt-algorithms = .*: none is not taken/],
    ['a shared secret', { securityFile, ...tokens, jwtAlgorithms: 'HS256' }, /^jwt-algorithms = HS256: HS256 is not taken/],
    ['keys over plain HTTP', { securityFile, ...tokens, jwtKeys: 'http://issuer.test/keys' }, /^jwt-keys = .*: needs https$/],
    ['keys that are no URL', { securityFile, ...tokens, jwtKeys: 'https://' }, /^jwt-keys = .*: is no URL$/],
    ['keys in a file that is not there', { securityFile, ...tokens, jwtKeys: join(folder, 'none') }, /^jwt-keys = .*: ENOENT/],
    [
      'a file that holds no keys',
      { securityFile, ...tokens, jwtKeys: file('no.json', '{}') },
      /^jwt-keys = .*: the key set has no list/
    ],
    ['certificates that change nothing', { httpTlsClientAuth: 'optional' }, /^http-tls-client-auth = optional: means nothing/],
    ['a certificate without a key', { httpTlsCert: securityFile }, /^http-tls-key = : is missing/],
    ['a certificate asked for without TLS', { httpTlsClientAuth: 'required' }, /^http-tls-cert = : is missing/]
  ]
  test.each(refused)('are refused: %s', async (_name, flags, says) => {
    await expect(openAll(flags)).rejects.toThrow(says)
  })
})

describe('settings of tokens', () => {
  test.each([
    ['inline', jwtKeys],
    ['in a file', file('keys.json', jwtKeys)],
    ['behind a URL', 'https://issuer.test/keys'],
    ['behind a URL of this machine', 'http://127.0.0.1:1/keys']
  ])('take keys %s', async (_name, keys) => {
    const security = await securityFromSettings(configOf({ securityFile, ...tokens, jwtKeys: keys }), parts)
    expect(security?.kinds).toEqual(['password', 'token'])
    await security?.close()
  })

  test('mean nothing without a security file', async () => {
    await expect(openAll(tokens)).rejects.toThrow(/^jwt-keys = .*: means nothing without security-file/)
  })
})
