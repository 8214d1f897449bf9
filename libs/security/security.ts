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
import { decoyHash, type RandomBytes, verifyPassword } from './password.ts'
import { userPrincipal } from './principal.ts'
import { openRemembered } from './remembered.ts'
import { parseSecurityFile, SECURITY_FILE_BYTES_MAX, type SecurityRules } from './security-file.ts'
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
  /** What a principal may do now; ask again for every request. */
  rights(principal: string): Rights
  /** Kinds of credentials that are taken. */
  readonly kinds: readonly Credentials['kind'][]
  close(): Promise<void>
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

  async function reload(): Promise<void> {
    try {
      const now = await readSecurityFile(file, logger)
      if (now === text) return
      rules = rulesOf(now, file, random)
      text = now
      remembered.forget()
      underWay.clear()
      logger.info({ file, users: rules.users.size, acls: rules.aclCount }, 'the security file was read again')
    } catch (error) {
      const reason = isAssayError(error) ? error.message : String(error)
      logger.error({ file, reason }, 'the security file has a fault; what was read before stays in force')
    }
  }

  async function check(credentials: Credentials, address: string): Promise<{ principal: string; untilMs?: number }> {
    const waitMs = attempts.begin(address)
    if (waitMs !== undefined) throw tooMany(address, waitMs)
    const proved = credentials.kind === 'token' ? await checkToken(credentials.token) : await checkPassword(credentials, address)
    attempts.succeeded(address)
    return proved
  }

  async function checkToken(token: string): Promise<{ principal: string; untilMs?: number }> {
    if (!tokens) throw new AssayError('NOT_AUTHENTICATED', { reason: 'tokens are not taken here' })
    return tokens.verify(token)
  }

  async function checkPassword(
    { name, password }: { readonly name: string; readonly password: string },
    address: string
  ): Promise<{ principal: string }> {
    const hash = rules.users.get(name)?.scrypt
    const isRight = await turns.take(() => verifyPassword(password, hash ?? rules.decoy))
    if (isRight === undefined) throw tooMany(address, 1000)
    if (!isRight || !hash) throw new AssayError('NOT_AUTHENTICATED', { reason: 'wrong name or password' })
    return { principal: userPrincipal(name) }
  }

  return {
    kinds: tokens ? ['password', 'token'] : ['password'],
    logIn(credentials, address) {
      const secret = secretOf(credentials)
      const known = remembered.recall(secret)
      if (known !== undefined) return known
      // A client that opens many connections at one time is checked once.
      const running = underWay.get(secret)
      if (running) return running
      const used = rules
      const checking = check(credentials, address)
        .then(({ principal, untilMs }) => {
          // What was right by the file as it was may be wrong by the file as it is.
          if (used === rules) remembered.remember(secret, principal, untilMs)
          return principal
        })
        .finally(() => {
          if (underWay.get(secret) === checking) underWay.delete(secret)
        })
      underWay.set(secret, checking)
      return checking
    },
    rights: principal => rules.rights(principal),
    close: () => watch.close()
  }
}

/** What is in force, with what is derived from it. */
interface Rules {
  readonly users: SecurityRules['users']
  readonly aclCount: number
  readonly decoy: ReturnType<typeof decoyHash>
  rights(principal: string): Rights
}

function rulesOf(text: string, file: string, random: RandomBytes): Rules {
  const { users, acls, superUsers } = parseSecurityFile(text, file)
  const byPrincipal = Map.groupBy(acls, ({ principal }) => principal)
  const known = new Map<string, Rights>()
  const like = [...users.values()].find(({ scrypt }) => scrypt)?.scrypt
  return {
    users,
    aclCount: acls.length,
    decoy: decoyHash(random, like),
    rights(principal) {
      const found = known.get(principal)
      if (found) return found
      const aclsOf = (name: string): readonly Acl[] => byPrincipal.get(name) ?? []
      const rights = superUsers.has(principal) ? superRights : compileRights([...aclsOf(principal), ...aclsOf(ANY_PRINCIPAL)])
      // Tokens can bring any number of names.
      if (known.size >= PRINCIPALS_MAX) known.delete(known.keys().next().value as string)
      known.set(principal, rights)
      return rights
    }
  }
}

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
