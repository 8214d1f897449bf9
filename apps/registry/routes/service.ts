/** What the service says of itself. */
import { Type as t } from 'typebox'
import type { RegistryContext } from '../context.ts'
import { route } from '../route.ts'

export const getRoot = route<RegistryContext>()({
  method: 'GET',
  path: '/',
  says: 'Answers an empty object: clients ask it whether somebody is there.',
  errors: [],
  reply: t.Object({}),
  run: () => ({})
})

export const getHealth = route<RegistryContext>()({
  method: 'GET',
  path: '/health',
  says: 'Answers 200 as long as requests are served, with a few facts.',
  errors: [],
  reply: t.Object({
    status: t.String(),
    subjects: t.Integer(),
    schemas: t.Integer(),
    maxSchemaId: t.Integer({ description: 'The highest schema ID ever given.' }),
    journalOffset: t.Integer({ description: 'The first journal offset not yet applied.' })
  }),
  run: (_input, { registry }) => {
    const { subjects, schemas, maxSchemaId, nextOffset } = registry.facts()
    return { status: 'ok', subjects, schemas, maxSchemaId, journalOffset: nextOffset }
  }
})

export const getMetrics = route<RegistryContext>()({
  method: 'GET',
  path: '/metrics',
  says: "Answers the counters in Prometheus' text format.",
  errors: [],
  reply: t.String(),
  sends: { mediaType: 'text/plain; version=0.0.4; charset=utf-8' },
  run: (_input, { metrics }) => metrics.set.metrics()
})

export const getOpenApi = route<RegistryContext>()({
  method: 'GET',
  path: '/openapi.json',
  says: 'Answers the description of this API as OpenAPI 3.1.',
  errors: [],
  reply: t.String(),
  sends: 'json text',
  run: (_input, { openApi }) => openApi()
})

export const serviceRoutes = [getRoot, getHealth, getMetrics, getOpenApi]
