/** Quotas of users and clients as an operator handles them, over the Kafka protocol: any broker answers. */
import { Admin, type AlterClientQuotasOptions } from '@platformatic/kafka'
import { adminOptions, type BrokerOptions } from './broker-access.ts'
import { kafkaFailure } from './kafka-failure.ts'

/** Whom a quota is for. Null stands for all who have none of their own; absent: it is not part of it. */
export interface QuotaEntity {
  readonly user?: string | null
  readonly clientId?: string | null
}

export interface Quota {
  readonly entity: QuotaEntity
  /** By Kafka's names, such as producer_byte_rate. */
  readonly values: Readonly<Record<string, number>>
}

/** Every method fails with UNREACHABLE when no broker answers, and with PEER_REFUSED carrying the broker's code and text. */
export interface QuotaAdmin {
  list(): Promise<Quota[]>
  /** Null takes a quota away. */
  set(entity: QuotaEntity, values: Readonly<Record<string, number | null>>): Promise<void>
  close(): Promise<void>
}

export function quotaAdmin(options: BrokerOptions): QuotaAdmin {
  const { bootstrap } = options
  const admin = new Admin(adminOptions(options))
  const asked = async <T>(question: () => Promise<T>): Promise<T> => {
    try {
      return await question()
    } catch (error) {
      throw kafkaFailure(error, { what: 'The quota', bootstrap })
    }
  }
  return {
    list: () =>
      asked(async () => {
        const entries = await admin.describeClientQuotas({ components: [], strict: false })
        return entries.map(({ entity, values }) => ({
          entity: entityOf(entity),
          values: Object.fromEntries(values.map(({ key, value }) => [key, value]))
        }))
      }),
    set: (entity, values) =>
      asked(async () => {
        // What there is to be bounded is the broker's to say.
        const ops = Object.entries(values).map(([name, value]) => {
          const key = name as ClientQuotaKey
          return value === null ? { key, remove: true as const } : { key, value, remove: false as const }
        })
        await admin.alterClientQuotas({ entries: [{ entities: partsOf(entity), ops }], validateOnly: false })
      }),
    close: () => admin.close()
  }
}

type Entry = AlterClientQuotasOptions['entries'][number]
type ClientQuotaKey = Entry['ops'][number]['key']

interface Part {
  readonly entityType: string
  readonly entityName?: string | null | undefined
}

const partsOf = ({ user, clientId }: QuotaEntity): Entry['entities'] => [
  ...(user === undefined ? [] : [{ entityType: 'user' as const, entityName: user }]),
  ...(clientId === undefined ? [] : [{ entityType: 'client-id' as const, entityName: clientId }])
]

function entityOf(parts: readonly Part[]): QuotaEntity {
  const nameOf = (type: string): string | null | undefined => {
    const part = parts.find(({ entityType }) => entityType === type)
    return part === undefined ? undefined : (part.entityName ?? null)
  }
  const [user, clientId] = [nameOf('user'), nameOf('client-id')]
  return { ...(user !== undefined && { user }), ...(clientId !== undefined && { clientId }) }
}
