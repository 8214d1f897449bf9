/**
 * Who may do what, for every door: checks log-ins against the security file and the tokens' keys, and answers what follows from the ACLs.
 * The file is read again whenever it changes; one with a fault leaves in force what was read before.
 */
import { readFile, stat } from 'node:fs/promises'
import { AssayError, isAssayError } from '@assay/errors'
import type { Clock, Logger } from '@assay/std'
import { type Acl, ANY_PRINCIPAL, compileRights, type Rights, superRights } from './acl.ts'
import { openAttempts } from './attempts.ts'
import { watchFiles } from './file-watch.ts'
import { decoyHash, PASSWORD_BYTES_MAX, type RandomBytes, type ScryptHash, verifyPassword } from './password.ts'
import { userPrincipal } from './principal.ts'
import { openRemembered } from './remembered.ts'
import {
  decoyScramKey,
  type ScramExchange,
  type ScramKey,
  type ScramMechanism,
  scramExchange,
  scramMechanisms,
  verifyScramPassword
} from './scram.ts'
import { parseSecurityFile, SECURITY_FILE_BYTES_MAX, type SecurityRules, type UserRecord } from './security-file.ts'
import { editSecurityFile, type SecurityFile } from './security-file-edit.ts'
import type { TokenVerifier } from './token.ts'
import { openTurns } from './turns.ts'

export type Credentials =
  | { readonly kind: 'password'; readonly name: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }

export interface Security {
  /**
   * The principal that the credentials prove: at once when they were found right a short while ago.
   * Fails with NOT_AUTHENTICATED, TOO_MANY_LOG_INS, TOKEN_KEYS_UNREACHABLE.
   */
  logIn(credentials: Credentials, address: string): string | Promise<string>
  /** The same, also for how long: a token ends, a password does not. Nothing is remembered of tokens. */
  prove(credentials: Credentials, address: string): Promise<Proof>
  /**
   * Begins a log-in by SCRAM; undefined when this is no first message of a client. `finish` of the exchange counts a failure against the address.
   * Fails with TOO_MANY_LOG_INS, then and in `finish`.
   */
  scram(mechanism: ScramMechanism, clientFirst: string, address: string): ScramExchange | undefined
  /** What a principal may do now who comes from an address; ask again for every request. */
  rights(principal: string, address: string): Rights
  /** What is in force now. */
  readonly rules: SecurityRules
  /** Changes the security file as the command line does; when the promise resolves the change is on disk and in force at every door. */
  edit<T>(change: (file: SecurityFile) => T): Promise<T>
  /** Kinds of credentials that are taken. */
  readonly kinds: readonly Credentials['kind'][]
  close(): Promise<void>
}

export interface Proof {
  readonly principal: string
  /** From then on it proves nothing. */
  readonly untilMs?: number
}

export interface SecurityParts {
  readonly file: string
  /** Absent where no tokens are taken. */
  readonly tokens?: TokenVerifier | undefined
  readonly clock: Clock
  readonly logger: Logger
  readonly random: RandomBytes
  /** Failed log-ins of one address in a minute before more are refused unheard. */
  readonly failuresMax: number
  /** How often the file is looked at. */
  readonly pollMs?: number
}

const POLL_MS = 1000
const REMEMBER_MS = 60_000
const REMEMBERED_MAX = 10_000
const PRINCIPALS_MAX = 10_000
/** Each takes 32 MiB and a thread of the pool that the journal writes with. */
const PASSWORDS_AT_ONCE = 2
const PASSWORDS_WAITING_MAX = 100

