/**
 * Quotas of users and clients: what is set, kept in the metadata log, and which of it is in force for one connection (KIP-13, KIP-55, KIP-124,
 * KIP-546, KIP-599). They are set here; bytes and time are bounded at the door, changes of topics by mutation-quotas.ts.
 */
import type { MetadataLog } from './metadata-log.ts'

/** What a quota can bound. */
export const quotaKeys = ['producer_byte_rate', 'consumer_byte_rate', 'request_percentage', 'controller_mutation_rate'] as const
export type QuotaKey = (typeof quotaKeys)[number]

/** Whom a quota is for. Null stands for all who have none of their own; undefined: it is not part of it. */
export interface QuotaEntity {
  readonly user?: string | null
  readonly clientId?: string | null
}

export interface QuotaLimit {
  /** Bytes or partitions in a second; of time, percent of one thread. */
  readonly bound: number
  /** Connections with the same text share the limit. */
  readonly sharedBy: string
}

export interface ClientQuotas {
  /** True when there is none at all: nobody needs to be looked up. */
  readonly isEmpty: boolean
  entries(): readonly { readonly entity: QuotaEntity; readonly values: ReadonlyMap<string, number> }[]
  /** True when somebody has a quota of this kind. */
  isSet(key: QuotaKey): boolean
  /** The one that is in force for a user's client, by Kafka's order: the most particular of the user, then of all users, then of the client. */
  limit(key: QuotaKey, who: { readonly principal: string; readonly clientId: string | null }): QuotaLimit | undefined
  /** Sets (a number) and takes away (null) the quotas of entities, all of them in one durable change. */
  change(edits: readonly { readonly entity: QuotaEntity; readonly values: ReadonlyMap<QuotaKey, number | null> }[]): Promise<void>
}

export function clientQuotas(metadataLog: MetadataLog): ClientQuotas {
  const quotas = metadataLog.metadata.clientQuotas
  let set: { readonly version: number; readonly keys: ReadonlySet<string> } = { version: -1, keys: new Set() }
  return {
    get isEmpty() {
      return quotas.size === 0
    },
    entries: () => [...quotas].map(([key, values]) => ({ entity: readEntity(key), values })),
    isSet(key) {
      const version = metadataLog.metadata.quotasVersion
      if (set.version !== version) set = { version, keys: new Set([...quotas.values()].flatMap(values => [...values.keys()])) }
      return set.keys.has(key)
    },
    limit(key, { principal, clientId }) {
      if (!this.isSet(key)) return undefined
      const user = principal.slice(principal.indexOf(':') + 1)
      for (const { entity, sharedBy } of candidates(user, clientId ?? '')) {
        const bound = quotas.get(writeEntity(entity))?.get(key)
        if (bound !== undefined) return { bound, sharedBy }
      }
      return undefined
    },
    change: edits =>
      metadataLog.change(() => {
        const changed = new Map<string, Map<string, number>>()
        for (const { entity, values } of edits) {
          const key = writeEntity(entity)
          const now = changed.get(key) ?? new Map(quotas.get(key))
          for (const [name, value] of values) {
            if (value === null) now.delete(name)
            else now.set(name, value)
          }
          changed.set(key, now)
        }
        const records = [...changed].map(([entity, values]) => ({ type: 'client-quotas' as const, entity, values }))
        return { records, result: () => undefined }
      })
  }
}

/** Strongest first (Kafka's ClientQuotaManager). What is for a user alone is shared by all of his clients, and the other way round. */
function candidates(user: string, clientId: string): { readonly entity: QuotaEntity; readonly sharedBy: string }[] {
  const both = JSON.stringify([user, clientId])
  const ofUser = JSON.stringify([user])
  const ofClient = JSON.stringify([null, clientId])
  return [
    { entity: { user, clientId }, sharedBy: both },
    { entity: { user, clientId: null }, sharedBy: both },
    { entity: { user }, sharedBy: ofUser },
    { entity: { user: null, clientId }, sharedBy: both },
    { entity: { user: null, clientId: null }, sharedBy: both },
    { entity: { user: null }, sharedBy: ofUser },
    { entity: { clientId }, sharedBy: ofClient },
    { entity: { clientId: null }, sharedBy: ofClient }
  ]
}

/** One text for one entity, whatever the order of its parts: the key in the metadata log. */
const writeEntity = ({ user, clientId }: QuotaEntity): string =>
  JSON.stringify({ ...(user !== undefined && { user }), ...(clientId !== undefined && { 'client-id': clientId }) })

function readEntity(text: string): QuotaEntity {
  const { user, 'client-id': clientId } = JSON.parse(text) as { user?: string | null; 'client-id'?: string | null }
  return { ...(user !== undefined && { user }), ...(clientId !== undefined && { clientId }) }
}
