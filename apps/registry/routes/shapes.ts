/** Bodies and parameters that several routes share, in the field names of Confluent's API. */

import { AssayError } from '@assay/errors'
import { guidOf, type Metadata, type RegisteredSchema, type RuleSet, type Version, type VersionNumber } from '@assay/registry'
import { type Static, Type as t } from 'typebox'

export const subjectParam = t.Object({ subject: t.String({ description: 'Name of the subject.' }) })
export const versionParams = t.Object({
  subject: t.String({ description: 'Name of the subject.' }),
  version: t.String({ description: 'Number of the version, or `latest` (also -1).' })
})
export const idParam = t.Object({ id: t.Integer({ description: 'Schema ID.' }) })

export const flag = (description: string) => t.Boolean({ default: false, description })
export const deletedQuery = { deleted: flag('Shows soft-deleted ones, too.') }
export const pageQuery = {
  offset: t.Integer({ default: 0, description: 'Items of the list to leave out.' }),
  limit: t.Integer({ default: -1, description: 'Most items to answer; all when negative.' })
}

const reference = t.Object(
  {
    name: t.String({ description: 'Full name of the type that the schema uses.' }),
    subject: t.String(),
    version: t.Integer({ description: 'Number of the version; -1 for the latest, which is stored as its number.' })
  },
  { title: 'Reference' }
)
const texts = t.Record(t.String(), t.String())
const metadata = t.Object(
  {
    tags: t.Optional(t.Record(t.String(), t.Array(t.String()))),
    properties: t.Optional(texts),
    sensitive: t.Optional(t.Array(t.String()))
  },
  { title: 'Metadata' }
)
const rule = t.Object(
  {
    name: t.Optional(t.String()),
    doc: t.Optional(t.String()),
    kind: t.Optional(t.String()),
    mode: t.Optional(t.String()),
    type: t.Optional(t.String()),
    tags: t.Optional(t.Array(t.String())),
    params: t.Optional(texts),
    expr: t.Optional(t.String()),
    onSuccess: t.Optional(t.String()),
    onFailure: t.Optional(t.String()),
    disabled: t.Optional(t.Boolean())
  },
  { title: 'Rule' }
)
const ruleSet = t.Object(
  {
    migrationRules: t.Optional(t.Array(rule)),
    domainRules: t.Optional(t.Array(rule)),
    encodingRules: t.Optional(t.Array(rule)),
    enableAt: t.Optional(t.String())
  },
  { title: 'RuleSet' }
)

export const schemaRequest = t.Object(
  {
    schema: t.Optional(t.String({ description: 'Text of the schema.' })),
    schemaType: t.Optional(t.String({ description: 'AVRO when absent.' })),
    references: t.Optional(t.Array(reference)),
    metadata: t.Optional(metadata),
    ruleSet: t.Optional(ruleSet),
    id: t.Optional(t.Integer()),
    version: t.Optional(t.Integer())
  },
  { title: 'SchemaRequest' }
)

const contentFields = {
  schemaType: t.String(),
  references: t.Optional(t.Array(reference)),
  metadata: t.Optional(metadata),
  ruleSet: t.Optional(ruleSet),
  schema: t.String()
}
const changeFields = { ts: t.Integer({ description: 'When it was written, ms since 1970.' }), deleted: t.Boolean() }

export const registeredReply = t.Object({ id: t.Integer(), version: t.Integer(), guid: t.String(), ...contentFields })
export const foundReply = t.Object({
  subject: t.String(),
  version: t.Integer(),
  id: t.Integer(),
  guid: t.String(),
  ...contentFields
})
export const versionReply = t.Object({ ...foundReply.properties, ...changeFields })
export const schemaReply = t.Object({
  subject: t.Optional(t.String()),
  version: t.Optional(t.Integer()),
  guid: t.String(),
  ...contentFields,
  maxId: t.Optional(t.Integer({ description: 'The highest schema ID ever given.' })),
  ...changeFields
})

interface ContentLike {
  readonly schemaType: string
  readonly text: string
  readonly references: RegisteredSchema['references']
  readonly metadata: Metadata | undefined
  readonly ruleSet: RuleSet | undefined
}

/** The fields of a content, those that are empty left out. */
export function contentBody({ schemaType, text, references, metadata: data, ruleSet: rules }: ContentLike) {
  return {
    schemaType,
    ...(references.length > 0 && { references: references as Static<typeof reference>[] }),
    ...(data && { metadata: data as Static<typeof metadata> }),
    ...(rules && { ruleSet: rules as Static<typeof ruleSet> }),
    schema: text
  }
}

export function versionBody({ subject, version, schema, deleted, timestampMs }: Version): Static<typeof versionReply> {
  return { subject, version, id: schema.id, guid: guidOf(schema.fingerprint), ...contentBody(schema), ts: timestampMs, deleted }
}

/** `latest`, -1, or a number from 1 to 2^31-1. Fails with INVALID_VERSION. */
export function parseVersion(text: string): VersionNumber {
  const trimmed = text.trim()
  if (trimmed.toLowerCase() === 'latest' || trimmed === '-1') return 'latest'
  const number = Number(trimmed)
  if (!/^\+?\d{1,10}$/.test(trimmed) || number < 1 || number >= 2 ** 31)
    throw new AssayError('INVALID_VERSION', { version: text.slice(0, 100) })
  return number
}

/** One page of a list. */
export function page<T>(items: readonly T[], { offset, limit }: { readonly offset: number; readonly limit: number }): T[] {
  const from = Math.max(0, offset)
  return items.slice(from, limit < 0 ? undefined : from + limit)
}
