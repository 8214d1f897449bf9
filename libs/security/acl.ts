/**
 * ACLs, and what follows from them for one principal. Kafka's order: what an ACL denies is denied, whatever others allow; what none
 * allows is denied, too (KIP-11, and KIP-290 for prefixes).
 */
import { type Operation, operations, type ResourceType, resourceTypes } from './operation.ts'

/** In an ACL's place of a principal's name: everybody who is known. In the place of a resource's name: every resource of the type. */
export const ANY = '*'
export const ANY_PRINCIPAL = 'User:*'

export interface Acl {
  /** `User:anna`, or `User:*`. */
  readonly principal: string
  readonly permission: 'allow' | 'deny'
  readonly operation: Operation | 'all'
  readonly resource: ResourceType
  readonly pattern: 'literal' | 'prefixed'
  /** With the pattern `literal`, `*` is every name. */
  readonly name: string
  /** The address that the principal must come from; absent: any. */
  readonly host?: string
}

/** `none`: no ACL says anything about it, so it is not allowed. */
export type Verdict = 'allowed' | 'denied' | 'none'

export interface Rights {
  may(operation: Operation, type: ResourceType, name: string): boolean
  /** The same with the reason. */
  verdict(operation: Operation, type: ResourceType, name: string): Verdict
  /** Whether there can be a name for which it is allowed; Kafka asks this of a producer that names no topic yet (KIP-679). */
  mayAny(operation: Operation, type: ResourceType): boolean
}

type Bits = number

const bitOf = Object.fromEntries(operations.map((operation, index) => [operation, 1 << index])) as Record<Operation, Bits>
const ALL_BITS: Bits = (1 << operations.length) - 1

/** What an ACL that allows one operation allows besides (Kafka's Authorizer): whoever may use a thing may know that it is there. */
const implied: Partial<Record<Operation, Operation>> = {
  read: 'describe',
  write: 'describe',
  delete: 'describe',
  alter: 'describe',
  'alter-configs': 'describe-configs'
}

/** Admin is the whole of a resource: whoever has it needs no other. Denied, it takes only itself away. */
function bitsOf({ operation, permission }: Acl): Bits {
  if (operation === 'all' || (operation === 'admin' && permission === 'allow')) return ALL_BITS
  // On a topic, which Kafka's words are for, `config` is both of them.
  if (operation === 'config') return bitOf.config | bitOf['describe-configs'] | bitOf['alter-configs']
  const also = permission === 'allow' ? implied[operation] : undefined
  return bitOf[operation] | (also === undefined ? 0 : bitOf[also])
}

/** Bits by name, for one type of resource and one permission. */
interface Grants {
  any: Bits
  readonly byName: Map<string, Bits>
  /** By length first: a name is cut once for each length that there is, however many prefixes have it. */
  readonly byPrefix: Map<number, Map<string, Bits>>
}

type ReadonlyGrants = Omit<Readonly<Grants>, 'byName'> & { readonly byName: ReadonlyMap<string, Bits> }

interface TypeRights {
  readonly allow: Grants
  readonly deny: Grants
}

const noGrants = (): Grants => ({ any: 0, byName: new Map(), byPrefix: new Map() })

const everything: Rights = { may: () => true, verdict: () => 'allowed', mayAny: () => true }

/** What a superuser has: no ACL touches him, not even one that denies. */
export const superRights: Rights = everything

/** What follows from the ACLs of a principal, those for everybody included. */
export function compileRights(acls: Iterable<Acl>): Rights {
  const types = new Map<ResourceType, TypeRights>(resourceTypes.map(type => [type, { allow: noGrants(), deny: noGrants() }]))
  for (const acl of acls) {
    const grants = types.get(acl.resource)![acl.permission]
    const bits = bitsOf(acl)
    if (acl.pattern === 'literal' && acl.name === ANY) {
      grants.any |= bits
      continue
    }
    const named = acl.pattern === 'literal' ? grants.byName : prefixesOf(grants, acl.name.length)
    named.set(acl.name, (named.get(acl.name) ?? 0) | bits)
  }
  const verdict = (operation: Operation, type: ResourceType, name: string): Verdict => {
    const { allow, deny } = types.get(type)!
    const bit = bitOf[operation]
    if (isGranted(deny, bit, name)) return 'denied'
    return isGranted(allow, bit, name) ? 'allowed' : 'none'
  }
  return {
    verdict,
    may: (operation, type, name) => verdict(operation, type, name) === 'allowed',
    mayAny(operation, type) {
      const { allow, deny } = types.get(type)!
      const bit = bitOf[operation]
      if ((deny.any & bit) !== 0) return false
      if ((allow.any & bit) !== 0) return true
      for (const [name, bits] of allow.byName) if ((bits & bit) !== 0 && !isGranted(deny, bit, name)) return true
      // Of a prefix something is left unless a prefix of it is denied: the names that are denied one by one are never all.
      const left = { ...deny, byName: noNames }
      for (const prefixes of allow.byPrefix.values()) {
        for (const [prefix, bits] of prefixes) if ((bits & bit) !== 0 && !isGranted(left, bit, prefix)) return true
      }
      return false
    }
  }
}

const noNames: ReadonlyMap<string, Bits> = new Map()

function prefixesOf({ byPrefix }: Grants, length: number): Map<string, Bits> {
  let prefixes = byPrefix.get(length)
  if (prefixes === undefined) {
    prefixes = new Map()
    byPrefix.set(length, prefixes)
  }
  return prefixes
}

function isGranted({ any, byName, byPrefix }: ReadonlyGrants, bit: Bits, name: string): boolean {
  if ((any & bit) !== 0 || ((byName.get(name) ?? 0) & bit) !== 0) return true
  for (const [length, prefixes] of byPrefix) {
    if (name.length >= length && ((prefixes.get(name.slice(0, length)) ?? 0) & bit) !== 0) return true
  }
  return false
}

/** The same ACL, whatever the order of its fields. */
export const isSameAcl = (a: Acl, b: Acl): boolean =>
  a.principal === b.principal &&
  a.permission === b.permission &&
  a.operation === b.operation &&
  a.resource === b.resource &&
  a.pattern === b.pattern &&
  a.name === b.name &&
  a.host === b.host
