/** What can be done, and to what: the words of an ACL. */

/** What the registry asks for, in the order in which it is listed to users. */
const registryOperations = ['read', 'write', 'delete', 'config', 'admin'] as const
/** What Kafka's protocol asks for besides (KIP-11; two-phase-commit: KIP-939). */
const kafkaOperations = [
  'create',
  'alter',
  'describe',
  'cluster-action',
  'describe-configs',
  'alter-configs',
  'idempotent-write',
  'two-phase-commit'
] as const
export const operations = [...registryOperations, ...kafkaOperations] as const
export type Operation = (typeof operations)[number]

/** Each type of resource with the operations that anybody ever asks for on it: an ACL with another would look like a lock and be none. */
export const operationsOf = {
  subject: registryOperations,
  topic: [...registryOperations, 'create', 'alter', 'describe', 'describe-configs', 'alter-configs'],
  registry: registryOperations,
  group: ['read', 'delete', 'describe', 'describe-configs', 'alter-configs'],
  cluster: ['create', 'alter', 'describe', 'cluster-action', 'describe-configs', 'alter-configs', 'idempotent-write'],
  'transactional-id': ['write', 'describe', 'two-phase-commit']
} as const satisfies Record<string, readonly Operation[]>

export type ResourceType = keyof typeof operationsOf
export const resourceTypes = Object.keys(operationsOf) as ResourceType[]

export const isOperationOf = (type: ResourceType, operation: Operation): boolean =>
  (operationsOf[type] as readonly Operation[]).includes(operation)

export interface Resource {
  readonly type: ResourceType
  readonly name: string
}

/** The registry itself has one name, so that an ACL on it reads as any other. */
export const REGISTRY: Resource = { type: 'registry', name: 'registry' }
/** So has the cluster, and this is what Kafka calls it. */
export const CLUSTER: Resource = { type: 'cluster', name: 'kafka-cluster' }
