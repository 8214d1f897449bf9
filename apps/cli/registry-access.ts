/** The registry that a call talks to: its address, who asks, and the certificates of both. */
import { type HttpAuth, type HttpOptions, type RegistryClient, registryClient, type TlsOptions } from '@assay/client'
import type { Config } from '@assay/config'
import { AssayError } from '@assay/errors'
import { firstLine, readNamedFile } from './credential-file.ts'

type AccessConfig = Pick<
  Config,
  | 'registry'
  | 'timeoutMs'
  | 'registryUser'
  | 'registryPasswordFile'
  | 'registryTokenFile'
  | 'registryCa'
  | 'registryCert'
  | 'registryKey'
>

export const registryOf = (config: AccessConfig): RegistryClient => registryClient(registryAccess(config))

/** Fails with INVALID_ARGUMENT for a file that cannot be read, and for credentials that do not go together. */
export function registryAccess(config: AccessConfig): HttpOptions {
  const [auth, tls] = [authOf(config), tlsOf(config)]
  return { url: config.registry, timeoutMs: config.timeoutMs, ...(auth && { auth }), ...(tls && { tls }) }
}

function authOf({ registryUser, registryPasswordFile, registryTokenFile }: AccessConfig): HttpAuth | undefined {
  if (registryTokenFile !== '') {
    if (registryUser !== '') throw refused('--registry-token-file and --registry-user: give one of them')
    return { bearer: firstLine(readNamedFile('registryTokenFile', registryTokenFile)) }
  }
  if (registryUser === '' && registryPasswordFile === '') return undefined
  if (registryUser === '') throw refused('--registry-password-file needs --registry-user')
  if (registryPasswordFile === '') throw refused('--registry-user needs --registry-password-file')
  return { username: registryUser, password: firstLine(readNamedFile('registryPasswordFile', registryPasswordFile)) }
}

function tlsOf({ registryCa, registryCert, registryKey }: AccessConfig): TlsOptions | undefined {
  if (registryCa === '' && registryCert === '' && registryKey === '') return undefined
  return {
    ...(registryCa !== '' && { ca: readNamedFile('registryCa', registryCa) }),
    ...(registryCert !== '' && { cert: readNamedFile('registryCert', registryCert) }),
    ...(registryKey !== '' && { key: readNamedFile('registryKey', registryKey) })
  }
}

const refused = (reason: string): AssayError => new AssayError('INVALID_ARGUMENT', { reason })
