/**
 * Changes to the security file, as the command line makes them: comments and order stay, the outcome is checked before it is written,
 * and a reader sees the old file or the new one, never a half.
 */
import { open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { yaml } from '@assay/config'
import { AssayError } from '@assay/errors'
import type { Document } from 'yaml'
import { type Acl, isSameAcl } from './acl.ts'
import { formatHash, type RandomBytes, type ScryptHash } from './password.ts'
import { userPrincipal } from './principal.ts'
import { parseSecurityFile, type SecurityRules } from './security-file.ts'

export interface SecurityFile {
  readonly rules: SecurityRules
  /** Replaces the password of a user, who is made when he is not there. */
  setPassword(name: string, hash: ScryptHash): void
  /** Takes a user away, with his ACLs: they must not wait for the next one of that name. Answers how many there were. */
  removeUser(name: string): number
  addSuperUser(principal: string): void
  /** False when it is there already. */
  addAcl(acl: Acl): boolean
  /** Answers those that were taken away. */
  removeAcls(isMeant: (acl: Acl) => boolean): Acl[]
}

const NEW_FILE = `# Users and what they may do. Written by \`assay user\` and \`assay acl\`; a running server reads it again when it changes.
users: {}
acls: []
superUsers: []
`

/** Reads the file, which may be missing, lets it be changed, and writes it back unless nothing has changed. Fails with SECURITY_FILE_INVALID. */
export async function editSecurityFile<T>(path: string, random: RandomBytes, edit: (file: SecurityFile) => T): Promise<T> {
  const before = await textOf(path)
  const isJson = extname(path) === '.json'
  const document: Document = yaml().parseDocument(before ?? (isJson ? '{}' : NEW_FILE))
  const rules = parseSecurityFile(before ?? '', path)
  if (document.contents === null) document.contents = new (yaml().Document)({}).contents
  const render = (): string => (isJson ? `${JSON.stringify(document.toJS(), null, 2)}\n` : document.toString({ lineWidth: 0 }))
  const unchanged = render()
  const answer = edit(editing(document, rules))
  const after = render()
  if (after === unchanged) return answer
  parseSecurityFile(after, path)
  if ((await textOf(path)) !== before) {
    throw new AssayError('SECURITY_FILE_INVALID', { place: path, reason: 'somebody else has changed it just now; try again' })
  }
  await replaceFile(path, after, random)
  return answer
}

/** The file as it is; empty rules when it is missing. */
export async function readSecurityRules(path: string): Promise<SecurityRules> {
  return parseSecurityFile((await textOf(path)) ?? '', path)
}

function editing(document: Document, rules: SecurityRules): SecurityFile {
  const itemsAt = (key: string): unknown[] => {
    const list = document.get(key)
    return yaml().isSeq(list) ? list.items : []
  }
  const add = (key: string, value: unknown): void => {
    if (!yaml().isSeq(document.get(key))) document.set(key, document.createNode([]))
    const list = document.get(key)
    // An empty list is written as []: what comes into it stands in lines of its own.
    if (yaml().isSeq(list) && list.items.length === 0) list.flow = false
    document.addIn([key], document.createNode(value, { flow: typeof value === 'object' }))
  }
  const removeAt = (key: string, isMeant: (index: number) => boolean): void => {
    const items = itemsAt(key)
    for (let index = items.length - 1; index >= 0; index--) if (isMeant(index)) items.splice(index, 1)
  }
  const removeAcls = (isMeant: (acl: Acl) => boolean): Acl[] => {
    removeAt('acls', index => isMeant(rules.acls[index]!))
    return rules.acls.filter(isMeant)
  }
  return {
    rules,
    setPassword(name, hash) {
      if (!yaml().isMap(document.get('users'))) document.set('users', document.createNode({}))
      const users = document.get('users')
      if (yaml().isMap(users) && users.items.length === 0) users.flow = false
      if (rules.users.has(name)) document.setIn(['users', name, 'scrypt'], formatHash(hash))
      else document.setIn(['users', name], document.createNode({ scrypt: formatHash(hash) }, { flow: false }))
    },
    removeUser(name) {
      document.deleteIn(['users', name])
      const principal = userPrincipal(name)
      const superUsers = [...itemsAt('superUsers')]
      removeAt('superUsers', index => plainOf(superUsers[index]) === principal)
      return removeAcls(acl => acl.principal === principal).length
    },
    addSuperUser(principal) {
      if (!rules.superUsers.has(principal)) add('superUsers', principal)
    },
    addAcl(acl) {
      if (rules.acls.some(known => isSameAcl(known, acl))) return false
      const { principal, permission, operation, resource, pattern, name } = acl
      add('acls', { principal, permission, operation, resource, pattern, name })
      return true
    },
    removeAcls
  }
}

const plainOf = (item: unknown): unknown => (yaml().isNode(item) ? item.toJSON() : item)

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined
    throw new AssayError('SECURITY_FILE_INVALID', { place: path, reason: (error as Error).message }, { cause: error })
  }
}

/** Written beside it, synced, and renamed over it; for its owner's eyes only. */
async function replaceFile(link: string, text: string, random: RandomBytes): Promise<void> {
  // A link stays one: what it leads to is replaced.
  const path = await realpath(link).catch(() => link)
  const draft = join(dirname(path), `.${basename(path)}.${random(6).toString('hex')}`)
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw new AssayError('SECURITY_FILE_INVALID', { place: path, reason: (error as Error).message }, { cause: error })
  }
  const directory = await open(dirname(path), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
