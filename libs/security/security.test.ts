/** Log-ins and rights as they follow the file: right and wrong, remembered, changed, tried out, and many at one time. */
import { randomBytes, scryptSync } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AssayError, isAssayError } from '@assay/errors'
import { type Facts, type Logger, silentLogger } from '@assay/std'
import { afterEach, describe, expect, test } from 'vitest'
import { formatHash, hashPassword, type ScryptHash, verifyPassword } from './password.ts'
import { openSecurity, type Security } from './security.ts'
import { type HandClock, handClock } from './time.fixture.ts'

const HOME = '10.0.0.1'

/** Cheap on purpose: what it costs is the business of other tests. */
function cheapHash(password: string): ScryptHash {
  const salt = randomBytes(16)
  return { ln: 10, r: 8, p: 1, salt, hash: scryptSync(password, salt, 32, { N: 2 ** 10, r: 8, p: 1 }) }
}

function fileText(users: Record<string, string>, acls: readonly string[] = []): string {
  return JSON.stringify({
    users: Object.fromEntries(
      Object.entries(users).map(([name, password]) => [name, { scrypt: formatHash(cheapHash(password)) }])
    ),
    acls: acls.map(text => {
      const [principal, permission, operation, resource, name] = text.split(' ')
      return { principal, permission, operation, resource, name }
    }),
    superUsers: ['User:root']
  })
}

const opened: Security[] = []
afterEach(async () => {
  for (const security of opened.splice(0)) await security.close()
})

interface Bench {
  readonly security: Security
  readonly clock: HandClock
  readonly path: string
  readonly logged: [message: string, facts: Facts][]
  logIn(name: string, password: string, address?: string): string | Promise<string>
  /** Replaces the file and waits until it was looked at. */
  change(text: string): Promise<void>
}

async function open(text: string, { failuresMax = 1000 } = {}): Promise<Bench> {
  const path = join(mkdtempSync(join(tmpdir(), 'assay-security-')), 'security.json')
  writeFileSync(path, text, { mode: 0o600 })
  const clock = handClock()
  const logged: [string, Facts][] = []
  const note = (facts: Facts, message: string): void => void logged.push([message, facts])
  const logger: Logger = { ...silentLogger, info: note, error: note, warn: note }
  const security = await openSecurity({ file: path, clock, logger, random: randomBytes, failuresMax })
  opened.push(security)
  return {
    security,
    clock,
    path,
    logged,
    logIn: (name, password, address = HOME) => security.logIn({ kind: 'password', name, password }, address),
    async change(next) {
      const before = logged.length
      writeFileSync(`${path}.new`, next, { mode: 0o600 })
      renameSync(`${path}.new`, path)
      await expect
        .poll(() => {
          clock.advance(1000)
          return logged.length
        })
        .toBeGreaterThan(before)
    }
  }
}

const failureOf = async (attempt: () => string | Promise<string>): Promise<string> => {
  try {
    return `logged in as ${await attempt()}`
  } catch (error) {
    if (isAssayError(error)) return `${error.code}: ${error.message}`
    throw error
  }
}
const WRONG = 'NOT_AUTHENTICATED: Not authenticated: wrong name or password'

