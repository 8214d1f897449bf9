/** DescribeClientQuotas: the quotas whose entities a filter matches. */
import { type describeClientQuotas, errorCode, type RequestOf } from '@assay/protocol'
import type { QuotaEntity } from './client-quotas.ts'
import type { Handler } from './context.ts'

type Component = RequestOf<typeof describeClientQuotas>['components'][number]

/** The match types of the protocol. */
const EXACT = 0
const DEFAULT = 1
const ANY = 2

const types = ['user', 'client-id']

export const answerDescribeClientQuotas: Handler<typeof describeClientQuotas> = (level, { body }) => {
  const { components, strict } = body
  const failure = faultOf(components)
  if (failure !== undefined) {
    return { throttleTimeMs: 0, errorCode: errorCode('INVALID_REQUEST'), errorMessage: failure, entries: null }
  }
  const entries = level.quotas
    .entries()
    .map(({ entity, values }) => ({ entity: partsOf(entity), values }))
    .filter(({ entity }) => {
      if (strict && entity.length !== components.length) return false
      return components.every(component => entity.some(part => matches(component, part)))
    })
    .map(({ entity, values }) => ({ entity, values: [...values].map(([key, value]) => ({ key, value })) }))
  return { throttleTimeMs: 0, errorCode: 0, errorMessage: null, entries }
}

function faultOf(components: readonly Component[]): string | undefined {
  const named = components.map(({ entityType }) => entityType)
  if (new Set(named).size !== named.length) return 'Each type of entity is named once.'
  if (components.some(({ matchType }) => matchType < EXACT || matchType > ANY)) return 'A match type is 0, 1 or 2.'
  // Kafka has quotas of addresses (ip), and here are none of them to be found.
  const unknown = named.find(type => !types.includes(type) && type !== 'ip')
  return unknown === undefined ? undefined : `There are no quotas of a ${unknown.slice(0, 100)}.`
}

interface Part {
  readonly entityType: string
  readonly entityName: string | null
}

const partsOf = ({ user, clientId }: QuotaEntity): Part[] => [
  ...(user === undefined ? [] : [{ entityType: 'user', entityName: user }]),
  ...(clientId === undefined ? [] : [{ entityType: 'client-id', entityName: clientId }])
]

function matches({ entityType, matchType, match }: Component, part: Part): boolean {
  if (entityType !== part.entityType) return false
  if (matchType === ANY) return true
  return part.entityName === (matchType === DEFAULT ? null : match)
}
