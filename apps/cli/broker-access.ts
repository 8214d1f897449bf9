/** The broker that a call talks to: its address, who asks, and the certificates of both. */
import type { BrokerAccess, BrokerOptions } from '@assay/client'
import type { Config } from '@assay/config'
import { AssayError } from '@assay/errors'
import { firstLine, readNamedFile } from './credential-file.ts'

type AccessConfig = Pick<
  Config,
  | 'bootstrap'
  | 'timeoutMs'
  | 'bootstrapUser'
  | 'bootstrapPasswordFile'
  | 'bootstrapTls'
  | 'bootstrapCa'
  | 'bootstrapCert'
  | 'bootstrapKey'
>

/** Fails with INVALID_ARGUMENT for a file that cannot be read, and for credentials that do not go together. */
export function brokerOf(config: AccessConfig): BrokerOptions {
  const { bootstrap, timeoutMs, bootstrapUser: name, bootstrapPasswordFile: file } = config
  if (name !== '' && file === '') throw refused('--bootstrap-user needs --bootstrap-password-file')
  if (name === '' && file !== '') throw refused('--bootstrap-password-file needs --bootstrap-user')
  const access: BrokerAccess = {
    ...(name !== '' && { user: { name, password: firstLine(readNamedFile('bootstrapPasswordFile', file)) } }),
    ...tlsOf(config)
  }
  return { bootstrap, timeoutMs, access }
}

function tlsOf({ bootstrapTls, bootstrapCa, bootstrapCert, bootstrapKey }: AccessConfig): Pick<BrokerAccess, 'tls'> {
  if (!bootstrapTls && bootstrapCa === '' && bootstrapCert === '' && bootstrapKey === '') return {}
  const tls = {
    ...(bootstrapCa !== '' && { ca: readNamedFile('bootstrapCa', bootstrapCa) }),
    ...(bootstrapCert !== '' && { cert: readNamedFile('bootstrapCert', bootstrapCert) }),
    ...(bootstrapKey !== '' && { key: readNamedFile('bootstrapKey', bootstrapKey) })
  }
  return { tls }
}

const refused = (reason: string): AssayError => new AssayError('INVALID_ARGUMENT', { reason })
