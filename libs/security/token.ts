/**
 * Bearer tokens: JSON Web Tokens of one issuer (RFC 7519), signed with a key of its set (RFC 7517). The keys come from the configuration
 * alone; what a token itself says about where its key can be found is not looked at.
 */
import { AssayError } from '@assay/errors'
import type { Clock } from '@assay/std'
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from 'jose'
import { isPrincipal, userPrincipal } from './principal.ts'

type Jose = typeof import('jose')
/** Loaded only where tokens are taken. */
const loadJose = (): Promise<Jose> => import('jose')

export interface TokenVerifier {
  /** Fails with NOT_AUTHENTICATED, which says why, and with TOKEN_KEYS_UNREACHABLE. */
  verify(token: string): Promise<VerifiedToken>
}

export interface VerifiedToken {
  readonly principal: string
  /** From then on the token is no good any more. */
  readonly untilMs: number
}

export interface TokenOptions {
  readonly issuer: string
  readonly audience: string
  readonly keys: KeySet | URL
  /** Names of RFC 7518, such as RS256. */
  readonly algorithms: readonly string[]
  /** The claim whose value is the name of the principal. */
  readonly principalClaim: string
  readonly clock: Clock
  /** For keys behind a URL. */
  readonly fetch?: typeof globalThis.fetch
}

export interface KeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[]
}

/** Signatures with a private key. A shared secret (HS256) would let everybody who can check a token make one, and `none` is none. */
export const tokenAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519'
] as const

/** How far the issuer's clock may be from ours. */
const TOLERANCE_S = 30
const KEY_SET_BYTES_MAX = 1024 * 1024
const FETCH_TIMEOUT_MS = 5000
const NAME_CHARS_MAX = 1024

export async function openTokens(options: TokenOptions): Promise<TokenVerifier> {
  const jose = await loadJose()
  const { issuer, audience, keys, principalClaim, clock } = options
  const find =
    keys instanceof URL ? remoteKeys(jose, keys, options.fetch ?? fetch) : jose.createLocalJWKSet(keys as JSONWebKeySet)
  return {
    async verify(token) {
      try {
        const { payload } = await jose.jwtVerify(token, find, {
          issuer,
          audience,
          algorithms: [...options.algorithms],
          clockTolerance: TOLERANCE_S,
          currentDate: new Date(clock.now()),
          requiredClaims: ['exp', principalClaim]
        })
        return { principal: principalOf(payload[principalClaim], principalClaim), untilMs: untilOf(payload) }
      } catch (error) {
        throw refusalOf(error, keys)
      }
    }
  }
}

/** The text of a key set. Fails with INVALID_ARGUMENT, also for keys that do not belong into the hands of who only checks. */
export function parseKeySet(text: string): KeySet {
  const refuse = (reason: string): never => {
    throw new AssayError('INVALID_ARGUMENT', { reason })
  }
  if (text.length > KEY_SET_BYTES_MAX) refuse(`the key set is larger than ${KEY_SET_BYTES_MAX} bytes`)
  let set: unknown
  try {
    set = JSON.parse(text)
  } catch {
    return refuse('the key set is no JSON')
  }
  const keys = isObject(set) ? set['keys'] : undefined
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isObject)) return refuse('the key set has no list of keys')
  for (const key of keys) {
    if (key['kty'] === 'oct') refuse('the key set holds a shared secret (kty oct)')
    if ('d' in key) refuse('the key set holds a private key')
  }
  return { keys }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function remoteKeys(jose: Jose, url: URL, send: typeof fetch): JWTVerifyGetKey {
  return jose.createRemoteJWKSet(url, { timeoutDuration: FETCH_TIMEOUT_MS, [jose.customFetch]: boundedFetch(send) })
}

/** Redirects are not followed (jose asks for that), and an endless answer ends. */
function boundedFetch(send: typeof fetch): typeof fetch {
  return async (input, init) => {
    const answer = await send(input, init)
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of answer.body ?? []) {
      size += chunk.length
      if (size > KEY_SET_BYTES_MAX) throw new Error(`the key set is larger than ${KEY_SET_BYTES_MAX} bytes`)
      chunks.push(chunk)
    }
    return new Response(answer.status === 200 ? Buffer.concat(chunks) : null, { status: answer.status })
  }
}

function principalOf(value: unknown, claim: string): string {
  const principal = typeof value === 'string' && value.length <= NAME_CHARS_MAX ? userPrincipal(value) : ''
  if (!isPrincipal(principal)) throw refused(`claim ${claim} of the token is no name`)
  return principal
}

const untilOf = ({ exp }: JWTPayload): number => (exp! + TOLERANCE_S) * 1000

const refused = (reason: string, cause?: unknown): AssayError => new AssayError('NOT_AUTHENTICATED', { reason }, { cause })

/** What jose says, by its codes, in words that help an honest caller. */
function refusalOf(error: unknown, keys: KeySet | URL): unknown {
  if (error instanceof AssayError) return error
  const { code, claim, reason, message } = error as { code?: string; claim?: string; reason?: string; message?: string }
  switch (code) {
    case 'ERR_JWT_EXPIRED':
      return refused('the token has expired', error)
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      return refused(`claim ${claim} of the token ${reason === 'missing' ? 'is missing' : 'is not what is asked for'}`, error)
    case 'ERR_JOSE_ALG_NOT_ALLOWED':
    case 'ERR_JOSE_NOT_SUPPORTED':
      return refused('the token is signed with an algorithm that is not taken', error)
    case 'ERR_JWKS_NO_MATCHING_KEY':
    case 'ERR_JWKS_MULTIPLE_MATCHING_KEYS':
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return refused('the token is signed by none of the keys', error)
    case 'ERR_JWS_INVALID':
    case 'ERR_JWT_INVALID':
    case 'ERR_JWK_INVALID':
      return refused('the token is no JSON Web Token', error)
    default:
      // Everything else comes from fetching: a wrong answer, none in time, or no connection.
      if (keys instanceof URL)
        return new AssayError('TOKEN_KEYS_UNREACHABLE', { where: keys.href, reason: message ?? '' }, { cause: error })
      return refused('the token cannot be checked', error)
  }
}
