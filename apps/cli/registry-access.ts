/** The registry that a call talks to: its address, who asks, and the certificates of both. */
import { readFileSync } from 'node:fs'
import { type HttpAuth, type HttpOptions, type RegistryClient, registryClient, type TlsOptions } from '@assay/client'
import { type Config, keyOf, type SettingName } from '@assay/config'
import { AssayError } from '@assay/errors'

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
    return { bearer: firstLine(read('registryTokenFile', registryTokenFile)) }
  }
  if (registryUser === '' && registryPasswordFile === '') return undefined
  if (registryUser === '') throw refused('--registry-password-file needs --registry-user')
  if (registryPasswordFile === '') throw refused('--registry-user needs --registry-password-file')
  return { username: registryUser, password: firstLine(read('registryPasswordFile', registryPasswordFile)) }
}

function tlsOf({ registryCa, registryCert, registryKey }: AccessConfig): TlsOptions | undefined {
  if (registryCa === '' && registryCert === '' && registryKey === '') return undefined
  return {
    ...(registryCa !== '' && { ca: read('registryCa', registryCa) }),
    ...(registryCert !== '' && { cert: read('registryCert', registryCert) }),
    ...(registryKey !== '' && { key: read('registryKey', registryKey) })
  }
}

function read(name: SettingName, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new AssayError(
      'INVALID_ARGUMENT',
      { reason: `--${keyOf(name)} ${path}: ${(error as Error).message}` },
      { cause: error }
    )
  }
}

const firstLine = (text: string): string => text.split(/\r?\n/, 1)[0]!

const refused = (reason: string): AssayError => new AssayError('INVALID_ARGUMENT', { reason })
