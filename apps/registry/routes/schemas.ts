/** Schemas by ID and by GUID, and the list of all. */
import { schemaTypes, type Version } from '@assay/registry'
import type { RegistryContext } from '../context.ts'
import { t } from '../json-schema.ts'
import { route } from '../route.ts'
import { schemaBody, versionBody } from './answers.ts'
import {
  deletedQuery,
  findTagsQuery,
  flag,
  formatQuery,
  guidParam,
  idParam,
  listedReply,
  page,
  pageQuery,
  referenceFormatQuery,
  schemaReply
} from './shapes.ts'

/** Most versions in one answer, also when more are asked for, as in Confluent's server: whoever wants all asks page by page. */
const LISTED_MAX = 1_000

export const listSchemas = route<RegistryContext>()({
  method: 'GET',
  path: '/schemas',
  access: 'listed',
  says: `Lists versions with their schemas, by context, subject and number, at most ${LISTED_MAX} in one answer.`,
  errors: [],
  query: t.Object({
    subjectPrefix: t.String({
      default: '',
      description:
        'Only names that begin so. Without a context those of the default one; `:*:` in front stands for every context.'
    }),
    aliases: flag('Shows versions of subjects that an alias leads to as well, with the names of the aliases.'),
    ...deletedQuery,
    latestOnly: flag('Shows the latest version of each subject alone.'),
    ruleType: t.String({ default: '', description: 'Only schemas with a rule of this type.' }),
    offset: pageQuery.offset,
    limit: t.Integer({ default: -1, description: `Most items to answer; ${LISTED_MAX} unless it is from 1 to that.` })
  }),
  reply: t.Array(listedReply),
  run: ({ query: { subjectPrefix: prefix, offset, limit, ...filter } }, { registry }) => {
    const most = limit > 0 && limit <= LISTED_MAX ? limit : LISTED_MAX
    const listed = registry.list({ ...filter, prefix, offset: Math.max(0, offset), limit: most })
    return listed.map(({ version, aliases }) => ({
      ...versionBody(version, registry),
      ...(aliases.length > 0 && { aliases: [...aliases] })
    }))
  }
})

const inSubject = {
  subject: t.Optional(
    t.String({ description: 'A subject that holds the schema, or a context (`:.context:`): IDs are counted in each context.' })
  )
}

export const getSchema = route<RegistryContext>()({
  method: 'GET',
  path: '/schemas/ids/:id',
  access: 'read',
  says: 'Answers the schema of an ID, also when every version with it is soft-deleted; with a subject, its version of that, too.',
  errors: ['SCHEMA_NOT_FOUND', 'INVALID_SCHEMA', 'UNSUPPORTED_SCHEMA_TYPE'],
  params: idParam,
  query: t.Object({
    ...inSubject,
    ...formatQuery,
    ...referenceFormatQuery,
    ...findTagsQuery,
    fetchMaxId: flag('Answers the highest schema ID of the context, too.')
  }),
  reply: schemaReply,
  run: ({ params: { id }, query: { subject, fetchMaxId, ...wanted } }, { registry }) => {
    const { version } = registry.schemaById(id, subject)
    return {
      ...(subject !== undefined && { subject: version.subject, version: version.version }),
      ...schemaBody(version, registry, wanted),
      ...(fetchMaxId && { maxId: registry.maxSchemaId(version.subject) })
    }
  }
})

export const getSchemaText = route<RegistryContext>()({
  method: 'GET',
  path: '/schemas/ids/:id/schema',
  access: 'read',
  says: 'Answers the text of a schema alone.',
  errors: ['SCHEMA_NOT_FOUND', 'INVALID_SCHEMA', 'UNSUPPORTED_SCHEMA_TYPE'],
  params: idParam,
  query: t.Object({ ...inSubject, ...formatQuery }),
  reply: t.String(),
  sends: 'json text',
  run: ({ params: { id }, query: { subject, format } }, { registry }) =>
    registry.textIn(registry.schemaById(id, subject).schema, format)
})

const usesQuery = t.Object({ ...inSubject, ...deletedQuery, ...pageQuery })

export const getSchemaSubjects = route<RegistryContext>()({
  method: 'GET',
  path: '/schemas/ids/:id/subjects',
  access: 'read',
  says: 'Lists the subjects that hold a schema.',
  errors: ['SCHEMA_NOT_IN_SUBJECT'],
  params: idParam,
  query: usesQuery,
  reply: t.Array(t.String()),
  run: ({ params: { id }, query: { offset, limit, ...filter } }, { registry }) =>
    page([...new Set(registry.versionsById(id, filter).map(version => version.subject))], { offset, limit })
})

export const getSchemaVersions = route<RegistryContext>()({
  method: 'GET',
  path: '/schemas/ids/:id/versions',
  access: 'read',
  says: 'Lists the versions that hold a schema.',
  errors: ['SCHEMA_NOT_IN_SUBJECT'],
  params: idParam,
  query: usesQuery,
  reply: t.Array(t.Object({ subject: t.String(), version: t.Integer() })),
  run: ({ params: { id }, query: { offset, limit, ...filter } }, { registry }) =>
    page<Version>(registry.versionsById(id, filter), { offset, limit }).map(({ subject, version }) => ({ subject, version }))
})

export const getSchemaByGuid = route<RegistryContext>()({
  method: 'GET',
  path: '/schemas/guids/:guid',
  access: 'read',
  says: 'Answers the schema of a GUID, which is the same in every registry.',
  errors: ['SCHEMA_NOT_FOUND', 'INVALID_SCHEMA', 'UNSUPPORTED_SCHEMA_TYPE'],
  params: guidParam,
  query: t.Object(formatQuery),
  reply: schemaReply,
  run: ({ params: { guid }, query: wanted }, { registry }) => schemaBody(registry.schemaByGuid(guid).version, registry, wanted)
})

export const getIdsOfGuid = route<RegistryContext>()({
  method: 'GET',
  path: '/schemas/guids/:guid/ids',
  access: 'read',
  says: 'Lists the contexts that know a GUID, each with its schema ID; none when it is not known.',
  errors: [],
  params: guidParam,
  reply: t.Array(t.Object({ context: t.String(), id: t.Integer() })),
  run: ({ params: { guid } }, { registry }) => registry.idsOfGuid(guid)
})

export const getSchemaTypes = route<RegistryContext>()({
  method: 'GET',
  path: '/schemas/types',
  access: 'listed',
  says: 'Lists the schema types that can be registered.',
  errors: [],
  reply: t.Array(t.String()),
  run: () => [...schemaTypes]
})

export const schemaRoutes = [
  listSchemas,
  getSchemaTypes,
  getSchema,
  getSchemaText,
  getSchemaSubjects,
  getSchemaVersions,
  getSchemaByGuid,
  getIdsOfGuid
]
