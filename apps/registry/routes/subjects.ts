/** Subjects: the list, look-up of a schema under one, delete. */
import { Type as t } from 'typebox'
import type { RegistryContext } from '../context.ts'
import { route } from '../route.ts'
import { contentBody, deletedQuery, flag, foundReply, page, pageQuery, schemaRequest, subjectParam } from './shapes.ts'

export const listSubjects = route<RegistryContext>()({
  method: 'GET',
  path: '/subjects',
  says: 'Lists the names of subjects in ascending order.',
  errors: [],
  query: t.Object({
    subjectPrefix: t.String({ default: '', description: 'Only names that begin so; a leading `:*:` is left out of account.' }),
    ...deletedQuery,
    deletedOnly: flag('Shows only subjects with soft-deleted versions.'),
    ...pageQuery
  }),
  reply: t.Array(t.String()),
  run: ({ query: { subjectPrefix, deleted, deletedOnly, ...range } }, { registry }) => {
    const prefix = subjectPrefix.startsWith(ALL_CONTEXTS) ? subjectPrefix.slice(ALL_CONTEXTS.length) : subjectPrefix
    return page(registry.subjects({ prefix, deleted, deletedOnly }), range)
  }
})

const ALL_CONTEXTS = ':*:'

export const lookUpSchema = route<RegistryContext>()({
  method: 'POST',
  path: '/subjects/:subject',
  says: 'Answers the version under which a schema is registered.',
  errors: ['SUBJECT_NOT_FOUND', 'SCHEMA_NOT_IN_SUBJECT', 'INVALID_SCHEMA', 'UNSUPPORTED_SCHEMA_TYPE'],
  params: subjectParam,
  query: t.Object({ normalize: flag('Normalises the schema first.'), ...deletedQuery }),
  body: schemaRequest,
  reply: foundReply,
  run: ({ params: { subject }, query, body }, { registry }) => {
    const { version, id, guid, content } = registry.lookUp(subject, body, query)
    return { subject, version, id, guid, ...contentBody(content) }
  }
})

export const deleteSubject = route<RegistryContext>()({
  method: 'DELETE',
  path: '/subjects/:subject',
  says: 'Deletes every version of a subject and answers their numbers; softly, or permanently after that.',
  errors: [
    'SUBJECT_NOT_FOUND',
    'SUBJECT_SOFT_DELETED',
    'SUBJECT_NOT_SOFT_DELETED',
    'REFERENCE_EXISTS',
    'OPERATION_NOT_PERMITTED',
    'REGISTRY_BUSY',
    'STORE_FAILED'
  ],
  params: subjectParam,
  query: t.Object({ permanent: flag('Takes soft-deleted versions away for ever.') }),
  reply: t.Array(t.Integer()),
  run: ({ params: { subject }, query }, { registry }) => registry.deleteSubject(subject, query)
})

export const subjectRoutes = [listSubjects, lookUpSchema, deleteSubject]
