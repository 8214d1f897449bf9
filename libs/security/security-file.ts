/**
 * The security file: users, ACLs and superusers as YAML or JSON. It is taken whole or not at all; a fault names its line.
 * Users may hold more than is read here, so that other kinds of credentials can stand beside the password.
 */
import { yaml } from '@assay/config'
import { AssayError } from '@assay/errors'
import { nearestName } from '@assay/std'
import type { Node, YAMLMap } from 'yaml'
import type { Acl } from './acl.ts'
import { operations, resourceTypes } from './operation.ts'
import { parseHash, type ScryptHash } from './password.ts'
import { isPrincipal } from './principal.ts'

export interface UserRecord {
  /** Absent for a user who cannot log in with a password sent in the clear. */
  readonly scrypt?: ScryptHash
}

export interface SecurityRules {
  readonly users: ReadonlyMap<string, UserRecord>
  readonly acls: readonly Acl[]
  /** Principals that no ACL touches. */
  readonly superUsers: ReadonlySet<string>
}

export const SECURITY_FILE_BYTES_MAX = 16 * 1024 * 1024
const NAME_CHARS_MAX = 1024

const KEYS = ['users', 'acls', 'superUsers']
const ACL_KEYS = ['principal', 'permission', 'operation', 'resource', 'pattern', 'name']

type Refuse = (node: unknown, reason: string) => never

/** Fails with SECURITY_FILE_INVALID. `path` is for the message. */
export function parseSecurityFile(text: string, path: string): SecurityRules {
  const lines = new (yaml().LineCounter)()
  const refuseAt = (position: number | undefined, reason: string): never => {
    const place = position === undefined ? path : `${path}:${lines.linePos(position).line}`
    throw new AssayError('SECURITY_FILE_INVALID', { place, reason })
  }
  const refuse: Refuse = (node, reason) => refuseAt(yaml().isNode(node) ? node.range?.[0] : undefined, reason)
  if (text.length > SECURITY_FILE_BYTES_MAX) refuseAt(undefined, `it is larger than ${SECURITY_FILE_BYTES_MAX} bytes`)
  const document = yaml().parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'core' })
  const [fault] = document.errors
  if (fault) refuseAt(fault.pos[0], fault.message)
  const root = document.contents
  if (root === null) return { users: new Map(), acls: [], superUsers: new Set() }
  const parts = fieldsOf(root, KEYS, refuse)
  return {
    users: readUsers(parts.get('users'), refuse),
    acls: itemsOf(parts.get('acls'), 'acls', refuse).map(node => readAcl(node, refuse)),
    superUsers: new Set(
      itemsOf(parts.get('superUsers'), 'superUsers', refuse).map(node => checkPrincipal(textOf(node, refuse), node, refuse))
    )
  }
}

function readUsers(node: unknown, refuse: Refuse): Map<string, UserRecord> {
  const users = new Map<string, UserRecord>()
  if (isAbsent(node)) return users
  if (!yaml().isMap(node)) return refuse(node, 'users: expected a record for each name')
  for (const { key, value } of node.items) {
    const name = textOf(key, refuse)
    const reason = faultOfUserName(name)
    if (reason) refuse(key, `user '${name.slice(0, 100)}': ${reason}`)
    if (!yaml().isMap(value)) return refuse(key, `user '${name}': expected a record such as { scrypt: … }`)
    const scrypt = value.get('scrypt', true)
    const hash = scrypt === undefined ? undefined : parseHash(textOf(scrypt, refuse))
    if (scrypt !== undefined && !hash) refuse(scrypt, `user '${name}': scrypt is no hash as assay user writes it`)
    users.set(name, hash ? { scrypt: hash } : {})
  }
  return users
}

