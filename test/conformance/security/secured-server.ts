/** A server with security in this process, on free ports: users, ACLs, tokens of an issuer, certificates of an authority; and the SASL of a client by hand. */
import { createHash, createHmac, generateKeyPairSync, pbkdf2Sync, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { loadConfig } from '@assay/config'
import { saslAuthenticate, saslHandshake } from '@assay/protocol'
import { editSecurityFile, hashPassword, type ScramMechanism, scramKeysOf, userPrincipal } from '@assay/security'
import { silentLogger } from '@assay/std'
import { SignJWT } from 'jose'
import { type Server, startServer } from '../../../apps/cli/server.ts'
import { issue } from '../../../libs/security/certificates.fixture.ts'
import { type RawClient, rawClientOver } from '../../raw-client.ts'

const ISSUER = 'https://issuer.test'
const AUDIENCE = 'assay'

export const passwordOf = (user: string): string => `the password of ${user}`

export interface SecuredServer {
  readonly server: Server
  readonly securityFile: string
  /** PEM files: of the authority, and of a client whose subject is CN=anna,O=Example. */
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string }
  /** A JSON Web Token of a user. */
  tokenOf(user: string, options?: { readonly expiresInS?: number; readonly audience?: string }): Promise<string>
  close(): Promise<void>
}

export interface SecuredOptions {
  readonly users: readonly string[]
  readonly superUsers?: readonly string[]
  /** `anna allow read topic orders-*`: a star at the end is a prefix, alone it is every name. */
  readonly acls?: readonly string[]
  readonly tls?: 'none' | 'optional' | 'required' | undefined
  readonly settings?: Readonly<Record<string, unknown>>
}

export async function securedServer({
  users,
  superUsers = [],
  acls = [],
  tls,
  settings = {}
}: SecuredOptions): Promise<SecuredServer> {
  const directory = mkdtempSync(join(tmpdir(), 'assay-door-'))
  const write = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 })
    return join(directory, name)
  }
  const authority = issue([['CN', 'authority']])
  const door = issue([['CN', 'localhost']], { by: authority })
  const anna = issue(
    [
      ['O', 'Example'],
      ['CN', 'anna']
    ],
    { by: authority }
  )
  const files = {
    ca: write('ca.pem', authority.certificate),
    cert: write('anna.pem', anna.certificate),
    key: write('anna.key', anna.key)
  }
  const securityFile = join(directory, 'security.yaml')
  for (const user of users) {
    const [hash, scram] = await Promise.all([
      hashPassword(passwordOf(user), randomBytes),
      scramKeysOf(passwordOf(user), randomBytes)
    ])
    await editSecurityFile(securityFile, randomBytes, file => file.setPassword(user, hash, scram))
  }
  await editSecurityFile(securityFile, randomBytes, file => {
    for (const user of superUsers) file.addSuperUser(userPrincipal(user))
    for (const line of acls) file.addAcl(aclOf(line))
  })
  const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keys = JSON.stringify({ keys: [{ ...issuer.publicKey.export({ format: 'jwk' }), kid: 'k' }] })
  const { config } = loadConfig({
    flags: {
      data: join(directory, 'data'),
      http: '127.0.0.1:0',
      kafka: '127.0.0.1:0',
      securityFile,
      jwtKeys: keys,
      jwtIssuer: ISSUER,
      jwtAudience: AUDIENCE,
      ...(tls && {
        kafkaTlsCert: write('door.pem', door.certificate),
        kafkaTlsKey: write('door.key', door.key),
        ...(tls !== 'none' && { kafkaTlsClientCa: files.ca, kafkaTlsClientAuth: tls })
      }),
      ...settings
    },
    env: {},
    file: {}
  })
  const server = await startServer(config, silentLogger)
  return {
    server,
    securityFile,
    files,
    tokenOf: (user, { expiresInS = 600, audience = AUDIENCE } = {}) =>
      new SignJWT({})
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setSubject(user)
        .setIssuer(ISSUER)
        .setAudience(audience)
        .setExpirationTime(Math.floor(Date.now() / 1000) + expiresInS)
        .sign(issuer.privateKey),
    async close() {
      await server.close()
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

export function aclOf(line: string): Parameters<Parameters<Parameters<typeof editSecurityFile>[2]>[0]['addAcl']>[0] {
  const [user = '', permission, operation, resource, name = ''] = line.split(' ')
  const isPrefixed = name.length > 1 && name.endsWith('*')
  return {
    principal: userPrincipal(user),
    permission,
    operation,
    resource,
    pattern: isPrefixed ? 'prefixed' : 'literal',
    name: isPrefixed ? name.slice(0, -1) : name
  } as never
}

/** A connection with TLS; `options` hold the certificate of the client, where it has one. */
export function dialTls({ server, files }: SecuredServer, options: object = {}): Promise<RawClient> {
  const [host, port] = server.kafka.split(':')
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: host!, port: Number(port), ca: readFileSync(files.ca), ...options }, () =>
      resolve(rawClientOver(socket))
    )
    socket.once('error', reject)
  })
}

export interface SaslOutcome {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly authBytes: string
  readonly sessionLifetimeMs: bigint
}

/** One message of the exchange and its answer. */
export async function saslMessage(client: RawClient, text: string): Promise<SaslOutcome> {
  const answer = await client.ask(saslAuthenticate, 2, { authBytes: Buffer.from(text) })
  return { ...answer, authBytes: answer.authBytes.toString() }
}

export async function logInPlain(client: RawClient, user: string, password = passwordOf(user)): Promise<SaslOutcome> {
  await client.ask(saslHandshake, 1, { mechanism: 'PLAIN' })
  return saslMessage(client, `\0${user}\0${password}`)
}

export async function logInByToken(client: RawClient, token: string): Promise<SaslOutcome> {
  await client.ask(saslHandshake, 1, { mechanism: 'OAUTHBEARER' })
  return saslMessage(client, `n,,\u0001auth=Bearer ${token}\u0001\u0001`)
}

/** The client's side of RFC 5802; the server's signature is checked, too. */
export async function logInScram(
  client: RawClient,
  mechanism: ScramMechanism,
  user: string,
  password = passwordOf(user)
): Promise<SaslOutcome> {
  await client.ask(saslHandshake, 1, { mechanism })
  const hash = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest()
  const nonce = randomBytes(12).toString('hex')
  const bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  const first = await saslMessage(client, `n,,${bare}`)
  const fields = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(first.authBytes)
  if (!fields) return first
  const salted = pbkdf2Sync(password, Buffer.from(fields[2]!, 'base64'), Number(fields[3]), hash === 'sha256' ? 32 : 64, hash)
  const clientKey = hmac(salted, 'Client Key')
  const withoutProof = `c=biws,r=${fields[1]}`
  const message = `${bare},${first.authBytes},${withoutProof}`
  const proof = hmac(createHash(hash).update(clientKey).digest(), message).map((byte, at) => byte ^ clientKey[at]!)
  const last = await saslMessage(client, `${withoutProof},p=${Buffer.from(proof).toString('base64')}`)
  if (last.errorCode === 0 && last.authBytes !== `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`) {
    throw new Error('the server has not proved that it knows the password')
  }
  return last
}