/** Fails with SECURITY_FILE_INVALID. */
export async function openSecurity(parts: SecurityParts): Promise<Security> {
  const { file, tokens, clock, logger, random, failuresMax, pollMs = POLL_MS } = parts
  const attempts = openAttempts(clock, failuresMax)
  const remembered = openRemembered({ clock, random, entriesMax: REMEMBERED_MAX, keepMs: REMEMBER_MS })
  const turns = openTurns(PASSWORDS_AT_ONCE, PASSWORDS_WAITING_MAX)
  const underWay = new Map<string, Promise<string>>()
  /** One change at a time: each begins with the file that the one before it left. */
  let editing: Promise<unknown> = Promise.resolve()
  let text = ''
  let rules: Rules
  // Begun before the file is read, so that no change falls between the two.
  const watch = await watchFiles({ paths: [file], clock, everyMs: pollMs, onChange: reload })
  try {
    text = await readSecurityFile(file, logger)
    rules = rulesOf(text, file, random)
  } catch (error) {
    await watch.close()
    throw error
  }

  /** One reading at a time: an older one must not come in later. */
  let reading: Promise<void> = Promise.resolve()
  function reload(): Promise<void> {
    reading = reading.then(readAgain)
    return reading
  }

  async function readAgain(): Promise<void> {
    try {
      const now = await readSecurityFile(file, logger)
      if (now === text) return
      rules = rulesOf(now, file, random)
      text = now
      remembered.forget()
      underWay.clear()
      logger.info({ file, users: rules.users.size, acls: rules.acls.length }, 'the security file was read again')
    } catch (error) {
      const reason = isAssayError(error) ? error.message : String(error)
      logger.error({ file, reason }, 'the security file has a fault; what was read before stays in force')
    }
  }

  /** Failures are counted when they happen, so that a client with many connections is not turned away for opening them at one time. */
  function refuseTooMany(address: string): void {
    const waitMs = attempts.waitMs(address)
    if (waitMs !== undefined) throw tooMany(address, waitMs)
  }

  async function check(credentials: Credentials, address: string): Promise<Proof> {
    refuseTooMany(address)
    if (credentials.kind === 'password') return checkPassword(credentials, address)
    try {
      if (!tokens) throw new AssayError('NOT_AUTHENTICATED', { reason: 'tokens are not taken here' })
      return await tokens.verify(credentials.token)
    } catch (error) {
      // Keys that cannot be fetched are nobody's fault.
      if (isAssayError(error, 'NOT_AUTHENTICATED')) attempts.begin(address)
      throw error
    }
  }

  async function checkPassword(
    { name, password }: { readonly name: string; readonly password: string },
    address: string
  ): Promise<Proof> {
    const { decoy } = rules
    const user = rules.users.get(name)
    const isRight = await turns.take(async () => {
      const waitMs = attempts.begin(address)
      if (waitMs !== undefined) throw tooMany(address, waitMs)
      return isPasswordOf(user, password, decoy)
    })
    if (isRight === undefined) throw tooMany(address, 1000)
    if (!isRight) throw new AssayError('NOT_AUTHENTICATED', { reason: 'wrong name or password' })
    attempts.succeeded(address)
    return { principal: userPrincipal(name) }
  }

  /** The costly hash is always computed: who has none, or does not exist, is refused as slowly as who mistypes. */
  async function isPasswordOf(user: UserRecord | undefined, password: string, decoy: ScryptHash): Promise<boolean> {
    const mechanism = user?.scrypt ? undefined : scramMechanisms.findLast(known => user?.scram?.has(known))
    const [byHash, byKey] = await Promise.all([
      verifyPassword(password, user?.scrypt ?? decoy),
      mechanism !== undefined && isShort(password) && verifyScramPassword(mechanism, password, user!.scram!.get(mechanism)!)
    ])
    return user?.scrypt ? byHash : byKey
  }

  function logIn(credentials: Credentials, address: string): string | Promise<string> {
    const secret = secretOf(credentials)
    const known = remembered.recall(secret)
    if (known !== undefined) return known
    // A client that opens many connections at one time is checked once.
    const running = underWay.get(secret)
    if (running) return running
    const used = rules
    const checking = check(credentials, address)
      .then(({ principal, untilMs }: Proof) => {
        // What was right by the file as it was may be wrong by the file as it is.
        if (used === rules) remembered.remember(secret, principal, untilMs)
        return principal
      })
      .finally(() => {
        if (underWay.get(secret) === checking) underWay.delete(secret)
      })
    underWay.set(secret, checking)
    return checking
  }

  return {
    kinds: tokens ? ['password', 'token'] : ['password'],
    logIn,
    async prove(credentials, address) {
      if (credentials.kind === 'token') return check(credentials, address)
      return { principal: await logIn(credentials, address) }
    },
    scram(mechanism, clientFirst, address) {
      refuseTooMany(address)
      let key: ScramKey | undefined
      const keyOf = (name: string): ScramKey => {
        key = rules.scramKey(mechanism, name)
        return key
      }
      const exchange = scramExchange(mechanism, clientFirst, keyOf, random)
      return (
        exchange && {
          ...exchange,
          finish(clientFinal) {
            // Asked and counted in one go: however many exchanges are open, no more than the bound can fail.
            refuseTooMany(address)
            const last = exchange.finish(clientFinal)
            // A key that was changed in the meantime proves nothing any more; a decoy never matches.
            const isCurrent = rules.users.get(exchange.name)?.scram?.get(mechanism)?.storedKey.equals(key!.storedKey) === true
            if (last !== undefined && isCurrent) return last
            attempts.begin(address)
            return undefined
          }
        }
      )
    },
    rights: (principal, address) => rules.rights(principal, address),
    get rules() {
      return rules
    },
    async edit(change) {
      const done = editing.then(() => editSecurityFile(file, random, change))
      editing = done.catch(() => undefined)
      const answer = await done
      await reload()
      return answer
    },
    close: () => watch.close()
  }
}

