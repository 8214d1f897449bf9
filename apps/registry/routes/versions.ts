/** Versions of a subject: register, list, read, delete. */
import { isAssayError } from '@assay/errors'
import type { RegistryContext } from '../context.ts'
import { t } from '../json-schema.ts'
import { route } from '../route.ts'
import { registeredBody, versionBody } from './answers.ts'
import {
  deletedQuery,
  findTagsQuery,
  flag,
  formatQuery,
  normalizeQuery,
  page,
  pageQuery,
  parseVersion,
  referenceFormatQuery,
  registeredReply,
  schemaRequest,
  subjectParam,
  tagRequest,
  versionParams,
  versionReply
} from './shapes.ts'

const registrationErrors = [
  'INVALID_SUBJECT',
  'INVALID_SCHEMA',
  'UNSUPPORTED_SCHEMA_TYPE',
  'SCHEMA_TOO_LARGE',
  'INVALID_RULE_SET',
  'INCOMPATIBLE_SCHEMA',
  'OPERATION_NOT_PERMITTED',
  'REGISTRY_BUSY',
  'STORE_FULL',
  'STORE_FAILED'
] as const

export const registerSchema = route<RegistryContext>()({
  method: 'POST',
  path: '/subjects/:subject/versions',
  access: 'write',
  says: 'Registers a schema under a subject and answers its ID; the same schema again is answered with what it got before.',
  errors: registrationErrors,
  params: subjectParam,
  query: t.Object({ ...normalizeQuery, ...formatQuery, force: flag('Registers without a compatibility check.') }),
  body: schemaRequest,
  reply: registeredReply,
  run: async ({ params: { subject }, query: { format, ...options }, body }, { registry, metrics }) => {
    try {
      const registered = await registry.register(subject, body, options)
      metrics.checked(true)
      return registeredBody(registered, registry, { format })
    } catch (error) {
      if (isAssayError(error, 'INCOMPATIBLE_SCHEMA')) metrics.checked(false)
      throw error
    }
  }
})

export const listVersions = route<RegistryContext>()({
  method: 'GET',
  path: '/subjects/:subject/versions',
  access: 'read',
  says: 'Lists the numbers of the versions of a subject in ascending order.',
  errors: ['SUBJECT_NOT_FOUND'],
  params: subjectParam,
  query: t.Object({
    ...deletedQuery,
    deletedOnly: flag('Shows only soft-deleted ones.'),
    deletedAsNegative: flag('Shows all, soft-deleted ones as negative numbers.'),
    ...pageQuery
  }),
  reply: t.Array(t.Integer()),
  run: ({ params: { subject }, query: { offset, limit, ...shown } }, { registry }) =>
    page(registry.versions(subject, shown), { offset, limit })
})

export const getVersion = route<RegistryContext>()({
  method: 'GET',
  path: '/subjects/:subject/versions/:version',
  access: 'read',
  says: 'Answers a version of a subject; a name without a context is looked for in every context.',
  errors: ['SUBJECT_NOT_FOUND', 'VERSION_NOT_FOUND', 'INVALID_VERSION', 'INVALID_SCHEMA', 'UNSUPPORTED_SCHEMA_TYPE'],
  params: versionParams,
  query: t.Object({ ...formatQuery, ...referenceFormatQuery, ...deletedQuery, ...findTagsQuery }),
  reply: versionReply,
  run: ({ params: { subject, version }, query: { deleted, ...wanted } }, { registry }) =>
    versionBody(registry.version(subject, parseVersion(version), { deleted }), registry, wanted)
})

export const getVersionText = route<RegistryContext>()({
  method: 'GET',
  path: '/subjects/:subject/versions/:version/schema',
  access: 'read',
  says: 'Answers the text of a version alone.',
  errors: ['SUBJECT_NOT_FOUND', 'VERSION_NOT_FOUND', 'INVALID_VERSION', 'INVALID_SCHEMA', 'UNSUPPORTED_SCHEMA_TYPE'],
  params: versionParams,
  query: t.Object({ ...formatQuery, ...deletedQuery }),
  reply: t.String(),
  sends: 'json text',
  run: ({ params: { subject, version }, query: { format, deleted } }, { registry }) =>
    registry.textIn(registry.version(subject, parseVersion(version), { deleted }).schema, format)
})

export const getReferrers = route<RegistryContext>()({
  method: 'GET',
  path: '/subjects/:subject/versions/:version/referencedby',
  access: 'read',
  says: 'Lists the IDs of the schemas that refer to a version.',
  errors: ['SUBJECT_NOT_FOUND', 'VERSION_NOT_FOUND', 'INVALID_VERSION'],
  params: versionParams,
  query: t.Object({ ...deletedQuery, ...pageQuery }),
  reply: t.Array(t.Integer()),
  run: ({ params: { subject, version }, query: { deleted, ...range } }, { registry }) =>
    page(registry.referencedBy(subject, parseVersion(version), { deleted }), range)
})

export const deleteVersion = route<RegistryContext>()({
  method: 'DELETE',
  path: '/subjects/:subject/versions/:version',
  access: 'delete',
  says: 'Deletes a version and answers its number; softly, or permanently after that.',
  errors: [
    'SUBJECT_NOT_FOUND',
    'VERSION_NOT_FOUND',
    'INVALID_VERSION',
    'VERSION_SOFT_DELETED',
    'VERSION_NOT_SOFT_DELETED',
    'REFERENCE_EXISTS',
    'OPERATION_NOT_PERMITTED',
    'REGISTRY_BUSY',
    'STORE_FULL',
    'STORE_FAILED'
  ],
  params: versionParams,
  query: t.Object({ permanent: flag('Takes a soft-deleted version away for ever.') }),
  reply: t.Integer(),
  run: ({ params: { subject, version }, query }, { registry }) => registry.deleteVersion(subject, parseVersion(version), query)
})

export const modifyTags = route<RegistryContext>()({
  method: 'POST',
  path: '/subjects/:subject/versions/:version/tags',
  access: 'write',
  says: 'Registers the schema of a version with tags of its records and fields, metadata and rules changed, and answers its ID.',
  errors: ['SUBJECT_NOT_FOUND', 'VERSION_NOT_FOUND', 'INVALID_VERSION', ...registrationErrors],
  params: versionParams,
  body: tagRequest,
  reply: registeredReply,
  run: async ({ params: { subject, version }, body }, { registry }) =>
    registeredBody(await registry.modifyTags(subject, parseVersion(version), body), registry)
})

export const versionRoutes = [registerSchema, listVersions, getVersion, getVersionText, getReferrers, deleteVersion, modifyTags]
