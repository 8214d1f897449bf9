/**
 * DescribeAcls, CreateAcls and DeleteAcls over the security file (KIP-140, KIP-290): the one store of ACLs, which the command line writes and
 * the HTTP door asks, too.
 */
import { isAssayError } from '@assay/errors'
import {
  type createAcls,
  type deleteAcls,
  type describeAcls,
  errorCode,
  errorCodeOf,
  type RequestOf,
  type ResponseOf
} from '@assay/protocol'
import { type Acl, faultOfAcl, isPrincipal, type Security } from '@assay/security'
import { fromKafka, isFilter, type KafkaAcl, type KafkaAclFilter, matches, toKafka } from './kafka-acl.ts'

const OFF = { errorCode: errorCode('SECURITY_DISABLED'), errorMessage: 'There is no security file, so there are no ACLs.' }
const NONE = { errorCode: 0, errorMessage: null }
const WRONG_FILTER = { errorCode: errorCode('INVALID_REQUEST'), errorMessage: 'The filter has a number without a meaning.' }

interface Refusal {
  readonly errorCode: number
  readonly errorMessage: string
}

export function answerDescribeAcls(
  security: Security | undefined,
  filter: RequestOf<typeof describeAcls>
): ResponseOf<typeof describeAcls> {
  const answer = { throttleTimeMs: 0, resources: [] }
  if (security === undefined) return { ...answer, ...OFF }
  if (!isFilter(filter)) return { ...answer, ...WRONG_FILTER }
  const shown = security.rules.acls.map(toKafka).filter(acl => acl !== undefined && matches(filter, acl)) as KafkaAcl[]
  const byResource = Map.groupBy(shown, acl => `${acl.resourceType}/${acl.patternType}/${acl.resourceName}`)
  const resources = [...byResource.values()].map(acls => {
    const { resourceType, resourceName, patternType } = acls[0]!
    return { resourceType, resourceName, patternType, acls }
  })
  return { ...answer, ...NONE, resources }
}

export async function answerCreateAcls(
  security: Security | undefined,
  { creations }: RequestOf<typeof createAcls>
): Promise<ResponseOf<typeof createAcls>> {
  if (security === undefined) return { throttleTimeMs: 0, results: creations.map(() => ({ ...OFF })) }
  const wanted = creations.map(creation => readAcl({ ...creation, patternType: creation.resourcePatternType }))
  const good = wanted.filter(outcome => 'principal' in outcome)
  const failure = await edited(security, file => {
    for (const acl of good) file.addAcl(acl)
  })
  return { throttleTimeMs: 0, results: wanted.map(outcome => ('principal' in outcome ? (failure ?? NONE) : outcome)) }
}

export async function answerDeleteAcls(
  security: Security | undefined,
  { filters }: RequestOf<typeof deleteAcls>
): Promise<ResponseOf<typeof deleteAcls>> {
  if (security === undefined) {
    return { throttleTimeMs: 0, filterResults: filters.map(() => ({ ...OFF, matchingAcls: [] })) }
  }
  const removed: Acl[][] = filters.map(() => [])
  const failure = await edited(security, file => {
    // One change for all filters: what two of them match is told for both, as Kafka does.
    const found = filters.map(filter => file.rules.acls.filter(acl => isFilter(filter) && isMeant(filter, acl)))
    for (const [at, acls] of found.entries()) removed[at] = acls
    const all = new Set(found.flat())
    if (all.size > 0) file.removeAcls(acl => all.has(acl))
  })
  const filterResults = filters.map((filter, at) => {
    if (!isFilter(filter)) return { ...WRONG_FILTER, matchingAcls: [] }
    if (failure !== undefined) return { ...failure, matchingAcls: [] }
    return { ...NONE, matchingAcls: removed[at]!.map(acl => ({ ...NONE, ...toKafka(acl)! })) }
  })
  return { throttleTimeMs: 0, filterResults }
}

function isMeant(filter: KafkaAclFilter, acl: Acl): boolean {
  const known = toKafka(acl)
  return known !== undefined && matches(filter, known)
}

function readAcl(creation: KafkaAcl): Acl | Refusal {
  const acl = fromKafka(creation)
  const refuse = (errorMessage: string): Refusal => ({ errorCode: errorCode('INVALID_REQUEST'), errorMessage })
  if (acl === undefined) return refuse('The ACL has a type, an operation, a pattern or a permission that is not known here.')
  if (!isPrincipal(acl.principal)) return refuse(`Principal ${acl.principal.slice(0, 100)}: expected User: and a name.`)
  const fault = faultOfAcl(acl)
  return fault === undefined ? acl : refuse(`The ACL cannot be: ${fault}.`)
}

/** Undefined when the file was written; its failure as the wire tells it. */
async function edited(security: Security, change: Parameters<Security['edit']>[0]): Promise<Refusal | undefined> {
  try {
    await security.edit(change)
    return undefined
  } catch (error) {
    if (!isAssayError(error)) throw error
    return { errorCode: errorCodeOf(error), errorMessage: error.message }
  }
}