/** What is in force, with what is derived from it. */
interface Rules extends SecurityRules {
  readonly decoy: ReturnType<typeof decoyHash>
  /** A decoy for whoever has none. */
  scramKey(mechanism: ScramMechanism, name: string): ScramKey
  rights(principal: string, address: string): Rights
}

function rulesOf(text: string, file: string, random: RandomBytes): Rules {
  const parsed = parseSecurityFile(text, file)
  const { users, acls, superUsers } = parsed
  const byPrincipal = Map.groupBy(acls, ({ principal }) => principal)
  const known = new Map<string, Rights>()
  const like = [...users.values()].find(({ scrypt }) => scrypt)?.scrypt
  const seed = decoySeed(users.values()) ?? random(32)
  const usual = new Map(
    scramMechanisms.map(mechanism => [
      mechanism,
      [...users.values()].find(({ scram }) => scram?.has(mechanism))?.scram?.get(mechanism)
    ])
  )
  const hasHosts = acls.some(({ host }) => host !== undefined)
  const aclsOf = (name: string): readonly Acl[] => byPrincipal.get(name) ?? []
  return {
    ...parsed,
    decoy: decoyHash(random, like),
    scramKey(mechanism, name) {
      return users.get(name)?.scram?.get(mechanism) ?? decoyScramKey(mechanism, name, seed, usual.get(mechanism))
    },
    rights(principal, address) {
      if (superUsers.has(principal)) return superRights
      const place = hasHosts ? plainAddress(address) : ''
      const key = `${place}/${principal}`
      const found = known.get(key)
      if (found) return found
      const mine = [...aclsOf(principal), ...aclsOf(ANY_PRINCIPAL)]
      const rights = compileRights(mine.filter(({ host }) => host === undefined || host === place))
      // Tokens can bring any number of names.
      if (known.size >= PRINCIPALS_MAX) known.delete(known.keys().next().value as string)
      known.set(key, rights)
      return rights
    }
  }
}

/** The same after a restart, so that a user who is not there keeps his salt as one who is; known to nobody who has not read the file. */
function decoySeed(users: Iterable<UserRecord>): Buffer | undefined {
  for (const { scrypt, scram } of users) {
    const secret = scrypt?.hash ?? [...(scram?.values() ?? [])][0]?.serverKey
    if (secret) return secret
  }
  return undefined
}

const isShort = (password: string): boolean => Buffer.byteLength(password) <= PASSWORD_BYTES_MAX

/** An IPv4 address that came in by an IPv6 socket is itself. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

async function readSecurityFile(file: string, logger: Logger): Promise<string> {
  try {
    const { size, mode } = await stat(file)
    if (size > SECURITY_FILE_BYTES_MAX) throw new Error(`it is larger than ${SECURITY_FILE_BYTES_MAX} bytes`)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      logger.warn({ file, mode: (mode & 0o777).toString(8) }, 'others than its owner can read the security file; chmod 600')
    }
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new AssayError('SECURITY_FILE_INVALID', { place: file, reason: (error as Error).message }, { cause: error })
  }
}

const secretOf = (credentials: Credentials): string =>
  credentials.kind === 'token' ? `token\0${credentials.token}` : `password\0${credentials.name}\0${credentials.password}`

const tooMany = (address: string, waitMs: number): AssayError =>
  new AssayError('TOO_MANY_LOG_INS', { address, seconds: Math.ceil(waitMs / 1000) })
