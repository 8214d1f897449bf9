/**
 * The certificate, the key and the client authorities of a door, from files. They are checked at start, and taken again when they change,
 * so that a certificate can be renewed without a restart.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import { AssayError, isAssayError } from '@assay/errors'
import type { Clock, Logger } from '@assay/std'
import { watchFiles } from './file-watch.ts'

export type ClientAuth = 'none' | 'optional' | 'required'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
  /** Empty when no client is asked for a certificate. */
  readonly clientCa: string
  readonly clientAuth: ClientAuth
}

export interface TlsParts {
  readonly files: TlsFiles
  /** What the settings begin with, for messages: `http-tls`. */
  readonly settings: string
  readonly clock: Clock
  readonly logger: Logger
  readonly pollMs?: number
}

export interface Tls {
  /** For `createServer`. */
  readonly options: TlsOptions
  readonly clientAuth: ClientAuth
  /** Calls back with what to give to `setSecureContext` after every renewal. */
  onRenewal(take: (context: SecureContextOptions) => void): void
  close(): Promise<void>
}

const POLL_MS = 10_000

/** Fails with INVALID_SETTING. */
export async function openTls({ files, settings, clock, logger, pollMs = POLL_MS }: TlsParts): Promise<Tls> {
  const takers: ((context: SecureContextOptions) => void)[] = []
  const paths = [files.cert, files.key, files.clientCa].filter(path => path !== '')
  const watch = await watchFiles({ paths, clock, everyMs: pollMs, onChange: renew })
  try {
    const context = await readContext(files, settings)
    const asks = files.clientAuth !== 'none'
    return {
      options: { ...context, requestCert: asks, rejectUnauthorized: files.clientAuth === 'required' },
      clientAuth: files.clientAuth,
      onRenewal: take => takers.push(take),
      close: () => watch.close()
    }
  } catch (error) {
    await watch.close()
    throw error
  }

  async function renew(): Promise<void> {
    try {
      const context = await readContext(files, settings)
      for (const take of takers) take(context)
      logger.info({ cert: files.cert, until: new X509Certificate(context.cert as Buffer).validTo }, 'the certificate was renewed')
    } catch (error) {
      const reason = isAssayError(error) ? error.message : String(error)
      logger.error({ reason }, 'the files of TLS have a fault; what was read before stays in force')
    }
  }
}

async function readContext({ cert, key, clientCa, clientAuth }: TlsFiles, settings: string): Promise<SecureContextOptions> {
  const refuse = (name: string, value: string, reason: string, cause?: unknown): never => {
    throw new AssayError('INVALID_SETTING', { setting: `${settings}-${name}`, value, reason }, { cause })
  }
  const read = (name: string, path: string): Promise<Buffer> =>
    readFile(path).catch(error => refuse(name, path, (error as Error).message, error))
  if (cert === '') refuse('cert', cert, `is missing beside ${settings}-key`)
  if (key === '') refuse('key', key, `is missing beside ${settings}-cert`)
  if (clientAuth !== 'none' && clientCa === '') refuse('client-ca', clientCa, `is missing beside ${settings}-client-auth`)
  if (clientAuth === 'none' && clientCa !== '')
    refuse('client-auth', clientAuth, `asks no client for a certificate although ${settings}-client-ca is set`)
  const context = { cert: await read('cert', cert), key: await read('key', key), minVersion: 'TLSv1.2' } as const
  try {
    const certificate = new X509Certificate(context.cert)
    if (!certificate.checkPrivateKey(createPrivateKey(context.key))) refuse('key', key, `is not the key of ${cert}`)
  } catch (error) {
    if (isAssayError(error)) throw error
    refuse('cert', cert, `this and ${key} must hold a certificate and its key as PEM: ${(error as Error).message}`, error)
  }
  if (clientCa === '') return context
  const ca = await read('client-ca', clientCa)
  try {
    new X509Certificate(ca)
    createSecureContext({ ca })
  } catch (error) {
    refuse('client-ca', clientCa, `holds no certificate as PEM: ${(error as Error).message}`, error)
  }
  return { ...context, ca }
}
