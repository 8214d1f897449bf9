/** Who a program is for the broker, and whether it speaks TLS; as the Kafka library takes it. */
import type { ConnectionOptions } from 'node:tls'
import type { AdminOptions, SASLOptions } from '@platformatic/kafka'
import type { TlsOptions } from './transport.ts'

/** What every client that asks the broker about itself is told. */
export interface BrokerOptions {
  /** HOST:PORT of any broker of the cluster. */
  readonly bootstrap: string
  readonly timeoutMs: number
  /** Absent where the broker asks nobody who he is. */
  readonly access?: BrokerAccess | undefined
}

export interface BrokerAccess {
  /** Logs in by SCRAM: the password itself is not sent. */
  readonly user?: { readonly name: string; readonly password: string }
  /** Of another kind than a user with his password: a bearer token. */
  readonly token?: string
  /** Given, if only empty: the connection is encrypted, and the certificate of the broker must be right. */
  readonly tls?: TlsOptions
}

export function libraryOptions(access: BrokerAccess | undefined): {
  sasl?: SASLOptions
  tls?: ConnectionOptions
  tlsServerName?: true
} {
  const { user, token, tls } = access ?? {}
  return {
    ...(user && { sasl: { mechanism: 'SCRAM-SHA-512', username: user.name, password: user.password } }),
    ...(token !== undefined && { sasl: { mechanism: 'OAUTHBEARER', token } }),
    ...(tls && { tls: { ...tls } })
  }
}

/** Of a client that asks once and is done: it tries again once. */
export const adminOptions = ({ bootstrap, timeoutMs, access }: BrokerOptions): AdminOptions => ({
  clientId: 'assay',
  bootstrapBrokers: bootstrap.split(','),
  retries: 1,
  retryDelay: 200,
  connectTimeout: timeoutMs,
  timeout: timeoutMs,
  ...libraryOptions(access),
  // Asking about a topic must not make it.
  autocreateTopics: false
})
