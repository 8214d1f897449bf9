/** What can be done, and to what: the words of an ACL. */

/** In the order in which they are listed to users. */
export const operations = ['read', 'write', 'delete', 'config', 'admin'] as const
export type Operation = (typeof operations)[number]

export const resourceTypes = ['subject', 'topic', 'registry'] as const
export type ResourceType = (typeof resourceTypes)[number]

export interface Resource {
  readonly type: ResourceType
  readonly name: string
}

/** The registry itself has one name, so that an ACL on it reads as any other. */
export const REGISTRY: Resource = { type: 'registry', name: 'registry' }
