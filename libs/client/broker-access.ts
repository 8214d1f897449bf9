/** Who a program is for the broker, and whether it speaks TLS; as the Kafka library takes it. */
import type { ConnectionOptions } from 'node:tls'
import type { SASLOptions } from '@platformatic/kafka'
import type { TlsOptions } from './transport.ts'

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
