/** Bearer tokens: which are taken, and why the others are not. Keys are made here, tokens are put together by hand. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { isAssayError } from '@assay/errors'
import { describe, expect, test } from 'vitest'
import { handClock } from './time.fixture.ts'
import { openTokens, parseKeySet, type TokenOptions } from './token.ts'

const clock = handClock()
const nowS = clock.now() / 1000
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = (key: KeyObject, more: object) => ({ ...key.export({ format: 'jwk' }), ...more })
const keys = {
  keys: [
    jwk(rsa.publicKey, { kid: 'rsa', use: 'sig' }),
    jwk(ec.publicKey, { kid: 'ec', alg: 'ES256' }),
    jwk(ed.publicKey, { kid: 'ed' })
  ]
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
type Signer = (signed: Buffer) => Buffer
const withRsa: Signer = signed => sign('sha256', signed, rsa.privateKey)
const withEc: Signer = signed => sign('sha256', signed, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })

const claims = { iss: 'https://issuer.test', aud: 'assay', sub: 'robot', exp: nowS + 600 }

function tokenOf(payload: object, header: object = { alg: 'RS256', kid: 'rsa' }, signer: Signer = withRsa): string {
  const signed = `${part(header)}.${part(payload)}`
  return `${signed}.${signer(Buffer.from(signed)).toString('base64url')}`
}

const options: TokenOptions = {
  issuer: claims.iss,
  audience: claims.aud,
  keys,
  algorithms: ['RS256', 'ES256', 'EdDSA'],
  principalClaim: 'sub',
  clock
}

async function verdict(token: string, given: Partial<TokenOptions> = {}): Promise<string> {
  try {
    return (await (await openTokens({ ...options, ...given })).verify(token)).principal
  } catch (error) {
    if (isAssayError(error)) return `${error.code}: ${error.message}`
    throw error
  }
}

const refused = (reason: string): string => `NOT_AUTHENTICATED: Not authenticated: ${reason}`

describe('a token', () => {
  const rows: [name: string, token: string, verdict: string][] = [
    ['RS256', tokenOf(claims), 'User:robot'],
    ['ES256', tokenOf(claims, { alg: 'ES256', kid: 'ec' }, withEc), 'User:robot'],
    ['EdDSA', tokenOf(claims, { alg: 'EdDSA', kid: 'ed' }, signed => sign(null, signed, ed.privateKey)), 'User:robot'],
    ['for several audiences', tokenOf({ ...claims, aud: ['other', 'assay'] }), 'User:robot'],
    ['expired within the tolerance', tokenOf({ ...claims, exp: nowS - 29 }), 'User:robot'],
    ['expired', tokenOf({ ...claims, exp: nowS - 31 }), refused('the token has expired')],
    ['not valid yet', tokenOf({ ...claims, nbf: nowS + 31 }), refused('claim nbf of the token is not what is asked for')],
    ['without an end', tokenOf({ ...claims, exp: undefined }), refused('claim exp of the token is missing')],
    [
      'of another issuer',
      tokenOf({ ...claims, iss: 'https://evil.test' }),
      refused('claim iss of the token is not what is asked for')
    ],
    ['for others', tokenOf({ ...claims, aud: 'shop' }), refused('claim aud of the token is not what is asked for')],
    ['for nobody', tokenOf({ ...claims, aud: undefined }), refused('claim aud of the token is missing')],
    ['without a name', tokenOf({ ...claims, sub: undefined }), refused('claim sub of the token is missing')],
    ['with an empty name', tokenOf({ ...claims, sub: '' }), refused('claim sub of the token is no name')],
    ['with a number for a name', tokenOf({ ...claims, sub: 7 }), refused('claim sub of the token is no name')],
    ['with a line break in its name', tokenOf({ ...claims, sub: 'a\nb' }), refused('claim sub of the token is no name')],
    [
      'signed by another key',
      tokenOf(claims, undefined, signed => sign('sha256', signed, stranger.privateKey)),
      refused('the token is signed by none of the keys')
    ],
    ['with an unknown key ID', tokenOf(claims, { alg: 'RS256', kid: 'x' }), refused('the token is signed by none of the keys')],
    [
      'that was changed',
      tokenOf(claims).replace(/\.[^.]+\./, `.${part({ ...claims, sub: 'root' })}.`),
      refused('the token is signed by none of the keys')
    ],
    [
      'without a signature',
      `${part({ alg: 'none' })}.${part(claims)}.`,
      refused('the token is signed with an algorithm that is not taken')
    ],
    [
      'with an algorithm that is not on the list',
      tokenOf(claims, { alg: 'RS512', kid: 'rsa' }),
      refused('the token is signed with an algorithm that is not taken')
    ],
    [
      'signed with the public key as a secret',
      tokenOf(claims, { alg: 'HS256', kid: 'rsa' }, signed =>
        createHmac('sha256', rsa.publicKey.export({ type: 'spki', format: 'pem' }))
          .update(signed)
          .digest()
      ),
      refused('the token is signed with an algorithm that is not taken')
    ],
    [
      'that brings its own key',
      tokenOf(claims, { alg: 'RS256', jwk: jwk(stranger.publicKey, {}) }, signed => sign('sha256', signed, stranger.privateKey)),
      refused('the token is signed by none of the keys')
    ],
    ['that is none', 'hello', refused('the token is no JSON Web Token')],
    ['that is empty in each part', '..', refused('the token is no JSON Web Token')]
  ]
  test.each(rows)('%s', async (_name, token, expected) => {
    expect(await verdict(token)).toBe(expected)
  })

  test('names its principal in the claim of the settings, and says how long it is good', async () => {
    const tokens = await openTokens({ ...options, principalClaim: 'client_id' })
    expect(await tokens.verify(tokenOf({ ...claims, client_id: 'shop' }))).toEqual({
      principal: 'User:shop',
      untilMs: (claims.exp + 30) * 1000
    })
  })
})

describe('keys behind a URL', () => {
  const url = new URL('https://issuer.test/keys')
  const answering = (body: string | ReadableStream, status = 200) => {
    let asked = 0
    const fetch = async (): Promise<Response> => {
      asked++
      return new Response(body, { status })
    }
    return { fetch: fetch as unknown as typeof globalThis.fetch, asked: () => asked }
  }

  test('are fetched once for many tokens', async () => {
    const { fetch, asked } = answering(JSON.stringify(keys))
    const tokens = await openTokens({ ...options, keys: url, fetch })
    for (let n = 0; n < 3; n++) expect((await tokens.verify(tokenOf({ ...claims, jti: n }))).principal).toBe('User:robot')
    expect(asked()).toBe(1)
  })

  const endless = () =>
    new ReadableStream({
      pull: controller => controller.enqueue(new Uint8Array(256 * 1024))
    })
  const faults: [name: string, body: () => string | ReadableStream, status: number, says: RegExp][] = [
    ['fail', () => 'no', 500, /Expected 200/],
    ['are elsewhere', () => '', 302, /Expected 200/],
    ['are no JSON', () => 'no', 200, /JSON/],
    ['never end', endless, 200, /larger than 1048576 bytes/]
  ]
  test.each(faults)('that %s are no fault of the caller', async (_name, body, status, says) => {
    const { fetch } = answering(body(), status)
    const said = await verdict(tokenOf(claims), { keys: url, fetch })
    expect(said).toMatch(/^TOKEN_KEYS_UNREACHABLE: The keys of the tokens cannot be had from https:\/\/issuer\.test\/keys: /)
    expect(said).toMatch(says)
  })
})

describe('the text of a key set', () => {
  test('is read', () => {
    expect(parseKeySet(JSON.stringify(keys))).toEqual(keys)
  })

  test.each([
    ['no JSON', '{', 'is no JSON'],
    ['no keys', '{"keys":[]}', 'has no list of keys'],
    ['a text for a key', '{"keys":["x"]}', 'has no list of keys'],
    ['a shared secret', '{"keys":[{"kty":"oct","k":"AA"}]}', 'holds a shared secret'],
    ['a private key', JSON.stringify({ keys: [rsa.privateKey.export({ format: 'jwk' })] }), 'holds a private key']
  ])('is refused with %s', (_name, text, says) => {
    expect(() => parseKeySet(text)).toThrow(says)
  })
})
