/** The verbs that write the security file, as processes of their own where something comes on stdin. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSecurityRules } from '@assay/security'
import { describe, expect, test } from 'vitest'
import { verifyPassword } from '../../../libs/security/password.ts'

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const newFile = (): string => join(mkdtempSync(join(tmpdir(), 'assay-user-')), 'security.yaml')

const program = `
const { userCommand } = await import(${JSON.stringify(new URL('./user.ts', import.meta.url).href)})
const { aclCommand } = await import(${JSON.stringify(new URL('./acl.ts', import.meta.url).href)})
const [verb, ...args] = process.argv.slice(1)
try {
  await (verb === 'user' ? userCommand() : aclCommand()).parseAsync(args, { from: 'user' })
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}`

function run(file: string | undefined, line: string, input = ''): Ran {
  const env = { ...process.env, NO_COLOR: '1', ...(file && { ASSAY_SECURITY_FILE: file }) }
  const args = ['--conditions=source', '--input-type=module', '-e', program, '--', ...line.split(' ')]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { input, env, encoding: 'utf8', cwd: tmpdir() })
  return { code: status, out: stdout, err: stderr }
}

const fits = async (file: string, user: string, password: string): Promise<boolean> =>
  verifyPassword(password, (await readSecurityRules(file)).users.get(user)!.scrypt!)

describe('assay user', () => {
  test('adds, changes, lists and removes users', async () => {
    const file = newFile()
    expect(run(file, 'user add anna', 'first line\nsecond line\n')).toMatchObject({ code: 0, err: '' })
    expect(await fits(file, 'anna', 'first line')).toBe(true)
    expect(readFileSync(file, 'utf8')).not.toContain('first line')
    const { password } = JSON.parse(run(file, 'user add bert --generate --super-user -o json').out)
    expect(password).toMatch(/^[\w-]{24}$/)
    expect(await fits(file, 'bert', password)).toBe(true)
    expect([...(await readSecurityRules(file)).superUsers]).toEqual(['User:bert'])
    expect(run(file, 'user passwd anna', 'other').code).toBe(0)
    expect([await fits(file, 'anna', 'first line'), await fits(file, 'anna', 'other')]).toEqual([false, true])
    run(file, 'acl add User:bert read topic t')
    const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512']
    expect(JSON.parse(run(file, 'user list -o json').out)).toEqual([
      { user: 'anna', principal: 'User:anna', password: true, scram, superUser: false, acls: 0 },
      { user: 'bert', principal: 'User:bert', password: true, scram, superUser: true, acls: 1 }
    ])
    expect(JSON.parse(run(file, 'user remove bert -o json').out)).toEqual({ removed: 'bert', acls: 1 })
    const rules = await readSecurityRules(file)
    expect([[...rules.users.keys()], rules.acls, rules.superUsers.size]).toEqual([['anna'], [], 0])
  })

  test.each([
    ['user add anna', '', 'No password came on stdin'],
    ['user add anna', '\n', 'A password cannot be empty'],
    ['user add anna', 'x'.repeat(2000), 'A password has at most 1024 bytes'],
    ['user add a:b', 'secret', "User 'a:b': a name cannot hold a colon"],
    ['user passwd carl', 'secret', 'There is no user carl in '],
    ['user remove carl', '', 'There is no user carl in '],
    ['user add anna secret', '', 'too many arguments']
  ])('%s with %j on stdin is refused', (line, input, says) => {
    const { code, err } = run(newFile(), line, input)
    expect([code, err]).toEqual([1, expect.stringContaining(says)])
  })

  test('does not change a password when it is to add one', () => {
    const file = newFile()
    run(file, 'user add anna', 'secret')
    const before = readFileSync(file, 'utf8')
    expect(run(file, 'user add anna', 'other').err).toContain('There is a user anna already')
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  test('says how to name the file', () => {
    expect(run(undefined, 'user list').err).toContain('No security file is named: say --security-file FILE')
  })
})

describe('assay acl', () => {
  test('adds, lists and removes ACLs', async () => {
    const file = newFile()
    for (const line of [
      'User:anna read subject orders- --prefixed',
      'User:anna read subject orders-secret --deny',
      'User:anna write topic orders',
      'User:* read registry',
      'User:bert all subject *'
    ]) {
      expect(run(file, `acl add ${line}`), line).toMatchObject({ code: 0, err: '' })
    }
    const said = (line: string): string => run(file, line).out.replace(/ +/g, ' ')
    expect(said('acl list')).toBe(
      [
        'PRINCIPAL PERMISSION OPERATION RESOURCE PATTERN NAME',
        'User:anna allow read subject prefixed orders-',
        'User:anna deny read subject literal orders-secret',
        'User:anna allow write topic literal orders',
        'User:* allow read registry literal registry',
        'User:bert allow all subject literal *',
        ''
      ].join('\n')
    )
    expect(JSON.parse(run(file, 'acl list --principal User:bert -o json').out)).toHaveLength(2)
    expect(run(file, 'acl add User:* read registry').err).toContain('There is this ACL already.')
    // What denies is not taken away by the way, nor what is on all names that begin so.
    expect(run(file, 'acl remove User:anna read subject orders-').err).toContain('There is no such ACL')
    expect(JSON.parse(run(file, 'acl remove User:anna -o json').out)).toHaveLength(2)
    expect((await readSecurityRules(file)).acls.filter(({ principal }) => principal === 'User:anna')).toEqual([
      expect.objectContaining({ permission: 'deny' })
    ])
    expect(run(file, 'acl remove User:anna read subject orders-secret --deny').code).toBe(0)
    expect(run(file, 'acl list --resource topic').err).toContain('There is no such ACL.')
  })

  test.each([
    ['acl add anna read subject s', 'anna is no principal'],
    ['acl add User:anna read subject', 'Say which subject'],
    ['acl add User:anna read subject * --prefixed', "The ACL cannot be: a prefix '*'"],
    ['acl add User:anna read registry eu', "The ACL cannot be: there is one registry; its name is 'registry'"],
    ['acl add User:anna reed subject s', 'Allowed choices are read, write, delete, config, admin, create, alter,'],
    ['acl remove User:anna --prefixed', '--prefixed needs the name'],
    ['acl remove User:anna', 'There is no such ACL']
  ])('%s is refused', (line, says) => {
    const { code, err } = run(newFile(), line)
    expect([code, err]).toEqual([1, expect.stringContaining(says)])
  })
})
