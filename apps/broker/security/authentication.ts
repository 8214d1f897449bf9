/**
 * Who is at the other end of a connection: what may be asked before that is known, the SASL exchange, and how long it stays known (KIP-43,
 * KIP-152, KIP-368). One per connection; nothing of one connection touches another's.
 */
import { isAssayError } from '@assay/errors'
import { type AnyApi, apiVersions, errorCode, type ResponseOf, saslAuthenticate, saslHandshake } from '@assay/protocol'
import { ANONYMOUS, type Security } from '@assay/security'
import type { Clock } from '@assay/std'
import { type SaslExchange, type SaslMechanism, saslExchange } from './sasl.ts'

export interface AuthenticationTerms {
  readonly security: Security
  /** Those that are offered, in the order in which clients are told of them. */
  readonly mechanisms: readonly SaslMechanism[]
  /** How long a log-in is good before the client must prove again who he is; 0: for ever, or as long as his token. */
  readonly reauthenticationMs: number
  readonly clock: Clock
}

/** What was answered, and whether the connection ends with it. */
export interface AuthenticationAnswer<R> {
  readonly body: R
  readonly ends: boolean
}

export interface AuthenticationEvents {
  readonly succeeded: (principal: string, mechanism: string) => void
  readonly failed: (reason: string, mechanism: string) => void
}

export interface Authentication {
  /** `User:ANONYMOUS` until it is known. */
  readonly principal: string
  readonly isKnown: boolean
  /** Frames are bare messages of the mechanism, without any header: what version 0 of SaslHandshake leads to. */
  readonly isBare: boolean
  /** Why the connection must be closed instead of serving this; undefined when it may be served. */
  refusal(api: AnyApi): string | undefined
  handshake(version: number, mechanism: string): AuthenticationAnswer<ResponseOf<typeof saslHandshake>>
  authenticate(message: Buffer): Promise<AuthenticationAnswer<ResponseOf<typeof saslAuthenticate>>>
}

const NOTHING = Buffer.alloc(0)
const isOfAuthentication = ({ key }: AnyApi): boolean =>
  key === apiVersions.key || key === saslHandshake.key || key === saslAuthenticate.key

/** `terms` undefined: nobody is asked. `certified` is who the certificate of the connection names. */
export function openAuthentication(
  terms: AuthenticationTerms | undefined,
  { certified, address }: { readonly certified: string | undefined; readonly address: string },
  events: AuthenticationEvents
): Authentication {
  let principal = certified ?? ANONYMOUS
  let isKnown = terms === undefined || certified !== undefined
  /** Of the log-in that is in force; null where there was none. */
  let provedBy: SaslMechanism | null = null
  let underWay: { readonly mechanism: SaslMechanism; readonly exchange: SaslExchange } | undefined
  let isBare = false
  let expiresMs = Number.POSITIVE_INFINITY

  const refusedHandshake = (error: 'UNSUPPORTED_SASL_MECHANISM' | 'ILLEGAL_SASL_STATE', ends: boolean) => ({
    body: { errorCode: errorCode(error), mechanisms: [...(terms?.mechanisms ?? [])] },
    ends
  })

  const failure = (
    error: 'SASL_AUTHENTICATION_FAILED' | 'ILLEGAL_SASL_STATE',
    errorMessage: string
  ): AuthenticationAnswer<ResponseOf<typeof saslAuthenticate>> => ({
    body: { errorCode: errorCode(error), errorMessage, authBytes: NOTHING, sessionLifetimeMs: 0n },
    // Whoever is known may go on after a message that does not belong there.
    ends: error === 'SASL_AUTHENTICATION_FAILED' || !isKnown
  })

  function accept(proved: string, untilMs: number, mechanism: SaslMechanism): bigint {
    const now = terms!.clock.now()
    const limitMs = terms!.reauthenticationMs === 0 ? Number.POSITIVE_INFINITY : now + terms!.reauthenticationMs
    expiresMs = Math.min(untilMs, limitMs)
    principal = proved
    provedBy = mechanism
    isKnown = true
    underWay = undefined
    isBare = false
    events.succeeded(principal, mechanism)
    return Number.isFinite(expiresMs) ? BigInt(Math.max(0, Math.floor(expiresMs - now))) : 0n
  }

  return {
    get principal() {
      return principal
    },
    get isKnown() {
      return isKnown
    },
    get isBare() {
      return isBare
    },
    refusal(api) {
      if (terms === undefined || isOfAuthentication(api)) return undefined
      if (!isKnown) return `${api.name} came before the client has proved who he is`
      if (underWay !== undefined) return `${api.name} came in the middle of proving again who he is`
      return terms.clock.now() >= expiresMs ? `the log-in of ${principal} has expired` : undefined
    },
    handshake(version, name) {
      if (terms === undefined) return refusedHandshake('ILLEGAL_SASL_STATE', false)
      // A second exchange must not begin inside the first one.
      if (underWay !== undefined) return refusedHandshake('ILLEGAL_SASL_STATE', true)
      const mechanism = terms.mechanisms.find(offered => offered === name)
      if (mechanism === undefined || (provedBy !== null && provedBy !== mechanism)) {
        events.failed(`the mechanism ${name.slice(0, 40)} is not offered`, name)
        return refusedHandshake('UNSUPPORTED_SASL_MECHANISM', true)
      }
      underWay = { mechanism, exchange: saslExchange(mechanism, terms.security, address) }
      isBare = version === 0
      return { body: { errorCode: 0, mechanisms: [...terms.mechanisms] }, ends: false }
    },
    async authenticate(message) {
      if (underWay === undefined) return failure('ILLEGAL_SASL_STATE', 'SaslAuthenticate comes after SaslHandshake.')
      const { mechanism, exchange } = underWay
      try {
        const { message: authBytes, proof } = await exchange(message)
        let sessionLifetimeMs = 0n
        if (proof !== undefined) {
          if (provedBy !== null && proof.principal !== principal) {
            events.failed(`${principal} cannot become ${proof.principal}`, mechanism)
            return failure('SASL_AUTHENTICATION_FAILED', 'Whoever proves again who he is must be the same.')
          }
          sessionLifetimeMs = accept(proof.principal, proof.untilMs ?? Number.POSITIVE_INFINITY, mechanism)
        }
        return { body: { errorCode: 0, errorMessage: null, authBytes, sessionLifetimeMs }, ends: false }
      } catch (error) {
        if (!isAssayError(error)) throw error
        events.failed(error.message, mechanism)
        return failure('SASL_AUTHENTICATION_FAILED', `Authentication failed with SASL mechanism ${mechanism}: ${error.message}`)
      }
    }
  }
}
