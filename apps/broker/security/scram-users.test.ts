/** SCRAM users over the protocol: what is described and refused, and that a new credential ends the password of before. */
import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorName } from '@assay/protocol'
import { editSecurityFile, hashPassword, openSecurity, type Security, scramKeysOf } from '@assay/security'
import { silentLogger, systemClock } from '@assay/std'
import { afterEach, describe, expect, test } from 'vitest'
import { answerAlterScramUsers, answerDescribeScramUsers } from './scram-users.ts'

const SHA_256 = 1
const SHA_512 = 2

const opened: Security[] = []
afterEach(async () => {
  for (const security of opened.splice(0)) await security.close()
})

/** With the user anna, whose password is `old`. */
async function open(): Promise<Security> {
  const file = join(mkdtempSync(join(tmpdir(), 'assay-scram-')), 'security.yaml')
  writeFileSync(file, 'users: {}\n', { mode: 0o600 })
  const [hash, scram] = [await hashPassword('old', randomBytes), await scramKeysOf('old', randomBytes)]
  await editSecurityFile(file, randomBytes, edited => edited.setPassword('anna', hash, scram))
  const security = await openSecurity({ file, clock: systemClock, logger: silentLogger, random: randomBytes, failuresMax: 100 })
  opened.push(security)
  return security
}

const salt = Buffer.from('a salt')
const upsertion = (name: string, password: string, given: object = {}) => ({
  name,
  mechanism: SHA_256,
  iterations: 4096,
  salt,
  saltedPassword: pbkdf2Sync(password, salt, 4096, 32, 'sha256'),
  ...given
})

async function alter(security: Security | undefined, upsertions: object[], deletions: object[] = []): Promise<string[]> {
  const { results } = await answerAlterScramUsers(security, { upsertions, deletions } as never)
  return results.map(({ user, errorCode, errorMessage }) => `${user} ${errorName(errorCode)} ${errorMessage ?? ''}`.trim())
}

function describeUsers(security: Security, names: readonly string[] | null): string[] {
  const { results } = answerDescribeScramUsers(security, { users: names?.map(name => ({ name })) ?? null })
  return results.map(({ user, errorCode, credentialInfos }) =>
    [user, errorName(errorCode), ...credentialInfos.map(({ mechanism, iterations }) => `${mechanism}/${iterations}`)].join(' ')
  )
}

const mayLogIn = async (security: Security, password: string): Promise<boolean> => {
  try {
    return (await security.logIn({ kind: 'password', name: 'anna', password }, '10.0.0.1')) === 'User:anna'
  } catch {
    return false
  }
}

test('a new credential ends the password of before, at every door and by every mechanism that is set', async () => {
  const security = await open()
  expect([await mayLogIn(security, 'old'), await mayLogIn(security, 'new')]).toEqual([true, false])
  const saltedPassword = pbkdf2Sync('new', salt, 4096, 64, 'sha512')
  expect(
    await alter(security, [upsertion('anna', 'new'), upsertion('anna', 'new', { mechanism: SHA_512, saltedPassword })])
  ).toEqual(['anna NONE'])
  expect([await mayLogIn(security, 'old'), await mayLogIn(security, 'new')]).toEqual([false, true])
  expect(describeUsers(security, null)).toEqual(['anna NONE 1/4096 2/4096'])
})

test('a credential is taken away, and with the last one the user', async () => {
  const security = await open()
  await alter(security, [upsertion('bert', 'his')])
  expect(describeUsers(security, null)).toEqual(['anna NONE 1/8192 2/8192', 'bert NONE 1/4096'])
  expect(await alter(security, [], [{ name: 'bert', mechanism: SHA_256 }])).toEqual(['bert NONE'])
  expect(describeUsers(security, ['bert', 'anna'])).toEqual(['bert RESOURCE_NOT_FOUND', 'anna NONE 1/8192 2/8192'])
  expect([...security.rules.users.keys()]).toEqual(['anna'])
})

describe('is refused and changes nothing:', () => {
  test.each<[string, object[], object[], RegExp]>([
    ['too few iterations', [upsertion('x', 'p', { iterations: 4095 })], [], /x UNACCEPTABLE_CREDENTIAL Less than 4096/],
    ['too many iterations', [upsertion('x', 'p', { iterations: 16_385 })], [], /x UNACCEPTABLE_CREDENTIAL More than 16384/],
    [
      'a salted password of another mechanism',
      [upsertion('x', 'p', { mechanism: SHA_512 })],
      [],
      /x UNACCEPTABLE_CREDENTIAL .*SCRAM-SHA-512/
    ],
    ['no salt', [upsertion('x', 'p', { salt: Buffer.alloc(0) })], [], /x UNACCEPTABLE_CREDENTIAL/],
    ['an unknown mechanism', [upsertion('x', 'p', { mechanism: 9 })], [], /x UNSUPPORTED_SASL_MECHANISM/],
    ['a name with a colon', [upsertion('x:y', 'p')], [], /UNACCEPTABLE_CREDENTIAL/],
    ['the same twice', [upsertion('x', 'p'), upsertion('x', 'q')], [], /x DUPLICATE_RESOURCE/],
    ['one to set and to take away', [upsertion('x', 'p')], [{ name: 'x', mechanism: SHA_256 }], /x DUPLICATE_RESOURCE/],
    ['what is not there', [], [{ name: 'x', mechanism: SHA_256 }], /x RESOURCE_NOT_FOUND/]
  ])('%s', async (_name, upsertions, deletions, says) => {
    const security = await open()
    const [of, beside] = [await alter(security, [...upsertions, upsertion('good', 'p')], deletions), 'good NONE']
    expect(of.filter(line => line !== beside)).toEqual([expect.stringMatching(says)])
    expect(of).toContain(beside)
    expect([...security.rules.users.keys()]).toEqual(['anna', 'good'])
  })

  test('everything where there is no security file', async () => {
    expect(await alter(undefined, [upsertion('x', 'p')])).toEqual([expect.stringMatching(/x SECURITY_DISABLED/)])
  })
})
