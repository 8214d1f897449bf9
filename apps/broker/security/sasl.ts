/**
 * The SASL mechanisms of the Kafka door: PLAIN (RFC 4616), SCRAM (RFC 5802), OAUTHBEARER (RFC 7628). Each is a row of messages from the client,
 * answered by a challenge or by who he is.
 */
import { AssayError } from '@assay/errors'
import { isScramMechanism, type Proof, type Security, scramMechanisms, userPrincipal } from '@assay/security'

export const saslMechanisms = ['PLAIN', ...scramMechanisms, 'OAUTHBEARER'] as const
export type SaslMechanism = (typeof saslMechanisms)[number]

/** The mechanisms that a setting names; OAUTHBEARER is left out where no tokens are taken. Fails with INVALID_SETTING. */
export function readMechanisms(text: string, { tokens }: { readonly tokens: boolean }): SaslMechanism[] {
  const refuse = (reason: string): never => {
    throw new AssayError('INVALID_SETTING', { setting: 'kafka-sasl-mechanisms', value: text.slice(0, 100), reason })
  }
  const named = text.split(',').map(word => {
    const name = word.trim().toUpperCase()
    return saslMechanisms.find(known => known === name) ?? refuse(`there are ${saslMechanisms.join(', ')}`)
  })
  const offered = [...new Set(named)].filter(name => tokens || name !== 'OAUTHBEARER')
  return offered.length > 0 ? offered : refuse('OAUTHBEARER needs jwt-keys, and there is no other')
}

export interface SaslStep {
  /** What to send the client. */
  readonly message: Buffer
  /** Who he is; absent while more messages must come. */
  readonly proof?: Proof
}

/**
 * Takes the next message of the client. Fails with NOT_AUTHENTICATED, TOO_MANY_LOG_INS or TOKEN_KEYS_UNREACHABLE, and the exchange is over.
 */
export type SaslExchange = (message: Buffer) => Promise<SaslStep>

const NOTHING = Buffer.alloc(0)

export function saslExchange(mechanism: SaslMechanism, security: Security, address: string): SaslExchange {
  if (mechanism === 'PLAIN') return message => plain(message, security, address)
  if (isScramMechanism(mechanism)) return scram(mechanism, security, address)
  return oauthBearer(security, address)
}

async function plain(message: Buffer, security: Security, address: string): Promise<SaslStep> {
  const parts = message.toString('utf8').split('\0')
  const [authorizationId, name = '', password = ''] = parts
  if (parts.length !== 3 || name === '' || password === '') throw refused('PLAIN needs a name and a password')
  if (authorizationId !== '' && authorizationId !== name) throw refused('the authorization ID must be the name itself')
  return { message: NOTHING, proof: await security.prove({ kind: 'password', name, password }, address) }
}

function scram(mechanism: (typeof scramMechanisms)[number], security: Security, address: string): SaslExchange {
  let exchange: ReturnType<Security['scram']>
  return async message => {
    const text = message.toString('utf8')
    if (exchange === undefined) {
      exchange = security.scram(mechanism, text, address)
      if (exchange === undefined) throw refused(`this is no first message of ${mechanism}`)
      return { message: Buffer.from(exchange.serverFirst) }
    }
    const last = exchange.finish(text)
    if (last === undefined) throw refused('wrong name or password')
    return { message: Buffer.from(last), proof: { principal: userPrincipal(exchange.name) } }
  }
}

/**
 * RFC 7628 has a failure told in a challenge that the client must answer before the failure itself comes. Kafka's protocol has a place for it
 * beside, and kafkajs and @platformatic/kafka take any challenge for success: so it is told there at once, and every client shows the reason.
 */
function oauthBearer(security: Security, address: string): SaslExchange {
  return async message => {
    const { token, authorizationId } = readBearer(message.toString('utf8'))
    const proof = await security.prove({ kind: 'token', token }, address)
    if (authorizationId !== '' && userPrincipal(authorizationId) !== proof.principal) {
      throw refused('the authorization ID must be the name in the token')
    }
    return { message: NOTHING, proof }
  }
}

const SEPARATOR = '\u0001'

/** `n,a=NAME,^Aauth=Bearer TOKEN^A^A`, with other pairs beside `auth`, which nobody asks for (RFC 7628, 3.1). */
function readBearer(text: string): { readonly token: string; readonly authorizationId: string } {
  const [header = '', ...pairs] = text.split(SEPARATOR)
  const names = /^n,(?:a=([^,]*))?,$/.exec(header)
  const token = pairs.map(pair => /^auth=Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(pair)?.[1]).find(found => found !== undefined)
  const isWhole = pairs.at(-1) === '' && pairs.at(-2) === ''
  if (names === null || token === undefined || !isWhole) throw refused('this is no message of OAUTHBEARER')
  return { token, authorizationId: names[1] ?? '' }
}

const refused = (reason: string): AssayError => new AssayError('NOT_AUTHENTICATED', { reason })
