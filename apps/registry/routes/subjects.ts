/** Subjects: the list, look-up of a schema under one, by its text or by its metadata, delete. */
import { ALL_CONTEXTS } from '@assay/registry'
import type { RegistryContext } from '../context.ts'
import { t } from '../json-schema.ts'
import { route } from '../route.ts'
import { foundBody, versionBody } from './answers.ts'
import {
  deletedQuery,
  flag,
  formatQuery,
  foundReply,
  normalizeQuery,
  page,
  pageQuery,
  schemaRequest,
  subjectParam,
  texts,
  versionReply
} from './shapes.ts'

export const listSubjects = route<RegistryContext>()({
  method: 'GET',
  path: '/subjects',
  access: 'listed',
  says: 'Lists the names of subjects in ascending order.',
  errors: [],
  query: t.Object({
    subjectPrefix: t.String({
      default: ALL_CONTEXTS,
      description:
        'Only names that begin so. Without a context those of the default one; `:*:` in front stands for every context.'
    }),
    ...deletedQuery,
    deletedOnly: flag('Shows only subjects of which nothing is left but soft-deleted versions.'),
    ...pageQuery
  }),
  reply: t.Array(t.String()),
  run: ({ query: { subjectPrefix: prefix, deleted, deletedOnly, ...range } }, { registry }) =>
    page(registry.subjects({ prefix, deleted, deletedOnly }), range)
})

export const lookUpSchema = route<RegistryContext>()({
  method: 'POST',
  path: '/subjects/:subject',
  access: 'read',
  says: 'Answers the version under which a schema is registered; a name without a context is looked for in every context.',
  errors: ['SUBJECT_NOT_FOUND', 'SCHEMA_NOT_IN_SUBJECT', 'INVALID_SCHEMA', 'UNSUPPORTED_SCHEMA_TYPE', 'SCHEMA_TOO_LARGE'],
  params: subjectParam,
  query: t.Object({ ...normalizeQuery, ...formatQuery, ...deletedQuery }),
  body: schemaRequest,
  reply: foundReply,
  run: async ({ params: { subject }, query: { format, ...options }, body }, { registry }) =>
    foundBody(await registry.lookUp(subject, body, options), registry, { format })
})

export const findByMetadata = route<RegistryContext>()({
  method: 'GET',
  path: '/subjects/:subject/metadata',
  access: 'read',
  says: 'Answers the latest version whose metadata has all the properties asked for.',
  errors: ['SUBJECT_NOT_FOUND', 'SCHEMA_NOT_IN_SUBJECT', 'INVALID_SCHEMA', 'UNSUPPORTED_SCHEMA_TYPE'],
  params: subjectParam,
  query: t.Object({
    key: texts('Name of a property.'),
    value: texts('Its value: the first belongs to the first key, and so on.'),
    ...formatQuery,
    ...deletedQuery
  }),
  reply: versionReply,
  run: ({ params: { subject }, query: { key: keys, value: values, format, deleted } }, { registry }) => {
    const pairs = keys.slice(0, values.length).map((key, index) => [key, values[index] as string])
    return versionBody(registry.versionByMetadata(subject, Object.fromEntries(pairs), { deleted }), registry, { format })
  }
})

export const deleteSubject = route<RegistryContext>()({
  method: 'DELETE',
  path: '/subjects/:subject',
  access: 'delete',
  says: 'Deletes every version of a subject and answers their numbers; softly, or permanently after that.',
  errors: [
    'SUBJECT_NOT_FOUND',
    'SUBJECT_SOFT_DELETED',
    'SUBJECT_NOT_SOFT_DELETED',
    'REFERENCE_EXISTS',
    'OPERATION_NOT_PERMITTED',
    'REGISTRY_BUSY',
    'STORE_FULL',
    'STORE_FAILED'
  ],
  params: subjectParam,
  query: t.Object({ permanent: flag('Takes soft-deleted versions away for ever.') }),
  reply: t.Array(t.Integer()),
  run: ({ params: { subject }, query }, { registry }) => registry.deleteSubject(subject, query)
})

export const subjectRoutes = [listSubjects, lookUpSchema, findByMetadata, deleteSubject]
