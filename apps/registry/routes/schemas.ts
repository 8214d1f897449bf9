/** Schemas by ID. */
import { guidOf, type Registry, type Version } from '@assay/registry'
import { Type as t } from 'typebox'
import type { RegistryContext } from '../context.ts'
import { route } from '../route.ts'
import { contentBody, deletedQuery, flag, idParam, page, pageQuery, schemaReply } from './shapes.ts'

export const getSchema = route<RegistryContext>()({
  method: 'GET',
  path: '/schemas/ids/:id',
  says: 'Answers the schema of an ID, also when every version with it is soft-deleted.',
  errors: ['SCHEMA_NOT_FOUND'],
  params: idParam,
  query: t.Object({
    subject: t.Optional(t.String({ description: 'Answers its version of this subject, too, when it has one.' })),
    fetchMaxId: flag('Answers the highest schema ID, too.')
  }),
  reply: schemaReply,
  run: ({ params: { id }, query: { subject, fetchMaxId } }, { registry }) => {
    const schema = registry.schemaById(id)
    const versions = registry.versionsById(id, { deleted: true })
    const under = subject === undefined ? undefined : versions.find(version => version.subject === subject)
    const shown = under ?? (versions[0] as Version)
    return {
      ...(under && { subject: under.subject, version: under.version }),
      guid: guidOf(schema.fingerprint),
      ...contentBody(schema),
      ...(fetchMaxId && { maxId: registry.facts().maxSchemaId }),
      ts: shown.timestampMs,
      deleted: shown.deleted
    }
  }
})

export const getSchemaText = route<RegistryContext>()({
  method: 'GET',
  path: '/schemas/ids/:id/schema',
  says: 'Answers the text of a schema alone.',
  errors: ['SCHEMA_NOT_FOUND'],
  params: idParam,
  reply: t.String(),
  sends: 'json text',
  run: ({ params: { id } }, { registry }) => registry.schemaById(id).text
})

const usesQuery = t.Object({
  subject: t.Optional(t.String({ description: 'Only this subject.' })),
  ...deletedQuery,
  ...pageQuery
})

function usesOf(
  registry: Registry,
  id: number,
  { subject, deleted }: { readonly subject?: string; readonly deleted: boolean }
): Version[] {
  return registry.versionsById(id, { deleted }).filter(version => subject === undefined || version.subject === subject)
}

export const getSchemaSubjects = route<RegistryContext>()({
  method: 'GET',
  path: '/schemas/ids/:id/subjects',
  says: 'Lists the subjects that hold a schema.',
  errors: ['SCHEMA_NOT_IN_SUBJECT'],
  params: idParam,
  query: usesQuery,
  reply: t.Array(t.String()),
  run: ({ params: { id }, query }, { registry }) =>
    page([...new Set(usesOf(registry, id, query).map(version => version.subject))], query)
})

export const getSchemaVersions = route<RegistryContext>()({
  method: 'GET',
  path: '/schemas/ids/:id/versions',
  says: 'Lists the versions that hold a schema.',
  errors: ['SCHEMA_NOT_IN_SUBJECT'],
  params: idParam,
  query: usesQuery,
  reply: t.Array(t.Object({ subject: t.String(), version: t.Integer() })),
  run: ({ params: { id }, query }, { registry }) =>
    page(
      usesOf(registry, id, query).map(({ subject, version }) => ({ subject, version })),
      query
    )
})

export const getSchemaTypes = route<RegistryContext>()({
  method: 'GET',
  path: '/schemas/types',
  says: 'Lists the schema types that can be registered.',
  errors: [],
  reply: t.Array(t.String()),
  run: () => ['AVRO']
})

export const schemaRoutes = [getSchemaTypes, getSchema, getSchemaText, getSchemaSubjects, getSchemaVersions]
