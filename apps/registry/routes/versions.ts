/** Versions of a subject: register, list, read, delete. */

import { isAssayError } from '@assay/errors'
import { Type as t } from 'typebox'
import type { RegistryContext } from '../context.ts'
import { route } from '../route.ts'
import {
  contentBody,
  deletedQuery,
  flag,
  page,
  pageQuery,
  parseVersion,
  registeredReply,
  schemaRequest,
  subjectParam,
  versionBody,
  versionParams,
  versionReply
} from './shapes.ts'

export const registerSchema = route<RegistryContext>()({
  method: 'POST',
  path: '/subjects/:subject/versions',
  says: 'Registers a schema under a subject and answers its ID; the same schema again is answered with what it got before.',
  errors: [
    'INVALID_SUBJECT',
    'INVALID_SCHEMA',
    'UNSUPPORTED_SCHEMA_TYPE',
    'INVALID_RULE_SET',
    'INCOMPATIBLE_SCHEMA',
    'OPERATION_NOT_PERMITTED',
    'REGISTRY_BUSY',
    'STORE_FAILED'
  ],
  params: subjectParam,
  query: t.Object({ normalize: flag('Normalises the schema first.'), force: flag('Registers without a compatibility check.') }),
  body: schemaRequest,
  reply: registeredReply,
  run: async ({ params: { subject }, query, body }, { registry, metrics }) => {
    try {
      const { id, version, guid, content } = await registry.register(subject, body, query)
      metrics.checked(true)
      return { id, version, guid, ...contentBody(content) }
    } catch (error) {
      if (isAssayError(error, 'INCOMPATIBLE_SCHEMA')) metrics.checked(false)
      throw error
    }
  }
})

export const listVersions = route<RegistryContext>()({
  method: 'GET',
  path: '/subjects/:subject/versions',
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
  says: 'Answers a version of a subject.',
  errors: ['SUBJECT_NOT_FOUND', 'VERSION_NOT_FOUND', 'INVALID_VERSION'],
  params: versionParams,
  query: t.Object(deletedQuery),
  reply: versionReply,
  run: ({ params: { subject, version }, query }, { registry }) =>
    versionBody(registry.version(subject, parseVersion(version), query))
})

export const getVersionText = route<RegistryContext>()({
  method: 'GET',
  path: '/subjects/:subject/versions/:version/schema',
  says: 'Answers the text of a version alone.',
  errors: ['SUBJECT_NOT_FOUND', 'VERSION_NOT_FOUND', 'INVALID_VERSION'],
  params: versionParams,
  query: t.Object(deletedQuery),
  reply: t.String(),
  sends: 'json text',
  run: ({ params: { subject, version }, query }, { registry }) =>
    registry.version(subject, parseVersion(version), query).schema.text
})

export const getReferrers = route<RegistryContext>()({
  method: 'GET',
  path: '/subjects/:subject/versions/:version/referencedby',
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
    'STORE_FAILED'
  ],
  params: versionParams,
  query: t.Object({ permanent: flag('Takes a soft-deleted version away for ever.') }),
  reply: t.Integer(),
  run: ({ params: { subject, version }, query }, { registry }) => registry.deleteVersion(subject, parseVersion(version), query)
})

export const versionRoutes = [registerSchema, listVersions, getVersion, getVersionText, getReferrers, deleteVersion]
