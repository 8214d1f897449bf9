/** Security as the settings ask for it. What is set and would mean nothing is refused: it would look like a lock and be none. */
import { readFile } from 'node:fs/promises'
import { type Config, isLoopback, keyOf, type SettingName } from '@assay/config'
import { AssayError, isAssayError } from '@assay/errors'
import type { Clock, Logger } from '@assay/std'
import type { RandomBytes } from './password.ts'
import { openSecurity, type Security } from './security.ts'
import { openTls, type Tls } from './tls.ts'
import { type KeySet, openTokens, parseKeySet, type TokenVerifier, tokenAlgorithms } from './token.ts'

export interface SettingsParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly random: RandomBytes
}

/** Undefined when security is off. Fails with INVALID_SETTING, SECURITY_FILE_INVALID. */
export async function securityFromSettings(config: Config, parts: SettingsParts): Promise<Security | undefined> {
  const tokens = await tokensOf(config, parts.clock)
  if (config.securityFile === '') {
    if (tokens) refuse(config, 'jwtKeys', 'means nothing without security-file, which says what each principal may do')
    return undefined
  }
  return openSecurity({ ...parts, file: config.securityFile, tokens, failuresMax: config.loginFailuresMax })
}

/** The TLS of a door; undefined when it has none. Fails with INVALID_SETTING. */
export async function tlsFromSettings(
  door: 'http' | 'kafka',
  config: Config,
  { clock, logger }: SettingsParts
): Promise<Tls | undefined> {
  const files =
    door === 'http'
      ? {
          cert: config.httpTlsCert,
          key: config.httpTlsKey,
          clientCa: config.httpTlsClientCa,
          clientAuth: config.httpTlsClientAuth
        }
      : {
          cert: config.kafkaTlsCert,
          key: config.kafkaTlsKey,
          clientCa: config.kafkaTlsClientCa,
          clientAuth: config.kafkaTlsClientAuth
        }
  if (files.cert === '' && files.key === '' && files.clientCa === '' && files.clientAuth === 'none') return undefined
  if (files.clientAuth === 'optional' && config.securityFile === '') {
    const name = door === 'http' ? 'httpTlsClientAuth' : 'kafkaTlsClientAuth'
    refuse(config, name, 'means nothing without security-file: who shows no certificate may do the same')
  }
  return openTls({ files, settings: `${door}-tls`, clock, logger })
}

async function tokensOf(config: Config, clock: Clock): Promise<TokenVerifier | undefined> {
  const { jwtKeys, jwtIssuer: issuer, jwtAudience: audience, jwtPrincipalClaim: principalClaim } = config
  if (jwtKeys === '') {
    if (issuer !== '') refuse(config, 'jwtIssuer', 'means nothing without jwt-keys')
    if (audience !== '') refuse(config, 'jwtAudience', 'means nothing without jwt-keys')
    return undefined
  }
  if (issuer === '') refuse(config, 'jwtIssuer', 'is missing beside jwt-keys: any issuer with one of the keys would do')
  if (audience === '') refuse(config, 'jwtAudience', 'is missing beside jwt-keys: tokens that are meant for others would do')
  if (principalClaim === '') refuse(config, 'jwtPrincipalClaim', 'is empty')
  return openTokens({ issuer, audience, principalClaim, clock, keys: await keysOf(config), algorithms: algorithmsOf(config) })
}

function algorithmsOf(config: Config): string[] {
  const names = config.jwtAlgorithms.split(',').map(name => name.trim())
  for (const name of names) {
    if (tokenAlgorithms.some(known => known === name)) continue
    refuse(config, 'jwtAlgorithms', `${name || 'an empty name'} is not taken; there are ${tokenAlgorithms.join(', ')}`)
  }
  return names
}

async function keysOf(config: Config): Promise<KeySet | URL> {
  const { jwtKeys } = config
  if (/^https?:/i.test(jwtKeys)) {
    const url = URL.canParse(jwtKeys) ? new URL(jwtKeys) : refuse(config, 'jwtKeys', 'is no URL')
    // Whoever can answer in the place of the issuer can make tokens.
    if (url.protocol !== 'https:' && !isLoopback(url.hostname)) refuse(config, 'jwtKeys', 'needs https')
    return url
  }
  try {
    return parseKeySet(jwtKeys.trimStart().startsWith('{') ? jwtKeys : await readFile(jwtKeys, 'utf8'))
  } catch (error) {
    return refuse(config, 'jwtKeys', isAssayError(error) ? error.message : (error as Error).message)
  }
}

function refuse(config: Config, name: SettingName, reason: string): never {
  throw new AssayError('INVALID_SETTING', { setting: keyOf(name), value: String(config[name]).slice(0, 100), reason })
}