describe('a log-in', () => {
  test('with the right password is who he says, with another nobody', async () => {
    const { logIn } = await open(fileText({ anna: 'secret', bert: 'other' }))
    expect(await logIn('anna', 'secret')).toBe('User:anna')
    expect(await failureOf(() => logIn('anna', 'other'))).toBe(WRONG)
    expect(await failureOf(() => logIn('carl', 'secret'))).toBe(WRONG)
    expect(await failureOf(() => logIn('', ''))).toBe(WRONG)
    expect(await failureOf(() => logIn('anna', 'x'.repeat(2000)))).toBe(WRONG)
  })

  test('that was right is known at once for a minute, and not for longer', async () => {
    const { logIn, clock } = await open(fileText({ anna: 'secret' }))
    expect(logIn('anna', 'secret')).toBeInstanceOf(Promise)
    await logIn('anna', 'secret')
    expect(logIn('anna', 'secret')).toBe('User:anna')
    expect(logIn('anna', 'secret', '10.9.9.9')).toBe('User:anna')
    expect(await failureOf(() => logIn('anna', 'secre'))).toBe(WRONG)
    clock.advance(59_999)
    expect(logIn('anna', 'secret')).toBe('User:anna')
    clock.advance(1)
    expect(logIn('anna', 'secret')).toBeInstanceOf(Promise)
  })

  test('sent many times at one time is checked once', async () => {
    const { logIn } = await open(fileText({ anna: 'secret' }), { failuresMax: 1 })
    expect(await Promise.all(Array.from({ length: 50 }, () => logIn('anna', 'secret')))).toEqual(Array(50).fill('User:anna'))
  })

  test('of who does not exist takes as long as one with a wrong password', async () => {
    const { logIn } = await open(fileText({ anna: 'secret' }))
    const timeOf = async (name: string): Promise<number> => {
      const times: number[] = []
      for (let n = 0; n < 15; n++) {
        const start = performance.now()
        await failureOf(() => logIn(name, `wrong ${n}`))
        times.push(performance.now() - start)
      }
      return times.sort((a, b) => a - b)[7]!
    }
    const [known, unknown] = [await timeOf('anna'), await timeOf('nobody')]
    expect(unknown / known).toBeGreaterThan(0.4)
    expect(unknown / known).toBeLessThan(2.5)
  })

  test('is refused unheard after too many failures, also with the right password; who is known already goes on', async () => {
    const { logIn, clock } = await open(fileText({ anna: 'secret', bert: 'other' }), { failuresMax: 5 })
    await logIn('bert', 'other')
    const guesses = await Promise.all(Array.from({ length: 8 }, (_, n) => failureOf(() => logIn('anna', `guess ${n}`))))
    expect(guesses.filter(guess => guess === WRONG)).toHaveLength(5)
    expect(guesses.filter(guess => guess === `TOO_MANY_LOG_INS: Too many log-ins from ${HOME}; try again in 60 s`)).toHaveLength(
      3
    )
    expect(await failureOf(() => logIn('anna', 'secret'))).toContain('TOO_MANY_LOG_INS')
    expect(logIn('bert', 'other')).toBe('User:bert')
    expect(await logIn('anna', 'secret', '10.0.0.2')).toBe('User:anna')
    clock.advance(60_000)
    expect(await logIn('anna', 'secret')).toBe('User:anna')
  })

  test('with a token is refused where there are no keys for tokens', async () => {
    const { security } = await open(fileText({}))
    expect(security.kinds).toEqual(['password'])
    expect(await failureOf(() => security.logIn({ kind: 'token', token: 'x' }, HOME))).toContain('tokens are not taken here')
  })

  test('with a token is remembered for as long as the token is good', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'assay-security-')), 'security.json')
    writeFileSync(path, '{}')
    const clock = handClock()
    let asked = 0
    const tokens = {
      verify: async (token: string) => {
        asked++
        if (token !== 'good') throw new AssayError('NOT_AUTHENTICATED', { reason: 'the token has expired' })
        return { principal: 'User:robot', untilMs: clock.now() + 5000 }
      }
    }
    const security = await openSecurity({ file: path, tokens, clock, logger: silentLogger, random: randomBytes, failuresMax: 9 })
    opened.push(security)
    const logIn = (token: string) => security.logIn({ kind: 'token', token }, HOME)
    expect(await logIn('good')).toBe('User:robot')
    clock.advance(4999)
    expect(logIn('good')).toBe('User:robot')
    clock.advance(1)
    expect(logIn('good')).toBeInstanceOf(Promise)
    expect(await failureOf(() => logIn('bad'))).toContain('the token has expired')
    expect(asked).toBe(3)
    // The same text as a password is another secret.
    await logIn('good')
    expect(await failureOf(() => security.logIn({ kind: 'password', name: '', password: 'good' }, HOME))).toBe(WRONG)
  })
})

