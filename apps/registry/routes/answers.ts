/** Versions and contents as bodies of answers: what is empty is left out, as in Confluent's server. */
import {
  type Content,
  guidOf,
  type Metadata,
  nameWithin,
  type Reference,
  type Registered,
  type Registry,
  type RuleSet,
  type Version
} from '@assay/registry'
import type { Static } from 'typebox'
import type { foundReply, registeredReply, schemaReply, versionReply } from './shapes.ts'

/** How a client wants a content to be shown. */
export interface Wanted {
  /** `resolved`, or anything else for the text as it is stored. */
  readonly format?: string
  /** `qualified`, or anything else for references as they are stored. */
  readonly referenceFormat?: string
  /** Tags to look for; `*` is every tag. */
  readonly findTags?: readonly string[]
}

type ContentBody = Pick<Static<typeof foundReply>, 'schemaType' | 'references' | 'metadata' | 'ruleSet' | 'schema'>

function contentBody({ schemaType, text, references, metadata, ruleSet }: Content): ContentBody {
  return {
    schemaType,
    ...(references.length > 0 && { references: [...references] }),
    ...(metadata && { metadata: metadataBody(metadata) }),
    ...(ruleSet && { ruleSet: ruleSetBody(ruleSet) }),
    schema: text
  }
}

export const metadataBody = (metadata: Metadata) => withoutEmpty(metadata) as NonNullable<ContentBody['metadata']>

export function ruleSetBody(ruleSet: RuleSet) {
  const shown = Object.entries(withoutEmpty(ruleSet)).map(([name, rules]) => [
    name,
    Array.isArray(rules) ? rules.map(withoutEmpty) : rules
  ])
  return Object.fromEntries(shown) as NonNullable<ContentBody['ruleSet']>
}

/** Without fields that are an empty text, list or map. */
function withoutEmpty<T extends object>(value: T): Partial<T> {
  const isEmpty = (field: unknown): boolean =>
    field === '' || (typeof field === 'object' && field !== null && Object.keys(field).length === 0)
  return Object.fromEntries(Object.entries(value).filter(([, field]) => !isEmpty(field))) as Partial<T>
}

function shownContent({ subject, schema }: Version, registry: Registry, { format = '', referenceFormat }: Wanted): ContentBody {
  const qualified = ({ name, subject: target, version }: Reference): Reference => ({
    name,
    subject: nameWithin(subject, target),
    version
  })
  const { schemaType, metadata, ruleSet } = schema
  const references = referenceFormat === 'qualified' ? schema.references.map(qualified) : schema.references
  return contentBody({ schemaType, text: registry.textIn(schema, format), references, metadata, ruleSet })
}

function foundTags({ schema }: Version, registry: Registry, { findTags = [] }: Wanted) {
  if (findTags.length === 0) return {}
  const isWanted = (tag: string): boolean => findTags.includes('*') || findTags.includes(tag)
  const found = registry.tagsOf(schema).filter(({ tags }) => tags.some(isWanted))
  if (found.length === 0) return {}
  return { schemaTags: found.map(({ schemaEntity, tags }) => ({ schemaEntity, tags: [...tags] })) }
}

export function versionBody(version: Version, registry: Registry, wanted: Wanted = {}): Static<typeof versionReply> {
  return {
    subject: version.subject,
    version: version.version,
    id: version.schema.id,
    guid: guidOf(version.schema.fingerprint),
    ...shownContent(version, registry, wanted),
    ...foundTags(version, registry, wanted),
    ts: version.timestampMs,
    deleted: version.deleted
  }
}

/** The schema of an ID or GUID, by a version that holds it. */
export function schemaBody(version: Version, registry: Registry, wanted: Wanted = {}): Static<typeof schemaReply> {
  const { subject, version: number, id, ...body } = versionBody(version, registry, wanted)
  return body
}

export function registeredBody(found: Registered, registry: Registry, wanted: Wanted = {}): Static<typeof registeredReply> {
  const { id, version, guid, content } = found
  return { id, version, guid, ...contentBody({ ...content, text: textOf(found, registry, wanted) }) }
}

export function foundBody(found: Registered, registry: Registry, wanted: Wanted = {}): Static<typeof foundReply> {
  return { subject: found.subject, ...registeredBody(found, registry, wanted) }
}

function textOf({ subject, id, content }: Registered, registry: Registry, { format = '' }: Wanted): string {
  return format === '' ? content.text : registry.textIn(registry.schemaById(id, subject).schema, format)
}