/** Why a user cannot have this name: it must fit basic auth (RFC 7617) and a principal. */
export function faultOfUserName(name: string): string | undefined {
  if (name === '') return 'a name cannot be empty'
  if (name === '*') return 'the name stands for everybody'
  if (name.length > NAME_CHARS_MAX) return `a name has at most ${NAME_CHARS_MAX} characters`
  if (name.includes(':')) return 'a name cannot hold a colon'
  return /\p{Cc}/u.test(name) ? 'a name cannot hold a control character' : undefined
}

function readAcl(node: Node, refuse: Refuse): Acl {
  const fields = fieldsOf(node, ACL_KEYS, refuse)
  const textAt = (key: string): string | undefined => {
    const field = fields.get(key)
    return isAbsent(field) ? undefined : textOf(field, refuse)
  }
  const choice = <T extends string>(key: string, choices: readonly T[], fallback?: T): T => {
    const text = textAt(key) ?? fallback
    if (text === undefined) return refuse(node, `the ACL has no ${key}: one of ${choices.join(', ')}`)
    if (!choices.includes(text as T)) refuse(fields.get(key), `${key} = ${text}: one of ${choices.join(', ')}`)
    return text as T
  }
  const principal = textAt('principal') ?? refuse(node, 'the ACL has no principal, such as User:anna')
  const resource = choice('resource', resourceTypes)
  const acl: Acl = {
    principal: checkPrincipal(principal, fields.get('principal'), refuse),
    permission: choice('permission', ['allow', 'deny']),
    operation: choice('operation', [...operations, 'all']),
    resource,
    pattern: choice('pattern', ['literal', 'prefixed'], 'literal'),
    name: textAt('name') ?? (resource === 'registry' ? 'registry' : refuse(node, `the ACL has no name of a ${resource}`))
  }
  const reason = faultOfAcl(acl)
  if (reason) refuse(node, reason)
  return acl
}

/** What is wrong with an ACL although each of its fields is well formed. */
export function faultOfAcl({ resource, pattern, name }: Acl): string | undefined {
  if (name === '') return `an ACL on an empty name means nothing; '*' means every ${resource}`
  if (name.length > NAME_CHARS_MAX) return `a name has at most ${NAME_CHARS_MAX} characters`
  if (pattern === 'prefixed' && name === '*')
    return "a prefix '*' means names that begin with a star; for every name let the pattern be literal"
  if (resource === 'registry' && (pattern !== 'literal' || (name !== 'registry' && name !== '*')))
    return "there is one registry; its name is 'registry'"
  return undefined
}

function checkPrincipal(text: string, node: unknown, refuse: Refuse): string {
  if (!isPrincipal(text)) refuse(node, `principal '${text.slice(0, 100)}': expected User: and a name, or User:* for everybody`)
  return text
}

/** The values of a mapping by key; an unknown key is a mistake, and here a mistake is an open or a closed door. */
function fieldsOf(node: unknown, keys: readonly string[], refuse: Refuse): Map<string, unknown> {
  if (!yaml().isMap(node)) return refuse(node, `expected a mapping with ${keys.join(', ')}`)
  return new Map(
    (node as YAMLMap<unknown, unknown>).items.map(({ key, value }) => {
      const name = textOf(key, refuse)
      if (!keys.includes(name)) {
        const near = nearestName(name, keys)
        refuse(key, `there is no key ${name.slice(0, 100)}${near ? `; did you mean ${near}?` : `; there are ${keys.join(', ')}`}`)
      }
      return [name, value]
    })
  )
}

function itemsOf(node: unknown, what: string, refuse: Refuse): Node[] {
  if (isAbsent(node)) return []
  if (!yaml().isSeq(node)) return refuse(node, `${what}: expected a list`)
  return node.items as Node[]
}

const isAbsent = (node: unknown): boolean => node === undefined || node === null || (yaml().isScalar(node) && node.value === null)

/** Aliases and other kinds of values are refused: what a line says is what it means. */
function textOf(node: unknown, refuse: Refuse): string {
  if (yaml().isScalar(node) && typeof node.value === 'string') return node.value
  return refuse(node, 'expected a text; write numbers and words such as true between quotation marks')
}