describe('rights', () => {
  test('are those of the principal, of everybody, and of superusers', async () => {
    const { security } = await open(
      fileText({}, ['User:anna allow read subject orders', 'User:* allow read topic news', 'User:* deny all subject secret'])
    )
    const may = (name: string, ...what: Parameters<ReturnType<Security['rights']>['may']>) =>
      security.rights(name, HOME).may(...what)
    expect(may('User:anna', 'read', 'subject', 'orders')).toBe(true)
    expect(may('User:bert', 'read', 'subject', 'orders')).toBe(false)
    expect(may('User:bert', 'read', 'topic', 'news')).toBe(true)
    expect(may('User:Anna', 'read', 'subject', 'orders')).toBe(false)
    expect(may('User:root', 'admin', 'subject', 'secret')).toBe(true)
    expect(security.rights('User:anna', HOME)).toBe(security.rights('User:anna', HOME))
  })
})

describe('a changed file', () => {
  test('is in force when it was looked at, for rights and for log-ins that were remembered', async () => {
    const { security, logIn, change, logged } = await open(fileText({ anna: 'old' }, ['User:anna allow read subject orders']))
    await logIn('anna', 'old')
    expect(security.rights('User:anna', HOME).may('read', 'subject', 'orders')).toBe(true)
    await change(fileText({ anna: 'new' }, ['User:anna allow read subject other']))
    expect(logged.at(-1)).toEqual(['the security file was read again', expect.objectContaining({ users: 1, acls: 1 })])
    expect(await failureOf(() => logIn('anna', 'old'))).toBe(WRONG)
    expect(await logIn('anna', 'new')).toBe('User:anna')
    expect(security.rights('User:anna', HOME).may('read', 'subject', 'orders')).toBe(false)
    expect(security.rights('User:anna', HOME).may('read', 'subject', 'other')).toBe(true)
  })

  test('with a fault leaves in force what was read before, until it is mended', async () => {
    const { logIn, change, logged } = await open(fileText({ anna: 'secret' }))
    await change('{ "users": { "anna": ')
    expect(logged.at(-1)).toEqual([
      'the security file has a fault; what was read before stays in force',
      expect.objectContaining({ reason: expect.stringMatching(/security\.json:1: /) })
    ])
    expect(await logIn('anna', 'secret')).toBe('User:anna')
    await change(fileText({ anna: 'mended' }))
    expect(await logIn('anna', 'mended')).toBe('User:anna')
  })

  test('that is gone leaves in force what was read before', async () => {
    const { logIn, path, clock, logged } = await open(fileText({ anna: 'secret' }))
    rmSync(path)
    clock.advance(1000)
    await expect.poll(() => logged.length).toBe(1)
    expect(await logIn('anna', 'secret')).toBe('User:anna')
  })

  test('is not overtaken by a log-in that began before it', async () => {
    const dear = await hashPassword('old', randomBytes)
    const { logIn, change } = await open(JSON.stringify({ users: { anna: { scrypt: formatHash(dear) } } }))
    // Two are checked at one time: the right one waits behind these until the file has changed.
    const guesses = Array.from({ length: 6 }, (_, n) => failureOf(() => logIn('anna', `guess ${n}`)))
    let isSlowDone = false
    const slow = Promise.resolve(logIn('anna', 'old')).then(principal => {
      isSlowDone = true
      return principal
    })
    await change(fileText({ anna: 'new' }))
    expect(isSlowDone).toBe(false)
    await Promise.all([slow, ...guesses])
    expect(await failureOf(() => logIn('anna', 'old'))).toBe(WRONG)
  })
})

test('a file with a fault refuses the start with its line', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'assay-security-')), 'security.yaml')
  const parts = { file: path, clock: handClock(), logger: silentLogger, random: randomBytes, failuresMax: 1 }
  await expect(openSecurity(parts)).rejects.toThrow(/security\.yaml: ENOENT/)
  writeFileSync(path, 'users: {}\nacl: []\n')
  await expect(openSecurity(parts)).rejects.toThrow(/security\.yaml:2: there is no key acl/)
})

test('a file that others can read is warned about', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'assay-security-')), 'security.yaml')
  writeFileSync(path, 'users: {}\n', { mode: 0o644 })
  const warnings: Facts[] = []
  const logger = { ...silentLogger, warn: (facts: Facts) => void warnings.push(facts) }
  opened.push(await openSecurity({ file: path, clock: handClock(), logger, random: randomBytes, failuresMax: 1 }))
  expect(warnings).toEqual([{ file: path, mode: '644' }])
})

test('the hash of these tests is one that the code checks', async () => {
  expect(await verifyPassword('secret', cheapHash('secret'))).toBe(true)
})
