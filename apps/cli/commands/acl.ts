/** `assay acl add|remove|list`: who may do what, in the security file. A running server takes the change up by itself. */
import { randomBytes } from 'node:crypto'
import { AssayError } from '@assay/errors'
import {
  type Acl,
  ANY,
  ANY_PRINCIPAL,
  editSecurityFile,
  faultOfAcl,
  isPrincipal,
  onlyNameOf,
  operations,
  readSecurityRules,
  resourceTypes
} from '@assay/security'
import { Argument, Command, Option } from 'commander'
import { formatOf, withSettings } from '../options.ts'
import { printFacts, printRows, say } from '../print.ts'
import { securityFileOf } from './user.ts'

const COLUMNS = ['principal', 'permission', 'operation', 'resource', 'pattern', 'name']
/** Few ACLs are about an address. */
const columnsOf = (acls: readonly Acl[]): string[] =>
  acls.some(({ host }) => host !== undefined) ? [...COLUMNS, 'host'] : COLUMNS

export function aclCommand(): Command {
  return new Command('acl')
    .description('add, remove and list ACLs in the security file: what they do not allow is refused')
    .addCommand(addCommand())
    .addCommand(removeCommand())
    .addCommand(listCommand())
}

const principalArgument = () => new Argument('<principal>', 'such as User:anna, or User:* for everybody who is known')
const operationArgument = (name: string) =>
  new Argument(name, 'admin allows all the others, too; which there are depends on the resource').choices([...operations, 'all'])
const resourceArgument = (name: string) => new Argument(name).choices(resourceTypes)
const nameArgument = () => new Argument('[name]', "of the subject, topic, group or transactional ID; '*' is every one")

interface PatternOptions {
  readonly deny: boolean
  readonly prefixed: boolean
  readonly host?: string
}

const hostFlag = ['--host <address>', 'only from this address; without it, from anywhere'] as const

function addCommand(): Command {
  const command = new Command('add')
    .description('allow a principal an operation, or deny it')
    .addArgument(principalArgument())
    .addArgument(operationArgument('<operation>'))
    .addArgument(resourceArgument('<resource>'))
    .addArgument(nameArgument())
    .option('--deny', 'deny it, whatever other ACLs allow', false)
    .option('--prefixed', 'every name that begins so', false)
    .option(...hostFlag)
  return withSettings(command, 'securityFile').action(
    async (
      principal: string,
      operation: Acl['operation'],
      resource: Acl['resource'],
      name: string | undefined,
      { deny, prefixed, host }: PatternOptions
    ) => {
      checkPrincipal(principal)
      const acl: Acl = {
        ...(host !== undefined && host !== ANY && { host }),
        principal,
        permission: deny ? 'deny' : 'allow',
        operation,
        resource,
        pattern: prefixed ? 'prefixed' : 'literal',
        name: name ?? nameOf(resource)
      }
      const reason = faultOfAcl(acl)
      if (reason) throw new AssayError('INVALID_ARGUMENT', { reason: `The ACL cannot be: ${reason}` })
      const isNew = await editSecurityFile(securityFileOf(command), randomBytes, file => file.addAcl(acl))
      if (!isNew) say('There is this ACL already.')
      printFacts({ ...acl }, formatOf(command))
    }
  )
}

function removeCommand(): Command {
  const command = new Command('remove')
    .description('remove ACLs: the one that is named in full, or all with what is named')
    .addArgument(principalArgument())
    .addArgument(operationArgument('[operation]'))
    .addArgument(resourceArgument('[resource]'))
    .addArgument(nameArgument())
    .option('--deny', 'ACLs that deny; without it, ACLs that allow', false)
    .option('--prefixed', 'with a name: the ACL on every name that begins so', false)
    .option('--host <address>', 'only those that hold for this address alone')
  return withSettings(command, 'securityFile').action(
    async (
      principal: string,
      operation: string | undefined,
      resource: string | undefined,
      name: string | undefined,
      { deny, prefixed, host }: PatternOptions
    ) => {
      checkPrincipal(principal)
      if (prefixed && name === undefined) throw invalid('--prefixed needs the name that the ACL is on')
      const isMeant = (acl: Acl): boolean =>
        acl.principal === principal &&
        acl.permission === (deny ? 'deny' : 'allow') &&
        (host === undefined || (acl.host ?? ANY) === host) &&
        (operation === undefined || acl.operation === operation) &&
        (resource === undefined || acl.resource === resource) &&
        (name === undefined || (acl.name === name && acl.pattern === (prefixed ? 'prefixed' : 'literal')))
      const removed = await editSecurityFile(securityFileOf(command), randomBytes, file => file.removeAcls(isMeant))
      if (removed.length === 0)
        throw invalid(`There is no such ACL; assay acl list --principal ${principal} shows those that there are`)
      printRows(
        removed.map(acl => ({ ...acl })),
        columnsOf(removed),
        formatOf(command)
      )
    }
  )
}

function listCommand(): Command {
  const command = new Command('list')
    .description('list ACLs')
    .option('--principal <principal>', 'those that are about him, with those for everybody')
    .addOption(new Option('--resource <resource>', 'those on resources of this type').choices(resourceTypes))
  return withSettings(command, 'securityFile').action(
    async ({ principal, resource }: { principal?: string; resource?: string }) => {
      const { acls, superUsers } = await readSecurityRules(securityFileOf(command))
      const isShown = (acl: Acl): boolean =>
        (principal === undefined || acl.principal === principal || acl.principal === ANY_PRINCIPAL) &&
        (resource === undefined || acl.resource === resource)
      const found = acls.filter(isShown)
      if (principal !== undefined && superUsers.has(principal)) say(`${principal} is a superuser: no ACL touches him.`)
      if (found.length === 0 && formatOf(command) === 'table') say('There is no such ACL.')
      printRows(
        found.map(acl => ({ ...acl })),
        columnsOf(found),
        formatOf(command)
      )
    }
  )
}

/** There is one registry, and one cluster: they need not be named. */
function nameOf(resource: Acl['resource']): string {
  const only = onlyNameOf(resource)
  if (only !== undefined) return only
  throw invalid(`Say which ${resource}; '*' is every one`)
}

function checkPrincipal(principal: string): void {
  if (!isPrincipal(principal)) throw invalid(`${principal} is no principal: it begins with User:, as in User:anna`)
}

const invalid = (reason: string): AssayError => new AssayError('INVALID_ARGUMENT', { reason })
