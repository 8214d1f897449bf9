/** `assay user add|passwd|remove|list`: who may log in at both doors, in the security file. A running server takes the change up by itself. */
import { randomBytes } from 'node:crypto'
import { AssayError } from '@assay/errors'
import { editSecurityFile, faultOfUserName, hashPassword, readSecurityRules, scramKeysOf, userPrincipal } from '@assay/security'
import { Command } from 'commander'
import { confirmed } from '../confirm.ts'
import { generatedPassword, newPassword } from '../new-password.ts'
import { configOf, formatOf, withSettings } from '../options.ts'
import { printFacts, printRows, say } from '../print.ts'

export function userCommand(): Command {
  return new Command('user')
    .description('add, change, remove and list users in the security file')
    .addCommand(addCommand())
    .addCommand(passwdCommand())
    .addCommand(removeCommand())
    .addCommand(listCommand())
}

interface PasswordOptions {
  readonly generate: boolean
}

const generateFlag = ['--generate', 'make a password and print it, once', false] as const

function addCommand(): Command {
  const command = new Command('add')
    .description('add a user; his password is asked for, or read from stdin')
    .argument('<name>')
    .option(...generateFlag)
    .option('--super-user', 'one whom no ACL touches: he may do everything', false)
  return withSettings(command, 'securityFile').action(
    async (name: string, options: PasswordOptions & { readonly superUser: boolean }) => {
      const file = securityFileOf(command)
      const reason = faultOfUserName(name)
      if (reason) throw new AssayError('INVALID_ARGUMENT', { reason: `User '${name}': ${reason}` })
      if ((await readSecurityRules(file)).users.has(name)) {
        throw new AssayError('INVALID_ARGUMENT', {
          reason: `There is a user ${name} already; assay user passwd changes the password`
        })
      }
      const generated = await setPassword(file, name, options, { superUser: options.superUser })
      printFacts({ user: name, principal: userPrincipal(name), superUser: options.superUser, ...generated }, formatOf(command))
    }
  )
}

function passwdCommand(): Command {
  const command = new Command('passwd')
    .description('change the password of a user; it is asked for, or read from stdin')
    .argument('<name>')
    .option(...generateFlag)
  return withSettings(command, 'securityFile').action(async (name: string, options: PasswordOptions) => {
    const file = securityFileOf(command)
    await checkUser(file, name)
    const generated = await setPassword(file, name, options, { superUser: false })
    printFacts({ user: name, changed: 'password', ...generated }, formatOf(command))
  })
}

function removeCommand(): Command {
  const command = new Command('remove')
    .description('remove a user, with his ACLs')
    .argument('<name>')
    .option('-y, --yes', 'do not ask', false)
  return withSettings(command, 'securityFile').action(async (name: string, options: { readonly yes: boolean }) => {
    const file = securityFileOf(command)
    await checkUser(file, name)
    if (!(await confirmed(`Remove ${name} and what he may do?`, options))) return
    const removedAcls = await editSecurityFile(file, randomBytes, edited => edited.removeUser(name))
    printFacts({ removed: name, acls: removedAcls }, formatOf(command))
  })
}

function listCommand(): Command {
  const command = new Command('list').description('list users')
  return withSettings(command, 'securityFile').action(async () => {
    const { users, acls, superUsers } = await readSecurityRules(securityFileOf(command))
    if (users.size === 0 && formatOf(command) === 'table') say('There is no user.')
    const rows = [...users].map(([user, { scrypt, scram }]) => ({
      user,
      principal: userPrincipal(user),
      password: scrypt !== undefined,
      scram: [...(scram?.keys() ?? [])],
      superUser: superUsers.has(userPrincipal(user)),
      acls: acls.filter(({ principal }) => principal === userPrincipal(user)).length
    }))
    printRows(rows, ['user', 'password', 'scram', 'superUser', 'acls'], formatOf(command))
  })
}

/** Answers the password when it was generated: nobody else knows it. */
async function setPassword(
  file: string,
  name: string,
  { generate }: PasswordOptions,
  { superUser }: { readonly superUser: boolean }
): Promise<{ readonly password?: string }> {
  const password = generate ? generatedPassword(randomBytes) : await newPassword(name)
  const hash = await hashPassword(password, randomBytes)
  const scram = await scramKeysOf(password, randomBytes)
  await editSecurityFile(file, randomBytes, edited => {
    edited.setPassword(name, hash, scram)
    if (superUser) edited.addSuperUser(userPrincipal(name))
  })
  return generate ? { password } : {}
}

async function checkUser(file: string, name: string): Promise<void> {
  if ((await readSecurityRules(file)).users.has(name)) return
  throw new AssayError('INVALID_ARGUMENT', { reason: `There is no user ${name} in ${file}` })
}

/** The file that the server reads. Fails with INVALID_ARGUMENT when none is named. */
export function securityFileOf(command: Command): string {
  const { securityFile } = configOf(command)
  if (securityFile !== '') return securityFile
  const reason = 'No security file is named: say --security-file FILE, or set security-file in assay.yaml'
  throw new AssayError('INVALID_ARGUMENT', { reason })
}
