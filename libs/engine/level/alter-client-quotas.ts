/** AlterClientQuotas: sets and takes away quotas; each entity all of its changes or none. */
import { type alterClientQuotas, errorCode, type RequestOf } from '@assay/protocol'
import { type QuotaEntity, type QuotaKey, quotaKeys } from './client-quotas.ts'
import type { Handler } from './context.ts'
import { type Refusal, refusalOf } from './refusal.ts'

type Entry = RequestOf<typeof alterClientQuotas>['entries'][number]

interface Edit {
  readonly entity: QuotaEntity
  readonly values: ReadonlyMap<QuotaKey, number | null>
}

/** What Kafka has besides, and why it is refused instead of being kept and not obeyed. */
const notObeyed: Readonly<Record<string, string>> = {
  connection_creation_rate: 'connections are bounded by connections-max and connections-per-address-max'
}

export const answerAlterClientQuotas: Handler<typeof alterClientQuotas> = async (level, { body }) => {
  const read = body.entries.map(readEdit)
  const good = read.filter(outcome => 'entity' in outcome)
  let failure: Refusal | undefined
  if (good.length > 0 && !body.validateOnly) {
    try {
      await level.quotas.change(good)
    } catch (error) {
      failure = refusalOf(error)
    }
  }
  const entries = read.map((outcome, at) => {
    const refusal = 'entity' in outcome ? failure : outcome
    const { errorCode: code, errorMessage } = refusal ?? { errorCode: 0, errorMessage: null }
    return { errorCode: code, errorMessage, entity: body.entries[at]!.entity }
  })
  return { throttleTimeMs: 0, entries }
}

function readEdit({ entity, ops }: Entry): Edit | Refusal {
  const refuse = (errorMessage: string): Refusal => ({ errorCode: errorCode('INVALID_REQUEST'), errorMessage })
  let whom: QuotaEntity = {}
  for (const { entityType, entityName } of entity) {
    if (entityType === 'user' && whom.user === undefined) whom = { ...whom, user: entityName }
    else if (entityType === 'client-id' && whom.clientId === undefined) whom = { ...whom, clientId: entityName }
    else return refuse(`A quota is for a user, for a client-id, or for both, each named once; ${entityType} is not taken here.`)
    if (entityName === '') return refuse(`The name of a ${entityType} cannot be empty.`)
  }
  if (entity.length === 0) return refuse('The quota is for nobody.')
  const values = new Map<QuotaKey, number | null>()
  for (const { key, value, remove } of ops) {
    const known = quotaKeys.find(name => name === key)
    if (known === undefined) {
      const why = Object.hasOwn(notObeyed, key) ? `${notObeyed[key]}` : 'there is no such quota'
      return refuse(`${key.slice(0, 100)} cannot be set: ${why}. There are ${quotaKeys.join(' and ')}.`)
    }
    if (values.has(known)) return refuse(`${key} is changed twice.`)
    const isBytes = known === 'producer_byte_rate' || known === 'consumer_byte_rate'
    if (!remove && !(value > 0 && (isBytes ? Number.isInteger(value) : Number.isFinite(value)))) {
      return refuse(
        `${key} = ${value}: ${isBytes ? 'it must be a whole number of bytes, at least 1' : 'it must be more than 0'}.`
      )
    }
    values.set(known, remove ? null : value)
  }
  return { entity: whom, values }
}
