/** Bodies and parameters that several routes share, in the field names of Confluent's API. */
import { AssayError } from '@assay/errors'
import type { VersionNumber } from '@assay/registry'
import { t } from '../json-schema.ts'

export const subjectParam = t.Object({ subject: t.String({ description: 'Name of the subject.' }) })
export const settingsParam = t.Object({
  subject: t.String({ description: 'Name of the subject, or of a context: `:.context:`.' })
})
export const versionParams = t.Object({
  subject: t.String({ description: 'Name of the subject.' }),
  version: t.String({ description: 'Number of the version, or `latest` (also -1).' })
})
export const idParam = t.Object({ id: t.Integer({ description: 'Schema ID.' }) })
export const guidParam = t.Object({ guid: t.String({ description: 'GUID of the schema: the MD5 of its content as a UUID.' }) })

export const flag = (description: string) => t.Boolean({ default: false, description })
/** A parameter that may be given more than once. */
export const texts = (description: string) => t.Array(t.String(), { default: [], description })
export const deletedQuery = { deleted: flag('Shows soft-deleted ones, too.') }
export const normalizeQuery = { normalize: flag('Normalises the schema first, as it is done anyway where the settings say so.') }
export const pageQuery = {
  offset: t.Integer({ default: 0, description: 'Items of the list to leave out.' }),
  limit: t.Integer({ default: -1, description: 'Most items to answer; all unless it is positive.' })
}
export const formatQuery = {
  format: t.String({
    default: '',
    description: '`resolved` writes the schemas that are referred to into the text; others change nothing.'
  })
}
export const referenceFormatQuery = {
  referenceFormat: t.String({ default: '', description: '`qualified` answers subjects of references with their contexts.' })
}
export const findTagsQuery = {
  findTags: texts('Answers which records and fields bear one of these tags; `*` stands for every tag.')
}

const reference = t.Object(
  {
    name: t.String({ description: 'Full name of the type that the schema uses.' }),
    subject: t.String(),
    version: t.Integer({ description: 'Number of the version; -1 for the latest, which is stored as its number.' })
  },
  { title: 'Reference' }
)
const textMap = t.Record(t.String(), t.String())
export const metadata = t.Object(
  {
    tags: t.Optional(t.Record(t.String(), t.Array(t.String()))),
    properties: t.Optional(textMap),
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
    params: t.Optional(textMap),
    expr: t.Optional(t.String()),
    onSuccess: t.Optional(t.String()),
    onFailure: t.Optional(t.String()),
    disabled: t.Optional(t.Boolean())
  },
  { title: 'Rule' }
)
export const ruleSet = t.Object(
  {
    migrationRules: t.Optional(t.Array(rule)),
    domainRules: t.Optional(t.Array(rule)),
    encodingRules: t.Optional(t.Array(rule)),
    enableAt: t.Optional(t.String())
  },
  { title: 'RuleSet' }
)

const schemaTags = t.Object(
  {
    schemaEntity: t.Object({
      entityPath: t.String({ description: 'Full name of a record, and for a field a dot and its name.' }),
      entityType: t.Union([t.Literal('sr_record'), t.Literal('sr_field')])
    }),
    tags: t.Array(t.String())
  },
  { title: 'SchemaTags' }
)

const number = (description: string) => t.Integer({ minimum: -(2 ** 31), maximum: 2 ** 31 - 1, description })

export const schemaRequest = t.Object(
  {
    schema: t.Optional(t.String({ description: 'Text of the schema.' })),
    schemaType: t.Optional(t.String({ description: 'AVRO when absent.' })),
    references: t.Optional(t.Array(reference)),
    metadata: t.Optional(metadata),
    ruleSet: t.Optional(ruleSet),
    id: t.Optional(number('Taken in the modes IMPORT and FORWARD only.')),
    version: t.Optional(number('The next version, or 0 or -1; in the modes IMPORT and FORWARD any.')),
    schemaTagsToAdd: t.Optional(t.Array(schemaTags, { description: 'Tags that are put into the text first.' })),
    schemaTagsToRemove: t.Optional(t.Array(schemaTags, { description: 'Tags that are taken out of it after that.' })),
    propagateSchemaTags: t.Optional(t.Boolean({ description: 'Takes over the tags of the latest version.' }))
  },
  { title: 'SchemaRequest', examples: [{ schema: '"string"' }] }
)

export const tagRequest = t.Object(
  {
    newVersion: t.Optional(number('The number that the new version must get.')),
    tagsToAdd: t.Optional(t.Array(schemaTags)),
    tagsToRemove: t.Optional(t.Array(schemaTags)),
    metadata: t.Optional(metadata),
    ruleSet: t.Optional(ruleSet),
    rulesToMerge: t.Optional(ruleSet),
    rulesToRemove: t.Optional(t.Array(t.String(), { description: 'Names of rules.' }))
  },
  {
    title: 'TagRequest',
    examples: [
      { tagsToAdd: [{ schemaEntity: { entityPath: 'com.example.Order.email', entityType: 'sr_field' }, tags: ['PII'] }] }
    ]
  }
)

const contentFields = {
  schemaType: t.String(),
  references: t.Optional(t.Array(reference)),
  metadata: t.Optional(metadata),
  ruleSet: t.Optional(ruleSet),
  schema: t.String()
}
/** Which records and fields bear the tags asked for. */
const foundTags = { schemaTags: t.Optional(t.Array(schemaTags)) }
const changeFields = { ts: t.Integer({ description: 'When it was written, ms since 1970.' }), deleted: t.Boolean() }

export const registeredReply = t.Object({ id: t.Integer(), version: t.Integer(), guid: t.String(), ...contentFields })
export const foundReply = t.Object({
  subject: t.String(),
  version: t.Integer(),
  id: t.Integer(),
  guid: t.String(),
  ...contentFields
})
export const versionReply = t.Object({ ...foundReply.properties, ...foundTags, ...changeFields })
export const listedReply = t.Object({
  ...foundReply.properties,
  ...changeFields,
  aliases: t.Optional(t.Array(t.String(), { description: 'Subjects whose alias leads here.' }))
})
export const schemaReply = t.Object({
  subject: t.Optional(t.String()),
  version: t.Optional(t.Integer()),
  guid: t.String(),
  ...contentFields,
  ...foundTags,
  maxId: t.Optional(t.Integer({ description: 'The highest schema ID ever given.' })),
  ...changeFields
})

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
  return items.slice(from, limit <= 0 ? undefined : from + limit)
}
