/**
 * Passwords as scrypt hashes in PHC form, `$scrypt$ln=15,r=8,p=1$<salt>$<hash>` (base64 without padding). Checking one costs memory
 * and time on purpose; whoever checks many remembers the outcome.
 */
import { scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

export interface ScryptHash {
  /** Binary logarithm of the cost N. */
  readonly ln: number
  /** Block size. */
  readonly r: number
  readonly p: number
  readonly salt: Buffer
  readonly hash: Buffer
}

export type RandomBytes = (size: number) => Buffer

/** 32 MiB and about 80 ms on one core of 2024. */
const COST = { ln: 15, r: 8, p: 1 }
const SALT_BYTES = 16
const HASH_BYTES = 32
/** A hash that asks for more is refused: it would stop the server. */
const MEMORY_BYTES_MAX = 256 * 1024 * 1024
export const PASSWORD_BYTES_MAX = 1024

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt)

const hashWith = (password: string, { ln, r, p, salt }: Omit<ScryptHash, 'hash'>, bytes: number): Promise<Buffer> =>
  derive(password.normalize('NFC'), salt, bytes, { N: 2 ** ln, r, p, maxmem: 2 * MEMORY_BYTES_MAX })

export async function hashPassword(password: string, random: RandomBytes): Promise<ScryptHash> {
  const salt = random(SALT_BYTES)
  return { ...COST, salt, hash: await hashWith(password, { ...COST, salt }, HASH_BYTES) }
}

/** Compares in constant time. */
export async function verifyPassword(password: string, expected: ScryptHash): Promise<boolean> {
  if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) return false
  return timingSafeEqual(await hashWith(password, expected, expected.hash.length), expected.hash)
}

/** A hash that no password has, as costly as the one given: who does not exist is refused as slowly as who mistypes. */
export function decoyHash(random: RandomBytes, like?: ScryptHash): ScryptHash {
  return { ...(like ?? COST), salt: random(SALT_BYTES), hash: random(like?.hash.length ?? HASH_BYTES) }
}

export function formatHash({ ln, r, p, salt, hash }: ScryptHash): string {
  const text = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
  return `$scrypt$ln=${ln},r=${r},p=${p}$${text(salt)}$${text(hash)}`
}

/** Undefined for what is no such text, and for a hash that is too weak or too costly to check. */
export function parseHash(text: string): ScryptHash | undefined {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(text)
  if (!match) return undefined
  const [ln, r, p] = match.slice(1, 4).map(Number) as [number, number, number]
  const [salt, hash] = match.slice(4).map(part => Buffer.from(part, 'base64')) as [Buffer, Buffer]
  const isCheckable = ln >= 10 && ln <= 22 && r >= 1 && p >= 1 && 128 * r * 2 ** ln * p <= MEMORY_BYTES_MAX
  return isCheckable && salt.length >= 8 && hash.length >= 16 && hash.length <= 64 ? { ln, r, p, salt, hash } : undefined
}
