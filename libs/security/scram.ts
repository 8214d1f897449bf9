/**
 * SCRAM (RFC 5802, with SHA-256 of RFC 7677 and SHA-512) as the server plays it, and what it keeps of a password: a salt and two keys, from
 * which nobody can log in. A user who is not there is asked the same questions as one who mistypes.
 */
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { RandomBytes } from './password.ts'

export const scramMechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
export type ScramMechanism = (typeof scramMechanisms)[number]

export interface ScramKey {
  readonly iterations: number
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

const hashOf = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const
const bytesOf = { 'SCRAM-SHA-256': 32, 'SCRAM-SHA-512': 64 } as const

/** Kafka's least and most, by which its tools go. */
export const SCRAM_ITERATIONS_MIN = 4096
export const SCRAM_ITERATIONS_MAX = 16_384
const ITERATIONS = 8192
/** In a file that somebody has written: more would stop a server that checks a password by it. */
const FILE_ITERATIONS_MAX = 1_000_000
const SALT_BYTES = 16
const NONCE_BYTES = 18
const NAME_CHARS_MAX = 1024

const derive = promisify(pbkdf2)
const hmac = (mechanism: ScramMechanism, key: Buffer, text: string): Buffer =>
  createHmac(hashOf[mechanism], key).update(text).digest()
const hash = (mechanism: ScramMechanism, bytes: Buffer): Buffer => createHash(hashOf[mechanism]).update(bytes).digest()

export const isScramMechanism = (name: string): name is ScramMechanism => (scramMechanisms as readonly string[]).includes(name)

/** Hi() of RFC 5802: what a client sends with AlterUserScramCredentials. */
const saltedPassword = (mechanism: ScramMechanism, password: string, salt: Buffer, iterations: number): Promise<Buffer> =>
  derive(password, salt, iterations, bytesOf[mechanism], hashOf[mechanism])

/** Undefined when the salted password has not the length of its hash. */
export function scramKeyOf(
  mechanism: ScramMechanism,
  { salted, salt, iterations }: { readonly salted: Buffer; readonly salt: Buffer; readonly iterations: number }
): ScramKey | undefined {
  if (salted.length !== bytesOf[mechanism]) return undefined
  const storedKey = hash(mechanism, hmac(mechanism, salted, 'Client Key'))
  return { iterations, salt: Buffer.from(salt), storedKey, serverKey: hmac(mechanism, salted, 'Server Key') }
}

/** A key for each mechanism. */
export async function scramKeysOf(password: string, random: RandomBytes): Promise<Map<ScramMechanism, ScramKey>> {
  const keys = new Map<ScramMechanism, ScramKey>()
  for (const mechanism of scramMechanisms) {
    const salt = random(SALT_BYTES)
    const salted = await saltedPassword(mechanism, password, salt, ITERATIONS)
    keys.set(mechanism, scramKeyOf(mechanism, { salted, salt, iterations: ITERATIONS })!)
  }
  return keys
}

/** For a password that came in the clear. Compares in constant time. */
export async function verifyScramPassword(mechanism: ScramMechanism, password: string, key: ScramKey): Promise<boolean> {
  const { salt, iterations, storedKey } = key
  const salted = await saltedPassword(mechanism, password, salt, iterations)
  return timingSafeEqual(scramKeyOf(mechanism, { salted, salt, iterations })!.storedKey, storedKey)
}

/** A key that no password has, the same for a name as long as the seed is: who does not exist looks like who mistypes. */
export function decoyScramKey(mechanism: ScramMechanism, name: string, seed: Buffer, like?: ScramKey): ScramKey {
  const bytes = hmac('SCRAM-SHA-512', seed, `${mechanism}/${name}`)
  return {
    iterations: like?.iterations ?? ITERATIONS,
    salt: bytes.subarray(0, Math.min(bytes.length, like?.salt.length ?? SALT_BYTES)),
    storedKey: hmac(mechanism, bytes, 'stored'),
    serverKey: hmac(mechanism, bytes, 'server')
  }
}

/** As RFC 5803 writes it: `SCRAM-SHA-256$8192:<salt>$<stored key>:<server key>`. */
export function formatScramKey(mechanism: ScramMechanism, { iterations, salt, storedKey, serverKey }: ScramKey): string {
  const text = (bytes: Buffer): string => bytes.toString('base64')
  return `${mechanism}$${iterations}:${text(salt)}$${text(storedKey)}:${text(serverKey)}`
}

/** Undefined for what is no such text of this mechanism, and for a key that is too weak or too costly to check. */
export function parseScramKey(mechanism: ScramMechanism, text: string): ScramKey | undefined {
  const base64 = '([A-Za-z0-9+/]+={0,2})'
  const match = new RegExp(`^${mechanism}\\$(\\d{1,7}):${base64}\\$${base64}:${base64}$`).exec(text)
  if (!match) return undefined
  const iterations = Number(match[1])
  const [salt, storedKey, serverKey] = match.slice(2).map(part => Buffer.from(part, 'base64')) as [Buffer, Buffer, Buffer]
  const isWhole = storedKey.length === bytesOf[mechanism] && serverKey.length === bytesOf[mechanism] && salt.length > 0
  return isWhole && iterations >= SCRAM_ITERATIONS_MIN && iterations <= FILE_ITERATIONS_MAX
    ? { iterations, salt, storedKey, serverKey }
    : undefined
}

export interface ScramExchange {
  /** The user whom the client's first message names. */
  readonly name: string
  /** What to send the client. */
  readonly serverFirst: string
  /** The server's last message when the client has proved that it knows the password, else undefined. */
  finish(clientFinal: string): string | undefined
}

/** Begins an exchange with the client's first message; undefined when it is none. `keyOf` answers a decoy for users who are not there. */
export function scramExchange(
  mechanism: ScramMechanism,
  clientFirst: string,
  keyOf: (name: string) => ScramKey,
  random: RandomBytes
): ScramExchange | undefined {
  // gs2-header, then the bare message (RFC 5802, 7). Channel binding (p=) is not offered; extensions (m=) are refused as the RFC asks.
  const match = /^([ny],(?:a=([^,]*))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,]*)*)$/.exec(clientFirst)
  if (!match) return undefined
  const [, header = '', authorizationId, bare = '', encodedName = '', clientNonce = ''] = match
  const name = nameOf(encodedName)
  if (name === undefined) return undefined
  if (authorizationId !== undefined && nameOf(authorizationId) !== name) return undefined
  const key = keyOf(name)
  const nonce = clientNonce + random(NONCE_BYTES).toString('base64')
  const serverFirst = `r=${nonce},s=${key.salt.toString('base64')},i=${key.iterations}`
  const binding = Buffer.from(header).toString('base64')
  return {
    name,
    serverFirst,
    finish(clientFinal) {
      const final = /^(c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,]*)*?),p=([A-Za-z0-9+/]+={0,2})$/.exec(
        clientFinal
      )
      if (!final) return undefined
      const [, withoutProof = '', channel, echoed, proofText = ''] = final
      const proof = Buffer.from(proofText, 'base64')
      const message = `${bare},${serverFirst},${withoutProof}`
      const signature = hmac(mechanism, key.storedKey, message)
      if (channel !== binding || echoed !== nonce || proof.length !== signature.length) return undefined
      for (const [at, byte] of signature.entries()) proof[at]! ^= byte
      if (!timingSafeEqual(hash(mechanism, proof), key.storedKey)) return undefined
      return `v=${hmac(mechanism, key.serverKey, message).toString('base64')}`
    }
  }
}

/** A comma is written =2C and an equals sign =3D; undefined for anything else behind an equals sign. */
function nameOf(encoded: string): string | undefined {
  if (encoded.length > 3 * NAME_CHARS_MAX || /=(?!2C|3D)/.test(encoded)) return undefined
  return encoded.replaceAll('=2C', ',').replaceAll('=3D', '=')
}
