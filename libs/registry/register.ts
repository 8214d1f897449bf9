/**
 * Registration and look-up: what a request means against the state, decided before anything is written.
 * The order of the decisions is that of Confluent's registry, because it shows in the answers.
 */
import { AssayError } from '@assay/errors'
import { type Change, NUMBER_MAX, type Plan } from './changes.ts'
import { checkAgainst } from './compatibility.ts'
import { type Content, checkRuleSet, fingerprintOf, guidOf } from './content.ts'
import type { RegistryLimits } from './limits.ts'
import { refuseRegistration } from './mode.ts'
import { checkSubject, contentOf, inherit, normalizesInScope, type SchemaRequest, VERSION_PROPERTY } from './request.ts'
import { latestOf, referrersOf, type State, sameContent, type Version, versionsOf } from './subjects.ts'

/** Where a content came to lie. */
export interface Registered {
  readonly subject: string
  readonly version: number
  readonly id: number
  readonly guid: string
  readonly content: Content
}

export function planRegistration(
  state: State,
  subject: string,
  request: SchemaRequest,
  { normalize, force, limits }: { readonly normalize: boolean; readonly force: boolean; readonly limits: RegistryLimits }
): Plan<Registered> {
  if (request.ruleSet) checkRuleSet(request.ruleSet)
  checkSubject(subject, limits)
  refuseRegistration(state, subject, request.id !== undefined && request.id >= 0)
  const all = versionsOf(state, subject, true)
  const live = all.filter(version => !version.deleted)
  const next = (all.at(-1)?.version ?? 0) + 1
  const asked = request.version !== undefined && request.version > 0 ? request.version : undefined
  const complete = inherit(request, live.at(-1), asked === undefined ? undefined : next, next)
  const { content, parsed } = contentOf(state, complete, { normalize: normalize || normalizesInScope(state, subject), limits })

  const known = sameContent(state, content)
  if (asked === undefined) {
    const there =
      live.findLast(version => version.schema === known) ?? live.findLast(version => sameButVersion(version.schema, content))
    if (there) return { changes: [], answer: registered(there) }
  }
  if (!force) {
    const { isCompatible, messages } = checkAgainst(state, subject, parsed, live)
    if (!isCompatible) throw new AssayError('INCOMPATIBLE_SCHEMA', { subject, details: messages.join(', ') })
  }
  if (asked !== undefined && asked !== next) {
    throw new AssayError('INVALID_SCHEMA', { reason: 'Version is not one more than previous version' })
  }
  const id = known?.id ?? state.maxId + 1
  if (Math.max(id, next) > NUMBER_MAX) throw new AssayError('OPERATION_NOT_PERMITTED', { reason: 'No number is left to give' })
  const put: Change = { type: 'schema', subject, version: next, id, content, deleted: false }
  return {
    changes: [put, ...replaced(state, all, id)],
    answer: { subject, version: next, id, guid: guidOf(fingerprintOf(content)), content }
  }
}

/** The version of the subject with this very content. Fails with SUBJECT_NOT_FOUND, SCHEMA_NOT_IN_SUBJECT, INVALID_SCHEMA. */
export function lookUp(
  state: State,
  subject: string,
  request: SchemaRequest,
  { normalize, deleted, limits }: { readonly normalize: boolean; readonly deleted: boolean; readonly limits: RegistryLimits }
): Registered {
  const versions = versionsOf(state, subject, deleted)
  const latest = latestOf(state, subject)
  const requests = request.schema === undefined ? [] : [request, inherit(request, latest, undefined, undefined)]
  const asAsked = normalize || normalizesInScope(state, subject)
  for (const tried of requests) {
    for (const normalized of asAsked ? [true] : [false, true]) {
      const { content } = contentOf(state, tried, { normalize: normalized, limits, deletedTargets: true })
      const known = sameContent(state, content)
      const found =
        versions.findLast(version => version.schema === known) ?? versions.findLast(v => sameButVersion(v.schema, content))
      if (found) return registered(found)
    }
  }
  if (versions.length === 0) throw new AssayError('SUBJECT_NOT_FOUND', { subject })
  throw new AssayError('SCHEMA_NOT_IN_SUBJECT', {})
}

/** Equal but for the version number in the metadata, which says where a schema lies and not what it is. */
function sameButVersion(a: Content, b: Content): boolean {
  return a.text === b.text && a.schemaType === b.schemaType && undated(a) === undated(b)
}

function undated({ references, metadata, ruleSet }: Content): string {
  const { [VERSION_PROPERTY]: _version, ...properties } = metadata?.properties ?? {}
  const { tags = {}, sensitive = [] } = metadata ?? {}
  return JSON.stringify([references, tags, properties, sensitive, ruleSet ?? null])
}

/**
 * Soft-deleted versions of the same content make way for the new one, unless somebody still refers to them.
 * Their tombstones come after it in the log: so the content is never without a version, and its parsed schema stays the same object.
 */
function replaced(state: State, all: readonly Version[], id: number): Change[] {
  return all
    .filter(version => version.deleted && version.schema.id === id && referrersOf(state, version, true).length === 0)
    .map(({ subject, version }) => ({ type: 'tombstone', subject, version }))
}

function registered({ subject, version, schema }: Version): Registered {
  const { schemaType, text, references, metadata, ruleSet } = schema
  return {
    subject,
    version,
    id: schema.id,
    guid: guidOf(schema.fingerprint),
    content: { schemaType, text, references, metadata, ruleSet }
  }
}
