/** The security file: what is read, what is refused and where, and how the command line changes it. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Acl } from './acl.ts'
import { hashPassword, type ScryptHash } from './password.ts'
import { parseSecurityFile } from './security-file.ts'
import { editSecurityFile, readSecurityRules } from './security-file-edit.ts'

const SALT = 'A'.repeat(22)
const HASH = 'A'.repeat(43)
const SCRYPT = `$scrypt$ln=15,r=8,p=1$${SALT}$${HASH}`
const readOrders: Acl = {
  principal: 'User:anna',
  permission: 'allow',
  operation: 'read',
  resource: 'subject',
  pattern: 'literal',
  name: 'orders'
}

describe('a security file', () => {
  test('is YAML', () => {
    const { users, acls, superUsers } = parseSecurityFile(
      `
# who
users:
  anna: { scrypt: '${SCRYPT}', scramSha512: 'kept for others' }
  "007": {}
  __proto__: {}
acls:
  - { principal: User:anna, permission: allow, operation: read, resource: subject, name: orders }
  - { principal: 'User:*', permission: deny, operation: all, resource: topic, pattern: prefixed, name: secret- }
  - { principal: 'User:CN=a,O=b', permission: allow, operation: config, resource: registry }
superUsers: [User:root]
`,
      'security.yaml'
    )
    expect([...users.keys()]).toEqual(['anna', '007', '__proto__'])
    expect(users.get('anna')?.scrypt).toMatchObject({ ln: 15, r: 8, p: 1 })
    expect(users.get('007')).toEqual({})
    expect(acls).toEqual([
      readOrders,
      { principal: 'User:*', permission: 'deny', operation: 'all', resource: 'topic', pattern: 'prefixed', name: 'secret-' },
      {
        principal: 'User:CN=a,O=b',
        permission: 'allow',
        operation: 'config',
        resource: 'registry',
        pattern: 'literal',
        name: 'registry'
      }
    ])
    expect([...superUsers]).toEqual(['User:root'])
  })

  test('is JSON', () => {
    const { users, acls } = parseSecurityFile(JSON.stringify({ users: { anna: { scrypt: SCRYPT } }, acls: [readOrders] }), 'f')
    expect([users.has('anna'), acls]).toEqual([true, [readOrders]])
  })

  test.each([
    ['nothing', ''],
    ['comments', '# nothing yet'],
    ['empty parts', 'users:\nacls:\nsuperUsers:\n']
  ])('allows nobody anything: %s', (_name, text) => {
    expect(parseSecurityFile(text, 'f')).toEqual({ users: new Map(), acls: [], superUsers: new Set() })
  })

  const acl = (fields: string): string =>
    `users: {}\nacls:\n  - { principal: User:a, permission: allow, operation: read, resource: subject, name: s }\n  - { ${fields} }\n`
  const faults: [name: string, text: string, says: string | RegExp][] = [
    ['no YAML', 'users: [', /^f:1: /],
    ['a key twice', 'users: {}\nacls: []\nusers: {}\n', /^f:3: Map keys must be unique/],
    ['a mistyped part', 'users: {}\nacl: []\n', 'f:2: there is no key acl; did you mean acls?'],
    ['a list for users', 'users: [anna]', 'f:1: users: expected a record for each name'],
    ['a text for a user', 'users:\n  anna: secret\n', "f:2: user 'anna': expected a record such as { scrypt: … }"],
    ['a password', 'users:\n  anna:\n    scrypt: secret\n', "f:3: user 'anna': scrypt is no hash as assay user writes it"],
    ['a colon in a name', 'users:\n  "a:b": {}\n', "f:2: user 'a:b': a name cannot hold a colon"],
    [
      'a number as a name',
      'users:\n  7: {}\n',
      'f:2: expected a text; write numbers and words such as true between quotation marks'
    ],
    [
      'no operation',
      acl('principal: User:a, permission: allow, resource: subject, name: s'),
      'f:4: the ACL has no operation: one of read, write, delete, config, admin, all'
    ],
    [
      'an unknown operation',
      acl('principal: User:a, permission: allow, operation: reed, resource: subject, name: s'),
      'f:4: operation = reed: one of read, write, delete, config, admin, all'
    ],
    [
      'a mistyped field',
      acl('principal: User:a, permission: allow, operation: read, resource: subject, patern: prefixed, name: s'),
      'f:4: there is no key patern; did you mean pattern?'
    ],
    [
      'no name',
      acl('principal: User:a, permission: allow, operation: read, resource: topic'),
      'f:4: the ACL has no name of a topic'
    ],
    [
      'no type of principal',
      acl('principal: anna, permission: allow, operation: read, resource: subject, name: s'),
      "f:4: principal 'anna': expected User: and a name, or User:* for everybody"
    ],
    [
      'an empty name',
      acl("principal: User:a, permission: allow, operation: read, resource: subject, name: ''"),
      "f:4: an ACL on an empty name means nothing; '*' means every subject"
    ],
    [
      'a star as a prefix',
      acl("principal: User:a, permission: allow, operation: read, resource: subject, pattern: prefixed, name: '*'"),
      /^f:4: a prefix '\*' means names that begin with a star/
    ],
    [
      'another registry',
      acl('principal: User:a, permission: allow, operation: read, resource: registry, name: eu'),
      "f:4: there is one registry; its name is 'registry'"
    ],
    ['an alias', 'users:\n  a: &a {}\n  b: *a\n', /^f:3: user 'b'/],
    ['a superuser without a type', 'superUsers: [root]', /^f:1: principal 'root'/]
  ]
  test.each(faults)('is refused with its line: %s', (_name, text, says) => {
    expect(() => parseSecurityFile(text, 'f')).toThrow(says)
  })
})

describe('changes to a security file', () => {
  const place = (name = 'security.yaml'): string => join(mkdtempSync(join(tmpdir(), 'assay-security-')), name)
  const hash = (): Promise<ScryptHash> => hashPassword('x', randomBytes)

  test('make a file that is not there, for its owner alone', async () => {
    const path = place()
    const scrypt = await hash()
    await editSecurityFile(path, randomBytes, file => {
      file.setPassword('anna', scrypt)
      file.addSuperUser('User:anna')
      expect(file.addAcl(readOrders)).toBe(true)
    })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const rules = await readSecurityRules(path)
    expect(rules).toEqual({
      users: new Map([['anna', { scrypt }]]),
      acls: [readOrders],
      superUsers: new Set(['User:anna'])
    })
    expect(readFileSync(path, 'utf8')).toMatch(/^# Users and what they may do/)
    expect(readdirSync(join(path, '..'))).toEqual(['security.yaml'])
  })

  test('leave comments, order and other credentials', async () => {
    const path = place()
    const before = `# ours\nusers:\n  # the boss\n  anna:\n    scrypt: ${SCRYPT}\n    scramSha512: abc\n  bert: {}\nacls:\n  # orders\n  - { principal: User:bert, permission: allow, operation: read, resource: subject, pattern: literal, name: x }\nsuperUsers: []\n`
    writeFileSync(path, before)
    await editSecurityFile(path, randomBytes, file => file.addAcl({ ...readOrders, principal: 'User:bert' }))
    const after = readFileSync(path, 'utf8')
    expect(after).toBe(
      before.replace(
        'name: x }\n',
        'name: x }\n  - { principal: User:bert, permission: allow, operation: read, resource: subject, pattern: literal, name: orders }\n'
      )
    )
    const scrypt = await hash()
    await editSecurityFile(path, randomBytes, file => file.setPassword('anna', scrypt))
    expect(readFileSync(path, 'utf8')).toContain('scramSha512: abc')
    expect((await readSecurityRules(path)).users.get('anna')).toEqual({ scrypt })
  })

  test('keep JSON as JSON', async () => {
    const path = place('security.json')
    const scrypt = await hash()
    await editSecurityFile(path, randomBytes, file => {
      file.setPassword('__proto__', scrypt)
      file.addAcl(readOrders)
    })
    expect(JSON.parse(readFileSync(path, 'utf8')).acls).toEqual([readOrders])
    expect([...(await readSecurityRules(path)).users.keys()]).toEqual(['__proto__'])
  })

  test('take a user away with all that was his', async () => {
    const path = place()
    const scrypt = await hash()
    await editSecurityFile(path, randomBytes, file => {
      for (const name of ['anna', 'bert']) {
        file.setPassword(name, scrypt)
        file.addSuperUser(`User:${name}`)
      }
    })
    await editSecurityFile(path, randomBytes, file => {
      file.addAcl(readOrders)
      file.addAcl({ ...readOrders, principal: 'User:bert' })
    })
    expect(await editSecurityFile(path, randomBytes, file => file.removeUser('anna'))).toBe(1)
    expect(await readSecurityRules(path)).toEqual({
      users: new Map([['bert', { scrypt }]]),
      acls: [{ ...readOrders, principal: 'User:bert' }],
      superUsers: new Set(['User:bert'])
    })
  })

  test('add an ACL once and take away those that are meant', async () => {
    const path = place()
    await editSecurityFile(path, randomBytes, file => file.addAcl(readOrders))
    expect(await editSecurityFile(path, randomBytes, file => file.addAcl({ ...readOrders }))).toBe(false)
    await editSecurityFile(path, randomBytes, file => file.addAcl({ ...readOrders, operation: 'write' }))
    await editSecurityFile(path, randomBytes, file => file.addAcl({ ...readOrders, operation: 'delete' }))
    const removed = await editSecurityFile(path, randomBytes, file => file.removeAcls(acl => acl.operation !== 'write'))
    expect(removed.map(({ operation }) => operation)).toEqual(['read', 'delete'])
    expect((await readSecurityRules(path)).acls).toEqual([{ ...readOrders, operation: 'write' }])
  })

  test('write nothing when nothing changes, and nothing over a file with a fault', async () => {
    const path = place()
    writeFileSync(path, 'users:   {}\n')
    await editSecurityFile(path, randomBytes, file => file.removeAcls(() => true))
    expect(readFileSync(path, 'utf8')).toBe('users:   {}\n')
    writeFileSync(path, 'users: {')
    await expect(editSecurityFile(path, randomBytes, file => file.addAcl(readOrders))).rejects.toThrow(/security\.yaml:1: /)
    expect(readFileSync(path, 'utf8')).toBe('users: {')
  })

  test('do not write what would not be read again', async () => {
    const path = place()
    writeFileSync(path, 'users: {}\n')
    await expect(editSecurityFile(path, randomBytes, file => file.addAcl({ ...readOrders, name: '' }))).rejects.toThrow(
      'an empty name'
    )
    expect(readFileSync(path, 'utf8')).toBe('users: {}\n')
  })

  test('go to where a link leads', async () => {
    const path = place()
    const link = `${path}.link`
    writeFileSync(path, 'users: {}\n')
    symlinkSync(path, link)
    await editSecurityFile(link, randomBytes, file => file.addAcl(readOrders))
    expect((await readSecurityRules(path)).acls).toEqual([readOrders])
  })
})
