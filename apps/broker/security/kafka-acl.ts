/** ACLs as the Kafka protocol writes them: numbers for operations, resources, patterns and permissions (AclOperation, ResourceType). */
import { type Acl, ANY, type CLUSTER, type Operation, operationsOf, type ResourceType } from '@assay/security'

/** What a client gets for a mask of operations when it did not ask. */
export const OPERATIONS_NOT_TOLD = -2_147_483_648

const operationCodes = {
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  'cluster-action': 9,
  'describe-configs': 10,
  'alter-configs': 11,
  'idempotent-write': 12,
  'two-phase-commit': 15
} as const satisfies Partial<Record<Operation | 'all', number>>

const resourceCodes = { topic: 2, group: 3, cluster: 4, 'transactional-id': 5 } as const satisfies Partial<
  Record<ResourceType, number>
>
const permissionCodes = { deny: 2, allow: 3 } as const
const patternCodes = { literal: 3, prefixed: 4 } as const
/** In a filter: whatever. */
const ANYTHING = 1
/** In a filter: literal, prefixed or `*`, whatever says something about the name. */
const MATCH = 2

export interface KafkaAcl {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

const nameBy = <T extends string>(codes: Readonly<Record<T, number>>, code: number): T | undefined =>
  (Object.keys(codes) as T[]).find(name => codes[name] === code)

/** Undefined for what Kafka has no word for: ACLs on subjects and on the registry. `config` and `admin` on a topic are the nearest words. */
export function toKafka({ resource, name, pattern, principal, host, operation, permission }: Acl): KafkaAcl | undefined {
  const kafkaOperation = operation === 'config' ? 'alter-configs' : operation === 'admin' ? 'all' : operation
  const resourceType = (resourceCodes as Partial<Record<ResourceType, number>>)[resource]
  if (resourceType === undefined) return undefined
  return {
    resourceType,
    resourceName: name,
    patternType: patternCodes[pattern],
    principal,
    host: host ?? ANY,
    operation: operationCodes[kafkaOperation],
    permissionType: permissionCodes[permission]
  }
}

/** Undefined for numbers that no ACL has. */
export function fromKafka(acl: KafkaAcl): Acl | undefined {
  const resource = nameBy(resourceCodes, acl.resourceType)
  const operation = nameBy(operationCodes, acl.operation)
  const permission = nameBy(permissionCodes, acl.permissionType)
  const pattern = nameBy(patternCodes, acl.patternType)
  if (!resource || !operation || !permission || !pattern) return undefined
  const { principal, host, resourceName: name } = acl
  return { principal, permission, operation, resource, pattern, name, ...(host !== ANY && { host }) }
}

export interface KafkaAclFilter {
  readonly resourceTypeFilter: number
  readonly resourceNameFilter: string | null
  readonly patternTypeFilter: number
  readonly principalFilter: string | null
  readonly hostFilter: string | null
  readonly operation: number
  readonly permissionType: number
}

/** False for a filter with numbers that mean nothing. */
export const isFilter = ({ resourceTypeFilter, patternTypeFilter, operation, permissionType }: KafkaAclFilter): boolean =>
  resourceTypeFilter >= ANYTHING &&
  resourceTypeFilter <= 7 &&
  patternTypeFilter >= ANYTHING &&
  patternTypeFilter <= patternCodes.prefixed &&
  operation >= ANYTHING &&
  operation <= 15 &&
  permissionType >= ANYTHING &&
  permissionType <= permissionCodes.allow

export function matches(filter: KafkaAclFilter, acl: KafkaAcl): boolean {
  const isOf = (wanted: number, code: number): boolean => wanted === ANYTHING || wanted === code
  return (
    isOf(filter.resourceTypeFilter, acl.resourceType) &&
    isOf(filter.operation, acl.operation) &&
    isOf(filter.permissionType, acl.permissionType) &&
    (filter.principalFilter === null || filter.principalFilter === acl.principal) &&
    (filter.hostFilter === null || filter.hostFilter === acl.host) &&
    matchesName(filter, acl)
  )
}

function matchesName({ resourceNameFilter: wanted, patternTypeFilter }: KafkaAclFilter, acl: KafkaAcl): boolean {
  if (patternTypeFilter !== MATCH) {
    return (
      (patternTypeFilter === ANYTHING || patternTypeFilter === acl.patternType) &&
      (wanted === null || wanted === acl.resourceName)
    )
  }
  if (wanted === null) return true
  if (acl.patternType === patternCodes.prefixed) return wanted.startsWith(acl.resourceName)
  return acl.resourceName === wanted || acl.resourceName === ANY
}

/** What he may do with one thing, as a mask of bits: bit n stands for the operation of number n (KIP-430). */
export function operationsMask(
  type: 'topic' | 'group' | typeof CLUSTER.type,
  name: string,
  may: (operation: Operation, type: ResourceType, name: string) => boolean
): number {
  let mask = 0
  for (const operation of operationsOf[type as 'topic' | 'group' | 'cluster']) {
    if (operation === 'config' || operation === 'admin') continue
    if (may(operation, type, name)) mask |= 1 << operationCodes[operation]
  }
  return mask
}
